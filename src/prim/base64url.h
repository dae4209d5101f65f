/* SPDX-License-Identifier: Apache-2.0 */
/* base64url.h - bytes as text for links (RFC 4648, section 5, no padding) */
#ifndef PVX_PRIM_BASE64URL_H
#define PVX_PRIM_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

/* Room for the text of `bytes` bytes with its NUL. */
#define BASE64URL_ROOM(bytes) (((bytes)*4 + 2) / 3 + 1)

/*
 * Write the text of `bytes` bytes and a NUL; fit for secrets (no table is
 * indexed by them). The length of the text, or -EMSGSIZE.
 */
long base64url_encode(char *text, size_t room, const void *data, size_t bytes);

/*
 * Read `text_bytes` characters. The number of bytes, -EINVAL for any other
 * character, padding or bits left over that are not zero, -EMSGSIZE when the
 * bytes do not fit.
 */
long base64url_decode(void *data, size_t room, const char *text,
		      size_t text_bytes);

#endif
