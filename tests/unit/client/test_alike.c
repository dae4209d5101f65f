/* SPDX-License-Identifier: Apache-2.0 */
/* test_alike.c - what is kept of a nick is that of the nick that he has */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "client/alike.h"

#define MANY 5000u

static void test_twins_have_one_look(void **state)
{
	assert_int_equal(alike_look("Alice"), alike_look("al1ce"));
	assert_int_equal(alike_look("Alice"), alike_look("\xd0\xb0lice"));
	assert_int_not_equal(alike_look("Alice"), alike_look("Alic"));
	assert_int_not_equal(alike_look("Alice"), 0);
}

static void test_what_shows_nothing_is_like_nothing(void **state)
{
	struct alike alike = { 0 };

	assert_int_equal(alike_look(""), 0);
	assert_int_equal(alike_look("\xe2\x80\x8b"), 0);
	assert_false(alike_is(&alike, 0, "", 0));
	assert_false(alike_is(&alike, 0, "", alike_look("x")));
	alike_deinit(&alike);
}

static void test_another_nick_has_another_look(void **state)
{
	uint64_t alice = alike_look("alice"), bob = alike_look("bob");
	struct alike alike = { 0 };
	char longest[65];

	memset(longest, 'x', 64);
	longest[64] = '\0';
	for (int i = 0; i < 2; i++) {
		assert_true(alike_is(&alike, 3, "Alice", alice));
		assert_true(alike_is(&alike, 3, "Alice", alice));
		assert_true(alike_is(&alike, 3, "B0B", bob));
		assert_false(alike_is(&alike, 3, "B0B", alice));
		assert_false(alike_is(&alike, 3, "", alice));
		assert_false(alike_is(&alike, 3, longest, alice));
		assert_true(alike_is(&alike, 3, longest, alike_look(longest)));
	}
	alike_deinit(&alike);
}

static void test_members_are_told_apart(void **state)
{
	uint64_t alice = alike_look("alice");
	struct alike alike = { 0 };

	for (unsigned int i = 0; i < MANY; i++)
		assert_int_equal(
			alike_is(&alike, i, i % 7 ? "bob" : "Alice", alice),
			i % 7 == 0);
	for (unsigned int i = MANY; i-- > 0;)
		assert_int_equal(
			alike_is(&alike, i, i % 7 ? "bob" : "Alice", alice),
			i % 7 == 0);
	alike_deinit(&alike);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_twins_have_one_look),
		cmocka_unit_test(test_what_shows_nothing_is_like_nothing),
		cmocka_unit_test(test_another_nick_has_another_look),
		cmocka_unit_test(test_members_are_told_apart),
	};

	return cmocka_run_group_tests_name("alike", tests, NULL, NULL);
}
