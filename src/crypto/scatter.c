/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.c - lists of memory pieces, and walking two of them at once */

#include "crypto/scatter.h"

#include <string.h>

#include "base/secret.h"

/* Above so many comparisons, copying is the cheaper answer. */
#define PAIRS_MAX 1024

bool scatter_holds(const struct scatter *s, uint64_t bytes)
{
	unsigned int count = s->pieces ? s->count : 0;
	uint64_t sum = 0;

	for (unsigned int i = 0; i < count && sum < bytes; i++) {
		if (!s->pieces[i].iov_base && s->pieces[i].iov_len)
			return false;
		sum += s->pieces[i].iov_len;
	}
	return sum >= bytes;
}

uint8_t *scatter_one(const struct scatter *s, size_t bytes)
{
	static uint8_t nothing;
	unsigned int i = 0;

	if (bytes == 0)
		return &nothing;
	while (i < s->count && s->pieces[i].iov_len == 0)
		i++;
	if (i == s->count || s->pieces[i].iov_len < bytes)
		return NULL;
	return s->pieces[i].iov_base;
}

static void cursor_init(struct scatter_cursor *c, const struct scatter *s)
{
	c->piece = s->pieces;
	c->end = s->pieces + s->count;
	c->at = 0;
}

/* Bytes that can be had in one piece here; 0 at the end of the list. */
static size_t cursor_room(struct scatter_cursor *c)
{
	while (c->piece < c->end && c->at == c->piece->iov_len) {
		c->piece++;
		c->at = 0;
	}
	return c->piece < c->end ? c->piece->iov_len - c->at : 0;
}

static uint8_t *cursor_here(const struct scatter_cursor *c)
{
	return (uint8_t *)c->piece->iov_base + c->at;
}

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void cursor_skip(struct scatter_cursor *c, size_t bytes)
{
	while (bytes) {
		size_t some = min_size(cursor_room(c), bytes);

		if (some == 0)
			return;
		c->at += some;
		bytes -= some;
	}
}

/* Copy to `to`, or from `from`, or without either write zeros. */
static void cursor_transfer(struct scatter_cursor *c, uint8_t *to,
			    const uint8_t *from, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		size_t some = min_size(cursor_room(c), bytes - done);

		if (some == 0)
			return;
		if (to)
			memcpy(to + done, cursor_here(c), some);
		else if (from)
			memcpy(cursor_here(c), from + done, some);
		else
			memset(cursor_here(c), 0, some);
		c->at += some;
		done += some;
	}
}

void scatter_read(const struct scatter *s, size_t offset, void *to,
		  size_t bytes)
{
	struct scatter_cursor c;

	cursor_init(&c, s);
	cursor_skip(&c, offset);
	cursor_transfer(&c, to, NULL, bytes);
}

void scatter_write(const struct scatter *s, size_t offset, const void *from,
		   size_t bytes)
{
	struct scatter_cursor c;

	cursor_init(&c, s);
	cursor_skip(&c, offset);
	cursor_transfer(&c, NULL, from, bytes);
}

void scatter_zero(const struct scatter *s, size_t bytes)
{
	struct scatter_cursor c;

	cursor_init(&c, s);
	cursor_transfer(&c, NULL, NULL, bytes);
}

bool scatter_is_same(const struct scatter *a, size_t offset,
		     const struct scatter *b, size_t bytes)
{
	struct scatter_cursor ca, cb;

	cursor_init(&ca, a);
	cursor_init(&cb, b);
	cursor_skip(&ca, offset);
	while (bytes) {
		size_t some = min_size(cursor_room(&ca), cursor_room(&cb));

		some = min_size(some, bytes);
		if (some == 0 || cursor_here(&ca) != cursor_here(&cb))
			return false;
		ca.at += some;
		cb.at += some;
		bytes -= some;
	}
	return true;
}

/* One piece as addresses; cut to the bytes that count. */
struct range {
	uintptr_t start;
	uintptr_t end;
	size_t offset; /* of its first byte in the stream */
};

static struct range range_of(const struct iovec *piece, size_t offset,
			     size_t bytes)
{
	size_t length = min_size(piece->iov_len, bytes - offset);
	uintptr_t start = (uintptr_t)piece->iov_base;

	return (struct range){ start, start + length, offset };
}

/* The smallest range around all of them. */
static struct range hull_of(const struct scatter *s, size_t bytes)
{
	struct range hull = { UINTPTR_MAX, 0, 0 };
	size_t offset = 0;

	for (unsigned int i = 0; i < s->count && offset < bytes; i++) {
		struct range r = range_of(&s->pieces[i], offset, bytes);

		if (r.start < r.end && r.start < hull.start)
			hull.start = r.start;
		if (r.start < r.end && r.end > hull.end)
			hull.end = r.end;
		offset += r.end - r.start;
	}
	return hull;
}

static bool ranges_meet(struct range a, struct range b)
{
	return a.start < b.end && b.start < a.end;
}

/* Shared memory that is not at the same place of both streams. */
static bool range_collides(struct range r, const struct scatter *dst,
			   size_t dst_bytes)
{
	size_t offset = 0;

	for (unsigned int i = 0; i < dst->count && offset < dst_bytes; i++) {
		struct range d = range_of(&dst->pieces[i], offset, dst_bytes);

		if (ranges_meet(r, d) &&
		    r.start - r.offset != d.start - d.offset)
			return true;
		offset += d.end - d.start;
	}
	return false;
}

bool scatter_overlaps(const struct scatter *src, size_t src_bytes,
		      const struct scatter *dst, size_t dst_bytes)
{
	size_t offset = 0;

	if (src_bytes == 0 || dst_bytes == 0)
		return false;
	if (src->count == 1 && dst->count == 1)
		return range_collides(range_of(src->pieces, 0, src_bytes), dst,
				      dst_bytes);
	if (!ranges_meet(hull_of(src, src_bytes), hull_of(dst, dst_bytes)))
		return false;
	if ((uint64_t)src->count * dst->count > PAIRS_MAX)
		return true;
	for (unsigned int i = 0; i < src->count && offset < src_bytes; i++) {
		struct range r = range_of(&src->pieces[i], offset, src_bytes);

		if (range_collides(r, dst, dst_bytes))
			return true;
		offset += r.end - r.start;
	}
	return false;
}

void walk_init(struct walk *walk, const struct scatter *src,
	       const struct scatter *dst, size_t bytes, size_t block_bytes)
{
	cursor_init(&walk->src, src);
	cursor_init(&walk->dst, dst);
	walk->left = bytes;
	walk->block_bytes = block_bytes;
	walk->is_bounced = false;
}

static void walk_bounce(struct walk *walk, struct step *step)
{
	cursor_transfer(&walk->src, walk->bounce, NULL, walk->block_bytes);
	step->src = walk->bounce;
	step->dst = walk->bounce;
	step->bytes = walk->block_bytes;
	walk->is_bounced = true;
}

bool walk_next(struct walk *walk, struct step *step)
{
	size_t some;

	if (walk->is_bounced) {
		cursor_transfer(&walk->dst, NULL, walk->bounce,
				walk->block_bytes);
		secret_wipe(walk->bounce, sizeof(walk->bounce));
		walk->is_bounced = false;
	}
	if (walk->left == 0)
		return false;
	some = min_size(cursor_room(&walk->src), cursor_room(&walk->dst));
	some = min_size(some, walk->left);
	some = min_size(some, SCATTER_STEP_MAX);
	some -= some % walk->block_bytes;
	if (some) {
		step->src = cursor_here(&walk->src);
		step->dst = cursor_here(&walk->dst);
		step->bytes = some;
		walk->src.at += some;
		walk->dst.at += some;
	} else {
		walk_bounce(walk, step);
	}
	walk->left -= step->bytes;
	return true;
}
