/* SPDX-License-Identifier: Apache-2.0 */
/* test_span.c - bytes that lie in several pieces */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "vhost/span.h"

static char text[] = "abcdefghij";
static struct iovec pieces[] = {
	{ .iov_base = text, .iov_len = 1 },
	{ .iov_base = text + 1, .iov_len = 0 },
	{ .iov_base = text + 1, .iov_len = 4 },
	{ .iov_base = text + 5, .iov_len = 5 },
};

static int setup(void **state)
{
	memcpy(text, "abcdefghij", 10);
	return 0;
}

static void test_reads_over_borders(void **state)
{
	struct span s;
	char got[11] = "";

	span_init(&s, pieces, 4);
	assert_int_equal(s.left_bytes, 10);
	assert_int_equal(span_read(&s, got, 3), 0);
	assert_int_equal(span_read(&s, got + 3, 7), 0);
	assert_string_equal(got, "abcdefghij");
	assert_int_equal(s.left_bytes, 0);
	assert_int_equal(span_read(&s, got, 0), 0);
	assert_int_equal(span_read(&s, got, 1), -EMSGSIZE);
}

static void test_writes_over_borders(void **state)
{
	struct span s;

	span_init(&s, pieces, 4);
	assert_int_equal(span_write(&s, "01234", 5), 0);
	assert_int_equal(span_zero(&s, 2), 0);
	assert_memory_equal(text, "01234\0\0hij", 10);
	assert_int_equal(span_write(&s, "xxxx", 4), -EMSGSIZE);
	assert_int_equal(span_zero(&s, 4), -EMSGSIZE);
	assert_memory_equal(text + 7, "hij", 3);
}

static void test_skips_over_borders(void **state)
{
	struct span s;
	char got[4] = "";

	span_init(&s, pieces, 4);
	assert_int_equal(span_skip(&s, 6), 0);
	assert_int_equal(span_skip(&s, 5), -EMSGSIZE);
	assert_int_equal(span_read(&s, got, 3), 0);
	assert_string_equal(got, "ghi");
	assert_int_equal(span_skip(&s, 1), 0);
	assert_int_equal(s.left_bytes, 0);
}

static void test_takes_pieces_of_pieces(void **state)
{
	struct iovec out[4];
	struct span s;

	span_init(&s, pieces, 4);
	assert_int_equal(span_take(&s, 3, out, 4), 2);
	assert_int_equal(out[0].iov_len, 1);
	assert_ptr_equal(out[1].iov_base, text + 1);
	assert_int_equal(out[1].iov_len, 2);
	assert_int_equal(span_take(&s, 0, out, 0), 0);
	assert_int_equal(span_take(&s, 7, out, 4), 2);
	assert_ptr_equal(out[0].iov_base, text + 3);
	assert_int_equal(out[0].iov_len, 2);
	assert_int_equal(out[1].iov_len, 5);
}

static void test_takes_nothing_when_it_does_not_fit(void **state)
{
	struct iovec out[4];
	struct span s;

	span_init(&s, pieces, 4);
	assert_int_equal(span_take(&s, 11, out, 4), -EMSGSIZE);
	assert_int_equal(span_take(&s, 10, out, 2), -EMSGSIZE);
	assert_int_equal(s.left_bytes, 10);
	assert_int_equal(span_take(&s, 10, out, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reads_over_borders, setup),
		cmocka_unit_test_setup(test_writes_over_borders, setup),
		cmocka_unit_test_setup(test_skips_over_borders, setup),
		cmocka_unit_test_setup(test_takes_pieces_of_pieces, setup),
		cmocka_unit_test_setup(test_takes_nothing_when_it_does_not_fit,
				       setup),
	};

	return cmocka_run_group_tests_name("span", tests, NULL, NULL);
}
