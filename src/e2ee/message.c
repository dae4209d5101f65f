/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - one message to an envelope, and back; no state */

/*
 * How it works (spec/e2ee.md, clauses 5 and 6): the plaintext is identity key,
 * signature, body. The signature covers label, AAD, IV, identity key and body;
 * the AAD has the room and every field of the header. So a member who holds
 * the room's secret can seal, but not what another identity said, and can't
 * seal it again in another room, epoch, chain or place. When opening nothing
 * behind the fixed header is looked at before the tag was compared, and
 * nothing of the body before the signature was checked.
 */
#include "e2ee/message.h"
#include "base/bytes.h"
#include "base/cursor.h"
#include "base/mutant.h"
#include "e2ee/suite.h"
#include "prim/sha256.h"

#include <errno.h>
#include <string.h>

#define BODY_AT offsetof(struct message_scratch, body)
_Static_assert(offsetof(struct message_scratch, aad) ==
			       sizeof(LABEL_MESSAGE_SIGNATURE) &&
		       BODY_AT == sizeof(LABEL_MESSAGE_SIGNATURE) +
					  MESSAGE_AAD_BYTES + CHAT_IV_BYTES +
					  SIGN_PUBLIC_BYTES,
	       "what is signed lies without gaps");

void message_aad_encode(uint8_t aad[MESSAGE_AAD_BYTES],
			const uint8_t room_id[CHAT_ROOM_ID_BYTES],
			const uint8_t header[CHAT_ENVELOPE_HEADER_BYTES],
			uint32_t ciphertext_bytes)
{
	struct writer w;

	writer_init(&w, aad, MESSAGE_AAD_BYTES);
	writer_bytes(&w, LABEL_ENVELOPE_AAD, sizeof(LABEL_ENVELOPE_AAD));
	writer_bytes(&w, room_id, CHAT_ROOM_ID_BYTES);
	writer_bytes(&w, header, MESSAGE_AAD_HEADER_BYTES);
	writer_u32(&w, ciphertext_bytes);
}

/* The signed bytes up to the identity key. */
static void scratch_begin(struct message_scratch *scratch,
			  const struct room_keys *room, const uint8_t *header,
			  uint32_t ciphertext_bytes)
{
	memcpy(scratch->label, LABEL_MESSAGE_SIGNATURE, sizeof(scratch->label));
	message_aad_encode(scratch->aad, room->room_id, header,
			   ciphertext_bytes);
	memcpy(scratch->iv, header + CHAT_ENVELOPE_AT_IV, CHAT_IV_BYTES);
}

/* The plaintext, where its three parts lie. */
static void scratch_plain(struct message_scratch *scratch, uint32_t bytes,
			  struct iovec plain[3])
{
	plain[0] = (struct iovec){ scratch->identity, SIGN_PUBLIC_BYTES };
	plain[1] = (struct iovec){ scratch->signature, SIGN_BYTES };
	plain[2] = (struct iovec){ scratch->body, bytes - MESSAGE_HEAD_BYTES };
}

static void header_encode(uint8_t out[CHAT_ENVELOPE_HEADER_BYTES],
			  struct wire_envelope_header *header,
			  const struct message_input *input)
{
	*header = (struct wire_envelope_header){
		.version = CHAT_ENVELOPE_VERSION,
		.suite = SUITE_A,
		.type = MESSAGE_TYPE_CONTENT,
		.epoch = E2EE_EPOCH,
		.sender = input->device_key,
		.chain = input->chain_id,
		.generation = input->generation,
		.iv = input->iv,
	};
	wire_envelope_header_encode(header, out);
}

/* Write and sign the plaintext. 0 or -EINVAL. */
static int plain_write(struct message_scratch *scratch,
		       const struct message_input *input, uint32_t bytes)
{
	const struct e2ee_body body = {
		.device_proof = input->device_proof,
		.link = input->link,
		.content = *input->content,
	};
	size_t body_bytes = bytes - MESSAGE_HEAD_BYTES;
	int err;

	memcpy(scratch->identity, input->identity_key->public_key,
	       SIGN_PUBLIC_BYTES);
	err = e2ee_body_encode(scratch->body, body_bytes, &body);
	if (err)
		return err;
	sign_make(scratch->signature, input->identity_key, scratch,
		  BODY_AT + body_bytes);
	return 0;
}

long message_seal(uint8_t envelope[CHAT_ENVELOPE_MAX],
		  struct message_scratch *scratch,
		  struct cryptsess_provider *provider,
		  const struct message_input *input)
{
	uint32_t bytes = (uint32_t)e2ee_plaintext_bytes(input->content);
	uint8_t *ciphertext = envelope + CHAT_ENVELOPE_HEADER_BYTES + 4;
	struct wire_envelope_header header;
	struct message_keys keys;
	struct iovec plain[3];
	struct suite_job job = {
		.keys = &keys,
		.iv = input->iv,
		.aad = scratch->aad,
		.aad_bytes = MESSAGE_AAD_BYTES,
		.plain = plain,
		.plain_count = ARRAY_SIZE(plain),
		.ciphertext = ciphertext,
		.bytes = bytes,
	};
	int err;

	if (bytes == 0)
		return -EINVAL;
	header_encode(envelope, &header, input);
	bytes_put_be32(envelope + CHAT_ENVELOPE_HEADER_BYTES, bytes);
	scratch_begin(scratch, input->room, envelope, bytes);
	err = plain_write(scratch, input, bytes);
	if (!err) {
		scratch_plain(scratch, bytes, plain);
		key_layer_message_keys(&keys, input->room, &header);
		err = suite_seal(suite_by_id(SUITE_A), provider, &job,
				 ciphertext + bytes);
		secret_wipe(&keys, sizeof(keys));
	}
	secret_wipe(scratch, BODY_AT + bytes - MESSAGE_HEAD_BYTES);
	secret_wipe(scratch->signature, sizeof(scratch->signature));
	return err ? err : (long)(CHAT_ENVELOPE_MIN + bytes);
}

/* What can be said without a key. */
static enum e2ee_verdict header_judge(const struct wire_envelope *envelope)
{
	static const uint8_t no_chain[CHAT_CHAIN_ID_BYTES];
	const struct wire_envelope_header *header = &envelope->header;

	if (header->version != CHAT_ENVELOPE_VERSION ||
	    header->type != MESSAGE_TYPE_CONTENT ||
	    header->epoch != E2EE_EPOCH || !suite_by_id(header->suite))
		return E2EE_UNKNOWN_VERSION;
	if (envelope->ciphertext_bytes !=
		    e2ee_padded_bytes(envelope->ciphertext_bytes) ||
	    memcmp(header->chain, no_chain, sizeof(no_chain)) == 0)
		return E2EE_MALFORMED;
	return E2EE_ACCEPTED;
}

/* Compare the tag and decrypt into the scratch. */
static enum e2ee_verdict payload_open(struct message_opened *opened,
				      struct message_scratch *scratch,
				      struct cryptsess_provider *provider,
				      const struct room_keys *room)
{
	const struct wire_envelope *envelope = &opened->envelope;
	struct message_keys keys;
	struct iovec plain[3];
	struct suite_job job = {
		.keys = &keys,
		.iv = scratch->iv,
		.aad = scratch->aad,
		.aad_bytes = MESSAGE_AAD_BYTES,
		.plain = plain,
		.plain_count = ARRAY_SIZE(plain),
		.ciphertext = (uint8_t *)(uintptr_t)envelope->ciphertext,
		.bytes = envelope->ciphertext_bytes,
	};

	scratch_begin(scratch, room, envelope->header_bytes, job.bytes);
	scratch_plain(scratch, job.bytes, plain);
	key_layer_message_keys(&keys, room, &envelope->header);
	opened->error = suite_open(suite_by_id(envelope->header.suite),
				   provider, &job, envelope->tag);
	secret_wipe(&keys, sizeof(keys));
	if (opened->error == -EBADMSG)
		return E2EE_UNDECRYPTABLE;
	return opened->error ? E2EE_FAILED : E2EE_ACCEPTED;
}

enum e2ee_verdict message_open(struct message_opened *opened,
			       struct message_scratch *scratch,
			       struct cryptsess_provider *provider,
			       const struct room_keys *room,
			       const uint8_t *envelope, size_t bytes)
{
	enum e2ee_verdict verdict;
	size_t body_bytes;

	memset(opened, 0, sizeof(*opened));
	if (wire_envelope_decode(&opened->envelope, envelope, bytes))
		return E2EE_MALFORMED;
	verdict = header_judge(&opened->envelope);
	if (!verdict)
		verdict = payload_open(opened, scratch, provider, room);
	if (verdict)
		return verdict;
	body_bytes = opened->envelope.ciphertext_bytes - MESSAGE_HEAD_BYTES;
	opened->identity_key = scratch->identity;
	if (!CHECK(signature,
		   sign_is_valid(scratch->signature, scratch->identity, scratch,
				 BODY_AT + body_bytes)))
		return E2EE_FORGED;
	if (e2ee_body_decode(&opened->body, scratch->body, body_bytes))
		return E2EE_MALFORMED_INSIDE;
	return E2EE_ACCEPTED;
}

void message_link(uint8_t link[SHA256_BYTES], const uint8_t *envelope,
		  size_t bytes)
{
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL_MESSAGE_LINK,
		  sizeof(LABEL_MESSAGE_LINK) },
		{ (void *)(uintptr_t)envelope, bytes },
	};

	sha256_parts(link, parts, ARRAY_SIZE(parts));
}
