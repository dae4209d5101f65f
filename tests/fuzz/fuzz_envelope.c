/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_envelope.c - the opener of envelopes, before and behind the tag */

/*
 * The first byte chooses what the rest is: an envelope (0); a plaintext that a
 * member sealed with the right keys (1); or the beginning of a body that a
 * member signed as well (2), so that each parser is reached.
 */
#include "base/bytes.h"
#include "e2ee/key_layer.h"
#include "e2ee/message.h"
#include "e2ee/suite.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cryptsess_provider *provider;
static struct room_keys room;
static struct e2ee_identity member;
static struct e2ee_device device;
static struct message_scratch scratch, signing;
static uint8_t envelope[CHAT_ENVELOPE_MAX];
static uint8_t plaintext[CHAT_CIPHERTEXT_MAX];

/* The same room and member as in tests/vectors/e2ee.json, whose envelopes are
 * in the corpus. */
static void prepare(void)
{
	struct secret room_secret, seed;

	for (uint8_t i = 0; i < SECRET_BYTES; i++) {
		room_secret.bytes[i] = i;
		seed.bytes[i] = (uint8_t)(SECRET_BYTES + i);
	}
	if (cryptsess_provider_open(&provider, "openssl", NULL, 0))
		abort();
	room_keys_derive(&room, &room_secret);
	e2ee_identity_derive(&member, &seed);
	e2ee_device_derive(&device, &member, room.room_id);
}

/* Header and AAD of a message with a fixed place, IV and length. */
static void begin(uint32_t bytes, struct wire_envelope_header *header)
{
	static const uint8_t chain[CHAT_CHAIN_ID_BYTES] = { 1 };
	static const uint8_t iv[CHAT_IV_BYTES] = { 2 };

	*header = (struct wire_envelope_header){
		.version = CHAT_ENVELOPE_VERSION,
		.suite = SUITE_A,
		.type = MESSAGE_TYPE_CONTENT,
		.sender = device.key.public_key,
		.chain = chain,
		.iv = iv,
	};
	wire_envelope_header_encode(header, envelope);
	bytes_put_be32(envelope + CHAT_ENVELOPE_HEADER_BYTES, bytes);
	memcpy(signing.label, LABEL_MESSAGE_SIGNATURE, sizeof(signing.label));
	message_aad_encode(signing.aad, room.room_id, envelope, bytes);
	memcpy(signing.iv, iv, sizeof(iv));
}

static size_t seal(uint32_t bytes, const struct wire_envelope_header *header)
{
	uint8_t *ciphertext = envelope + CHAT_ENVELOPE_HEADER_BYTES + 4;
	const struct iovec plain = { plaintext, bytes };
	struct message_keys keys;
	const struct suite_job job = {
		.keys = &keys,
		.iv = header->iv,
		.aad = signing.aad,
		.aad_bytes = MESSAGE_AAD_BYTES,
		.plain = &plain,
		.plain_count = 1,
		.ciphertext = ciphertext,
		.bytes = bytes,
	};

	key_layer_message_keys(&keys, &room, header);
	if (suite_seal(suite_by_id(SUITE_A), provider, &job,
		       ciphertext + bytes))
		abort();
	return CHAT_ENVELOPE_MIN + bytes;
}

/* The plaintext's head: who signed its body, and the signature. */
static void sign(uint32_t bytes)
{
	size_t body_bytes = bytes - MESSAGE_HEAD_BYTES;

	memcpy(signing.identity, member.key.public_key, SIGN_PUBLIC_BYTES);
	memcpy(signing.body, plaintext + MESSAGE_HEAD_BYTES, body_bytes);
	memcpy(plaintext, member.key.public_key, SIGN_PUBLIC_BYTES);
	sign_make(plaintext + SIGN_PUBLIC_BYTES, &member.key, &signing,
		  offsetof(struct message_scratch, body) + body_bytes);
}

static size_t seal_input(const uint8_t *data, size_t size, bool is_signed)
{
	size_t at = is_signed ? MESSAGE_HEAD_BYTES : 0;
	uint32_t bytes = (uint32_t)e2ee_padded_bytes(at + size);
	struct wire_envelope_header header;

	memset(plaintext, 0, bytes);
	memcpy(plaintext + at, data, size);
	begin(bytes, &header);
	if (is_signed)
		sign(bytes);
	return seal(bytes, &header);
}

/* What was accepted is what its content would be written as. */
static void check_accepted(const struct message_opened *opened)
{
	size_t body_bytes =
		opened->envelope.ciphertext_bytes - MESSAGE_HEAD_BYTES;
	static uint8_t again[CHAT_CIPHERTEXT_MAX];

	if (e2ee_body_encode(again, body_bytes, &opened->body) ||
	    memcmp(again, scratch.body, body_bytes) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_opened opened;
	enum e2ee_verdict verdict;
	uint8_t mode;

	if (!provider)
		prepare();
	if (size < 1 || size > CHAT_CIPHERTEXT_MAX - MESSAGE_HEAD_BYTES)
		return 0;
	mode = data[0];
	data++;
	size--;
	if (mode == 1 || mode == 2) {
		size = seal_input(data, size, mode == 2);
		data = envelope;
	}
	verdict = message_open(&opened, &scratch, provider, &room, data, size);
	if (verdict == E2EE_FAILED || (mode == 2 && verdict == E2EE_FORGED) ||
	    ((mode == 1 || mode == 2) && verdict == E2EE_UNDECRYPTABLE))
		abort();
	if (verdict == E2EE_ACCEPTED)
		check_accepted(&opened);
	return 0;
}
