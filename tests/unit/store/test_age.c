/* SPDX-License-Identifier: Apache-2.0 */
/* test_age.c - a clock that jumps does not make messages old */

#include "store/age.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define NOW_MS  UINT64_C(1700000000000)
#define BOOT_MS UINT64_C(5000)
#define HOUR_MS (UINT64_C(60) * 60 * 1000)
#define YEAR_MS (365 * 24 * HOUR_MS)

static struct age_clock age;

/* A clock that has been believed so far. */
static int setup(void **state)
{
	age = (struct age_clock){ 0 };
	assert_int_equal(age_now_ms(&age, NOW_MS, BOOT_MS), NOW_MS);
	return 0;
}

/* What it says `later_ms` after the beginning, when the wall clock is
 * `ahead_ms` ahead by then, and how far the judged time is. */
static uint64_t passed_ms(uint64_t later_ms, uint64_t ahead_ms)
{
	return age_now_ms(&age, NOW_MS + later_ms + ahead_ms,
			  BOOT_MS + later_ms) -
	       NOW_MS;
}

static void test_time_that_goes_by_is_believed(void **state)
{
	assert_int_equal(passed_ms(YEAR_MS, 0), YEAR_MS);
	assert_int_equal(passed_ms(2 * YEAR_MS, AGE_JUMP_MS),
			 2 * YEAR_MS + AGE_JUMP_MS);
}

static void test_a_jump_ahead_is_doubted_for_a_day(void **state)
{
	assert_int_equal(passed_ms(HOUR_MS, YEAR_MS), HOUR_MS);
	assert_int_equal(passed_ms(24 * HOUR_MS, YEAR_MS), 24 * HOUR_MS);
	assert_int_equal(passed_ms(25 * HOUR_MS - 1, YEAR_MS),
			 25 * HOUR_MS - 1);
	assert_int_equal(passed_ms(25 * HOUR_MS, YEAR_MS),
			 25 * HOUR_MS + YEAR_MS);
	/* And is the time from then on. */
	assert_int_equal(passed_ms(26 * HOUR_MS, YEAR_MS),
			 26 * HOUR_MS + YEAR_MS);
}

static void test_a_clock_set_right_again_leaves_no_doubt(void **state)
{
	assert_int_equal(passed_ms(HOUR_MS, YEAR_MS), HOUR_MS);
	assert_int_equal(passed_ms(2 * HOUR_MS, 0), 2 * HOUR_MS);
	/* The next jump has a day of its own. */
	assert_int_equal(passed_ms(30 * HOUR_MS, YEAR_MS), 30 * HOUR_MS);
	assert_int_equal(passed_ms(53 * HOUR_MS, YEAR_MS), 53 * HOUR_MS);
}

static void test_a_clock_set_back_is_believed(void **state)
{
	assert_int_equal(age_now_ms(&age, NOW_MS - YEAR_MS, BOOT_MS + 1),
			 NOW_MS - YEAR_MS);
	/* Set right, it is a jump: age stands for a day at most. */
	assert_int_equal(age_now_ms(&age, NOW_MS, BOOT_MS + 2),
			 NOW_MS - YEAR_MS + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_time_that_goes_by_is_believed,
				       setup),
		cmocka_unit_test_setup(test_a_jump_ahead_is_doubted_for_a_day,
				       setup),
		cmocka_unit_test_setup(
			test_a_clock_set_right_again_leaves_no_doubt, setup),
		cmocka_unit_test_setup(test_a_clock_set_back_is_believed,
				       setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
