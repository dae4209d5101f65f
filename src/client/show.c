/* SPDX-License-Identifier: Apache-2.0 */
/* show.c - events as lines for people, or as JSON for programs */

#include "client/show.h"

#include "base/bytes.h"
#include "e2ee/identity.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define INDENT        "         " /* as wide as the time and a blank */
#define NARROW_INDENT "|"         /* where that would leave no room */
/* Where a terminal finds a character wider than we do it must not begin a new
 * line by itself (DECAWM). */
#define AUTOWRAP_OFF "\033[?7l"
#define AUTOWRAP_ON  "\033[?7h"

static void print_time(FILE *to, uint64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm local;
	char text[16];

	if (!localtime_r(&seconds, &local) ||
	    !strftime(text, sizeof(text), "%H:%M:%S", &local))
		strcpy(text, "--:--:--");
	fputs(text, to);
}

/* What stands for the member: the nick, or the device that the relay names. */
static const char *who(const struct event *event)
{
	static char text[sizeof("device ") + EVENT_DEVICE_ROOM];

	if (*event->nick)
		return event->nick;
	if (!event->has_device)
		return "somebody";
	strcpy(text, "device ");
	event_device_text(text + strlen(text), event->device);
	return text;
}

/* A time of its sender that is far from ours: it was typed while he was
 * offline, held back, recorded and handed out anew, or a clock is wrong. */
static void print_said(FILE *to, const struct event *event)
{
	time_t seconds = (time_t)(event->said_ms / 1000);
	char text[32];
	struct tm local;

	if (!event_is_said_far_off(event))
		return;
	if (!localtime_r(&seconds, &local) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local))
		strcpy(text, "at no possible time");
	fprintf(to, " (said %s)", text);
}

/*
 * Lines are broken here and not by the terminal, when its width is known:
 * otherwise a member or the relay could fill a line so that the rest of the
 * text begins the next one and looks like somebody else's message.
 */
static void print_broken(FILE *to, const char *text, size_t columns)
{
	bool is_narrow = columns && columns <= 2 * strlen(INDENT);
	const char *indent = is_narrow ? NARROW_INDENT : INDENT;
	size_t at = strlen(INDENT);

	while (*text) {
		size_t bytes = 1, width;

		while (((unsigned char)text[bytes] & 0xc0) == 0x80)
			bytes++;
		width = text_columns(text, bytes);
		if (*text == '\n' || (columns && at + width > columns)) {
			fprintf(to, "\n%s", indent);
			at = strlen(indent);
		}
		if (*text != '\n')
			fwrite(text, 1, bytes, to);
		at += width;
		text += bytes;
	}
}

static void print_message(FILE *to, const struct event *event)
{
	fprintf(to, "%s%s", who(event), event->is_own ? " (you)" : "");
	print_said(to, event);
	fprintf(to, ": %s", event->text);
}

static void print_fingerprint(FILE *to, const uint8_t *identity)
{
	char text[E2EE_FINGERPRINT_ROOM];

	e2ee_fingerprint(text, identity);
	fprintf(to, "\n  %s", text);
}

static void print_came(FILE *to, const struct event *event)
{
	fprintf(to, "* %s is here%s", who(event),
		event->is_verified ? " (verified)" : "");
	print_said(to, event);
}

static void print_leaves(FILE *to, const struct event *event)
{
	fprintf(to, "* %s leaves", who(event));
	print_said(to, event);
	fprintf(to, "%s%s", *event->text ? ": " : "", event->text);
}

static void print_new_member(FILE *to, const struct event *event)
{
	fprintf(to, "* %s is new to you; the fingerprint is", who(event));
	print_fingerprint(to, event->identity);
}

static void print_nick_changed(FILE *to, const struct event *event)
{
	fprintf(to, "* %s is now called %s", event->other_nick, who(event));
}

static void print_nick_taken(FILE *to, const struct event *event)
{
	fprintf(to,
		"! WARNING: two members are called %s%s%s. It may be the same "
		"person\n! with a new identity, or somebody who "
		"passes for another. This one is",
		event->nick,
		strcmp(event->nick, event->other_nick) ? " and " : "",
		strcmp(event->nick, event->other_nick) ? event->other_nick
						       : "");
	print_fingerprint(to, event->identity);
	fprintf(to, "\n! and the %s",
		event->is_reminder ? "other one" : "one known before");
	print_fingerprint(to, event->other_identity);
}

static void print_gap(FILE *to, const struct event *event)
{
	fprintf(to, "! %" PRIu64 " message%s of %s %s missing here%s",
		event->count, event->count == 1 ? "" : "s", who(event),
		event->count == 1 ? "is" : "are",
		event->is_from_start ? ": held back, or said before you came"
				     : "");
}

static void print_late(FILE *to, const struct event *event)
{
	fprintf(to,
		"! the next message of %s comes late: it was said before "
		"others that you saw",
		who(event));
}

static void print_fork(FILE *to, const struct event *event)
{
	fprintf(to, "! WARNING: %s told others something else before this",
		who(event));
}

static void print_chain_break(FILE *to, const struct event *event)
{
	fprintf(to, "! some of the last messages of %s before this are missing",
		who(event));
}

static void print_refused(FILE *to, const struct event *event)
{
	fprintf(to, "! a message was refused: %s", event->text);
	if (event->has_device)
		fprintf(to, " (it claims to be by %s)", who(event));
}

static void print_replayed(FILE *to, const struct event *event)
{
	fprintf(to, "! %" PRIu64 " message%s of %s came again and %s not shown",
		event->count, event->count == 1 ? "" : "s", who(event),
		event->count == 1 ? "is" : "are");
}

static void print_identity_changed(FILE *to, const struct event *event)
{
	fprintf(to,
		"! WARNING: a message was refused, because %s is known to "
		"have the fingerprint",
		who(event));
	print_fingerprint(to, event->identity);
	if (event->has_other_identity) {
		fputs("\n! and it claims", to);
		print_fingerprint(to, event->other_identity);
	}
}

static void print_present(FILE *to, const struct event *event)
{
	fprintf(to, "* the relay says that %s came", who(event));
}

static void print_gone(FILE *to, const struct event *event)
{
	fprintf(to, "* the relay says that %s left", who(event));
}

static void print_new_relay(FILE *to, const struct event *event)
{
	fprintf(to, "* %s", event->text);
}

static void print_connected(FILE *to, const struct event *event)
{
	fprintf(to,
		"* connected; the relay says that %" PRIu64 " other%s %s "
		"here",
		event->count ? event->count - 1 : 0,
		event->count == 2 ? "" : "s", event->count == 2 ? "is" : "are");
}

static void print_disconnected(FILE *to, const struct event *event)
{
	fprintf(to, "! not connected: %s; trying again", event->text);
}

static void print_unsent(FILE *to, const struct event *event)
{
	fprintf(to, "! one of your messages was lost: %s", event->text);
}

static void print_stopped(FILE *to, const struct event *event)
{
	fprintf(to, "! %s", event->text);
}

static void print_caught_up(FILE *to, const struct event *event)
{
	fprintf(to, "* %" PRIu64 " message%s while you were away", event->count,
		event->count == 1 ? "" : "s");
}

static void print_lost(FILE *to, const struct event *event)
{
	fputs("! the relay lost its history, or is another one: what was said "
	      "while you were\n! away may be missing",
	      to);
}

static void print_expired(FILE *to, const struct event *event)
{
	fprintf(to,
		"! %" PRIu64 " message%s came while you were away and %s not "
		"kept any more",
		event->count, event->count == 1 ? "" : "s",
		event->count == 1 ? "is" : "are");
}

static void print_unreadable(FILE *to, const struct event *event)
{
	fputs("! the relay cannot read its history now: what was said while "
	      "you were away is\n! not here yet",
	      to);
}

static void print_fetched(FILE *to, const struct event *event)
{
	if (event->count)
		fprintf(to, "* that %s %" PRIu64 " older message%s",
			event->count == 1 ? "was" : "were", event->count,
			event->count == 1 ? "" : "s");
	else
		fputs("* nothing older is kept there", to);
}

static void (*const printers[EVENTS])(FILE *to, const struct event *event) = {
	[EVENT_MESSAGE] = print_message,
	[EVENT_CAME] = print_came,
	[EVENT_LEAVES] = print_leaves,
	[EVENT_NEW_MEMBER] = print_new_member,
	[EVENT_NICK_CHANGED] = print_nick_changed,
	[EVENT_NICK_TAKEN] = print_nick_taken,
	[EVENT_GAP] = print_gap,
	[EVENT_LATE] = print_late,
	[EVENT_FORK] = print_fork,
	[EVENT_CHAIN_BREAK] = print_chain_break,
	[EVENT_REFUSED] = print_refused,
	[EVENT_REPLAYED] = print_replayed,
	[EVENT_IDENTITY_CHANGED] = print_identity_changed,
	[EVENT_PRESENT] = print_present,
	[EVENT_GONE] = print_gone,
	[EVENT_NEW_RELAY] = print_new_relay,
	[EVENT_CONNECTED] = print_connected,
	[EVENT_DISCONNECTED] = print_disconnected,
	[EVENT_UNSENT] = print_unsent,
	[EVENT_STOPPED] = print_stopped,
	[EVENT_CAUGHT_UP] = print_caught_up,
	[EVENT_LOST] = print_lost,
	[EVENT_EXPIRED] = print_expired,
	[EVENT_UNREADABLE] = print_unreadable,
	[EVENT_FETCHED] = print_fetched,
};

bool show_has_line(const struct event *event)
{
	if (event->type == EVENT_STOPPED)
		return *event->text;
	if (event->type == EVENT_CAUGHT_UP)
		return event->count;
	return printers[event->type];
}

void show_line(FILE *to, const struct event *event, size_t columns)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *line;

	if (!show_has_line(event))
		return;
	line = open_memstream(&text, &bytes);
	if (line) {
		printers[event->type](line, event);
		fclose(line);
	}
	print_time(to, event->time_ms);
	fputc(' ', to);
	print_broken(to, text ? text : "! there is no memory to show this",
		     columns);
	fputc('\n', to);
	if (text)
		explicit_bzero(text, bytes);
	free(text);
}

void show_on_terminal(FILE *to, const struct event *event, size_t columns)
{
	if (columns)
		fputs(AUTOWRAP_OFF, to);
	show_line(to, event, columns);
	if (columns)
		fputs(AUTOWRAP_ON, to);
}

size_t show_columns(int fd)
{
	const char *term = getenv("TERM");
	struct winsize size;

	if (!isatty(fd) || !term || !*term || strcmp(term, "dumb") == 0 ||
	    ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return 0;
	return size.ws_col;
}
