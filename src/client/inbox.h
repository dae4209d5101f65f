/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.h - open what the relay delivers, remember it, then show it */
#ifndef PVX_CLIENT_INBOX_H
#define PVX_CLIENT_INBOX_H

#include "client/alike.h"
#include "client/event.h"
#include "client/roster.h"
#include "client/state.h"

/*
 * How it works: everything that happens becomes an event in `pending`, in
 * order. What an accepted message changes in our memory is merged into the
 * state's transaction at once; inbox_flush(), at the end of a turn of the
 * loop, commits it and only then hands the events on. So nothing is shown
 * that a restart could be made to show again.
 */
typedef void inbox_event_fn(void *owner, struct event *event); /* borrowed */

struct inbox {
	struct e2ee_room *room; /* borrowed */
	struct state *state;    /* borrowed */
	inbox_event_fn *on_event;
	void *owner;
	struct roster *roster; /* borrowed; NULL without a connection */
	struct list pending;
	struct alike alike;
	uint64_t sequence;         /* set by the owner: of what comes next */
	bool is_past;              /* the same: it was said before we came */
	bool is_asked_for;         /* the same: also what we had before */
	uint64_t texts;            /* that were queued to be shown */
	bool is_short_of_memory;   /* an event was lost: nothing is handed on */
	struct e2ee_opened opened; /* large: not on the stack */
};

void inbox_init(struct inbox *inbox, struct e2ee_room *room,
		struct state *state, inbox_event_fn *on_event, void *owner);
void inbox_deinit(struct inbox *inbox);

/* Load what was remembered of the room. 0 or -errno. */
int inbox_load(struct inbox *inbox);

/*
 * Open one envelope as it was delivered. 0 also when it was refused: then an
 * event says so. -errno when we cannot go on: the crypto provider's error,
 * that of state_merge(), or -ENOMEM; nothing of the message is shown.
 */
int inbox_take(struct inbox *inbox, const uint8_t *envelope, size_t bytes);

/* Open one that the user wants to see again: it is judged alike but for what
 * was accepted before, and changes nothing. As inbox_take(). */
int inbox_show(struct inbox *inbox, const uint8_t *envelope, size_t bytes);

/* Queue an event behind the others; consumed. NULL (no memory) makes the next
 * inbox_flush() fail, so that nothing is shown without its warnings. */
void inbox_push(struct inbox *inbox, struct event *event);

/* Fill in what is known about the device: identity, nick, verified. */
void inbox_describe_device(struct inbox *inbox, struct event *event,
			   const uint8_t device[CHAT_KEY_BYTES]);

/* Forget what was not flushed, in the state and in the queue. */
void inbox_drop(struct inbox *inbox);

/* Commit, then hand on every event. 0, or -errno of state_commit(): then
 * nothing was handed on. */
int inbox_flush(struct inbox *inbox);

#endif
