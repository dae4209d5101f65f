/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c - a receiver's queue: a ring of references to shared chunks */

#include "relay/outbox.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#define OUTBOX_FIRST_CAPACITY 8u
/* A ring that grew beyond this is given back when it runs empty. */
#define OUTBOX_KEEP_CAPACITY 64u

static struct chunk **slot(const struct outbox *o, uint32_t i)
{
	return &o->ring[(o->head + i) & (o->capacity - 1)];
}

static int outbox_grow(struct outbox *o)
{
	uint32_t capacity =
		o->capacity ? 2 * o->capacity : OUTBOX_FIRST_CAPACITY;
	struct chunk **ring = malloc(capacity * sizeof(struct chunk *));

	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < o->count; i++)
		ring[i] = *slot(o, i);
	free(o->ring);
	o->ring = ring;
	o->capacity = capacity;
	o->head = 0;
	return 0;
}

int outbox_push(struct outbox *o, struct chunk *chunk)
{
	if (o->count == o->capacity) {
		int error = outbox_grow(o);

		if (error)
			return error;
	}
	*slot(o, o->count++) = chunk_get(chunk);
	o->bytes += chunk->used_bytes;
	return 0;
}

unsigned int outbox_gather(const struct outbox *o, struct iovec *pieces,
			   unsigned int room)
{
	unsigned int n = o->count < room ? o->count : room;

	for (unsigned int i = 0; i < n; i++) {
		struct chunk *chunk = *slot(o, i);
		uint32_t skip = i ? 0 : o->written_bytes;

		pieces[i].iov_base = chunk->bytes + skip;
		pieces[i].iov_len = chunk->used_bytes - skip;
	}
	return n;
}

static void outbox_pop(struct outbox *o)
{
	chunk_put(*slot(o, 0));
	o->head = (o->head + 1) & (o->capacity - 1);
	o->count--;
	o->written_bytes = 0;
}

void outbox_consume(struct outbox *o, size_t bytes)
{
	o->bytes -= bytes;
	while (bytes) {
		uint32_t left = (*slot(o, 0))->used_bytes - o->written_bytes;

		if (bytes < left) {
			o->written_bytes += (uint32_t)bytes;
			return;
		}
		bytes -= left;
		outbox_pop(o);
	}
	if (!o->count && o->capacity > OUTBOX_KEEP_CAPACITY)
		outbox_deinit(o);
}

struct chunk *outbox_take(struct outbox *o)
{
	struct chunk *chunk = NULL;

	if (o->count) {
		chunk = chunk_get(*slot(o, 0));
		o->bytes -= chunk->used_bytes;
		outbox_pop(o);
	}
	return chunk;
}

void outbox_truncate(struct outbox *o)
{
	uint32_t keep = o->written_bytes ? 1 : 0;

	while (o->count > keep) {
		struct chunk *last = *slot(o, --o->count);

		o->bytes -= last->used_bytes;
		chunk_put(last);
	}
}

void outbox_deinit(struct outbox *o)
{
	for (uint32_t i = 0; i < o->count; i++)
		chunk_put(*slot(o, i));
	free(o->ring);
	*o = (struct outbox){ 0 };
}
