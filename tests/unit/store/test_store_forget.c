/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_forget.c - what is above the bounds is forgotten */

#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_a_room_forgets_by_count(void **state)
{
	struct get *g;

	limits.room_messages = 10;
	reopen_store();
	for (uint64_t i = 0; i < 50; i++)
		must_put(1, (uint8_t)(i / 10), i, 1);
	must_put(2, 1, 0, 5);
	g = get_all(1);
	assert_int_equal(g->read.first, 41);
	assert_int_equal(g->read.last, 50);
	assert_int_equal(g->count, 10);
	assert_int_equal(get_all(2)->count, 5);
	/* Chains of which nothing is left are gone, others are not. */
	assert_int_equal(ask("SELECT count(*) FROM chain"), 2);
	assert_int_equal(ask("SELECT bytes FROM room WHERE number = 1"),
			 10 * (16 + STORE_ROW_BYTES));
}

static void test_a_room_forgets_by_bytes(void **state)
{
	limits.room_bytes = 10 * (16 + STORE_ROW_BYTES);
	reopen_store();
	must_put(1, 1, 0, 5);
	for (uint64_t i = 5; i < 50; i++)
		must_put(1, 1, i, 1);
	assert_int_equal(get_all(1)->count, 10);
	assert_int_equal(get_all(1)->read.first, 41);
}

static void test_a_bound_that_was_lowered_is_met_in_time(void **state)
{
	must_put(1, 1, 0, MANY);
	limits.room_messages = 1;
	reopen_store();
	must_put(1, 1, MANY, 1);
	for (int i = 0; i < 300 && get_all(1)->count > 1; i++)
		usleep(50000);
	assert_int_equal(get_all(1)->read.first, MANY + 1);
}

static void test_the_largest_room_gives_for_all(void **state)
{
	limits.total_bytes = 100 * (16 + STORE_ROW_BYTES);
	reopen_store();
	must_put(1, 1, 0, 10);
	for (uint64_t i = 0; i < 300; i += 10)
		must_put(2, 1, i, 10);
	assert_int_equal(get_all(1)->count, 10);
	assert_in_range(get_all(2)->count, 60, 90);
	assert_int_equal(get_all(2)->read.last, 300);
}

/* Room `room` of more than a byte has numbers for. */
static struct put *put_in(unsigned int room, uint64_t first)
{
	fill(&shared, (uint8_t)room, 1, first, 1);
	memset(shared.ids[0] + 1, (int)(room >> 8), 1);
	store_put(store, &shared.put);
	wait_told(&shared.is_told);
	return &shared;
}

static void test_a_room_for_each_message_is_bounded_too(void **state)
{
	limits.total_bytes = 20 * (16 + STORE_ROW_BYTES);
	reopen_store();
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(put_in(i, 0)->put.error, 0);
	assert_in_range(ask("SELECT count(*) FROM message"), 15, 20);
	assert_int_equal(ask("SELECT sum(bytes) FROM room"),
			 ask("SELECT count(*) FROM message") *
				 (16 + STORE_ROW_BYTES));
}

static void test_many_rooms_do_not_hide_what_is_aged(void **state)
{
	for (unsigned int i = 0; i < 600; i++)
		assert_int_equal(put_in(i, 0)->put.error, 0);
	store_close(store);
	ask("UPDATE message SET time_ms = 1 WHERE key ="
	    " (SELECT max(key) FROM message)");
	limits.age_ms = 3600 * 1000;
	open_store();
	for (int i = 0; i < 300; i++) {
		if (ask("SELECT count(*) FROM message") == 599)
			return;
		usleep(50000);
	}
	fail();
}

static void test_a_room_too_many_is_refused_alone(void **state)
{
	static struct put puts[2];

	limits.rooms = 1;
	reopen_store();
	must_put(1, 1, 0, 1);
	fill(&puts[0], 2, 1, 0, 1);
	fill(&puts[1], 1, 1, 1, 1);
	for (int i = 0; i < 2; i++)
		store_put(store, &puts[i].put);
	for (int i = 0; i < 2; i++)
		wait_told(&puts[i].is_told);
	assert_int_equal(puts[0].put.error, -EUSERS);
	assert_int_equal(puts[1].put.error, 0);
	reopen_store();
	assert_int_equal(put(2, 1, 1, 1)->put.error, -EUSERS);
	assert_int_equal(get_all(2)->count, 0);
}

static void test_a_room_without_messages_makes_place(void **state)
{
	limits.rooms = 3;
	limits.total_bytes = 2 * (16 + STORE_ROW_BYTES);
	reopen_store();
	for (unsigned int i = 0; i < 50; i++)
		assert_int_equal(put_in(i, 0)->put.error, 0);
	assert_int_equal(ask("SELECT count(*) FROM room"), 3);
	assert_in_range(ask("SELECT count(*) FROM message"), 1, 2);
	reopen_store();
	assert_int_equal(put_in(50, 0)->put.error, 0);
	assert_int_equal(ask("SELECT count(*) FROM room"), 3);
}

/* A key has bits for so many rooms; then those that went make place. */
static void test_numbers_of_rooms_are_given_again(void **state)
{
	must_put(1, 1, 0, 3);
	must_put(2, 1, 0, 3);
	store_close(store);
	ask("UPDATE message SET key = key + (8388605 << 40)"
	    " WHERE key >> 40 = 2");
	ask("UPDATE room SET number = 8388607 WHERE number = 2");
	ask("UPDATE chain SET room = 8388607 WHERE room = 2");
	open_store();
	for (uint8_t room = 3; room < 6; room++)
		must_put(room, 1, 0, 2);
	assert_int_equal(ask("SELECT max(number) FROM room"), 8388607);
	assert_int_equal(ask("SELECT count(*) FROM room WHERE number < 6"), 4);
	must_put(3, 1, 2, 1);
	for (uint8_t room = 1; room < 6; room++)
		assert_int_equal(get_all(room)->count, room < 4 ? 3 : 2);
	assert_string_equal(get_all(3)->envelopes[2], "03/01/2");
}

static void test_a_room_that_was_left_for_long_is_gone(void **state)
{
	must_put(1, 1, 0, 3);
	must_put(2, 1, 0, 3);
	must_put(3, 1, 0, 3);
	store_close(store);
	ask("UPDATE message SET time_ms = 1 WHERE key >> 40 < 3");
	ask("UPDATE room SET time_ms = 1 WHERE number < 2");
	limits.age_ms = 3600 * 1000;
	open_store();
	for (int i = 0; i < 600; i++) {
		if (ask("SELECT count(*) FROM message") == 3)
			break;
		usleep(50000);
	}
	/* Swept once, it is empty; once more, and it is gone. */
	reopen_store();
	for (int i = 0; i < 600; i++) {
		if (ask("SELECT count(*) FROM room") == 2)
			break;
		usleep(50000);
	}
	assert_int_equal(get_all(1)->read.era, 0);
	assert_int_equal(get_all(2)->read.era, 7);
	assert_int_equal(must_put(2, 1, 3, 1)->messages[0].sequence, 4);
	assert_int_equal(get_all(3)->count, 3);
	assert_int_equal(must_put(1, 1, 3, 1)->messages[0].sequence, 1);
}

static void test_a_room_forgets_by_age(void **state)
{
	must_put(1, 1, 0, 100);
	must_put(2, 1, 0, 1);
	store_close(store);
	ask("UPDATE message SET time_ms = 1");
	limits.age_ms = 3600 * 1000;
	open_store();
	for (int i = 0; i < 300 && get_all(1)->count; i++)
		usleep(50000);
	for (int i = 0; i < 300 && get_all(2)->count; i++)
		usleep(50000);
	assert_int_equal(get_all(1)->count, 0);
	assert_int_equal(get_all(1)->read.first, 101);
	assert_int_equal(ask("SELECT count(*) FROM message"), 0);
	assert_int_equal(ask("SELECT count(*) FROM chain"), 0);
	/* The numbers go on. */
	assert_int_equal(must_put(1, 2, 0, 1)->messages[0].sequence, 101);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_a_room_forgets_by_count),
		STORE_TEST(test_a_room_forgets_by_bytes),
		STORE_TEST(test_a_bound_that_was_lowered_is_met_in_time),
		STORE_TEST(test_the_largest_room_gives_for_all),
		STORE_TEST(test_a_room_for_each_message_is_bounded_too),
		STORE_TEST(test_many_rooms_do_not_hide_what_is_aged),
		STORE_TEST(test_a_room_too_many_is_refused_alone),
		STORE_TEST(test_a_room_forgets_by_age),
		STORE_TEST(test_a_room_without_messages_makes_place),
		STORE_TEST(test_numbers_of_rooms_are_given_again),
		STORE_TEST(test_a_room_that_was_left_for_long_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
