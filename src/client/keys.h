/* SPDX-License-Identifier: Apache-2.0 */
/* keys.h - from a terminal's bytes to characters and pastes */
#ifndef PVX_CLIENT_KEYS_H
#define PVX_CLIENT_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How it works: what a terminal sends passes through, but for the text between
 * the marks of a bracketed paste (ESC [ 200 ~ and ESC [ 201 ~). That is kept
 * whole, so that its newlines do not end the line. An escape sequence that may
 * yet become the mark is held back until it is known.
 */
#define KEYS_PASTE_MAX 65536 /* bytes; the rest of a longer one is left out */
#define KEYS_HOLD      8

enum keys_result {
	KEYS_NONE,  /* give it the next byte */
	KEYS_TYPED, /* `typed` has `typed_bytes` */
	KEYS_PASTED /* `paste` has `paste_bytes`, until the next byte */
};

/* Zeroed is ready. */
struct keys {
	uint8_t typed[KEYS_HOLD];
	size_t typed_bytes;
	uint8_t held[KEYS_HOLD]; /* the mark's beginning */
	size_t held_bytes;
	bool is_pasting;
	bool is_cut; /* of this paste something was left out */
	size_t paste_bytes;
	char paste[KEYS_PASTE_MAX];
};

enum keys_result keys_take(struct keys *keys, uint8_t byte);

#endif
