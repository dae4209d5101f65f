/* SPDX-License-Identifier: Apache-2.0 */
/* test_shorthash.c - SipHash-2-4 against the paper's vectors */

#include "prim/shorthash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* J.-P. Aumasson, D. J. Bernstein, "SipHash", appendix A: key 0..15, message
 * 0..14 is a129ca6149be45e5 with its bytes turned round. */
static void test_known_answers_of_siphash(void **state)
{
	uint8_t key[SHORTHASH_KEY_BYTES], message[15];

	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	for (uint8_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	assert_int_equal(shorthash(key, message, sizeof(message)), 0xe545be49);
	assert_int_equal(shorthash(key, message, 0), 0x310e0edd);
}

static void test_another_key_is_another_hash(void **state)
{
	uint8_t one[SHORTHASH_KEY_BYTES] = { 0 }, two[SHORTHASH_KEY_BYTES];

	for (unsigned int i = 0; i < sizeof(two); i++)
		two[i] = 7;
	assert_int_not_equal(shorthash(one, "abc", 3),
			     shorthash(two, "abc", 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers_of_siphash),
		cmocka_unit_test(test_another_key_is_another_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
