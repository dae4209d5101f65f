/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h - bounded reading and writing of bytes with a sticky failure */
#ifndef PVX_BASE_CURSOR_H
#define PVX_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Integers are big-endian, as in the TLS presentation language (RFC 8446,
 * section 3). After the first short read or write every further call does
 * nothing and returns zero or NULL, so a codec checks once, at its end.
 */
struct reader {
	const uint8_t *at; /* borrowed */
	const uint8_t *end;
	bool has_failed;
};

struct writer {
	uint8_t *start; /* borrowed */
	uint8_t *at;
	uint8_t *end;
	bool has_failed;
};

void reader_init(struct reader *r, const void *data, size_t bytes);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
/* The next `bytes` bytes in place, or NULL. `bytes` may be 0. */
const uint8_t *reader_bytes(struct reader *r, size_t bytes);
/* Copy the next `bytes` bytes; on failure `to` is zeroed. */
void reader_copy(struct reader *r, void *to, size_t bytes);
size_t reader_left(const struct reader *r);
/* 0, or -EBADMSG after a failed read or with bytes left over. */
int reader_finish(const struct reader *r);

void writer_init(struct writer *w, void *room, size_t bytes);
void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t bytes);
/* Step over `bytes` bytes for the caller to fill, or NULL. */
uint8_t *writer_reserve(struct writer *w, size_t bytes);
size_t writer_used(const struct writer *w);
/* The number of bytes written, or -EMSGSIZE when they did not fit. */
long writer_finish(const struct writer *w);

#endif
