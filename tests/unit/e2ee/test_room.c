/* SPDX-License-Identifier: Apache-2.0 */
/* test_room.c - honest members: what is sealed is opened, in any order */

#include "people.h"

#include "base/bytes.h"
#include "e2ee/memory.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void test_a_member_reads_what_another_wrote(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_opened opened;
	struct envelope e;

	people_say_as(alice, &e, "Alice", "hello, Bob", 1234567);
	assert_null(memmem(e.bytes, e.length, "hello", 5));
	assert_null(memmem(e.bytes, e.length, "Alice", 5));
	assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.content.type, E2EE_CONTENT_TEXT);
	assert_int_equal(opened.content.sender_time_ms, 1234567);
	assert_int_equal(opened.content.nick_bytes, 5);
	assert_memory_equal(opened.content.nick, "Alice", 5);
	assert_int_equal(opened.content.text_bytes, 10);
	assert_memory_equal(opened.content.text, "hello, Bob", 10);
	assert_memory_equal(opened.sender, e2ee_room_device_key(alice), 32);
	assert_memory_equal(opened.identity, e2ee_room_identity_key(alice), 32);
	assert_int_equal(opened.generation, 0);
	assert_int_equal(opened.notes, E2EE_NOTE_NEW_MEMBER);
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
}

static void test_every_length_comes_back(void **state)
{
	static const size_t lengths[] = {
		1,
		46,
		47,
		256,
		302,
		303,
		1000,
		4000,
		5000,
		20000,
		65000,
		65262,
		E2EE_MAX_TEXT_BYTES,
	};
	static char text[E2EE_MAX_TEXT_BYTES + 1];
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	static struct envelope e;

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct e2ee_opened opened;

		memset(text, 'a' + (int)i, lengths[i]);
		text[lengths[i]] = '\0';
		people_say(alice, &e, text);
		assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
		assert_int_equal(opened.content.text_bytes, lengths[i]);
		assert_memory_equal(opened.content.text, text, lengths[i]);
	}
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
}

static void test_what_is_too_long_is_not_sealed(void **state)
{
	static char text[E2EE_MAX_TEXT_BYTES + 1];
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	static struct envelope e;
	struct e2ee_changes changes;
	struct e2ee_content content = {
		.type = E2EE_CONTENT_TEXT,
		.nick = "a",
		.nick_bytes = 1,
		.text = text,
		.text_bytes = sizeof(text),
	};

	memset(text, 'x', sizeof(text));
	assert_int_equal(e2ee_seal(alice, &content, e.bytes, &changes),
			 -EINVAL);
	content.text_bytes--;
	assert_true(e2ee_seal(alice, &content, e.bytes, &changes) > 0);
	e2ee_room_destroy(alice);
}

static void test_device_keys_differ_by_room(void **state)
{
	struct e2ee_room *here = people_enter(ROOM, ALICE);
	struct e2ee_room *there = people_enter(OTHER, ALICE);

	assert_memory_equal(e2ee_room_identity_key(here),
			    e2ee_room_identity_key(there), 32);
	assert_memory_not_equal(e2ee_room_device_key(here),
				e2ee_room_device_key(there), 32);
	assert_memory_not_equal(e2ee_room_id(here), e2ee_room_id(there), 32);
	e2ee_room_destroy(here);
	e2ee_room_destroy(there);
}

static void test_the_identity_is_not_outside_of_the_ciphertext(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct envelope e;

	people_say(alice, &e, "x");
	/* The search finds what is there ... */
	assert_non_null(
		memmem(e.bytes, e.length, e2ee_room_device_key(alice), 32));
	assert_null(
		memmem(e.bytes, e.length, e2ee_room_identity_key(alice), 32));
	e2ee_room_destroy(alice);
}

static void test_short_lines_and_joins_have_one_size(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_content content = {
		.type = E2EE_CONTENT_JOIN,
		.nick = "Alice",
		.nick_bytes = 5,
	};
	struct e2ee_changes changes;
	struct envelope e;

	people_say_as(alice, &e, "Alice", "yes", 1);
	assert_int_equal(e2ee_seal(alice, &content, e.bytes, &changes),
			 e.length);
	assert_int_equal(e.length, CHAT_ENVELOPE_MIN + 256);
	e2ee_room_destroy(alice);
}

static void test_gaps_and_late_messages_are_noted(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	static struct envelope e[6];
	struct e2ee_opened opened;

	for (unsigned int i = 0; i < 6; i++)
		people_say(alice, &e[i], "x");
	assert_int_equal(people_hear(bob, &e[0], NULL), E2EE_ACCEPTED);
	assert_int_equal(people_hear(bob, &e[1], &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, 0);
	assert_int_equal(people_hear(bob, &e[4], &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, E2EE_NOTE_GAP);
	assert_int_equal(opened.missing, 2);
	assert_int_equal(people_hear(bob, &e[3], &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, E2EE_NOTE_LATE);
	assert_int_equal(people_hear(bob, &e[2], &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, E2EE_NOTE_LATE);
	assert_int_equal(people_hear(bob, &e[5], &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, 0);
	for (unsigned int i = 0; i < 6; i++)
		assert_int_equal(people_hear(bob, &e[i], NULL), E2EE_REPLAYED);
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
}

static void test_coming_into_the_middle_of_a_chain_is_noted(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_opened opened;
	struct envelope e;

	for (unsigned int i = 0; i < 4; i++)
		people_say(alice, &e, "x");
	assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes,
			 E2EE_NOTE_NEW_MEMBER | E2EE_NOTE_MID_CHAIN);
	assert_int_equal(opened.missing, 3);
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
}

/* A sender who tells Bob and Carol different things in one place. */
static void test_a_fork_is_noted_with_the_next_message(void **state)
{
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_room *late_bob = people_enter(ROOM, BOB);
	static struct envelope to_bob, to_carol, next;
	struct e2ee_opened opened;
	struct craft craft;

	craft_init(&craft, ROOM, EVE);
	craft_seal(&craft, &to_bob);
	craft.content.text = "lie!";
	craft_seal(&craft, &to_carol);
	message_link(craft.link, to_carol.bytes, to_carol.length);
	craft.input.generation = 1;
	craft_seal(&craft, &next);

	assert_int_equal(people_hear(bob, &to_bob, NULL), E2EE_ACCEPTED);
	assert_int_equal(people_hear(bob, &next, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, E2EE_NOTE_FORK);
	/* The same when the two come the other way round. */
	assert_int_equal(people_hear(late_bob, &next, NULL), E2EE_ACCEPTED);
	assert_int_equal(people_hear(late_bob, &to_bob, &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(opened.notes, E2EE_NOTE_LATE | E2EE_NOTE_FORK);
	e2ee_room_destroy(bob);
	e2ee_room_destroy(late_bob);
}

static void test_a_new_chain_links_to_the_end_of_the_old(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_room *carol = people_enter(ROOM, EVE);
	struct e2ee_opened first, opened;
	static struct envelope e;

	for (unsigned int i = 0; i < 1000; i++) {
		people_say(alice, &e, "x");
		assert_int_equal(people_hear(bob, &e, &first), E2EE_ACCEPTED);
		assert_int_equal(first.generation, i);
		if (i < 998) /* the last two never reach Carol */
			people_hear(carol, &e, NULL);
	}
	people_say(alice, &e, "x");
	assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
	assert_memory_not_equal(opened.chain, first.chain, 32);
	assert_int_equal(opened.generation, 0);
	assert_int_equal(opened.notes, 0);
	assert_int_equal(people_hear(carol, &e, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes, E2EE_NOTE_CHAIN_BREAK);
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
	e2ee_room_destroy(carol);
}

/* A clock that was ahead for a while must not silence its owner. */
static void test_who_had_a_wrong_clock_is_heard_afterwards(void **state)
{
	const uint64_t wrong_ms = 2000000000000, right_ms = 1800000000000;
	struct e2ee_content content = {
		.type = E2EE_CONTENT_TEXT,
		.nick = "Alice",
		.nick_bytes = 5,
		.text = "x",
		.text_bytes = 1,
	};
	struct e2ee_changes kept[MEMORY_CHAINS_PER_MEMBER + 2];
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_opened opened;
	struct envelope e;

	/* Each process of hers has a chain; the last one's clock is right. */
	for (unsigned int i = 0; i < ARRAY_SIZE(kept); i++) {
		struct e2ee_room *alice = people_enter(ROOM, ALICE);
		bool is_last = i + 1 == ARRAY_SIZE(kept);
		long bytes;

		for (unsigned int before = 0; before < i; before++)
			people_keep(alice, &kept[before]);
		content.sender_time_ms = is_last ? right_ms : wrong_ms;
		bytes = e2ee_seal(alice, &content, e.bytes, &kept[i]);
		assert_true(bytes > 0);
		e.length = (size_t)bytes;
		assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
		e2ee_room_destroy(alice);
	}
	assert_int_equal(opened.content.sender_time_ms, wrong_ms + 1);
	e2ee_room_destroy(bob);
}

static void test_nicks_that_change_or_collide_are_noted(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *eve = people_enter(ROOM, EVE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_opened opened;
	struct envelope e;

	people_say_as(alice, &e, "Alice", "x", 1);
	people_hear(bob, &e, NULL);
	people_say_as(eve, &e, "aLICE", "x", 1);
	assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes,
			 E2EE_NOTE_NEW_MEMBER | E2EE_NOTE_NICK_TAKEN);
	assert_memory_equal(opened.other_identity,
			    e2ee_room_identity_key(alice), 32);
	/* As long as it lasts, with each message of the later one only. */
	people_say_as(eve, &e, "aLICE", "x", 2);
	people_hear(bob, &e, &opened);
	assert_int_equal(opened.notes, E2EE_NOTE_NICK_TAKEN);
	people_say_as(alice, &e, "Alice", "x", 2);
	people_hear(bob, &e, &opened);
	assert_int_equal(opened.notes, 0);
	people_say_as(eve, &e, "Eve", "x", 3);
	people_hear(bob, &e, &opened);
	assert_int_equal(opened.notes, E2EE_NOTE_NICK_CHANGED);
	assert_string_equal(opened.old_nick, "aLICE");
	people_say_as(eve, &e, "Eve", "x", 4);
	people_hear(bob, &e, &opened);
	assert_int_equal(opened.notes, 0);
	e2ee_room_destroy(alice);
	e2ee_room_destroy(eve);
	e2ee_room_destroy(bob);
}

static void test_two_processes_of_one_user_read_each_other(void **state)
{
	struct e2ee_room *here = people_enter(ROOM, ALICE);
	struct e2ee_room *there = people_enter(ROOM, ALICE);
	struct e2ee_opened opened;
	struct envelope e;

	people_say(here, &e, "x");
	assert_int_equal(people_hear(there, &e, &opened), E2EE_ACCEPTED);
	assert_int_equal(opened.notes & E2EE_NOTE_OWN, E2EE_NOTE_OWN);
	/* But what a process sent itself and gets back is a replay. */
	assert_int_equal(people_hear(here, &e, NULL), E2EE_REPLAYED);
	e2ee_room_destroy(here);
	e2ee_room_destroy(there);
}

static void test_what_another_process_pinned_first_holds(void **state)
{
	struct e2ee_room *one = people_enter(ROOM, BOB);
	struct e2ee_room *two = people_enter(ROOM, BOB);
	struct e2ee_opened first, second;
	struct e2ee_row *stored, *row;
	struct envelope as_eve, as_alice;
	struct craft eve, alice;

	/* Eve's device key, which she proves to be two people's. */
	craft_init(&eve, ROOM, EVE);
	craft_init(&alice, ROOM, ALICE);
	alice.identity.device_root = eve.identity.device_root;
	e2ee_device_derive(&alice.device, &alice.identity, alice.room.room_id);
	craft_seal(&eve, &as_eve);
	craft_seal(&alice, &as_alice);
	assert_int_equal(people_hear(one, &as_eve, &first), E2EE_ACCEPTED);
	assert_int_equal(people_hear(two, &as_alice, &second), E2EE_ACCEPTED);
	assert_memory_equal(first.sender, second.sender, 32);
	stored = &first.changes.rows[0];
	row = &second.changes.rows[0];
	assert_memory_equal(stored->key, row->key, sizeof(row->key));
	assert_int_equal(
		e2ee_row_merge(row, stored->value, stored->value_bytes),
		-EEXIST);
	assert_int_equal(e2ee_room_adopt(two, stored->key, sizeof(stored->key),
					 stored->value, stored->value_bytes),
			 0);
	alice.input.generation = eve.input.generation = 1;
	craft_seal(&eve, &as_eve);
	craft_seal(&alice, &as_alice);
	assert_int_equal(people_hear(two, &as_alice, NULL),
			 E2EE_IDENTITY_CHANGED);
	assert_int_equal(people_hear(two, &as_eve, NULL), E2EE_ACCEPTED);
	e2ee_room_destroy(one);
	e2ee_room_destroy(two);
}

static void test_members_are_listed(void **state)
{
	struct e2ee_room *alice = people_enter(ROOM, ALICE);
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_member member;
	struct envelope e;

	people_say_as(alice, &e, "Alice", "x", 1);
	people_hear(bob, &e, NULL);
	assert_int_equal(e2ee_room_member_at(bob, 0, &member), 0);
	assert_memory_equal(member.identity_key, e2ee_room_identity_key(bob),
			    32);
	assert_int_equal(e2ee_room_member_at(bob, 1, &member), 0);
	assert_memory_equal(member.identity_key, e2ee_room_identity_key(alice),
			    32);
	assert_string_equal(member.nick, "Alice");
	assert_int_equal(e2ee_room_member_at(bob, 2, &member), -ENOENT);
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
}

static void test_every_verdict_has_its_own_sentence(void **state)
{
	for (int i = 0; i < E2EE_VERDICTS; i++) {
		assert_non_null(e2ee_verdict_text((enum e2ee_verdict)i));
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				e2ee_verdict_text((enum e2ee_verdict)i),
				e2ee_verdict_text((enum e2ee_verdict)j));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_member_reads_what_another_wrote),
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_what_is_too_long_is_not_sealed),
		cmocka_unit_test(test_device_keys_differ_by_room),
		cmocka_unit_test(
			test_the_identity_is_not_outside_of_the_ciphertext),
		cmocka_unit_test(test_short_lines_and_joins_have_one_size),
		cmocka_unit_test(test_gaps_and_late_messages_are_noted),
		cmocka_unit_test(
			test_coming_into_the_middle_of_a_chain_is_noted),
		cmocka_unit_test(test_a_fork_is_noted_with_the_next_message),
		cmocka_unit_test(test_a_new_chain_links_to_the_end_of_the_old),
		cmocka_unit_test(
			test_who_had_a_wrong_clock_is_heard_afterwards),
		cmocka_unit_test(test_nicks_that_change_or_collide_are_noted),
		cmocka_unit_test(
			test_two_processes_of_one_user_read_each_other),
		cmocka_unit_test(test_what_another_process_pinned_first_holds),
		cmocka_unit_test(test_members_are_listed),
		cmocka_unit_test(test_every_verdict_has_its_own_sentence),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
