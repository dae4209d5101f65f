/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_chat.c - talk in a room, line by line */

#include "client/commands.h"

#include "client/face.h"
#include "client/line.h"
#include "client/show.h"
#include "client/slash.h"

#include "base/log.h"
#include "loop/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long leaving waits for acknowledgements: a person, or a pipe's end. */
#define LEAVE_MS      1500
#define LEAVE_PIPE_MS FACE_WAIT_MS

struct talk {
	struct loop *loop;
	struct chat *chat;
	struct line *line;
	struct loop_signals signals;
	bool is_connected;
	bool is_stopped;
	int status;
	char last_trouble[512]; /* shown already */
};

static void update_prompt(struct talk *talk)
{
	char prompt[TEXT_NICK_ROOM + 32];

	snprintf(prompt, sizeof(prompt), "%s%s> ",
		 talk->is_connected ? "" : "(offline) ", chat_nick(talk->chat));
	line_set_prompt(talk->line, prompt);
}

/* Whether this is the same trouble again, told at every try. */
static bool is_old_trouble(struct talk *talk, const struct event *event)
{
	bool is_old = strcmp(talk->last_trouble, event->text) == 0;

	snprintf(talk->last_trouble, sizeof(talk->last_trouble), "%s",
		 event->text);
	return is_old;
}

static void on_event(void *owner, struct event *event)
{
	struct talk *talk = owner;
	bool is_shown = show_has_line(event);

	if (event->type == EVENT_CONNECTED) {
		talk->is_connected = true;
		*talk->last_trouble = '\0';
		update_prompt(talk);
	} else if (event->type == EVENT_DISCONNECTED) {
		is_shown = !is_old_trouble(talk, event);
		talk->is_connected = false;
		update_prompt(talk);
	} else if (event->type == EVENT_STOPPED) {
		talk->is_stopped = true;
		line_end(talk->line);
		if (*event->text) {
			log_error("%s", event->text);
			talk->status = EXIT_FAILURE;
		}
		return;
	}
	if (event->type == EVENT_UNSENT && !line_is_edited(talk->line))
		talk->status = EXIT_FAILURE;
	if (!is_shown)
		return;
	line_hide(talk->line);
	show_on_terminal(stdout, event, line_columns(talk->line));
	line_show(talk->line);
}

static void leave(struct talk *talk)
{
	line_end(talk->line);
	chat_leave(talk->chat,
		   line_is_edited(talk->line) ? LEAVE_MS : LEAVE_PIPE_MS);
}

static void on_signal(struct loop_signals *signals, int number)
{
	struct talk *talk = list_entry(signals, struct talk, signals);

	if (!talk->line)
		return;
	if (number == SIGWINCH)
		line_resize(talk->line);
	else if (number == SIGTSTP)
		line_suspend(talk->line);
	else
		leave(talk);
}

/* Our own message, as the others see it. */
static void show_own(struct talk *talk, const char *text, size_t bytes)
{
	struct event *event = event_create(EVENT_MESSAGE, text, bytes);

	if (!event || !line_is_edited(talk->line)) {
		free(event);
		return;
	}
	snprintf(event->nick, sizeof(event->nick), "%s", chat_nick(talk->chat));
	show_on_terminal(stdout, event, line_columns(talk->line));
	fflush(stdout);
	free(event);
}

static void say(struct talk *talk, const char *text, size_t bytes)
{
	bool is_typed = line_is_edited(talk->line);
	int error = chat_say(talk->chat, text, bytes, NULL);

	/* A pipe can wait, and so can the lines of a terminal that pastes them
	 * one by one; a person without a connection is told. */
	while (error == -ENOBUFS && !talk->is_stopped &&
	       (!is_typed || chat_is_joined(talk->chat)) &&
	       loop_turn(talk->loop, -1) == 0)
		error = chat_say(talk->chat, text, bytes, NULL);
	if (error && !is_typed)
		talk->status = EXIT_FAILURE;
	if (error == -EMSGSIZE)
		printf("! not sent: %zu bytes are more than the %d of a "
		       "message\n",
		       bytes, CHAT_MAX_TEXT_BYTES);
	else if (error == -ENOBUFS)
		puts("! not sent: too much is waiting for the relay");
	else if (error == -EINVAL)
		puts("! not sent: a message has no NUL");
	else if (!error)
		show_own(talk, text, bytes);
	fflush(stdout);
}

static void enter(struct talk *talk, const char *text, size_t bytes)
{
	struct slash slash = { .chat = talk->chat };

	if (!bytes)
		return;
	if (*text != '/' || strncmp(text, "//", 2) == 0) {
		/* "//x" says "/x". */
		say(talk, text + (*text == '/'), bytes - (*text == '/'));
		return;
	}
	slash_run(&slash, text);
	fflush(stdout);
	if (slash.has_new_nick)
		update_prompt(talk);
	if (slash.wants_to_leave)
		leave(talk);
}

static int converse(struct talk *talk)
{
	const char *text;
	long bytes;
	int error = 0;

	update_prompt(talk);
	if (line_is_edited(talk->line))
		puts("* /help lists what can be typed besides messages");
	while (!talk->is_stopped && (bytes = line_read(talk->line, &text)) >= 0)
		enter(talk, text, (size_t)bytes);
	leave(talk);
	while (!talk->is_stopped && !error)
		error = loop_turn(talk->loop, -1);
	return error;
}

static int open_all(struct talk *talk, const struct arguments *arguments)
{
	static const int numbers[] = { SIGINT,  SIGTERM,  SIGHUP,
				       SIGTSTP, SIGWINCH, SIGQUIT };
	struct chat_options options = { .is_announced = true,
					.first_patience_ms = CHAT_FOREVER,
					.patience_ms = CHAT_FOREVER };
	int error;

	error = loop_create(&talk->loop);
	if (!error)
		error = loop_signals_open(talk->loop, &talk->signals, numbers,
					  6, on_signal);
	if (error) {
		log_error("cannot begin: %s", strerror(-error));
		return error;
	}
	error = face_enter(&talk->chat, talk->loop, arguments, &options,
			   on_event, talk);
	if (error)
		return error;
	error = line_open(&talk->line, talk->loop);
	if (error)
		log_error("cannot use the terminal: %s", strerror(-error));
	return error;
}

int cmd_chat(const struct arguments *arguments)
{
	struct talk talk = { .status = EXIT_SUCCESS };
	int error = open_all(&talk, arguments);

	if (!error)
		error = converse(&talk);
	line_close(talk.line);
	if (!error && chat_unacked(talk.chat)) {
		log_warning("%zu of your messages did not reach the relay",
			    chat_unacked(talk.chat));
		talk.status = EXIT_FAILURE;
	}
	chat_destroy(talk.chat);
	loop_signals_close(&talk.signals);
	loop_destroy(talk.loop);
	if (error)
		return error == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
	return talk.status;
}
