/* SPDX-License-Identifier: Apache-2.0 */
/* chunk.c - encoded frames that many receivers' queues share */

#include "relay/chunk.h"
#include "wire/message.h"

#include <errno.h>
#include <stdlib.h>

/* Enough for every message but SEND, DELIVER and JOINED. */
#define CHUNK_SMALL_BYTES (CHAT_HEADER_BYTES + 11 + CHAT_TEXT_MAX)

static size_t chunk_bytes(const struct chunk *chunk)
{
	return sizeof(*chunk) + chunk->room_bytes;
}

struct chunk *chunk_create(size_t *held_bytes, size_t room_bytes)
{
	struct chunk *chunk;

	if (room_bytes > UINT32_MAX)
		return NULL;
	chunk = malloc(sizeof(*chunk) + room_bytes);
	if (!chunk)
		return NULL;
	*chunk = (struct chunk){
		.held_bytes = held_bytes,
		.refs = 1,
		.room_bytes = (uint32_t)room_bytes,
	};
	*held_bytes += chunk_bytes(chunk);
	return chunk;
}

int chunk_append(struct chunk *chunk, const struct wire_message *m)
{
	long bytes = wire_encode(m, chunk->bytes + chunk->used_bytes,
				 chunk->room_bytes - chunk->used_bytes);

	if (bytes < 0)
		return (int)bytes;
	chunk->used_bytes += (uint32_t)bytes;
	return 0;
}

struct chunk *chunk_of(size_t *held_bytes, const struct wire_message *m)
{
	struct chunk *chunk = chunk_create(held_bytes, CHUNK_SMALL_BYTES);

	if (chunk && chunk_append(chunk, m)) {
		chunk_put(chunk);
		return NULL;
	}
	return chunk ? chunk_shrink(chunk) : NULL;
}

struct chunk *chunk_shrink(struct chunk *chunk)
{
	struct chunk *less;

	less = realloc(chunk, sizeof(*chunk) + chunk->used_bytes);
	if (!less)
		return chunk;
	*less->held_bytes -= less->room_bytes - less->used_bytes;
	less->room_bytes = less->used_bytes;
	return less;
}

void chunk_put(struct chunk *chunk)
{
	if (!chunk || --chunk->refs)
		return;
	*chunk->held_bytes -= chunk_bytes(chunk);
	free(chunk);
}
