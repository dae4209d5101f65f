/* SPDX-License-Identifier: Apache-2.0 */
/* test_outbox.c - what is not acknowledged goes out again, in order */

#include "client/backoff.h"
#include "client/chat.h"
#include "client/outbox.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct outbox outbox;

static int setup(void **state)
{
	outbox_init(&outbox);
	for (uint64_t i = 0; i < 5; i++) {
		char envelope[10] = "message ";

		envelope[8] = (char)('0' + i);
		if (outbox_add(&outbox, i, envelope, sizeof(envelope)))
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	outbox_deinit(&outbox);
	outbox_deinit(&outbox); /* twice is safe */
	return 0;
}

/* Send what the window allows; the numbers as a string. */
static const char *sent(void)
{
	static char numbers[16];
	const struct outbox_message *m;
	size_t n = 0;

	while ((m = outbox_send_next(&outbox)))
		numbers[n++] = (char)('0' + m->number);
	numbers[n] = '\0';
	return numbers;
}

static const char *acked(uint64_t up_to)
{
	static char numbers[16];
	struct outbox_message *m;
	size_t n = 0;

	while ((m = outbox_take_acked(&outbox, up_to))) {
		numbers[n++] = (char)('0' + m->number);
		free(m);
	}
	numbers[n] = '\0';
	return numbers;
}

static void test_nothing_goes_out_without_a_window(void **state)
{
	assert_string_equal(sent(), "");
}

static void test_window_is_kept_in_messages(void **state)
{
	outbox_rewind(&outbox, 2, 1000);
	assert_string_equal(sent(), "01");
	assert_string_equal(acked(1), "0");
	assert_string_equal(sent(), "2");
	assert_string_equal(acked(3), "12");
	assert_string_equal(sent(), "34");
	assert_string_equal(acked(5), "34");
	assert_int_equal(outbox.count, 0);
	assert_int_equal(outbox.bytes, 0);
	assert_int_equal(outbox.in_flight_bytes, 0);
}

static void test_window_is_kept_in_bytes(void **state)
{
	outbox_rewind(&outbox, 100, 25);
	assert_string_equal(sent(), "01");
	assert_string_equal(acked(1), "0");
	assert_string_equal(sent(), "2");
}

static void test_a_message_above_the_window_goes_alone(void **state)
{
	outbox_rewind(&outbox, 100, 5);
	assert_string_equal(sent(), "0");
	assert_string_equal(acked(1), "0");
	assert_string_equal(sent(), "1");
}

static void test_unacknowledged_goes_out_again_in_order(void **state)
{
	outbox_rewind(&outbox, 4, 1000);
	assert_string_equal(sent(), "0123");
	assert_string_equal(acked(2), "01");
	outbox_rewind(&outbox, 4, 1000);
	assert_string_equal(sent(), "234");
	assert_string_equal(acked(3), "234");
}

static void test_what_was_refused_does_not_go_out_again(void **state)
{
	size_t bytes = outbox.bytes;

	outbox_rewind(&outbox, 4, 1000);
	assert_string_equal(sent(), "0123");
	outbox_in_flight(&outbox, 2)->is_refused = true;
	outbox_rewind(&outbox, 9, 1000);
	assert_int_equal(outbox.count, 4);
	assert_int_equal(outbox.bytes, bytes - 10);
	assert_string_equal(sent(), "0234");
	assert_string_equal(acked(4), "0234");
	assert_int_equal(outbox.bytes, 0);
}

static void test_again_with_the_same_bytes(void **state)
{
	const struct outbox_message *m;

	outbox_rewind(&outbox, 1, 1000);
	m = outbox_send_next(&outbox);
	outbox_rewind(&outbox, 1, 1000);
	assert_ptr_equal(m, outbox_send_next(&outbox));
	assert_string_equal((const char *)m->envelope, "message 0");
}

static void test_impossible_acknowledgements_are_seen(void **state)
{
	outbox_rewind(&outbox, 3, 1000);
	assert_string_equal(sent(), "012");
	assert_false(outbox_ack_is_possible(&outbox, 4));
	assert_true(outbox_ack_is_possible(&outbox, 3));
	assert_string_equal(acked(2), "01");
	assert_false(outbox_ack_is_possible(&outbox, 1));
	assert_string_equal(acked(9), "2"); /* never what was not sent */
}

static void test_a_send_is_found_by_its_index(void **state)
{
	outbox_rewind(&outbox, 3, 1000);
	sent();
	acked(1);
	assert_null(outbox_in_flight(&outbox, 0));
	assert_null(outbox_in_flight(&outbox, 1));
	assert_int_equal(outbox_in_flight(&outbox, 2)->number, 1);
	assert_int_equal(outbox_in_flight(&outbox, 3)->number, 2);
	assert_null(outbox_in_flight(&outbox, 4));
}

static void test_the_outbox_is_bounded(void **state)
{
	uint64_t count = outbox.count;

	while (outbox_add(&outbox, count, "x", 1) == 0)
		count++;
	assert_int_equal(count, OUTBOX_MAX_MESSAGES);
	assert_false(outbox_has_room(&outbox, 1));
	assert_int_equal(outbox_add(&outbox, 0, "x", 1), -ENOBUFS);
}

static void test_first_retry_is_fast_and_later_ones_are_bounded(void **state)
{
	const uint64_t long_ms = BACKOFF_LONG_AWAY_MS;
	struct backoff backoff = { 0 };

	assert_true(backoff_next_ms(&backoff, 0, 12345) <= BACKOFF_FIRST_MS);
	for (uint32_t i = 0; i < 100; i++)
		assert_in_range(
			backoff_next_ms(&backoff, long_ms - 1, i * 2654435761u),
			BACKOFF_FIRST_MS / 2, BACKOFF_SOON_MS);
	assert_in_range(backoff_next_ms(&backoff, long_ms, 0),
			BACKOFF_LATE_MS / 2, BACKOFF_LATE_MS);
	assert_int_not_equal(backoff_next_ms(&backoff, 0, 1),
			     backoff_next_ms(&backoff, 0, 2));
}

static void test_who_waits_is_back_before_others_send(void **state)
{
	assert_true(BACKOFF_SOON_MS < CHAT_HOLD_MS);
}

static void test_only_a_good_connection_resets_the_wait(void **state)
{
	struct backoff backoff = { .failures = 6 };

	backoff_note(&backoff, BACKOFF_RESET_MS - 1);
	assert_true(backoff_next_ms(&backoff, 0, 0) > BACKOFF_FIRST_MS);
	backoff_note(&backoff, BACKOFF_RESET_MS);
	assert_true(backoff_next_ms(&backoff, 0, 0) <= BACKOFF_FIRST_MS);
}

#define WITH_FIVE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIVE(test_nothing_goes_out_without_a_window),
		WITH_FIVE(test_window_is_kept_in_messages),
		WITH_FIVE(test_window_is_kept_in_bytes),
		WITH_FIVE(test_a_message_above_the_window_goes_alone),
		WITH_FIVE(test_unacknowledged_goes_out_again_in_order),
		WITH_FIVE(test_what_was_refused_does_not_go_out_again),
		WITH_FIVE(test_again_with_the_same_bytes),
		WITH_FIVE(test_impossible_acknowledgements_are_seen),
		WITH_FIVE(test_a_send_is_found_by_its_index),
		WITH_FIVE(test_the_outbox_is_bounded),
		cmocka_unit_test(
			test_first_retry_is_fast_and_later_ones_are_bounded),
		cmocka_unit_test(test_who_waits_is_back_before_others_send),
		cmocka_unit_test(test_only_a_good_connection_resets_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
