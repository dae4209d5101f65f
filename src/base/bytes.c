/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.c - hexadecimal and constant-time compare */

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

void bytes_to_hex(char *text, const uint8_t *data, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bytes; i++) {
		*text++ = digits[data[i] >> 4];
		*text++ = digits[data[i] & 15];
	}
	*text = '\0';
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -EINVAL;
}

int bytes_from_hex(uint8_t *data, size_t room, const char *text)
{
	size_t digits = strlen(text);

	if (digits % 2)
		return -EINVAL;
	if (digits / 2 > room)
		return -EMSGSIZE;
	for (size_t i = 0; i < digits / 2; i++) {
		int high = digit_value(text[2 * i]);
		int low = digit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		data[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(digits / 2);
}

bool bytes_equal_ct(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	volatile uint8_t difference = 0;

	for (size_t i = 0; i < bytes; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}
