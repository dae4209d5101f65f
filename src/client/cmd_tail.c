/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tail.c - print what is said in a room */

#include "client/commands.h"

#include "client/face.h"
#include "client/output.h"
#include "client/show.h"

#include "base/log.h"
#include "loop/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tail {
	struct loop *loop;
	struct chat *chat;
	struct loop_signals signals;
	uint64_t left; /* messages until the end; 0: no end */
	bool is_json;
	bool is_done;
	bool is_cut_off; /* the reader did not read when a signal came */
	int status;
};

static void finish(struct tail *tail, int status)
{
	if (tail->is_done)
		return;
	tail->is_done = true;
	tail->status = status;
	loop_stop(tail->loop);
}

/* Each event at once: a reader behind a pipe waits for it. */
static int print(struct tail *tail, const struct event *event)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *memory = open_memstream(&text, &bytes);
	int fd = tail->is_json || event->type == EVENT_MESSAGE ? STDOUT_FILENO
							       : STDERR_FILENO;
	int error = -ENOMEM;

	if (!memory)
		return error;
	if (tail->is_json)
		show_json(memory, event);
	else
		show_on_terminal(memory, event, show_columns(fd));
	if (fclose(memory) == 0)
		error = output_write(fd, text, bytes, tail->signals.fd);
	free(text);
	return error;
}

static void on_event(void *owner, struct event *event)
{
	struct tail *tail = owner;
	int error;

	if (tail->is_done || tail->is_cut_off)
		return;
	error = print(tail, event);
	if (error == -EINTR) {
		/* on_signal() is next; nothing more is printed. */
		tail->is_cut_off = true;
	} else if (error) {
		log_error("standard output: %s", strerror(-error));
		finish(tail, EXIT_FAILURE);
	} else if (event->type == EVENT_STOPPED) {
		if (tail->is_json)
			log_error("%s", event->text);
		finish(tail, EXIT_FAILURE);
	} else if (event->type == EVENT_MESSAGE && tail->left &&
		   --tail->left == 0) {
		finish(tail, EXIT_SUCCESS);
	}
}

static void on_signal(struct loop_signals *signals, int number)
{
	struct tail *tail = list_entry(signals, struct tail, signals);

	/* Being told to end is a good end only when nothing is awaited. */
	finish(tail, tail->left ? 128 + number : EXIT_SUCCESS);
}

int cmd_tail(const struct arguments *arguments)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct chat_options options = { .patience_ms = CHAT_FOREVER };
	struct tail tail = { .status = EXIT_FAILURE };
	int error;

	tail.is_json = arguments->value[OPTION_JSON];
	if (face_number(&tail.left, "count", arguments->value[OPTION_COUNT],
			UINT64_MAX / 2, 0))
		return EXIT_USAGE;
	error = loop_create(&tail.loop);
	if (!error)
		error = loop_signals_open(tail.loop, &tail.signals, numbers, 3,
					  on_signal);
	if (error)
		log_error("cannot begin: %s", strerror(-error));
	else
		error = face_enter(&tail.chat, tail.loop, arguments, &options,
				   on_event, &tail);
	if (!error)
		error = loop_run(tail.loop);
	chat_destroy(tail.chat);
	loop_signals_close(&tail.signals);
	loop_destroy(tail.loop);
	if (error == -EINVAL)
		return EXIT_USAGE;
	return tail.status;
}
