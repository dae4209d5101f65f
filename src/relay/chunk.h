/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.h - encoded frames that many receivers' queues share */
#ifndef PVX_RELAY_CHUNK_H
#define PVX_RELAY_CHUNK_H

#include <stddef.h>
#include <stdint.h>

struct wire_message;

/* One or more whole frames. Read-only as soon as a second owner has it. */
struct chunk {
	size_t *held_bytes; /* borrowed: what all chunks take together */
	uint32_t refs;
	uint32_t used_bytes;
	uint32_t room_bytes;
	uint8_t bytes[];
};

/* Counted once, empty; NULL when there is no memory. What it takes, its own
 * fields too, is added to `*held_bytes` until it is freed. */
struct chunk *chunk_create(size_t *held_bytes, size_t room_bytes);
/* The only message of a new chunk. NULL when there is no memory. */
struct chunk *chunk_of(size_t *held_bytes, const struct wire_message *m);
/* Encode behind what is there. 0 or the error of wire_encode(). */
int chunk_append(struct chunk *chunk, const struct wire_message *m);
/* Give unused memory back. For the only owner; returns its new address. */
struct chunk *chunk_shrink(struct chunk *chunk);

static inline struct chunk *chunk_get(struct chunk *chunk)
{
	chunk->refs++;
	return chunk;
}
/* NULL is allowed. */
void chunk_put(struct chunk *chunk);

#endif
