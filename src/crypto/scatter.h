/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.h - lists of memory pieces, and walking two of them at once */
#ifndef PVX_CRYPTO_SCATTER_H
#define PVX_CRYPTO_SCATTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* A borrowed list. Operations use its first so many bytes; pieces may be
 * empty. */
struct scatter {
	const struct iovec *pieces;
	unsigned int count;
};

/* Whether the list has `bytes` bytes, none of them at NULL. */
bool scatter_holds(const struct scatter *s, uint64_t bytes);

/* The first `bytes` bytes when they are one piece, else NULL. For 0 bytes a
 * pointer that may not be read. */
uint8_t *scatter_one(const struct scatter *s, size_t bytes);

/* Copy from, copy to, and zero a range. The list must hold it. */
void scatter_read(const struct scatter *s, size_t offset, void *to,
		  size_t bytes);
void scatter_write(const struct scatter *s, size_t offset, const void *from,
		   size_t bytes);
void scatter_zero(const struct scatter *s, size_t bytes);

/* Whether byte i of `a` from `offset` on and byte i of `b` are the same memory
 * for all of `bytes` bytes. Both lists must hold them. */
bool scatter_is_same(const struct scatter *a, size_t offset,
		     const struct scatter *b, size_t bytes);

/* Whether some byte of `dst` is also a byte of `src` at another place of the
 * stream, so that `src` must be copied first. May say yes without need when
 * the lists are long. */
bool scatter_overlaps(const struct scatter *src, size_t src_bytes,
		      const struct scatter *dst, size_t dst_bytes);

/* Steps through one list, piece by piece. */
struct scatter_cursor {
	const struct iovec *piece;
	const struct iovec *end;
	size_t at; /* within *piece */
};

/*
 * Walks source and destination in steps that are whole blocks in one piece of
 * memory each. A block that straddles pieces goes through `bounce`. With
 * block_bytes 1 steps end where pieces end.
 */
#define SCATTER_BLOCK_MAX 16
/* OpenSSL's lengths are int; a multiple of every block. */
#define SCATTER_STEP_MAX (1u << 30)

struct walk {
	struct scatter_cursor src;
	struct scatter_cursor dst;
	size_t left; /* bytes not yet handed out */
	size_t block_bytes;
	bool is_bounced; /* the step that is out is in `bounce` */
	uint8_t bounce[SCATTER_BLOCK_MAX];
};

struct step {
	const uint8_t *src;
	uint8_t *dst; /* src, or memory that does not overlap it */
	size_t bytes;
};

/* `bytes` is a multiple of block_bytes; the lists hold them. */
void walk_init(struct walk *walk, const struct scatter *src,
	       const struct scatter *dst, size_t bytes, size_t block_bytes);

/* The next step; the one before has been written. False, with everything in
 * its place and the bounce wiped, behind the last one. */
bool walk_next(struct walk *walk, struct step *step);

#endif
