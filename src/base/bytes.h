/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.h - integers in byte order, hexadecimal, constant-time compare */
#ifndef PVX_BASE_BYTES_H
#define PVX_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline uint16_t bytes_get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t bytes_get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t bytes_get_be64(const uint8_t *p)
{
	return (uint64_t)bytes_get_be32(p) << 32 | bytes_get_be32(p + 4);
}

static inline void bytes_put_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void bytes_put_be32(uint8_t *p, uint32_t v)
{
	bytes_put_be16(p, (uint16_t)(v >> 16));
	bytes_put_be16(p + 2, (uint16_t)v);
}

static inline void bytes_put_be64(uint8_t *p, uint64_t v)
{
	bytes_put_be32(p, (uint32_t)(v >> 32));
	bytes_put_be32(p + 4, (uint32_t)v);
}

/*
 * Write `bytes` bytes of `data` to `text` as 2 * bytes lower-case digits and a
 * NUL. Variable time: not for secrets.
 */
void bytes_to_hex(char *text, const uint8_t *data, size_t bytes);

/*
 * Read hexadecimal `text` (either case, no separators) into `data`, which has
 * room for `room` bytes. Returns the number of bytes, or -EINVAL for an odd
 * length or another character, -EMSGSIZE when they do not fit.
 */
int bytes_from_hex(uint8_t *data, size_t room, const char *text);

/* Whether two strings of `bytes` bytes are equal, in constant time. */
bool bytes_equal_ct(const uint8_t *a, const uint8_t *b, size_t bytes);

#endif
