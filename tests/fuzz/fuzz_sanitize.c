/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sanitize.c - no bytes from a member can act on the terminal */

#include "client/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Read one character of UTF-8, by the letter of RFC 3629, section 4; written
 * without the library that the sanitiser uses. Aborts on anything invalid.
 */
static uint32_t decode(const uint8_t **at, const uint8_t *end)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t lead = *(*at)++;
	unsigned int bytes = lead < 0x80   ? 1
			     : lead < 0xc0 ? 0
			     : lead < 0xe0 ? 2
			     : lead < 0xf0 ? 3
			     : lead < 0xf8 ? 4
					   : 0;
	uint32_t c = bytes == 1 ? lead : lead & (0x7fu >> bytes);

	if (!bytes)
		abort();
	for (unsigned int i = 1; i < bytes; i++) {
		if (*at == end || (**at & 0xc0) != 0x80)
			abort();
		c = c << 6 | (*(*at)++ & 0x3f);
	}
	if (c < smallest[bytes] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		abort();
	return c;
}

static bool is_forbidden(uint32_t c, enum text_form form)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x09 },     { 0x0b, 0x1f },     { 0x7f, 0x9f },
		{ 0x61c, 0x61c },   { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2066, 0x206f }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	if (c == '\n')
		return form != TEXT_BLOCK;
	return form == TEXT_NICK &&
	       ((c >= 0x200b && c <= 0x200d) || c == 0x2060 || c == 0xfeff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *shown = malloc(TEXT_ROOM(size));

	if (!shown)
		return 0;
	for (enum text_form form = 0; form < TEXT_FORMS; form++) {
		size_t bytes =
			text_clean(shown, TEXT_ROOM(size), data, size, form);
		const uint8_t *at = (const uint8_t *)shown, *end = at + bytes;

		if (bytes >= TEXT_ROOM(size) || shown[bytes])
			abort();
		while (at < end)
			if (is_forbidden(decode(&at, end), form))
				abort();
		if (form == TEXT_NICK && bytes > TEXT_NICK_MAX_BYTES)
			abort();
	}
	free(shown);
	return 0;
}
