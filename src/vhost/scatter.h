/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.h - walk over bytes that lie in several pieces */
#ifndef PVX_VHOST_SCATTER_H
#define PVX_VHOST_SCATTER_H

#include <stdint.h>
#include <sys/uio.h>

/* A place in an array of pieces (borrowed), and what is left from there. */
struct scatter {
	const struct iovec *piece;
	unsigned int piece_count;
	size_t done_bytes; /* of the first piece */
	uint64_t left_bytes;
};

void scatter_init(struct scatter *s, const struct iovec *pieces,
		  unsigned int piece_count);

/* Copy the next `bytes` out, or in, and step over them: 0, or -EMSGSIZE with
 * nothing done when fewer are left. */
int scatter_read(struct scatter *s, void *to, size_t bytes);
int scatter_write(struct scatter *s, const void *from, size_t bytes);

/* Write `bytes` zeros; as scatter_write(). */
int scatter_zero(struct scatter *s, uint64_t bytes);

/*
 * Step over the next `bytes` and describe them in `pieces`, which has `room`
 * entries. Returns how many were used (0 for 0 bytes), or -EMSGSIZE with
 * nothing done when fewer bytes are left or the pieces do not fit.
 */
int scatter_take(struct scatter *s, uint64_t bytes, struct iovec *pieces,
		 unsigned int room);

#endif
