/* SPDX-License-Identifier: Apache-2.0 */
/* test_relay.c - what a relay or an outsider may try */

#include "people.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_an_outsider_reads_nothing(void **state)
{
	struct scene *scene = *state;
	struct e2ee_room *outsider = people_enter(OTHER, EVE);
	struct e2ee_opened opened;

	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_ACCEPTED);
	assert_int_equal(people_hear(outsider, &scene->first, &opened),
			 E2EE_UNDECRYPTABLE);
	assert_null(opened.content.text);
	assert_int_equal(opened.changes.count, 0);
	e2ee_room_destroy(outsider);
}

static void test_every_flipped_bit_is_refused(void **state)
{
	struct scene *scene = *state;
	struct envelope *e = &scene->first;

	for (size_t bit = 0; bit < 8 * e->length; bit++) {
		enum e2ee_verdict verdict;

		e->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		verdict = people_hear(scene->bob, e, NULL);
		e->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (bit / 8 < CHAT_ENVELOPE_AT_SENDER)
			assert_int_equal(verdict, E2EE_UNKNOWN_VERSION);
		else if (bit / 8 >= CHAT_ENVELOPE_HEADER_BYTES &&
			 bit / 8 < CHAT_ENVELOPE_HEADER_BYTES + 4)
			assert_int_equal(verdict, E2EE_MALFORMED);
		else
			assert_int_equal(verdict, E2EE_UNDECRYPTABLE);
	}
	assert_int_equal(people_hear(scene->bob, e, NULL), E2EE_ACCEPTED);
}

static void test_every_truncation_and_extension_is_refused(void **state)
{
	struct scene *scene = *state;
	size_t length = scene->first.length;

	for (size_t cut = 0; cut < length; cut++) {
		scene->first.length = cut;
		assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
				 E2EE_MALFORMED);
	}
	scene->first.length = length + 1;
	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_MALFORMED);
	scene->first.length = length;
	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_ACCEPTED);
}

static void test_a_swapped_sender_chain_or_generation_is_refused(void **state)
{
	struct scene *scene = *state;
	struct e2ee_room *carol = people_enter(ROOM, EVE);
	struct envelope other, swapped;
	static const struct {
		size_t at, bytes;
	} fields[] = {
		{ CHAT_ENVELOPE_AT_SENDER, CHAT_KEY_BYTES },
		{ CHAT_ENVELOPE_AT_CHAIN, CHAT_CHAIN_ID_BYTES },
		{ CHAT_ENVELOPE_AT_IV, CHAT_IV_BYTES },
	};

	people_say(carol, &other, "of Carol");
	for (unsigned int i = 0; i < ARRAY_SIZE(fields); i++) {
		swapped = scene->first;
		memcpy(swapped.bytes + fields[i].at, other.bytes + fields[i].at,
		       fields[i].bytes);
		assert_int_equal(people_hear(scene->bob, &swapped, NULL),
				 E2EE_UNDECRYPTABLE);
	}
	swapped = scene->first;
	bytes_put_be64(swapped.bytes + CHAT_ENVELOPE_AT_GENERATION, 1);
	assert_int_equal(people_hear(scene->bob, &swapped, NULL),
			 E2EE_UNDECRYPTABLE);
	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_ACCEPTED);
	e2ee_room_destroy(carol);
}

static void test_a_message_of_another_room_is_refused(void **state)
{
	struct scene *scene = *state;
	struct e2ee_room *there = people_enter(OTHER, ALICE);

	people_say(there, &scene->crafted, "of the other room");
	scene_assert(scene, E2EE_UNDECRYPTABLE);
	e2ee_room_destroy(there);
}

static void test_a_replay_is_refused_also_after_others(void **state)
{
	struct scene *scene = *state;

	people_hear(scene->bob, &scene->first, NULL);
	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_REPLAYED);
	people_hear(scene->bob, &scene->second, NULL);
	assert_int_equal(people_hear(scene->bob, &scene->first, NULL),
			 E2EE_REPLAYED);
	assert_int_equal(people_hear(scene->bob, &scene->second, NULL),
			 E2EE_REPLAYED);
}

static void test_a_replay_after_a_restart_is_refused(void **state)
{
	struct scene *scene = *state;
	struct e2ee_room *restarted = people_enter(ROOM, BOB);
	struct e2ee_room *forgetful = people_enter(ROOM, BOB);
	struct e2ee_opened opened;

	people_hear(scene->bob, &scene->first, &opened);
	people_keep(restarted, &opened.changes);
	/* Without its rows it would be taken. */
	assert_int_equal(people_hear(forgetful, &scene->first, NULL),
			 E2EE_ACCEPTED);
	assert_int_equal(people_hear(restarted, &scene->first, NULL),
			 E2EE_REPLAYED);
	assert_int_equal(people_hear(restarted, &scene->second, &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(opened.notes, 0);
	e2ee_room_destroy(restarted);
	e2ee_room_destroy(forgetful);
}

static void test_our_own_message_handed_back_is_refused(void **state)
{
	struct scene *scene = *state;
	struct e2ee_room *restarted = people_enter(ROOM, ALICE);
	const struct e2ee_content content = {
		.type = E2EE_CONTENT_TEXT,
		.nick = "Alice",
		.nick_bytes = 5,
		.text = "mine",
		.text_bytes = 4,
	};
	struct e2ee_changes changes;

	scene->crafted.length = (size_t)e2ee_seal(
		scene->alice, &content, scene->crafted.bytes, &changes);
	assert_int_equal(people_hear(scene->alice, &scene->crafted, NULL),
			 E2EE_REPLAYED);
	people_keep(restarted, &changes);
	assert_int_equal(people_hear(restarted, &scene->crafted, NULL),
			 E2EE_REPLAYED);
	e2ee_room_destroy(restarted);
}

#define CLAIM(test) \
	cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_an_outsider_reads_nothing),
		CLAIM(test_every_flipped_bit_is_refused),
		CLAIM(test_every_truncation_and_extension_is_refused),
		CLAIM(test_a_swapped_sender_chain_or_generation_is_refused),
		CLAIM(test_a_message_of_another_room_is_refused),
		CLAIM(test_a_replay_is_refused_also_after_others),
		CLAIM(test_a_replay_after_a_restart_is_refused),
		CLAIM(test_our_own_message_handed_back_is_refused),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
