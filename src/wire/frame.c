/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - find the frames in bytes that come in whatever pieces */

#include "wire/frame.h"
#include "abi/chat_wire.h"
#include "base/bytes.h"
#include "base/mutant.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/*
 * How it works: the four bytes of the length are gathered in head[], so no
 * memory is asked for before the length is known and within bounds. Then room
 * for exactly that frame is wanted, head[] is moved there, and the rest is
 * appended.
 */

void wire_assembler_init(struct wire_assembler *a, size_t max_bytes)
{
	*a = (struct wire_assembler){ .max_bytes = max_bytes };
}

int wire_frame_is_begun(const struct wire_assembler *a)
{
	return a->head_bytes != 0;
}

/* Bytes of the whole frame whose length field is at `head`, or -errno. */
static long frame_bytes(const struct wire_assembler *a, const uint8_t *head)
{
	size_t length = bytes_get_be32(head);

	if (length == 0)
		return -EBADMSG;
	if (!CHECK(frame_length_bound,
		   length <= a->max_bytes - CHAT_LENGTH_BYTES))
		return -EMSGSIZE;
	return (long)(CHAT_LENGTH_BYTES + length);
}

static void take(uint8_t *to, const uint8_t **data, size_t *bytes, size_t n)
{
	memcpy(to, *data, n);
	*data += n;
	*bytes -= n;
}

/* Whether the whole length field is there, after taking what it lacks. */
static bool gather_head(struct wire_assembler *a, const uint8_t **data,
			size_t *bytes)
{
	size_t lacks = CHAT_LENGTH_BYTES - a->head_bytes;
	size_t n = *bytes < lacks ? *bytes : lacks;

	if (n)
		take(a->head + a->head_bytes, data, bytes, n);
	a->head_bytes = (uint8_t)(a->head_bytes + n);
	return a->head_bytes == CHAT_LENGTH_BYTES;
}

long wire_frame_next(struct wire_assembler *a, const uint8_t **data,
		     size_t *bytes, const uint8_t **frame)
{
	size_t lacks, n;
	long whole;

	/* Nothing begun and all of it here: no copy. */
	if (!a->head_bytes && *bytes >= CHAT_LENGTH_BYTES) {
		whole = frame_bytes(a, *data);
		if (whole < 0) {
			memcpy(a->head, *data, CHAT_LENGTH_BYTES);
			return whole;
		}
		if (*bytes >= (size_t)whole) {
			*frame = *data;
			*data += whole;
			*bytes -= (size_t)whole;
			return whole;
		}
	}
	if (!gather_head(a, data, bytes))
		return 0;
	whole = frame_bytes(a, a->head);
	if (whole < 0)
		return whole;
	if (a->room_bytes < (size_t)whole) {
		a->wanted_bytes = (size_t)whole;
		return -ENOBUFS;
	}
	if (!a->have_bytes) {
		memcpy(a->room, a->head, CHAT_LENGTH_BYTES);
		a->have_bytes = CHAT_LENGTH_BYTES;
	}
	lacks = (size_t)whole - a->have_bytes;
	n = *bytes < lacks ? *bytes : lacks;
	if (n)
		take(a->room + a->have_bytes, data, bytes, n);
	a->have_bytes += n;
	if (a->have_bytes < (size_t)whole)
		return 0;
	a->have_bytes = 0;
	a->head_bytes = 0;
	*frame = a->room;
	return whole;
}
