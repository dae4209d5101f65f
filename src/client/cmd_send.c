/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_send.c - each line of standard input is a message */

/*
 * How it works: standard input is read no faster than messages are
 * acknowledged (SEND_AHEAD of them may wait). At its end, or at a line that
 * cannot be sent, reading stops; the program ends when all that was read is
 * acknowledged, with status 0 only if every line was.
 */
#include "client/commands.h"

#include "client/face.h"
#include "client/show.h"

#include "base/log.h"
#include "loop/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEND_AHEAD   512
#define BUFFER_BYTES (2 * (CHAT_MAX_TEXT_BYTES + 1))

_Static_assert(CHAT_MAX_TEXT_BYTES == 49152, "as the message says");
#define TOO_LONG "it is longer than a message can be (49152 bytes)"

struct send {
	struct loop *loop;
	struct chat *chat;
	struct loop_signals signals;
	struct loop_watch input;
	char buffer[BUFFER_BYTES];
	size_t bytes;         /* read and not yet said, in buffer */
	uint64_t line_number; /* of the last one that was said */
	uint64_t messages;
	uint64_t acked;
	bool is_at_end; /* nothing more is read */
	bool is_json;
	bool has_failed;
	bool is_done;
};

static void finish(struct send *send, bool is_good)
{
	if (send->is_done)
		return;
	send->is_done = true;
	if (!is_good)
		send->has_failed = true;
	loop_watch_remove(&send->input);
	chat_leave(send->chat, 0);
}

/* Say no more: what is wrong with the line that is read, or with reading. */
static void refuse(struct send *send, const char *why)
{
	log_error("line %llu was not sent, and nothing behind it: %s",
		  (unsigned long long)send->line_number + 1, why);
	send->has_failed = true;
	send->is_at_end = true;
	send->bytes = 0;
}

static bool has_room(const struct send *send)
{
	return chat_unacked(send->chat) < SEND_AHEAD;
}

/* False: the line must wait until something is acknowledged, or was refused. */
static bool say(struct send *send, const char *line, size_t bytes)
{
	uint64_t number;
	int error = 0;

	if (bytes && line[bytes - 1] == '\r')
		bytes--;
	if (bytes) /* an empty line says nothing */
		error = chat_say(send->chat, line, bytes, &number);
	if (error == -ENOBUFS && chat_unacked(send->chat))
		return false;
	if (error == -EMSGSIZE)
		refuse(send, TOO_LONG);
	else if (error == -EINVAL)
		refuse(send, "it has a NUL");
	else if (error)
		refuse(send, strerror(-error));
	if (error)
		return false;
	send->line_number++;
	send->messages += bytes != 0;
	return true;
}

/* Send the lines of the buffer, as far as they are whole and there is room;
 * at the end of the input a last one without a newline is whole too. */
static void take_lines(struct send *send)
{
	char *line = send->buffer, *end = send->buffer + send->bytes, *newline;

	while (line < end && has_room(send)) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline && !send->is_at_end) {
			if (end - line > CHAT_MAX_TEXT_BYTES + 1)
				refuse(send, TOO_LONG);
			break;
		}
		if (!newline)
			newline = end;
		if (!say(send, line, (size_t)(newline - line)))
			break;
		line = newline < end ? newline + 1 : end;
	}
	if (!send->bytes) /* refused */
		return;
	send->bytes = (size_t)(end - line);
	memmove(send->buffer, line, send->bytes);
}

static loop_watch_fn on_input;

/* Send, read on, wait, or end; after every change. */
static void consider(struct send *send)
{
	if (send->is_done)
		return;
	take_lines(send);
	/* Removed, not only muted: the writer's hang-up is told unasked. */
	if (send->is_at_end || !has_room(send) || send->bytes == BUFFER_BYTES)
		loop_watch_remove(&send->input);
	else if (!send->input.loop &&
		 loop_watch_add(send->loop, &send->input, STDIN_FILENO,
				LOOP_READ, on_input))
		finish(send, false);
	if (send->is_at_end && !send->bytes && send->acked == send->messages)
		finish(send, true);
}

static void on_input(struct loop_watch *watch, unsigned int events)
{
	struct send *send = list_entry(watch, struct send, input);
	ssize_t got = read(watch->fd, send->buffer + send->bytes,
			   BUFFER_BYTES - send->bytes);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0)
		refuse(send, strerror(errno));
	else if (got == 0)
		send->is_at_end = true;
	else
		send->bytes += (size_t)got;
	consider(send);
}

static void on_event(void *owner, struct event *event)
{
	struct send *send = owner;

	if (send->is_json) {
		show_json(stdout, event);
		fflush(stdout);
	}
	if (event->type == EVENT_ACKED || event->type == EVENT_UNSENT) {
		send->acked++;
		if (event->type == EVENT_UNSENT) {
			send->has_failed = true;
			log_error("message %llu: %s",
				  (unsigned long long)event->number,
				  event->text);
		}
		consider(send);
	} else if (event->type == EVENT_DISCONNECTED) {
		log_warning("%s; trying again", event->text);
	} else if (event->type == EVENT_STOPPED) {
		if (*event->text)
			log_error("%s", event->text);
		if (!send->is_done)
			send->has_failed = true;
		loop_stop(send->loop);
	}
}

static void on_signal(struct loop_signals *signals, int number)
{
	finish(list_entry(signals, struct send, signals), false);
}

static int run(struct send *send)
{
	int error;

	/* The descriptor stays blocking, because others share it. It is read
	 * once when it is ready, which does not block. */
	consider(send);
	error = loop_run(send->loop);
	if (error)
		log_error("%s", strerror(-error));
	loop_watch_remove(&send->input);
	if (send->acked < send->messages)
		log_error("not acknowledged: %llu of the %llu messages",
			  (unsigned long long)(send->messages - send->acked),
			  (unsigned long long)send->messages);
	return error;
}

int cmd_send(const struct arguments *arguments)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct chat_options options = { .is_deaf = true,
					.patience_ms = FACE_WAIT_MS };
	struct send *send = calloc(1, sizeof(*send));
	int error, status = EXIT_FAILURE;

	if (!send) {
		log_error("no memory");
		return status;
	}
	send->is_json = arguments->value[OPTION_JSON];
	error = loop_create(&send->loop);
	if (!error)
		error = loop_signals_open(send->loop, &send->signals, numbers,
					  3, on_signal);
	if (error)
		log_error("cannot begin: %s", strerror(-error));
	else
		error = face_enter(&send->chat, send->loop, arguments, &options,
				   on_event, send);
	if (!error && run(send) == 0 && !send->has_failed &&
	    send->acked == send->messages)
		status = EXIT_SUCCESS;
	chat_destroy(send->chat);
	loop_signals_close(&send->signals);
	loop_destroy(send->loop);
	explicit_bzero(send, sizeof(*send));
	free(send);
	return error == -EINVAL ? EXIT_USAGE : status;
}
