/* SPDX-License-Identifier: Apache-2.0 */
/* test_passphrase.c - Argon2id: known answers and the bounds of the cost */

#include "base/bytes.h"
#include "prim/passphrase.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

/* The answer of the reference implementation (libargon2 20171227,
 * argon2id_hash_raw with one lane), whose own published vector for
 * "password", "somesalt", 2 passes, 64 MiB is outside of our bounds. */
static void test_gives_the_reference_implementations_answer(void **state)
{
	static const char answer[] = "0d1a3c6523c8f06e4e0af9c515aa5b5448cfebd68"
				     "38f2d52c3d8b6ef8ddc3c2e";
	struct passphrase_params params = { .passes = 3, .memory_kib = 65536 };
	uint8_t expected[32];
	struct secret key;

	for (uint8_t i = 0; i < sizeof(params.salt); i++)
		params.salt[i] = i;
	assert_int_equal(bytes_from_hex(expected, 32, answer), 32);
	assert_int_equal(passphrase_stretch(&key,
					    "correct horse battery staple", 28,
					    &params),
			 0);
	assert_memory_equal(key.bytes, expected, 32);
}

static void test_refuses_a_cost_outside_of_the_bounds(void **state)
{
	static const struct {
		uint32_t passes, memory_kib;
		int expect;
	} costs[] = {
		{ 3, 64 * 1024, 0 },
		{ 16, 1024 * 1024, 0 },
		{ 2, 64 * 1024, -ERANGE },
		{ 0, 64 * 1024, -ERANGE },
		{ 17, 64 * 1024, -ERANGE },
		{ UINT32_MAX, 64 * 1024, -ERANGE },
		{ 3, 64 * 1024 - 1, -ERANGE },
		{ 3, 0, -ERANGE },
		{ 3, 1024 * 1024 + 1, -ERANGE },
		{ 3, UINT32_MAX, -ERANGE },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(costs); i++) {
		struct passphrase_params params = {
			.passes = costs[i].passes,
			.memory_kib = costs[i].memory_kib,
		};
		struct secret key;

		assert_int_equal(passphrase_params_check(&params),
				 costs[i].expect);
		if (costs[i].expect)
			assert_int_equal(
				passphrase_stretch(&key, "x", 1, &params),
				-ERANGE);
	}
}

static void test_new_parameters_are_fresh_and_in_bounds(void **state)
{
	struct passphrase_params first, second;

	assert_int_equal(passphrase_params_new(&first), 0);
	assert_int_equal(passphrase_params_new(&second), 0);
	assert_int_equal(passphrase_params_check(&first), 0);
	assert_memory_not_equal(first.salt, second.salt, sizeof(first.salt));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_gives_the_reference_implementations_answer),
		cmocka_unit_test(test_refuses_a_cost_outside_of_the_bounds),
		cmocka_unit_test(test_new_parameters_are_fresh_and_in_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
