/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - requests scattered over guest memory in every manner */
#ifndef PVX_TESTS_LAYOUT_H
#define PVX_TESTS_LAYOUT_H

#include "frontend/frontend.h"

/* A small generator: the same seed gives the same requests. */
struct layout_rng {
	uint64_t state; /* not 0 */
};

uint32_t layout_random(struct layout_rng *rng, uint32_t below);

enum layout_manner {
	LAYOUT_WHOLE,    /* one piece */
	LAYOUT_ONE_BYTE, /* pieces of one byte, apart from each other */
	LAYOUT_RANDOM,   /* pieces of 1 to 600 bytes */
	LAYOUT_PAGES,    /* pieces that end behind a page's end */
	LAYOUT_MANNERS
};

/*
 * Take memory for `bytes` bytes and describe it in `pieces` with room for
 * `room`; when the pieces run out the last one takes the rest. Returns their
 * number, or -ENOMEM.
 */
int layout_make(struct frontend *fe, struct layout_rng *rng,
		enum layout_manner manner, uint32_t bytes, bool is_writable,
		struct frontend_piece *pieces, unsigned int room);

/* Copy to and from the memory of pieces, up to the end of either. */
void layout_store(struct frontend *fe, const struct frontend_piece *pieces,
		  unsigned int count, const uint8_t *data, size_t bytes);
void layout_load(struct frontend *fe, const struct frontend_piece *pieces,
		 unsigned int count, uint8_t *data, size_t bytes);

#endif
