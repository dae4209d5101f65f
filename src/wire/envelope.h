/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.h - the layout of what members seal: header, ciphertext, tag */
#ifndef PVX_WIRE_ENVELOPE_H
#define PVX_WIRE_ENVELOPE_H

#include "abi/chat_wire.h"

#include <stddef.h>
#include <stdint.h>

/* The public header (clause 6.2). Pointers are borrowed. */
struct wire_envelope_header {
	uint8_t version;
	uint16_t suite;
	uint8_t type;
	uint32_t epoch;
	const uint8_t *sender; /* CHAT_KEY_BYTES */
	const uint8_t *chain;  /* CHAT_CHAIN_ID_BYTES */
	uint64_t generation;
	const uint8_t *iv; /* CHAT_IV_BYTES */
};

/* A whole envelope (clause 6.3). */
struct wire_envelope {
	struct wire_envelope_header header;
	const uint8_t *header_bytes; /* CHAT_ENVELOPE_HEADER_BYTES, as is */
	const uint8_t *ciphertext;
	uint32_t ciphertext_bytes;
	const uint8_t *tag; /* CHAT_TAG_BYTES */
};

/* Read the public header only, which is all that a relay reads. 0, or
 * -EBADMSG when there are fewer bytes. The version is not judged. */
int wire_envelope_header_decode(struct wire_envelope_header *h,
				const uint8_t *data, size_t bytes);
void wire_envelope_header_encode(const struct wire_envelope_header *h,
				 uint8_t out[CHAT_ENVELOPE_HEADER_BYTES]);

/* Read an envelope of exactly `bytes` bytes. 0, or -EBADMSG when a length is
 * wrong or the ciphertext is longer than CHAT_CIPHERTEXT_MAX. */
int wire_envelope_decode(struct wire_envelope *e, const uint8_t *data,
			 size_t bytes);

#endif
