/* SPDX-License-Identifier: Apache-2.0 */
/* span.h - walk over bytes that lie in several pieces */
#ifndef PVX_VHOST_SPAN_H
#define PVX_VHOST_SPAN_H

#include <stdint.h>
#include <sys/uio.h>

/* A place in an array of pieces (borrowed), and what is left from there. */
struct span {
	const struct iovec *piece;
	unsigned int piece_count;
	size_t done_bytes; /* of the first piece */
	uint64_t left_bytes;
};

void span_init(struct span *s, const struct iovec *pieces,
	       unsigned int piece_count);

/* Copy the next `bytes` out, or in, and step over them: 0, or -EMSGSIZE with
 * nothing done when fewer are left. */
int span_read(struct span *s, void *to, size_t bytes);
int span_write(struct span *s, const void *from, size_t bytes);

/* Write `bytes` zeros, or step over them; as span_write(). */
int span_zero(struct span *s, uint64_t bytes);
int span_skip(struct span *s, uint64_t bytes);

/*
 * Step over the next `bytes` and describe them in `pieces`, which has `room`
 * entries. Returns how many were used (0 for 0 bytes), or -EMSGSIZE with
 * nothing done when fewer bytes are left or the pieces do not fit.
 */
int span_take(struct span *s, uint64_t bytes, struct iovec *pieces,
	      unsigned int room);

#endif
