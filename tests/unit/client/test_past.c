/* SPDX-License-Identifier: Apache-2.0 */
/* test_past.c - how far we have a room's messages, and what a user may ask */

#include "client/past.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define NOW UINT64_C(1700000000000)

static unsigned int take(struct past *past, enum chat_history what,
			 uint64_t era, uint64_t first, uint64_t last,
			 uint64_t *missing)
{
	const struct wire_message m = {
		.type = CHAT_HISTORY,
		.history = { what, era, first, last },
	};
	uint64_t ignored;

	return past_take(past, &m, missing ? missing : &ignored);
}

static void begin(struct past *past, enum chat_want want, uint64_t era,
		  uint64_t from)
{
	struct wire_message join = { .type = CHAT_JOIN };

	past_begin(past, &join);
	assert_int_equal(join.join.want, want);
	assert_int_equal(join.join.era, era);
	assert_int_equal(join.join.from, from);
}

/* As after a visit: everything up to 10 of era 7 was had. */
static struct past visited(void)
{
	return (struct past){ .is_known = true, .era = 7, .last = 10 };
}

static void test_the_first_visit_hears_from_then_on(void **state)
{
	struct past past = { 0 };

	begin(&past, CHAT_WANT_NOTHING, 0, 0);
	assert_int_equal(take(&past, CHAT_HISTORY_LIVE, 7, 1, 10, NULL),
			 PAST_HAS_CAUGHT_UP);
	assert_int_equal(past.last, 10);
	past_move(&past, 11, 1);
	assert_int_equal(past.last, 11);
	assert_int_equal(past.caught, 0);
	begin(&past, CHAT_WANT_AFTER, 7, 11);
}

static void test_what_was_missed_is_asked_for_and_counted(void **state)
{
	struct past past = visited();

	begin(&past, CHAT_WANT_AFTER, 7, 10);
	assert_int_equal(take(&past, CHAT_HISTORY_BEGINS, 7, 11, 13, NULL), 0);
	for (uint64_t i = 11; i <= 13; i++) {
		assert_false(past_is_old(&past, i));
		past_move(&past, i, i != 12); /* 12 was no text */
		assert_int_equal(past.last, i);
	}
	assert_int_equal(take(&past, CHAT_HISTORY_LIVE, 7, 1, 13, NULL),
			 PAST_HAS_CAUGHT_UP);
	assert_int_equal(past.caught, 2);
}

static void test_what_expired_is_counted(void **state)
{
	struct past past = visited();
	uint64_t missing;

	begin(&past, CHAT_WANT_AFTER, 7, 10);
	assert_int_equal(take(&past, CHAT_HISTORY_BEGINS, 7, 21, 30, &missing),
			 PAST_HAS_EXPIRED);
	assert_int_equal(missing, 10);
}

static void test_another_era_or_an_older_copy_is_noticed(void **state)
{
	static const struct {
		enum chat_history what;
		uint64_t era, first, last;
	} others[] = {
		{ CHAT_HISTORY_BEGINS, 8, 1, 20 },
		{ CHAT_HISTORY_LIVE, 8, 1, 0 },
		{ CHAT_HISTORY_BEGINS, 7, 1, 5 },
		{ CHAT_HISTORY_LIVE, 7, 6, 5 },
	};

	for (int i = 0; i < 4; i++) {
		struct past past = visited();

		begin(&past, CHAT_WANT_AFTER, 7, 10);
		assert_true(take(&past, others[i].what, others[i].era,
				 others[i].first, others[i].last, NULL) &
			    PAST_WAS_LOST);
		assert_true(past.has_gone_back);
		/* Low numbers are new ones now. */
		assert_false(past_is_old(&past, 1));
		past_move(&past, others[i].last + 1, 1);
		assert_int_equal(past.last, others[i].last + 1);
		assert_int_equal(past.era, others[i].era);
	}
}

/* A number that the user gave is one of the history that was lost. */
static void test_behind_a_number_of_a_lost_history_all_is_wanted(void **state)
{
	for (int is_reconnect = 0; is_reconnect < 2; is_reconnect++) {
		struct past past = visited();

		past.since = (struct since){ CHAT_WANT_AFTER, 6 };
		begin(&past, CHAT_WANT_AFTER, 7, 6);
		if (is_reconnect) {
			take(&past, CHAT_HISTORY_BEGINS, 7, 7, 10, NULL);
			assert_false(past_is_wanted(&past, 6));
			take(&past, CHAT_HISTORY_LIVE, 7, 1, 10, NULL);
			begin(&past, CHAT_WANT_AFTER, 7, 10);
		}
		take(&past, CHAT_HISTORY_BEGINS, 8, 1, 3, NULL);
		for (uint64_t i = 1; i <= 3; i++)
			assert_true(past_is_wanted(&past, i));
	}
}

/* The relay can say any number; an honest one is believed again after it. */
static void test_the_largest_numbers_do_no_lasting_harm(void **state)
{
	struct past past = visited();
	uint64_t missing;

	begin(&past, CHAT_WANT_AFTER, 7, 10);
	take(&past, CHAT_HISTORY_LIVE, 7, 1, UINT64_MAX, NULL);
	assert_int_equal(past.last, UINT64_MAX);
	begin(&past, CHAT_WANT_AFTER, 7, UINT64_MAX);
	assert_int_equal(
		take(&past, CHAT_HISTORY_BEGINS, 7, 5, UINT64_MAX, &missing),
		0);
	assert_int_equal(missing, 0);
	begin(&past, CHAT_WANT_AFTER, 7, UINT64_MAX);
	assert_int_equal(take(&past, CHAT_HISTORY_BEGINS, 7, 1, 12, NULL),
			 PAST_WAS_LOST);
	past_move(&past, 12, 1);
	assert_int_equal(past.last, 12);
	begin(&past, CHAT_WANT_AFTER, 7, 12);
}

static void test_while_it_is_unreadable_nothing_is_taken_for_had(void **state)
{
	struct past past = visited();

	begin(&past, CHAT_WANT_AFTER, 7, 10);
	assert_int_equal(take(&past, CHAT_HISTORY_UNREADABLE, 0, 0, 0, NULL),
			 PAST_IS_UNREADABLE);
	past_move(&past, 40, 1);
	begin(&past, CHAT_WANT_AFTER, 7, 10);
}

static void test_a_relay_cannot_pass_a_replay_off_as_old(void **state)
{
	struct past past = visited();

	begin(&past, CHAT_WANT_AFTER, 7, 10);
	take(&past, CHAT_HISTORY_BEGINS, 7, 11, 13, NULL);
	assert_false(past_is_old(&past, 5)); /* nobody asked */
	take(&past, CHAT_HISTORY_LIVE, 7, 1, 13, NULL);
	assert_false(past_is_old(&past, 5));
}

static void test_since_shows_what_was_had_each_number_once(void **state)
{
	struct past past = visited();

	past.since = (struct since){ CHAT_WANT_AFTER, 3 };
	begin(&past, CHAT_WANT_AFTER, 7, 3);
	assert_int_equal(take(&past, CHAT_HISTORY_BEGINS, 7, 4, 12, NULL), 0);
	assert_true(past_is_wanted(&past, 4));
	assert_false(past_is_wanted(&past, 3));
	assert_true(past_is_old(&past, 4));
	past_move(&past, 4, 1);
	assert_false(past_is_old(&past, 4)); /* again: as any other */
	assert_false(past_is_old(&past, 11));
	assert_int_equal(past.last, 10); /* not moved back */
	past_move(&past, 11, 1);
	take(&past, CHAT_HISTORY_LIVE, 7, 1, 12, NULL);
	/* Later connections are as ever. */
	begin(&past, CHAT_WANT_AFTER, 7, 12);
	take(&past, CHAT_HISTORY_LIVE, 7, 1, 12, NULL);
	assert_false(past_is_old(&past, 5));
}

static void test_who_asks_sees_each_number_once_and_only_then(void **state)
{
	struct past past = { .since = { CHAT_WANT_AFTER, 0 } };

	begin(&past, CHAT_WANT_AFTER, 0, 0);
	take(&past, CHAT_HISTORY_BEGINS, 7, 1, 2, NULL);
	assert_true(past_is_asked_for(&past, 1));
	past_move(&past, 1, 1);
	assert_false(past_is_asked_for(&past, 1));
	assert_true(past_is_asked_for(&past, 2));
	past_move(&past, 2, 1);
	take(&past, CHAT_HISTORY_LIVE, 7, 1, 2, NULL);
	assert_false(past_is_asked_for(&past, 3));
	/* Nobody asks when the connection is lost and found. */
	begin(&past, CHAT_WANT_AFTER, 7, 2);
	take(&past, CHAT_HISTORY_BEGINS, 7, 3, 4, NULL);
	assert_false(past_is_asked_for(&past, 3));
}

static void test_looking_back_goes_on_where_it_was(void **state)
{
	struct past past = visited();
	struct wire_message fetch = { 0 };

	begin(&past, CHAT_WANT_AFTER, 7, 10);
	take(&past, CHAT_HISTORY_LIVE, 7, 1, 10, NULL);
	assert_int_equal(past_fetch(&past, 4, &fetch), 0);
	assert_int_equal(fetch.fetch.from, 7);
	assert_int_equal(fetch.fetch.count, 4);
	assert_int_equal(past_fetch(&past, 4, &fetch), -EBUSY);
	assert_true(past_is_old(&past, 7));
	past_move(&past, 7, 1);
	assert_false(past_is_old(&past, 7));
	assert_false(past_is_old(&past, 11)); /* live, meanwhile */
	assert_int_equal(take(&past, CHAT_HISTORY_FETCHED, 7, 7, 10, NULL),
			 PAST_IS_FETCHED);
	assert_int_equal(past.fetched, 1);
	assert_int_equal(past_fetch(&past, 100, &fetch), 0);
	assert_int_equal(fetch.fetch.from, 1);
	assert_int_equal(fetch.fetch.count, 6);
	take(&past, CHAT_HISTORY_FETCHED, 7, 1, 6, NULL);
	assert_int_equal(past_fetch(&past, 1, &fetch), -ENOENT);
}

static void test_since_is_a_number_or_a_time(void **state)
{
	static const struct {
		const char *text;
		enum chat_want want;
		uint64_t from;
	} good[] = {
		{ "0", CHAT_WANT_AFTER, 0 },
		{ "18446744073709551615", CHAT_WANT_AFTER, UINT64_MAX },
		{ "90s", CHAT_WANT_SINCE, NOW - 90000 },
		{ "10m", CHAT_WANT_SINCE, NOW - 600000 },
		{ "2h", CHAT_WANT_SINCE, NOW - 7200000 },
		{ "3d", CHAT_WANT_SINCE, NOW - 259200000 },
		{ "99999999d", CHAT_WANT_SINCE, 0 },
		{ "2023-11-14", CHAT_WANT_SINCE, UINT64_C(1699920000000) },
		{ "2023-11-14T22:13:20Z", CHAT_WANT_SINCE, NOW },
	};
	static const char *const bad[] = {
		"",
		"x",
		"-1",
		"10x",
		"10mm",
		"1.5h",
		"2023-11-14T22:13:20",
		" 1",
		"2023-11-14 ",
		"18446744073709551616",
		"18446744073709551615d",
		"1960-01-01",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct since since;

		assert_int_equal(since_parse(&since, good[i].text, NOW), 0);
		assert_int_equal(since.want, good[i].want);
		assert_int_equal(since.from, good[i].from);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct since since;

		assert_int_equal(since_parse(&since, bad[i], NOW), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_visit_hears_from_then_on),
		cmocka_unit_test(test_what_was_missed_is_asked_for_and_counted),
		cmocka_unit_test(test_what_expired_is_counted),
		cmocka_unit_test(test_another_era_or_an_older_copy_is_noticed),
		cmocka_unit_test(
			test_behind_a_number_of_a_lost_history_all_is_wanted),
		cmocka_unit_test(test_the_largest_numbers_do_no_lasting_harm),
		cmocka_unit_test(
			test_while_it_is_unreadable_nothing_is_taken_for_had),
		cmocka_unit_test(test_a_relay_cannot_pass_a_replay_off_as_old),
		cmocka_unit_test(
			test_since_shows_what_was_had_each_number_once),
		cmocka_unit_test(
			test_who_asks_sees_each_number_once_and_only_then),
		cmocka_unit_test(test_looking_back_goes_on_where_it_was),
		cmocka_unit_test(test_since_is_a_number_or_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
