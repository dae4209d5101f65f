/* SPDX-License-Identifier: Apache-2.0 */
/* test_cursor.c - bounded reading and writing */

#include "base/cursor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void test_writes_and_reads_back(void **state)
{
	uint8_t room[32];
	struct reader r;
	struct writer w;

	writer_init(&w, room, sizeof(room));
	writer_u8(&w, 1);
	writer_u16(&w, 0x0203);
	writer_u32(&w, 0x04050607);
	writer_u64(&w, 0x08090a0b0c0d0e0f);
	writer_bytes(&w, "xyz", 3);
	assert_int_equal(writer_finish(&w), 18);
	reader_init(&r, room, 18);
	assert_int_equal(reader_u8(&r), 1);
	assert_int_equal(reader_u16(&r), 0x0203);
	assert_int_equal(reader_u32(&r), 0x04050607);
	assert_true(reader_u64(&r) == 0x08090a0b0c0d0e0f);
	assert_int_equal(reader_finish(&r), -EBADMSG); /* bytes left over */
	assert_memory_equal(reader_bytes(&r, 3), "xyz", 3);
	assert_int_equal(reader_finish(&r), 0);
}

static void test_short_read_is_sticky(void **state)
{
	uint8_t copy[4] = { 9, 9, 9, 9 };
	struct reader r;

	reader_init(&r, "\1\2\3", 3);
	assert_int_equal(reader_u32(&r), 0);
	assert_int_equal(reader_u8(&r), 0); /* though a byte is there */
	reader_copy(&r, copy, sizeof(copy));
	assert_memory_equal(copy, "\0\0\0\0", 4);
	assert_null(reader_bytes(&r, 0));
	assert_int_equal(reader_finish(&r), -EBADMSG);
}

static void test_short_write_is_sticky(void **state)
{
	uint8_t room[3] = { 0 };
	struct writer w;

	writer_init(&w, room, sizeof(room));
	writer_u32(&w, 0xffffffff);
	writer_u8(&w, 0xff);
	assert_int_equal(writer_finish(&w), -EMSGSIZE);
	assert_memory_equal(room, "\0\0\0", 3);
}

static void test_nothing_is_an_empty_input(void **state)
{
	struct reader r;

	reader_init(&r, NULL, 0);
	assert_int_equal(reader_left(&r), 0);
	assert_int_equal(reader_finish(&r), 0);
	reader_u8(&r);
	assert_int_equal(reader_finish(&r), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes_and_reads_back),
		cmocka_unit_test(test_short_read_is_sticky),
		cmocka_unit_test(test_short_write_is_sticky),
		cmocka_unit_test(test_nothing_is_an_empty_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
