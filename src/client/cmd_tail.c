/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tail.c - print what is said in a room */

#include "client/commands.h"

#include "client/face.h"
#include "client/show.h"

#include "base/log.h"
#include "loop/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct tail {
	struct loop *loop;
	struct chat *chat;
	struct loop_signals signals;
	uint64_t left; /* messages until the end; 0: no end */
	bool is_json;
	bool is_done;
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

static void on_event(void *owner, struct event *event)
{
	struct tail *tail = owner;

	if (tail->is_done)
		return;
	if (tail->is_json)
		show_json(stdout, event);
	else if (event->type == EVENT_MESSAGE)
		show_line(stdout, event, 0);
	else
		show_line(stderr, event, 0);
	/* Each line at once: a reader behind a pipe waits for it. */
	if (fflush(stdout) == EOF) {
		log_error("standard output: %s", strerror(errno));
		finish(tail, EXIT_FAILURE);
		return;
	}
	if (event->type == EVENT_STOPPED) {
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
