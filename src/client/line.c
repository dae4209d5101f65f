/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - a line editor that lets the loop run and others print above it */

/*
 * How it works: libedit asks us for each character (EL_GETCFN), and while
 * there is none we run the loop. So everything else happens inside of
 * line_read(), between two keys, when libedit has drawn all that it has to
 * draw. line_hide() goes back to the first column of the prompt, by the widths
 * of what is before the cursor, and clears from there; line_show() has libedit
 * draw afresh. A paste comes whole from keys.c and is inserted by a function
 * that is bound to a key nobody can type, because typed ones are left out.
 */
#include "client/line.h"

#include "client/keys.h"
#include "client/text.h"

#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define PASTE_KEY      0x1f /* ^_ */
#define HISTORY_LINES  500
#define PROMPT_MAX     256
#define PASTE_MODE_ON  "\033[?2004h"
#define PASTE_MODE_OFF "\033[?2004l"

struct line {
	struct loop *loop;
	struct loop_watch input;
	EditLine *el; /* NULL: plain */
	HistoryW *history;
	struct keys keys;
	uint8_t raw[4096]; /* read, not yet taken */
	size_t raw_bytes;
	size_t raw_at;
	mbstate_t decoder;
	wchar_t decoded[KEYS_HOLD]; /* not yet given to libedit */
	size_t decoded_count;
	size_t decoded_at;
	wchar_t prompt[PROMPT_MAX];
	char *text; /* what line_read() gives out */
	size_t text_bytes;
	size_t text_room;
	unsigned int hidden; /* nesting of line_hide() */
	bool is_reading;     /* inside el_wgets() */
	bool is_ended;
	bool is_at_end; /* of the input */
};

static struct line *line_of(EditLine *el)
{
	void *line = NULL;

	el_wget(el, EL_CLIENTDATA, &line);
	return line;
}

static wchar_t *on_prompt(EditLine *el)
{
	return line_of(el)->prompt;
}

size_t line_columns(const struct line *line)
{
	struct winsize size;

	if (!line->el || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 ||
	    size.ws_col < 2)
		return line->el ? 80 : 0;
	return size.ws_col;
}

bool line_is_edited(const struct line *line)
{
	return line->el;
}

static void on_input(struct loop_watch *watch, unsigned int events)
{
	struct line *line = list_entry(watch, struct line, input);
	ssize_t got;

	if (line->raw_at < line->raw_bytes) {
		(void)loop_watch_set(watch, 0); /* until it is taken */
		return;
	}
	got = read(watch->fd, line->raw, sizeof(line->raw));
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	line->raw_at = 0;
	line->raw_bytes = got > 0 ? (size_t)got : 0;
	if (got <= 0) {
		line->is_at_end = true;
		loop_watch_remove(watch);
	}
}

/* The next byte of the input, while the loop runs. -ENODATA at the end. */
static int next_byte(struct line *line, uint8_t *byte)
{
	while (line->raw_at == line->raw_bytes) {
		int error;

		if (line->is_ended || line->is_at_end)
			return -ENODATA;
		(void)loop_watch_set(&line->input, LOOP_READ);
		error = loop_turn(line->loop, -1);
		if (error)
			return error;
	}
	*byte = line->raw[line->raw_at++];
	return 0;
}

/* Decode what was typed; a byte that is no text is left out. */
static void decode_typed(struct line *line)
{
	line->decoded_at = line->decoded_count = 0;
	for (size_t i = 0; i < line->keys.typed_bytes; i++) {
		char c = (char)line->keys.typed[i];
		size_t result;
		wchar_t wide;

		if (c == PASTE_KEY)
			continue;
		result = mbrtowc(&wide, &c, 1, &line->decoder);
		if (result == (size_t)-1)
			memset(&line->decoder, 0, sizeof(line->decoder));
		else if (result != (size_t)-2)
			line->decoded[line->decoded_count++] = wide;
	}
}

/* libedit wants a character. */
static int on_getc(EditLine *el, wchar_t *c)
{
	struct line *line = line_of(el);
	uint8_t byte;

	while (line->decoded_at == line->decoded_count) {
		if (line->is_ended || next_byte(line, &byte))
			return 0;
		switch (keys_take(&line->keys, byte)) {
		case KEYS_TYPED:
			decode_typed(line);
			break;
		case KEYS_PASTED:
			*c = PASTE_KEY;
			return 1;
		case KEYS_NONE:
			break;
		}
	}
	*c = line->decoded[line->decoded_at++];
	return 1;
}

/* Insert the paste at the cursor, as clean as what others send. */
static unsigned char on_paste(EditLine *el, int key)
{
	struct line *line = line_of(el);
	size_t room = TEXT_ROOM(line->keys.paste_bytes);
	unsigned char result = CC_ERROR;
	char *clean = malloc(room);
	wchar_t *wide = NULL;
	size_t bytes;

	if (!clean)
		return result;
	if (line->keys.is_cut) {
		/* Half a text is not what was meant to be said. */
		line_hide(line);
		printf("! not pasted: it is longer than %d bytes\n",
		       KEYS_PASTE_MAX);
		line_show(line);
		free(clean);
		return CC_NORM;
	}
	for (size_t i = 0; i < line->keys.paste_bytes; i++)
		if (line->keys.paste[i] == '\r') /* as terminals send it */
			line->keys.paste[i] = '\n';
	bytes = text_clean(clean, room, line->keys.paste,
			   line->keys.paste_bytes, TEXT_BLOCK);
	while (bytes && clean[bytes - 1] == '\n')
		clean[--bytes] = '\0';
	wide = calloc(strlen(clean) + 1, sizeof(*wide));
	if (wide && mbstowcs(wide, clean, strlen(clean)) != (size_t)-1 &&
	    el_winsertstr(el, wide) == 0)
		result = CC_REFRESH;
	if (wide)
		explicit_bzero(wide, (strlen(clean) + 1) * sizeof(*wide));
	free(wide);
	explicit_bzero(clean, room);
	free(clean);
	explicit_bzero(line->keys.paste, line->keys.paste_bytes);
	return result;
}

/* The row, from the prompt's, of what is behind `count` characters of the
 * line. Newlines are drawn as such. */
static size_t row_of(const struct line *line, const wchar_t *text, size_t count)
{
	size_t columns = line_columns(line), at = 0, row = 0;
	size_t prompt = wcslen(line->prompt);

	for (size_t i = 0; i < prompt + count; i++) {
		wchar_t c = i < prompt ? line->prompt[i] : text[i - prompt];
		int width = c == L'\n' ? 0 : wcwidth(c);

		if (width < 0) /* drawn as ^X */
			width = 2;
		if (c == L'\n' || at + (size_t)width > columns) {
			row++;
			at = 0;
		}
		at += (size_t)width;
		if (at == columns) {
			row++;
			at = 0;
		}
	}
	return row;
}

static void clear_up(size_t rows)
{
	putchar('\r');
	if (rows)
		printf("\033[%zuA", rows);
	fputs("\033[J", stdout);
}

void line_hide(struct line *line)
{
	const LineInfoW *info;

	if (!line->el || line->hidden++ || !line->is_reading)
		return;
	info = el_wline(line->el);
	clear_up(row_of(line, info->buffer,
			(size_t)(info->cursor - info->buffer)));
}

void line_show(struct line *line)
{
	fflush(stdout);
	if (!line->el || --line->hidden || !line->is_reading || line->is_ended)
		return;
	el_wset(line->el, EL_REFRESH);
}

void line_set_prompt(struct line *line, const char *prompt)
{
	line_hide(line);
	if (mbstowcs(line->prompt, prompt, PROMPT_MAX - 1) == (size_t)-1)
		wcscpy(line->prompt, L"> ");
	line_show(line);
}

void line_resize(struct line *line)
{
	if (!line->el)
		return;
	line_hide(line);
	el_resize(line->el);
	line_show(line);
}

void line_suspend(struct line *line)
{
	line_hide(line);
	if (line->el) {
		fputs(PASTE_MODE_OFF, stdout);
		fflush(stdout);
		el_wset(line->el, EL_PREP_TERM, 0);
	}
	raise(SIGSTOP);
	if (line->el) {
		el_wset(line->el, EL_PREP_TERM, 1);
		fputs(PASTE_MODE_ON, stdout);
		el_resize(line->el);
	}
	line_show(line);
}

void line_end(struct line *line)
{
	if (line->is_ended)
		return;
	line_hide(line); /* for good */
	fflush(stdout);
	line->is_ended = true;
	loop_watch_remove(&line->input);
}

static int text_append(struct line *line, const char *data, size_t bytes)
{
	if (line->text_bytes + bytes + 1 > line->text_room) {
		size_t room = 2 * (line->text_bytes + bytes + 1);
		char *grown = malloc(room);

		if (!grown)
			return -ENOMEM;
		/* Not realloc(): the old copy is wiped. */
		if (line->text_bytes)
			memcpy(grown, line->text, line->text_bytes);
		if (line->text)
			explicit_bzero(line->text, line->text_room);
		free(line->text);
		line->text = grown;
		line->text_room = room;
	}
	memcpy(line->text + line->text_bytes, data, bytes);
	line->text_bytes += bytes;
	line->text[line->text_bytes] = '\0';
	return 0;
}

static long read_plain(struct line *line)
{
	uint8_t byte;
	int error;

	while ((error = next_byte(line, &byte)) == 0 && byte != '\n')
		if (text_append(line, (char *)&byte, 1))
			return -ENOMEM;
	/* A last line without a newline is one. */
	if (error && (error != -ENODATA || !line->text_bytes))
		return error;
	return (long)line->text_bytes;
}

static long read_edited(struct line *line)
{
	const wchar_t *wide;
	char bytes[MB_LEN_MAX];
	HistEventW event;
	int count = 0;

	line->is_reading = true;
	wide = el_wgets(line->el, &count);
	line->is_reading = false;
	if (!wide || count <= 0 || line->is_ended) {
		if (!line->is_ended)
			fputs("\r\033[J", stdout);
		return -ENODATA;
	}
	if (wide[count - 1] == L'\n')
		count--;
	for (int i = 0; i < count; i++) {
		int length = wctomb(bytes, wide[i]);

		if (length > 0 && text_append(line, bytes, (size_t)length))
			return -ENOMEM;
	}
	/* What was entered is shown by the owner, in its own form. */
	clear_up(row_of(line, wide, (size_t)count) + 1);
	if (line->text_bytes)
		history_w(line->history, &event, H_ENTER, wide);
	return (long)line->text_bytes;
}

long line_read(struct line *line, const char **text)
{
	long result;

	if (line->text)
		explicit_bzero(line->text, line->text_room);
	line->text_bytes = 0;
	if (text_append(line, "", 0))
		return -ENOMEM;
	result = line->el ? read_edited(line) : read_plain(line);
	*text = line->text;
	return result;
}

static bool can_edit(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static int open_editor(struct line *line)
{
	HistEventW event;

	line->el = el_init("paravox", stdin, stdout, stderr);
	line->history = history_winit();
	if (!line->el || !line->history)
		return -ENOMEM;
	history_w(line->history, &event, H_SETSIZE, HISTORY_LINES);
	history_w(line->history, &event, H_SETUNIQUE, 1);
	el_wset(line->el, EL_CLIENTDATA, line);
	el_wset(line->el, EL_EDITOR, L"emacs");
	el_wset(line->el, EL_SIGNAL, 0); /* signals come through the loop */
	el_wset(line->el, EL_HIST, history_w, line->history);
	el_wset(line->el, EL_PROMPT, on_prompt);
	el_wset(line->el, EL_GETCFN, on_getc);
	el_wset(line->el, EL_ADDFN, L"paravox-paste", L"Insert what was pasted",
		on_paste);
	el_wset(line->el, EL_BIND, L"^_", L"paravox-paste", NULL);
	fputs(PASTE_MODE_ON, stdout);
	fflush(stdout);
	return 0;
}

int line_open(struct line **result, struct loop *loop)
{
	struct line *line = calloc(1, sizeof(*line));
	int error;

	*result = NULL;
	if (!line)
		return -ENOMEM;
	line->loop = loop;
	error = loop_watch_add(loop, &line->input, STDIN_FILENO, LOOP_READ,
			       on_input);
	if (!error && can_edit())
		error = open_editor(line);
	if (error) {
		line_close(line);
		return error;
	}
	*result = line;
	return 0;
}

void line_close(struct line *line)
{
	if (!line)
		return;
	if (line->el) {
		fputs(PASTE_MODE_OFF, stdout);
		fflush(stdout);
		el_end(line->el);
	}
	if (line->history)
		history_wend(line->history);
	loop_watch_remove(&line->input);
	if (line->text)
		explicit_bzero(line->text, line->text_room);
	free(line->text);
	explicit_bzero(line, sizeof(*line));
	free(line);
}
