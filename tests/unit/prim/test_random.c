/* SPDX-License-Identifier: Apache-2.0 */
/* test_random.c - random bytes, and what happens when there are none */

#include "prim/passphrase.h"
#include "prim/random.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <cmocka.h>

/* The linker puts this in front of getrandom(); see meson.build. */
static int fail_after = -1; /* calls that still succeed; -1: all */
static int fail_with;
static size_t largest_answer = SIZE_MAX;

ssize_t __real_getrandom(void *out, size_t bytes, unsigned int flags);
ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned int flags);

ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned int flags)
{
	if (fail_after == 0) {
		fail_after = fail_with == EINTR ? -1 : 0;
		errno = fail_with;
		return fail_with ? -1 : 0;
	}
	if (fail_after > 0)
		fail_after--;
	if (bytes > largest_answer)
		bytes = largest_answer;
	return __real_getrandom(out, bytes, flags);
}

static int teardown(void **state)
{
	fail_after = -1;
	largest_answer = SIZE_MAX;
	return 0;
}

static void test_fills_everything_also_from_short_answers(void **state)
{
	uint8_t first[300] = { 0 }, second[300] = { 0 };
	unsigned int zeros = 0;

	largest_answer = 7;
	assert_int_equal(random_bytes(first, sizeof(first)), 0);
	assert_int_equal(random_bytes(second, sizeof(second)), 0);
	assert_memory_not_equal(first, second, sizeof(first));
	for (unsigned int i = 0; i < sizeof(first); i++)
		zeros += first[i] == 0;
	/* 300 / 256 are expected; 30 come once in far more than 2^64 runs. */
	assert_true(zeros < 30);
}

static void test_continues_after_a_signal(void **state)
{
	uint8_t out[64] = { 0 }, none[64] = { 0 };

	fail_after = 0;
	fail_with = EINTR;
	assert_int_equal(random_bytes(out, sizeof(out)), 0);
	assert_memory_not_equal(out, none, sizeof(out));
}

static void test_reports_every_failure_and_leaves_nothing(void **state)
{
	static const struct {
		int with, expect;
	} failures[] = { { ENOSYS, -ENOSYS }, { EPERM, -EPERM }, { 0, -EIO } };

	for (unsigned int i = 0; i < 3; i++)
		for (int after = 0; after < 3; after++) {
			uint8_t out[64], none[64] = { 0 };

			memset(out, 0xff, sizeof(out));
			largest_answer = 16;
			fail_after = after;
			fail_with = failures[i].with;
			assert_int_equal(random_bytes(out, sizeof(out)),
					 failures[i].expect);
			assert_memory_equal(out, none, sizeof(out));
		}
}

static void test_no_salt_without_randomness(void **state)
{
	struct passphrase_params params;

	assert_int_equal(passphrase_params_new(&params), 0);
	fail_after = 0;
	fail_with = ENOSYS;
	assert_int_equal(passphrase_params_new(&params), -ENOSYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			test_fills_everything_also_from_short_answers,
			teardown),
		cmocka_unit_test_teardown(test_continues_after_a_signal,
					  teardown),
		cmocka_unit_test_teardown(
			test_reports_every_failure_and_leaves_nothing,
			teardown),
		cmocka_unit_test_teardown(test_no_salt_without_randomness,
					  teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
