/* SPDX-License-Identifier: Apache-2.0 */
/* room.c - a room that this user is in: seal, open, and remember */

/*
 * How it works: an envelope is opened and judged in one order: form, version,
 * tag, signature, content, whose device key it is, whether it was seen. All of
 * that changes nothing; only then is it remembered. Every refusal is a verdict
 * for the user's eyes alone: nothing is ever answered, so a relay learns
 * nothing from what could be opened.
 */
#include "e2ee/room.h"
#include "base/mutant.h"
#include "e2ee/identity.h"
#include "e2ee/memory.h"
#include "e2ee/message.h"
#include "e2ee/room_keys.h"
#include "e2ee/sender.h"

#include <errno.h>
#include <string.h>

/* All of it in memory of secret_alloc(). */
struct e2ee_room {
	struct room_keys keys;
	struct e2ee_identity identity;
	struct e2ee_device device;
	struct sender sender;
	struct message_scratch *scratch; /* of e2ee_open() */
	struct cryptsess_provider *provider;
	struct memory memory; /* its tables hold nothing secret */
};

static const char *const verdict_texts[E2EE_VERDICTS] = {
	[E2EE_ACCEPTED] = "accepted",
	[E2EE_MALFORMED] = "it is cut off or malformed",
	[E2EE_UNKNOWN_VERSION] = "it is of a version that is not known here",
	[E2EE_UNDECRYPTABLE] = "it can't be decrypted: it was changed on the "
			       "way, or is not of this room",
	[E2EE_FORGED] = "it is forged: it was not signed by the one that it "
			"names",
	[E2EE_MALFORMED_INSIDE] = "a member sealed something malformed",
	[E2EE_IDENTITY_CHANGED] = "its device key belongs to another identity",
	[E2EE_REPLAYED] = "it is a replay: it was received before",
	[E2EE_STALE] = "it is older than what is remembered of its sender",
	[E2EE_CHAIN_OVERRUN] = "it lies beyond the end of its chain",
	[E2EE_TABLE_FULL] = "there are more senders than this room can hold",
	[E2EE_FAILED] = "it could not be processed here",
};

const char *e2ee_verdict_text(enum e2ee_verdict verdict)
{
	return verdict_texts[verdict];
}

static int room_init(struct e2ee_room *room, const struct secret *room_secret,
		     const struct secret *identity_seed,
		     struct cryptsess_provider *provider)
{
	int err;

	room->provider = provider;
	memory_init(&room->memory);
	room->scratch = secret_alloc(sizeof(*room->scratch));
	if (!room->scratch)
		return -errno;
	room_keys_derive(&room->keys, room_secret);
	e2ee_identity_derive(&room->identity, identity_seed);
	e2ee_device_derive(&room->device, &room->identity, room->keys.room_id);
	err = sender_init(&room->sender, &room->keys, &room->identity,
			  &room->device, provider);
	if (err)
		return err;
	return memory_pin(&room->memory, room->device.key.public_key,
			  room->identity.key.public_key);
}

int e2ee_room_create(struct e2ee_room **room, const struct secret *room_secret,
		     const struct secret *identity_seed,
		     struct cryptsess_provider *provider)
{
	struct e2ee_room *made = secret_alloc(sizeof(*made));
	int err;

	*room = NULL;
	if (!made)
		return -errno;
	err = room_init(made, room_secret, identity_seed, provider);
	if (err) {
		e2ee_room_destroy(made);
		return err;
	}
	*room = made;
	return 0;
}

void e2ee_room_destroy(struct e2ee_room *room)
{
	if (!room)
		return;
	sender_deinit(&room->sender);
	secret_free(room->scratch);
	memory_deinit(&room->memory);
	secret_free(room);
}

const uint8_t *e2ee_room_id(const struct e2ee_room *room)
{
	return room->keys.room_id;
}

const uint8_t *e2ee_room_admission_key(const struct e2ee_room *room)
{
	return room->keys.admission.public_key;
}

const uint8_t *e2ee_room_device_key(const struct e2ee_room *room)
{
	return room->device.key.public_key;
}

const uint8_t *e2ee_room_identity_key(const struct e2ee_room *room)
{
	return room->identity.key.public_key;
}

void e2ee_room_sign(const struct e2ee_room *room, enum wire_signer signer,
		    const uint8_t *data, size_t bytes,
		    uint8_t signature[SIGN_BYTES])
{
	const struct sign_key *key = signer == WIRE_SIGNER_ADMISSION
					     ? &room->keys.admission
					     : &room->device.key;

	sign_make(signature, key, data, bytes);
}

/* Below it others would refuse the message (spec/e2ee.md, clause 9.3). */
static uint64_t own_floor_ms(struct e2ee_room *room)
{
	const struct member_record *own =
		memory_find(&room->memory, room->device.key.public_key);

	return own ? own->floor_ms : 0;
}

long e2ee_seal(struct e2ee_room *room, const struct e2ee_content *content,
	       uint8_t envelope[CHAT_ENVELOPE_MAX],
	       struct e2ee_changes *changes)
{
	struct e2ee_content said = *content;
	struct e2ee_opened opened = { 0 };
	struct sealed sealed;
	struct memory_message message = {
		.device_key = room->device.key.public_key,
		.identity_key = room->identity.key.public_key,
		.chain_id = sealed.chain_id,
		.link = sealed.link,
		.carried = sealed.carried,
		.nick = said.nick,
		.nick_bytes = said.nick_bytes,
	};
	long bytes = memory_reserve(&room->memory);

	if (bytes)
		return bytes;
	if (said.sender_time_ms < own_floor_ms(room))
		said.sender_time_ms = own_floor_ms(room);
	message.sender_time_ms = said.sender_time_ms;
	bytes = sender_seal(&room->sender, &said, envelope, &sealed);
	if (bytes < 0)
		return bytes;
	message.generation = sealed.generation;
	memory_commit(&room->memory, &message, &opened);
	*changes = opened.changes;
	return bytes;
}

/* Whether the device key may speak for the identity. A pair that is known was
 * proven when it was pinned. */
static enum e2ee_verdict device_judge(struct e2ee_room *room,
				      const struct message_opened *message,
				      struct e2ee_opened *opened)
{
	const uint8_t *device_key = message->envelope.header.sender;
	const struct member_record *member =
		memory_find(&room->memory, device_key);

	if (member && member->is_pinned) {
		bool is_pinned_one =
			memcmp(member->identity_key, message->identity_key,
			       SIGN_PUBLIC_BYTES) == 0;

		memcpy(opened->other_identity, member->identity_key,
		       SIGN_PUBLIC_BYTES);
		return CHECK(identity_pin, is_pinned_one)
			       ? E2EE_ACCEPTED
			       : E2EE_IDENTITY_CHANGED;
	}
	return CHECK(device_proof,
		     sign_public_is_acceptable(message->identity_key) &&
			     e2ee_device_proof_is_valid(
				     message->body.device_proof, device_key,
				     message->identity_key, room->keys.room_id))
		       ? E2EE_ACCEPTED
		       : E2EE_FORGED;
}

static void header_report(struct e2ee_opened *opened,
			  const struct wire_envelope_header *header)
{
	memcpy(opened->sender, header->sender, CHAT_KEY_BYTES);
	memcpy(opened->chain, header->chain, CHAT_CHAIN_ID_BYTES);
	opened->generation = header->generation;
}

/* Judge what was opened against what is remembered, then remember it. */
static enum e2ee_verdict message_take(struct e2ee_room *room,
				      const struct message_opened *opened,
				      const uint8_t *envelope, size_t bytes,
				      struct e2ee_opened *out)
{
	const struct wire_envelope_header *header = &opened->envelope.header;
	const struct e2ee_content *content = &opened->body.content;
	uint8_t link[SHA256_BYTES];
	const struct memory_message message = {
		.device_key = header->sender,
		.identity_key = opened->identity_key,
		.chain_id = header->chain,
		.generation = header->generation,
		.sender_time_ms = content->sender_time_ms,
		.link = link,
		.carried = opened->body.link,
		.nick = content->nick,
		.nick_bytes = content->nick_bytes,
	};
	enum e2ee_verdict verdict;

	memcpy(out->identity, opened->identity_key, SIGN_PUBLIC_BYTES);
	verdict = device_judge(room, opened, out);
	if (verdict)
		return verdict;
	memset(out->other_identity, 0, sizeof(out->other_identity));
	verdict = memory_judge(&room->memory, &message);
	if (verdict)
		return verdict;
	out->error = memory_reserve(&room->memory);
	if (out->error)
		return E2EE_FAILED;
	message_link(link, envelope, bytes);
	out->content = *content;
	if (memcmp(header->sender, room->device.key.public_key,
		   CHAT_KEY_BYTES) == 0)
		out->notes |= E2EE_NOTE_OWN;
	memory_commit(&room->memory, &message, out);
	return E2EE_ACCEPTED;
}

/* Judge only what was opened itself, and who may speak for the identity. */
static enum e2ee_verdict message_show(struct e2ee_room *room,
				      const struct message_opened *opened,
				      const uint8_t *envelope, size_t bytes,
				      struct e2ee_opened *out)
{
	enum e2ee_verdict verdict;

	memcpy(out->identity, opened->identity_key, SIGN_PUBLIC_BYTES);
	verdict = device_judge(room, opened, out);
	if (verdict)
		return verdict;
	memset(out->other_identity, 0, sizeof(out->other_identity));
	out->content = opened->body.content;
	return E2EE_ACCEPTED;
}

typedef enum e2ee_verdict judge_fn(struct e2ee_room *room,
				   const struct message_opened *opened,
				   const uint8_t *envelope, size_t bytes,
				   struct e2ee_opened *out);

static enum e2ee_verdict open_and_judge(struct e2ee_room *room,
					const uint8_t *envelope, size_t bytes,
					struct e2ee_opened *opened,
					judge_fn *judge)
{
	struct message_opened message;
	enum e2ee_verdict verdict;

	memset(opened, 0, sizeof(*opened));
	verdict = message_open(&message, room->scratch, room->provider,
			       &room->keys, envelope, bytes);
	opened->error = verdict == E2EE_FAILED ? message.error : 0;
	if (verdict != E2EE_MALFORMED)
		header_report(opened, &message.envelope.header);
	if (!verdict)
		verdict = judge(room, &message, envelope, bytes, opened);
	if (verdict)
		secret_wipe(room->scratch, sizeof(*room->scratch));
	return verdict;
}

enum e2ee_verdict e2ee_open(struct e2ee_room *room, const uint8_t *envelope,
			    size_t bytes, struct e2ee_opened *opened)
{
	return open_and_judge(room, envelope, bytes, opened, message_take);
}

enum e2ee_verdict e2ee_show(struct e2ee_room *room, const uint8_t *envelope,
			    size_t bytes, struct e2ee_opened *opened)
{
	return open_and_judge(room, envelope, bytes, opened, message_show);
}

int e2ee_room_load(struct e2ee_room *room, const uint8_t *key, size_t key_bytes,
		   const uint8_t *value, size_t value_bytes)
{
	if (key_bytes != E2EE_ROW_KEY_BYTES)
		return -EBADMSG;
	return memory_load(&room->memory, key, value, value_bytes);
}

int e2ee_room_adopt(struct e2ee_room *room, const uint8_t *key,
		    size_t key_bytes, const uint8_t *value, size_t value_bytes)
{
	if (key_bytes != E2EE_ROW_KEY_BYTES || !row_is_member(key))
		return -EBADMSG;
	return memory_adopt(&room->memory, key, value, value_bytes);
}

int e2ee_room_member_at(const struct e2ee_room *room, unsigned int index,
			struct e2ee_member *member)
{
	const struct member_record *record;

	if (index >= room->memory.member_count)
		return -ENOENT;
	record = &room->memory.members[index].record;
	member->device_key = record->device_key;
	member->identity_key = record->identity_key;
	member->nick = record->nick;
	return 0;
}
