/* SPDX-License-Identifier: Apache-2.0 */
/* input.h - a fuzzer's bytes, taken from the front; behind the end are zeros */
#ifndef PVX_TESTS_FUZZ_INPUT_H
#define PVX_TESTS_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct input {
	const uint8_t *at;
	size_t left;
};

static inline uint8_t input_u8(struct input *in)
{
	if (in->left == 0)
		return 0;
	in->left--;
	return *in->at++;
}

/* Little-endian. */
static inline uint16_t input_u16(struct input *in)
{
	uint8_t low = input_u8(in);

	return (uint16_t)(low | input_u8(in) << 8);
}

/* As many as there are: how many. */
static inline size_t input_bytes(struct input *in, void *to, size_t want)
{
	size_t bytes = want < in->left ? want : in->left;

	memcpy(to, in->at, bytes);
	in->at += bytes;
	in->left -= bytes;
	return bytes;
}

#endif
