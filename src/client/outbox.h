/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h - sealed messages until the relay has acknowledged them */
#ifndef PVX_CLIENT_OUTBOX_H
#define PVX_CLIENT_OUTBOX_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How it works: one list in the order of sealing. The first `in_flight` of it
 * were sent on this connection; the rest waits for the window or for a
 * connection. An acknowledgement takes from the front. A new connection makes
 * everything unsent again, but for what was refused: the same bytes go out, in
 * the same order.
 */
struct outbox {
	struct list messages;
	struct list *next; /* the first unsent link, or the head */
	size_t count;
	size_t bytes;
	size_t in_flight;
	size_t in_flight_bytes;
	uint64_t sent;  /* SENDs on this connection */
	uint64_t acked; /* of them */
	size_t window_messages;
	size_t window_bytes;
};

struct outbox_message {
	struct list link;
	uint64_t number; /* of the owner, for its own use */
	bool is_refused; /* the relay said so; its ACK follows */
	size_t bytes;
	uint8_t envelope[]; /* `bytes` */
};

/* What is kept at most; above it outbox_add() says -ENOBUFS. */
#define OUTBOX_MAX_MESSAGES 4096
#define OUTBOX_MAX_BYTES    (16u * 1024 * 1024)

void outbox_init(struct outbox *outbox);
void outbox_deinit(struct outbox *outbox);

/* Whether another message of `bytes` bytes would be taken. */
bool outbox_has_room(const struct outbox *outbox, size_t bytes);

/* Copy a sealed message to the end. 0, -ENOBUFS, or -ENOMEM. */
int outbox_add(struct outbox *outbox, uint64_t number, const void *envelope,
	       size_t bytes);

/* A new connection with this window: nothing of it was sent yet. */
void outbox_rewind(struct outbox *outbox, size_t window_messages,
		   size_t window_bytes);

/*
 * The next message to send, counted as sent from now on, or NULL when there
 * is none or the window is full. A message that is larger than the whole
 * window goes out alone. Borrowed until its acknowledgement.
 */
const struct outbox_message *outbox_send_next(struct outbox *outbox);

/* The message of the SEND with this index (1: the first on this connection),
 * or NULL when it is not in flight. */
struct outbox_message *outbox_in_flight(struct outbox *outbox, uint64_t index);

/*
 * Take the front off because `up_to` SENDs are done: returns it with its
 * ownership (free it with free()), or NULL when nothing more is covered.
 */
struct outbox_message *outbox_take_acked(struct outbox *outbox, uint64_t up_to);

/* Whether a cumulative count can be true at all. */
bool outbox_ack_is_possible(const struct outbox *outbox, uint64_t up_to);

#endif
