/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - one message to an envelope, and back; no state */
#ifndef PVX_E2EE_MESSAGE_H
#define PVX_E2EE_MESSAGE_H

#include "e2ee/content.h"
#include "e2ee/identity.h"
#include "e2ee/labels.h"
#include "e2ee/room.h"
#include "e2ee/room_keys.h"
#include "wire/envelope.h"

#include <stddef.h>
#include <stdint.h>

/* The envelope's type byte (spec/e2ee.md, clause 5.2). */
#define MESSAGE_TYPE_CONTENT 1

/* The header without its IV, which is authenticated next to the AAD. */
#define MESSAGE_AAD_HEADER_BYTES CHAT_ENVELOPE_AT_IV
#define MESSAGE_AAD_BYTES                                  \
	(sizeof(LABEL_ENVELOPE_AAD) + CHAT_ROOM_ID_BYTES + \
	 MESSAGE_AAD_HEADER_BYTES + 4)
#define MESSAGE_HEAD_BYTES (SIGN_PUBLIC_BYTES + SIGN_BYTES)

/*
 * Where a message is put together and taken apart: what is signed lies in one
 * piece from `label` to the end of the body. Lives in memory of
 * secret_alloc(), because the body is plaintext.
 */
struct message_scratch {
	uint8_t label[sizeof(LABEL_MESSAGE_SIGNATURE)];
	uint8_t aad[MESSAGE_AAD_BYTES];
	uint8_t iv[CHAT_IV_BYTES];
	uint8_t identity[SIGN_PUBLIC_BYTES];
	uint8_t body[CHAT_CIPHERTEXT_MAX - MESSAGE_HEAD_BYTES];
	uint8_t signature[SIGN_BYTES];
};

/* All that a sealed message depends on, the IV included: the same input gives
 * the same bytes. Pointers are borrowed. */
struct message_input {
	const struct room_keys *room;
	const struct sign_key *identity_key;
	const uint8_t *device_key;   /* the header's sender */
	const uint8_t *device_proof; /* SIGN_BYTES */
	const uint8_t *chain_id;
	uint64_t generation;
	const uint8_t *iv;
	const uint8_t *link; /* SHA256_BYTES */
	const struct e2ee_content *content;
};

/* The authenticated bytes next to IV and ciphertext (clause 5.3). */
void message_aad_encode(uint8_t aad[MESSAGE_AAD_BYTES],
			const uint8_t room_id[CHAT_ROOM_ID_BYTES],
			const uint8_t header[CHAT_ENVELOPE_HEADER_BYTES],
			uint32_t ciphertext_bytes);

/* Seal. The envelope's length, or -errno as e2ee_seal(). */
long message_seal(uint8_t envelope[CHAT_ENVELOPE_MAX],
		  struct message_scratch *scratch,
		  struct cryptsess_provider *provider,
		  const struct message_input *input);

/* An envelope that was opened. Pointers into envelope and scratch. */
struct message_opened {
	struct wire_envelope envelope;
	const uint8_t *identity_key;
	struct e2ee_body body;
	int error; /* FAILED */
};

/*
 * Open as far as that goes without knowing what came before: up to the tag,
 * the signature and the form. ACCEPTED, MALFORMED, UNKNOWN_VERSION,
 * UNDECRYPTABLE, FORGED, MALFORMED_INSIDE or FAILED. The header is there with
 * every verdict but MALFORMED.
 */
enum e2ee_verdict message_open(struct message_opened *opened,
			       struct message_scratch *scratch,
			       struct cryptsess_provider *provider,
			       const struct room_keys *room,
			       const uint8_t *envelope, size_t bytes);

/* The hash by which the next message links to this one (clause 6.5). */
void message_link(uint8_t link[SHA256_BYTES], const uint8_t *envelope,
		  size_t bytes);

#endif
