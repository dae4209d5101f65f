/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - requests scattered over guest memory in every manner */
#include "frontend/layout.h"

#include <errno.h>
#include <string.h>

#define PAGE 4096u

/* xorshift64*: enough to scatter, not for secrets. */
uint32_t layout_random(struct layout_rng *rng, uint32_t below)
{
	rng->state ^= rng->state >> 12;
	rng->state ^= rng->state << 25;
	rng->state ^= rng->state >> 27;
	return (uint32_t)((rng->state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) %
	       below;
}

static uint32_t piece_bytes(struct layout_rng *rng, enum layout_manner manner,
			    uint32_t left)
{
	uint32_t want = left;

	if (manner == LAYOUT_ONE_BYTE)
		want = 1;
	else if (manner == LAYOUT_RANDOM)
		want = 1 + layout_random(rng, 600);
	else if (manner == LAYOUT_PAGES)
		want = PAGE;
	return want < left ? want : left;
}

int layout_make(struct frontend *fe, struct layout_rng *rng,
		enum layout_manner manner, uint32_t bytes, bool is_writable,
		struct frontend_piece *pieces, unsigned int room)
{
	unsigned int count = 0;

	while (bytes > 0) {
		uint32_t here = piece_bytes(rng, manner, bytes);
		uint64_t at;

		if (count + 1 == room)
			here = bytes;
		/* A gap between pieces: neighbours must not be written. */
		at = frontend_alloc(fe, here + 1, 1);
		if (!at)
			return -ENOMEM;
		pieces[count++] = (struct frontend_piece){
			.guest_addr = at,
			.bytes = here,
			.is_writable = is_writable,
		};
		bytes -= here;
	}
	return (int)count;
}

void layout_store(struct frontend *fe, const struct frontend_piece *pieces,
		  unsigned int count, const uint8_t *data, size_t bytes)
{
	for (unsigned int i = 0; i < count && bytes > 0; i++) {
		size_t here = pieces[i].bytes < bytes ? pieces[i].bytes : bytes;

		memcpy(frontend_at(fe, pieces[i].guest_addr), data, here);
		data += here;
		bytes -= here;
	}
}

void layout_load(struct frontend *fe, const struct frontend_piece *pieces,
		 unsigned int count, uint8_t *data, size_t bytes)
{
	for (unsigned int i = 0; i < count && bytes > 0; i++) {
		size_t here = pieces[i].bytes < bytes ? pieces[i].bytes : bytes;

		memcpy(data, frontend_at(fe, pieces[i].guest_addr), here);
		data += here;
		bytes -= here;
	}
}
