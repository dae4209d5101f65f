/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.h - a receiver's queue: a ring of references to shared chunks */
#ifndef PVX_RELAY_OUTBOX_H
#define PVX_RELAY_OUTBOX_H

#include "relay/chunk.h"

#include <sys/uio.h>

/* Zeroed is empty and owns nothing. */
struct outbox {
	struct chunk **ring;
	uint32_t capacity; /* a power of two, or 0 */
	uint32_t head;     /* index of the first, modulo capacity */
	uint32_t count;
	uint32_t written_bytes; /* of the first, already on the stream */
	size_t bytes;           /* still to be written */
};

/* Take a reference of one's own. 0, or -ENOMEM when the ring must grow and
 * cannot (it grows by doubling: O(1) per push). */
int outbox_push(struct outbox *o, struct chunk *chunk);

/* What to write next, at most `room` pieces. Returns how many. */
unsigned int outbox_gather(const struct outbox *o, struct iovec *pieces,
			   unsigned int room);

/* That many bytes were written. */
void outbox_consume(struct outbox *o, size_t bytes);

/* The first chunk, with its reference; NULL when it is empty. For one of which
 * nothing was written. */
struct chunk *outbox_take(struct outbox *o);

/* Forget all that is not begun, so that another frame can still follow. */
void outbox_truncate(struct outbox *o);

void outbox_deinit(struct outbox *o);

#endif
