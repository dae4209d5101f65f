/* SPDX-License-Identifier: Apache-2.0 */
/* span.c - walk over bytes that lie in several pieces */
#include "vhost/span.h"

#include <errno.h>
#include <string.h>

void span_init(struct span *s, const struct iovec *pieces,
	       unsigned int piece_count)
{
	s->piece = pieces;
	s->piece_count = piece_count;
	s->done_bytes = 0;
	s->left_bytes = 0;
	for (unsigned int i = 0; i < piece_count; i++)
		s->left_bytes += pieces[i].iov_len;
}

/* The next bytes that lie together, at most `want`, stepping over them. There
 * must be some left. */
static uint8_t *span_next(struct span *s, uint64_t want, size_t *bytes)
{
	size_t here;
	uint8_t *at;

	while (s->piece->iov_len == s->done_bytes) {
		s->piece++;
		s->piece_count--;
		s->done_bytes = 0;
	}
	here = s->piece->iov_len - s->done_bytes;
	at = (uint8_t *)s->piece->iov_base + s->done_bytes;
	if (here > want)
		here = (size_t)want;
	s->done_bytes += here;
	s->left_bytes -= here;
	*bytes = here;
	return at;
}

int span_read(struct span *s, void *to, size_t bytes)
{
	uint8_t *out = to;

	if (bytes > s->left_bytes)
		return -EMSGSIZE;
	while (bytes > 0) {
		size_t here;
		const uint8_t *at = span_next(s, bytes, &here);

		memcpy(out, at, here);
		out += here;
		bytes -= here;
	}
	return 0;
}

int span_write(struct span *s, const void *from, size_t bytes)
{
	const uint8_t *in = from;

	if (bytes > s->left_bytes)
		return -EMSGSIZE;
	while (bytes > 0) {
		size_t here;
		uint8_t *at = span_next(s, bytes, &here);

		memcpy(at, in, here);
		in += here;
		bytes -= here;
	}
	return 0;
}

int span_zero(struct span *s, uint64_t bytes)
{
	if (bytes > s->left_bytes)
		return -EMSGSIZE;
	while (bytes > 0) {
		size_t here;
		uint8_t *at = span_next(s, bytes, &here);

		memset(at, 0, here);
		bytes -= here;
	}
	return 0;
}

int span_skip(struct span *s, uint64_t bytes)
{
	if (bytes > s->left_bytes)
		return -EMSGSIZE;
	while (bytes > 0) {
		size_t here;

		(void)span_next(s, bytes, &here);
		bytes -= here;
	}
	return 0;
}

int span_take(struct span *s, uint64_t bytes, struct iovec *pieces,
	      unsigned int room)
{
	struct span ahead = *s;
	unsigned int count = 0;

	if (bytes > s->left_bytes)
		return -EMSGSIZE;
	while (bytes > 0) {
		size_t here;

		if (count == room)
			return -EMSGSIZE;
		pieces[count].iov_base = span_next(&ahead, bytes, &here);
		pieces[count].iov_len = here;
		bytes -= here;
		count++;
	}
	*s = ahead;
	return (int)count;
}
