/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.c - the layout of what members seal: header, ciphertext, tag */

#include "wire/envelope.h"
#include "base/cursor.h"

#include <errno.h>

_Static_assert(CHAT_ENVELOPE_AT_IV + CHAT_IV_BYTES ==
		       CHAT_ENVELOPE_HEADER_BYTES,
	       "the fields fill the header");

static void header_read(struct reader *r, struct wire_envelope_header *h)
{
	h->version = reader_u8(r);
	h->suite = reader_u16(r);
	h->type = reader_u8(r);
	h->epoch = reader_u32(r);
	h->sender = reader_bytes(r, CHAT_KEY_BYTES);
	h->chain = reader_bytes(r, CHAT_CHAIN_ID_BYTES);
	h->generation = reader_u64(r);
	h->iv = reader_bytes(r, CHAT_IV_BYTES);
}

int wire_envelope_header_decode(struct wire_envelope_header *h,
				const uint8_t *data, size_t bytes)
{
	struct reader r;

	reader_init(&r, data, bytes);
	header_read(&r, h);
	return r.has_failed ? -EBADMSG : 0;
}

void wire_envelope_header_encode(const struct wire_envelope_header *h,
				 uint8_t out[CHAT_ENVELOPE_HEADER_BYTES])
{
	struct writer w;

	writer_init(&w, out, CHAT_ENVELOPE_HEADER_BYTES);
	writer_u8(&w, h->version);
	writer_u16(&w, h->suite);
	writer_u8(&w, h->type);
	writer_u32(&w, h->epoch);
	writer_bytes(&w, h->sender, CHAT_KEY_BYTES);
	writer_bytes(&w, h->chain, CHAT_CHAIN_ID_BYTES);
	writer_u64(&w, h->generation);
	writer_bytes(&w, h->iv, CHAT_IV_BYTES);
}

int wire_envelope_decode(struct wire_envelope *e, const uint8_t *data,
			 size_t bytes)
{
	struct reader r;

	reader_init(&r, data, bytes);
	e->header_bytes = data;
	header_read(&r, &e->header);
	e->ciphertext_bytes = reader_u32(&r);
	if (e->ciphertext_bytes > CHAT_CIPHERTEXT_MAX)
		return -EBADMSG;
	e->ciphertext = reader_bytes(&r, e->ciphertext_bytes);
	e->tag = reader_bytes(&r, CHAT_TAG_BYTES);
	return reader_finish(&r);
}
