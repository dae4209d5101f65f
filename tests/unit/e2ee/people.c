/* SPDX-License-Identifier: Apache-2.0 */
/* people.c - members to test with, and messages that nobody should make */

#include "people.h"
#include "base/bytes.h"
#include "e2ee/key_layer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct cryptsess_provider *provider;

int people_setup(void **state)
{
	return cryptsess_provider_open(&provider, "openssl", NULL, 0);
}

int people_teardown(void **state)
{
	cryptsess_provider_close(provider);
	provider = NULL;
	return 0;
}

struct cryptsess_provider *people_provider(void)
{
	return provider;
}

static struct secret repeated(uint8_t byte)
{
	struct secret secret;

	memset(secret.bytes, byte, sizeof(secret.bytes));
	return secret;
}

struct e2ee_room *people_enter(uint8_t room, uint8_t person)
{
	struct secret room_secret = repeated(room), seed = repeated(person);
	struct e2ee_room *entered;

	assert_int_equal(
		e2ee_room_create(&entered, &room_secret, &seed, provider), 0);
	return entered;
}

void people_say_as(struct e2ee_room *room, struct envelope *envelope,
		   const char *nick, const char *text, uint64_t time_ms)
{
	const struct e2ee_content content = {
		.type = E2EE_CONTENT_TEXT,
		.sender_time_ms = time_ms,
		.nick = nick,
		.nick_bytes = strlen(nick),
		.text = text,
		.text_bytes = strlen(text),
	};
	struct e2ee_changes changes;
	long bytes = e2ee_seal(room, &content, envelope->bytes, &changes);

	assert_true(bytes > 0);
	envelope->length = (size_t)bytes;
}

void people_say(struct e2ee_room *room, struct envelope *envelope,
		const char *text)
{
	people_say_as(room, envelope, "nick", text, 1000);
}

enum e2ee_verdict people_hear(struct e2ee_room *room,
			      const struct envelope *envelope,
			      struct e2ee_opened *opened)
{
	struct e2ee_opened unused;

	return e2ee_open(room, envelope->bytes, envelope->length,
			 opened ? opened : &unused);
}

void people_keep(struct e2ee_room *room, const struct e2ee_changes *changes)
{
	for (unsigned int i = 0; i < changes->count; i++) {
		const struct e2ee_row *row = &changes->rows[i];

		if (row->value_bytes)
			assert_int_equal(
				e2ee_room_load(room, row->key, sizeof(row->key),
					       row->value, row->value_bytes),
				0);
	}
}

void craft_init(struct craft *craft, uint8_t room, uint8_t person)
{
	struct secret room_secret = repeated(room), seed = repeated(person);

	memset(craft, 0, sizeof(*craft));
	room_keys_derive(&craft->room, &room_secret);
	e2ee_identity_derive(&craft->identity, &seed);
	e2ee_device_derive(&craft->device, &craft->identity,
			   craft->room.room_id);
	memset(craft->chain_id, 0xc4, sizeof(craft->chain_id));
	memset(craft->iv, 0x17, sizeof(craft->iv));
	craft->content = (struct e2ee_content){
		.type = E2EE_CONTENT_TEXT,
		.sender_time_ms = 1000,
		.nick = "nick",
		.nick_bytes = 4,
		.text = "text",
		.text_bytes = 4,
	};
	craft->input = (struct message_input){
		.room = &craft->room,
		.identity_key = &craft->identity.key,
		.device_key = craft->device.key.public_key,
		.device_proof = craft->device.proof,
		.chain_id = craft->chain_id,
		.iv = craft->iv,
		.link = craft->link,
		.content = &craft->content,
	};
}

void craft_seal(struct craft *craft, struct envelope *envelope)
{
	static struct message_scratch scratch;
	long bytes = message_seal(envelope->bytes, &scratch, provider,
				  &craft->input);

	assert_true(bytes > 0);
	envelope->length = (size_t)bytes;
}

size_t craft_plaintext(const struct craft *craft,
		       const struct envelope *envelope, uint8_t *plaintext)
{
	uint8_t aad[MESSAGE_AAD_BYTES];
	struct wire_envelope parts;
	struct message_keys keys;
	struct suite_job job = {
		.keys = &keys,
		.aad = aad,
		.aad_bytes = sizeof(aad),
		.plain_count = 1,
	};
	struct iovec plain;

	assert_int_equal(
		wire_envelope_decode(&parts, envelope->bytes, envelope->length),
		0);
	plain = (struct iovec){ plaintext, parts.ciphertext_bytes };
	job.plain = &plain;
	job.iv = parts.header.iv;
	job.ciphertext = (uint8_t *)(uintptr_t)parts.ciphertext;
	job.bytes = parts.ciphertext_bytes;
	message_aad_encode(aad, craft->room.room_id, parts.header_bytes,
			   job.bytes);
	key_layer_message_keys(&keys, &craft->room, &parts.header);
	assert_int_equal(suite_open(suite_by_id(parts.header.suite), provider,
				    &job, parts.tag),
			 0);
	return job.bytes;
}

void craft_wrap(const struct craft *craft,
		const uint8_t header[CHAT_ENVELOPE_HEADER_BYTES],
		const uint8_t *plaintext, size_t bytes,
		struct envelope *envelope)
{
	uint8_t *ciphertext = envelope->bytes + CHAT_ENVELOPE_HEADER_BYTES + 4;
	const struct iovec plain = { (void *)(uintptr_t)plaintext, bytes };
	struct wire_envelope_header parts;
	uint8_t aad[MESSAGE_AAD_BYTES];
	struct message_keys keys;
	const struct suite_job job = {
		.keys = &keys,
		.iv = header + CHAT_ENVELOPE_AT_IV,
		.aad = aad,
		.aad_bytes = sizeof(aad),
		.plain = &plain,
		.plain_count = 1,
		.ciphertext = ciphertext,
		.bytes = (uint32_t)bytes,
	};

	assert_int_equal(wire_envelope_header_decode(
				 &parts, header, CHAT_ENVELOPE_HEADER_BYTES),
			 0);
	memmove(envelope->bytes, header, CHAT_ENVELOPE_HEADER_BYTES);
	bytes_put_be32(envelope->bytes + CHAT_ENVELOPE_HEADER_BYTES,
		       (uint32_t)bytes);
	message_aad_encode(aad, craft->room.room_id, header, (uint32_t)bytes);
	key_layer_message_keys(&keys, &craft->room, &parts);
	assert_int_equal(suite_seal(suite_by_id(SUITE_A), provider, &job,
				    ciphertext + bytes),
			 0);
	envelope->length = CHAT_ENVELOPE_MIN + bytes;
}

int scene_setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->alice = people_enter(ROOM, ALICE);
	scene->bob = people_enter(ROOM, BOB);
	people_say_as(scene->alice, &scene->first, "Alice", "one", 1000);
	people_say_as(scene->alice, &scene->second, "Alice", "two", 2000);
	craft_init(&scene->eve, ROOM, EVE);
	*state = scene;
	return 0;
}

int scene_teardown(void **state)
{
	struct scene *scene = *state;

	e2ee_room_destroy(scene->alice);
	e2ee_room_destroy(scene->bob);
	free(scene);
	return 0;
}

void scene_assert(struct scene *scene, enum e2ee_verdict expected)
{
	assert_int_equal(people_hear(scene->bob, &scene->crafted, NULL),
			 expected);
	/* The honest message is accepted whatever was tried before. */
	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_ACCEPTED);
}
