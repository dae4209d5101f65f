/* SPDX-License-Identifier: Apache-2.0 */
/* test_bytes.c - integers in byte order, hexadecimal, constant-time compare */

#include "base/bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_integers_are_big_endian(void **state)
{
	uint8_t b[8];

	bytes_put_be64(b, 0x0102030405060708u);
	assert_memory_equal(b, "\1\2\3\4\5\6\7\10", 8);
	assert_int_equal(bytes_get_be16(b), 0x0102);
	assert_int_equal(bytes_get_be32(b), 0x01020304);
	assert_true(bytes_get_be64(b) == 0x0102030405060708u);
	bytes_put_be32(b, 0xfffefdfc);
	assert_int_equal(bytes_get_be32(b), 0xfffefdfc);
}

static void test_hex_round_trip(void **state)
{
	uint8_t in[] = { 0x00, 0x7f, 0x80, 0xff }, out[4];
	char text[9];

	bytes_to_hex(text, in, sizeof(in));
	assert_string_equal(text, "007f80ff");
	assert_int_equal(bytes_from_hex(out, sizeof(out), text), 4);
	assert_memory_equal(in, out, 4);
	assert_int_equal(bytes_from_hex(out, sizeof(out), "FF"), 1);
	assert_int_equal(out[0], 0xff);
}

static void test_hex_refuses_bad_text(void **state)
{
	uint8_t out[2];

	assert_int_equal(bytes_from_hex(out, 2, "abc"), -EINVAL);
	assert_int_equal(bytes_from_hex(out, 2, "0g"), -EINVAL);
	assert_int_equal(bytes_from_hex(out, 2, "000000"), -EMSGSIZE);
}

static void test_equal_ct_sees_every_byte(void **state)
{
	uint8_t a[32] = { 0 }, b[32] = { 0 };

	assert_true(bytes_equal_ct(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		assert_false(bytes_equal_ct(a, b, sizeof(a)));
		b[i] ^= 0x80;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers_are_big_endian),
		cmocka_unit_test(test_hex_round_trip),
		cmocka_unit_test(test_hex_refuses_bad_text),
		cmocka_unit_test(test_equal_ct_sees_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
