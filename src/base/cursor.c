/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.c - bounded reading and writing of bytes with a sticky failure */

#include "base/cursor.h"
#include "base/bytes.h"

#include <errno.h>
#include <string.h>

void reader_init(struct reader *r, const void *data, size_t bytes)
{
	*r = (struct reader){
		.at = data,
		.end = data ? (const uint8_t *)data + bytes : NULL,
	};
}

size_t reader_left(const struct reader *r)
{
	return r->at ? (size_t)(r->end - r->at) : 0;
}

const uint8_t *reader_bytes(struct reader *r, size_t bytes)
{
	const uint8_t *found = r->at;

	if (r->has_failed || bytes > reader_left(r)) {
		r->has_failed = true;
		return NULL;
	}
	if (bytes)
		r->at += bytes;
	return found;
}

uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);

	return p ? *p : 0;
}

uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);

	return p ? bytes_get_be16(p) : 0;
}

uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);

	return p ? bytes_get_be32(p) : 0;
}

uint64_t reader_u64(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 8);

	return p ? bytes_get_be64(p) : 0;
}

void reader_copy(struct reader *r, void *to, size_t bytes)
{
	const uint8_t *p = reader_bytes(r, bytes);

	if (!bytes)
		return;
	if (p)
		memcpy(to, p, bytes);
	else
		memset(to, 0, bytes);
}

int reader_finish(const struct reader *r)
{
	return r->has_failed || reader_left(r) ? -EBADMSG : 0;
}

void writer_init(struct writer *w, void *room, size_t bytes)
{
	*w = (struct writer){
		.start = room,
		.at = room,
		.end = room ? (uint8_t *)room + bytes : NULL,
	};
}

size_t writer_used(const struct writer *w)
{
	return w->at ? (size_t)(w->at - w->start) : 0;
}

uint8_t *writer_reserve(struct writer *w, size_t bytes)
{
	uint8_t *place = w->at;
	size_t left = w->at ? (size_t)(w->end - w->at) : 0;

	if (w->has_failed || bytes > left) {
		w->has_failed = true;
		return NULL;
	}
	if (bytes)
		w->at += bytes;
	return place;
}

void writer_u8(struct writer *w, uint8_t v)
{
	uint8_t *p = writer_reserve(w, 1);

	if (p)
		*p = v;
}

void writer_u16(struct writer *w, uint16_t v)
{
	uint8_t *p = writer_reserve(w, 2);

	if (p)
		bytes_put_be16(p, v);
}

void writer_u32(struct writer *w, uint32_t v)
{
	uint8_t *p = writer_reserve(w, 4);

	if (p)
		bytes_put_be32(p, v);
}

void writer_u64(struct writer *w, uint64_t v)
{
	uint8_t *p = writer_reserve(w, 8);

	if (p)
		bytes_put_be64(p, v);
}

void writer_bytes(struct writer *w, const void *data, size_t bytes)
{
	uint8_t *p = writer_reserve(w, bytes);

	if (p && bytes)
		memcpy(p, data, bytes);
}

long writer_finish(const struct writer *w)
{
	return w->has_failed ? -EMSGSIZE : (long)writer_used(w);
}
