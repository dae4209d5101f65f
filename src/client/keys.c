/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - from a terminal's bytes to characters and pastes */

#include "client/keys.h"

#include <string.h>

static const char paste_begin[] = "\033[200~";
static const char paste_end[] = "\033[201~";
_Static_assert(sizeof(paste_begin) == sizeof(paste_end) &&
		       sizeof(paste_begin) <= KEYS_HOLD,
	       "both marks have one length, and fit");

#define MARK_BYTES (sizeof(paste_begin) - 1)

static void keep(struct keys *keys, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (keys->paste_bytes < KEYS_PASTE_MAX)
			keys->paste[keys->paste_bytes++] = (char)bytes[i];
		else
			keys->is_cut = true;
}

/* What was held back is no mark: it is text of the paste, or typed. */
static enum keys_result release(struct keys *keys)
{
	size_t bytes = keys->held_bytes;

	keys->held_bytes = 0;
	if (keys->is_pasting) {
		keep(keys, keys->held, bytes);
		return KEYS_NONE;
	}
	memcpy(keys->typed, keys->held, bytes);
	keys->typed_bytes = bytes;
	return KEYS_TYPED;
}

static enum keys_result mark(struct keys *keys)
{
	keys->held_bytes = 0;
	keys->is_pasting = !keys->is_pasting;
	if (!keys->is_pasting)
		return KEYS_PASTED;
	keys->paste_bytes = 0;
	keys->is_cut = false;
	return KEYS_NONE;
}

enum keys_result keys_take(struct keys *keys, uint8_t byte)
{
	const char *wanted = keys->is_pasting ? paste_end : paste_begin;

	if (keys->held_bytes && byte == '\033' && keys->is_pasting) {
		/* The mark may begin here as well. */
		release(keys);
		keys->held[keys->held_bytes++] = byte;
		return KEYS_NONE;
	}
	keys->held[keys->held_bytes++] = byte;
	if (byte != (uint8_t)wanted[keys->held_bytes - 1])
		return release(keys);
	return keys->held_bytes == MARK_BYTES ? mark(keys) : KEYS_NONE;
}
