/* SPDX-License-Identifier: Apache-2.0 */
/* base64url.c - bytes as text for links (RFC 4648, section 5, no padding) */

#include "prim/base64url.h"

#include <sodium.h>

#include <errno.h>

long base64url_encode(char *text, size_t room, const void *data, size_t bytes)
{
	if (bytes > (SIZE_MAX - 2) / 4 || room < BASE64URL_ROOM(bytes))
		return -EMSGSIZE;
	sodium_bin2base64(text, room, data, bytes,
			  sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	return (long)BASE64URL_ROOM(bytes) - 1;
}

long base64url_decode(void *data, size_t room, const char *text,
		      size_t text_bytes)
{
	const char *end = NULL;
	size_t bytes = 0;

	/* sodium tells "does not fit" from "malformed" by errno. */
	errno = 0;
	if (sodium_base642bin(data, room, text, text_bytes, NULL, &bytes, &end,
			      sodium_base64_VARIANT_URLSAFE_NO_PADDING))
		return errno == ERANGE ? -EMSGSIZE : -EINVAL;
	return end == text + text_bytes ? (long)bytes : -EINVAL;
}
