/* SPDX-License-Identifier: Apache-2.0 */
/* test_insider.c - what a member who holds the room's secret may try */

#include "people.h"

#include "base/bytes.h"
#include "e2ee/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define SIGNATURE_AT SIGN_PUBLIC_BYTES
#define BODY_AT      MESSAGE_HEAD_BYTES

static void test_an_insiders_own_message_is_accepted(void **state)
{
	struct scene *scene = *state;

	/* So the refusals below are due to what each one changes. */
	craft_seal(&scene->eve, &scene->crafted);
	scene_assert(scene, E2EE_ACCEPTED);
}

static void test_an_insider_cannot_speak_as_another(void **state)
{
	struct scene *scene = *state;
	size_t bytes;

	/* Alice's identity and device key, Eve's signature. */
	scene->eve.input.device_key = e2ee_room_device_key(scene->alice);
	craft_seal(&scene->eve, &scene->crafted);
	bytes = craft_plaintext(&scene->eve, &scene->crafted, scene->plaintext);
	memcpy(scene->plaintext, e2ee_room_identity_key(scene->alice),
	       SIGN_PUBLIC_BYTES);
	craft_wrap(&scene->eve, scene->crafted.bytes, scene->plaintext, bytes,
		   &scene->crafted);
	scene_assert(scene, E2EE_FORGED);
}

static void test_an_insider_cannot_change_anothers_words(void **state)
{
	struct scene *scene = *state;
	size_t bytes =
		craft_plaintext(&scene->eve, &scene->first, scene->plaintext);
	uint8_t *said = memmem(scene->plaintext, bytes, "one", 3);

	assert_non_null(said);
	said[0] = 'O';
	craft_wrap(&scene->eve, scene->first.bytes, scene->plaintext, bytes,
		   &scene->crafted);
	scene_assert(scene, E2EE_FORGED);
}

/* Alice's signed plaintext under a header with one field changed. */
static void assert_rewrap_is_forged(struct scene *scene, const uint8_t *header,
				    enum e2ee_verdict expected)
{
	size_t bytes =
		craft_plaintext(&scene->eve, &scene->first, scene->plaintext);

	craft_wrap(&scene->eve, header, scene->plaintext, bytes,
		   &scene->crafted);
	assert_int_equal(people_hear(scene->bob, &scene->crafted, NULL),
			 expected);
}

static void test_an_insider_cannot_rewrap_anothers_message(void **state)
{
	struct scene *scene = *state;
	static const struct {
		size_t at;
		enum e2ee_verdict expected;
	} changes[] = {
		{ CHAT_ENVELOPE_AT_VERSION, E2EE_UNKNOWN_VERSION },
		{ CHAT_ENVELOPE_AT_TYPE, E2EE_UNKNOWN_VERSION },
		{ CHAT_ENVELOPE_AT_EPOCH, E2EE_UNKNOWN_VERSION },
		{ CHAT_ENVELOPE_AT_SENDER, E2EE_FORGED },
		{ CHAT_ENVELOPE_AT_CHAIN, E2EE_FORGED },
		{ CHAT_ENVELOPE_AT_GENERATION + 7, E2EE_FORGED },
		{ CHAT_ENVELOPE_AT_IV, E2EE_FORGED },
	};
	uint8_t header[CHAT_ENVELOPE_HEADER_BYTES];

	for (unsigned int i = 0; i < ARRAY_SIZE(changes); i++) {
		memcpy(header, scene->first.bytes, sizeof(header));
		header[changes[i].at] ^= 1;
		assert_rewrap_is_forged(scene, header, changes[i].expected);
	}
	/* Unchanged it is the very message of Alice. */
	assert_rewrap_is_forged(scene, scene->first.bytes, E2EE_ACCEPTED);
	assert_memory_equal(scene->crafted.bytes, scene->first.bytes,
			    scene->first.length);
}

static void test_an_insider_cannot_carry_it_to_another_room(void **state)
{
	struct scene *scene = *state;
	struct e2ee_room *there = people_enter(OTHER, BOB);
	struct craft carrier;
	size_t bytes;

	craft_init(&carrier, OTHER, EVE);
	bytes = craft_plaintext(&scene->eve, &scene->first, scene->plaintext);
	craft_wrap(&carrier, scene->first.bytes, scene->plaintext, bytes,
		   &scene->crafted);
	assert_int_equal(people_hear(there, &scene->crafted, NULL),
			 E2EE_FORGED);
	e2ee_room_destroy(there);
}

/* Eve's own identity, signed by herself, on Alice's device key, before Alice
 * was ever heard: she would pin it. */
static void test_an_insider_cannot_pin_anothers_device_key(void **state)
{
	struct scene *scene = *state;

	scene->eve.input.device_key = e2ee_room_device_key(scene->alice);
	craft_seal(&scene->eve, &scene->crafted);
	scene_assert(scene, E2EE_FORGED);
}

static void test_nor_with_a_proof_taken_from_elsewhere(void **state)
{
	struct scene *scene = *state;
	uint8_t proof[SIGN_BYTES];

	craft_plaintext(&scene->eve, &scene->first, scene->plaintext);
	memcpy(proof, scene->plaintext + BODY_AT, SIGN_BYTES);
	scene->eve.input.device_key = e2ee_room_device_key(scene->alice);
	scene->eve.input.device_proof = proof;
	craft_seal(&scene->eve, &scene->crafted);
	scene_assert(scene, E2EE_FORGED);
}

static void test_a_device_key_keeps_its_identity(void **state)
{
	struct scene *scene = *state;
	struct e2ee_opened opened;

	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_ACCEPTED);
	scene->eve.input.device_key = e2ee_room_device_key(scene->alice);
	craft_seal(&scene->eve, &scene->crafted);
	assert_int_equal(people_hear(scene->bob, &scene->crafted, &opened),
			 E2EE_IDENTITY_CHANGED);
	assert_memory_equal(opened.identity, scene->eve.identity.key.public_key,
			    32);
	assert_memory_equal(opened.other_identity,
			    e2ee_room_identity_key(scene->alice), 32);
	assert_int_equal(people_hear(scene->bob, &scene->second, NULL),
			 E2EE_ACCEPTED);
}

/* Not even by the owner of both keys, who can prove each pair. */
static void test_a_proven_second_identity_is_refused_too(void **state)
{
	struct scene *scene = *state;
	struct craft *eve = &scene->eve, other;
	struct e2ee_identity mixed;
	struct e2ee_device device;

	craft_seal(eve, &scene->crafted);
	assert_int_equal(people_hear(scene->bob, &scene->crafted, NULL),
			 E2EE_ACCEPTED);
	craft_init(&other, ROOM, 0x77);
	mixed = other.identity;
	mixed.device_root = eve->identity.device_root;
	e2ee_device_derive(&device, &mixed, eve->room.room_id);
	assert_memory_equal(device.key.public_key, eve->device.key.public_key,
			    32);
	eve->input.identity_key = &mixed.key;
	eve->input.device_proof = device.proof;
	eve->input.generation = 1;
	craft_seal(eve, &scene->crafted);
	scene_assert(scene, E2EE_IDENTITY_CHANGED);
}

/* Sealed and signed by Eve as a member, with a body that no client writes. */
static void assert_body(struct scene *scene, size_t bytes,
			enum e2ee_verdict expected)
{
	static struct message_scratch scratch;
	uint8_t *header = scene->crafted.bytes;
	size_t body_bytes = bytes - BODY_AT;

	bytes_put_be32(header + CHAT_ENVELOPE_HEADER_BYTES, (uint32_t)bytes);
	memcpy(scratch.label, LABEL_MESSAGE_SIGNATURE, sizeof(scratch.label));
	message_aad_encode(scratch.aad, scene->eve.room.room_id, header,
			   (uint32_t)bytes);
	memcpy(scratch.iv, scene->eve.iv, sizeof(scratch.iv));
	memcpy(scratch.identity, scene->plaintext, SIGN_PUBLIC_BYTES);
	memcpy(scratch.body, scene->plaintext + BODY_AT, body_bytes);
	sign_make(scene->plaintext + SIGNATURE_AT, &scene->eve.identity.key,
		  &scratch,
		  offsetof(struct message_scratch, body) + body_bytes);
	craft_wrap(&scene->eve, header, scene->plaintext, bytes,
		   &scene->crafted);
	scene_assert(scene, expected);
	people_hear(scene->bob, &scene->first, NULL);
	scene_teardown((void **)&scene);
}

/* Eve's own message as plaintext, to be spoilt. */
static size_t begin_body(struct scene *scene)
{
	craft_seal(&scene->eve, &scene->crafted);
	return craft_plaintext(&scene->eve, &scene->crafted, scene->plaintext);
}

#define TIME_AT (BODY_AT + SIGN_BYTES + SHA256_BYTES)
#define TYPE_AT (TIME_AT + 8)
#define NICK_AT (TYPE_AT + 1)
#define TEXT_AT (NICK_AT + 1 + 4)
#define END_AT  (TEXT_AT + 4 + 4)

static const struct {
	size_t at;
	uint8_t value;
	enum e2ee_verdict expected;
} spoils[] = {
	{ TIME_AT, 0x7f, E2EE_ACCEPTED },
	{ TYPE_AT, 0, E2EE_MALFORMED_INSIDE },
	{ TYPE_AT, E2EE_CONTENT_TYPES, E2EE_MALFORMED_INSIDE },
	{ TYPE_AT, 255, E2EE_MALFORMED_INSIDE },
	{ TYPE_AT, E2EE_CONTENT_JOIN, E2EE_MALFORMED_INSIDE }, /* has text */
	{ NICK_AT, 0, E2EE_MALFORMED_INSIDE },
	{ NICK_AT, 65, E2EE_MALFORMED_INSIDE },
	{ NICK_AT, 255, E2EE_MALFORMED_INSIDE },
	{ NICK_AT + 2, 0, E2EE_MALFORMED_INSIDE }, /* NUL in the nick */
	{ TEXT_AT, 0xff, E2EE_MALFORMED_INSIDE },  /* huge */
	{ TEXT_AT + 3, 0, E2EE_MALFORMED_INSIDE }, /* no text */
	{ TEXT_AT + 3, 5, E2EE_MALFORMED_INSIDE }, /* a NUL in it */
	{ TEXT_AT + 3, 3, E2EE_MALFORMED_INSIDE }, /* padding */
	{ END_AT, 1, E2EE_MALFORMED_INSIDE },      /* padding */
	{ 255, 0x80, E2EE_MALFORMED_INSIDE },      /* padding's end */
};

static void test_what_a_member_malformed_is_refused(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(spoils); i++) {
		struct scene *scene;
		size_t bytes;

		scene_setup((void **)&scene);
		bytes = begin_body(scene);
		assert_int_equal(bytes, 256);
		scene->plaintext[spoils[i].at] = spoils[i].value;
		assert_body(scene, bytes, spoils[i].expected);
	}
}

/* The last chain that is forgotten sets the floor behind its time; above the
 * last of all times there is none. */
static void test_no_time_lets_a_forgotten_message_come_again(void **state)
{
	struct scene *scene = *state;
	struct envelope first;

	scene->eve.content.sender_time_ms = E2EE_MAX_TIME_MS;
	for (uint8_t i = 0; i <= MEMORY_CHAINS_PER_MEMBER; i++) {
		scene->eve.chain_id[0] = i;
		craft_seal(&scene->eve, &scene->crafted);
		if (i == 0)
			first = scene->crafted;
		assert_int_equal(people_hear(scene->bob, &scene->crafted, NULL),
				 E2EE_ACCEPTED);
	}
	assert_int_equal(people_hear(scene->bob, &first, NULL), E2EE_STALE);
}

static void test_the_last_of_all_times_is_refused(void **state)
{
	struct scene *scene;
	size_t bytes;

	scene_setup((void **)&scene);
	bytes = begin_body(scene);
	memset(scene->plaintext + TIME_AT, 0xff, 8);
	assert_body(scene, bytes, E2EE_MALFORMED_INSIDE);
}

static void test_more_padding_than_needed_is_refused(void **state)
{
	struct scene *scene;

	scene_setup((void **)&scene);
	begin_body(scene);
	memset(scene->plaintext + 256, 0, 256);
	assert_body(scene, 512, E2EE_MALFORMED_INSIDE);
}

static void test_a_length_that_is_no_bucket_is_refused(void **state)
{
	struct scene *scene = *state;
	size_t bytes = begin_body(scene);

	craft_wrap(&scene->eve, scene->crafted.bytes, scene->plaintext,
		   bytes - 1, &scene->crafted);
	scene_assert(scene, E2EE_MALFORMED);
}

static void test_generations_beyond_the_chains_end_are_refused(void **state)
{
	static const uint64_t beyond[] = { 1000, 1001, 1u << 31,
					   (uint64_t)1 << 32, UINT64_MAX };
	struct scene *scene = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(beyond); i++) {
		scene->eve.input.generation = beyond[i];
		craft_seal(&scene->eve, &scene->crafted);
		assert_int_equal(people_hear(scene->bob, &scene->crafted, NULL),
				 E2EE_CHAIN_OVERRUN);
	}
	scene->eve.input.generation = 999;
	craft_seal(&scene->eve, &scene->crafted);
	scene_assert(scene, E2EE_ACCEPTED);
}

static void test_a_chain_of_zeros_is_refused(void **state)
{
	struct scene *scene = *state;

	memset(scene->eve.chain_id, 0, sizeof(scene->eve.chain_id));
	craft_seal(&scene->eve, &scene->crafted);
	scene_assert(scene, E2EE_MALFORMED);
}

static void test_the_reserved_suite_is_refused(void **state)
{
	struct scene *scene = *state;

	assert_non_null(suite_by_id(SUITE_A));
	assert_null(suite_by_id(SUITE_C));
	scene->crafted = scene->first;
	scene->crafted.bytes[CHAT_ENVELOPE_AT_SUITE + 1] = SUITE_C;
	scene_assert(scene, E2EE_UNKNOWN_VERSION);
}

/* A small-order "identity" would verify signatures that nobody made. */
static void test_an_identity_of_small_order_is_refused(void **state)
{
	struct scene *scene = *state;
	size_t bytes = begin_body(scene);

	memset(scene->plaintext, 0, BODY_AT);
	scene->plaintext[0] = 1;            /* A: the identity element */
	scene->plaintext[SIGNATURE_AT] = 1; /* R too, and S = 0 */
	craft_wrap(&scene->eve, scene->crafted.bytes, scene->plaintext, bytes,
		   &scene->crafted);
	scene_assert(scene, E2EE_FORGED);
}

/* One ciphertext and tag that two keys open would let a member show two
 * contents: the tag commits to the key. */
static void test_no_other_key_opens_the_same_envelope(void **state)
{
	struct scene *scene = *state;
	struct envelope moved = scene->first;

	for (uint64_t generation = 0; generation < 300; generation++) {
		bytes_put_be64(moved.bytes + CHAT_ENVELOPE_AT_GENERATION,
			       generation);
		assert_int_equal(people_hear(scene->bob, &moved, NULL),
				 generation == 0 ? E2EE_ACCEPTED
						 : E2EE_UNDECRYPTABLE);
	}
}

#define CLAIM(test) \
	cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_an_insiders_own_message_is_accepted),
		CLAIM(test_an_insider_cannot_speak_as_another),
		CLAIM(test_an_insider_cannot_change_anothers_words),
		CLAIM(test_an_insider_cannot_rewrap_anothers_message),
		CLAIM(test_an_insider_cannot_carry_it_to_another_room),
		CLAIM(test_an_insider_cannot_pin_anothers_device_key),
		CLAIM(test_nor_with_a_proof_taken_from_elsewhere),
		CLAIM(test_a_device_key_keeps_its_identity),
		CLAIM(test_a_proven_second_identity_is_refused_too),
		cmocka_unit_test(test_what_a_member_malformed_is_refused),
		CLAIM(test_no_time_lets_a_forgotten_message_come_again),
		cmocka_unit_test(test_the_last_of_all_times_is_refused),
		cmocka_unit_test(test_more_padding_than_needed_is_refused),
		CLAIM(test_a_length_that_is_no_bucket_is_refused),
		CLAIM(test_generations_beyond_the_chains_end_are_refused),
		CLAIM(test_a_chain_of_zeros_is_refused),
		CLAIM(test_the_reserved_suite_is_refused),
		CLAIM(test_an_identity_of_small_order_is_refused),
		CLAIM(test_no_other_key_opens_the_same_envelope),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
