/* SPDX-License-Identifier: Apache-2.0 */
/* test_scatter.c - lists of pieces: sums, copies, overlap, walking two */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "crypto/scatter.h"
#include "lib/sessions.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct scatter list_of(const struct test_pieces *p)
{
	return (struct scatter){ p->list, p->count };
}

static void a_list_holds_the_sum_of_its_pieces(void **state)
{
	uint8_t m[8];
	struct iovec pieces[] = { { m, 3 }, { NULL, 0 }, { m, 0 }, { m, 2 } };
	struct scatter s = { pieces, 4 }, none = { NULL, 0 };

	assert_true(scatter_holds(&s, 5));
	assert_false(scatter_holds(&s, 6));
	assert_true(scatter_holds(&none, 0));
	assert_false(scatter_holds(&none, 1));
	pieces[1].iov_len = 1; /* at NULL */
	assert_false(scatter_holds(&s, 4));
	assert_true(scatter_holds(&s, 3));
}

static void a_sum_does_not_wrap(void **state)
{
	uint8_t m[1];
	struct iovec pieces[] = { { m, SIZE_MAX }, { m, SIZE_MAX } };
	struct scatter s = { pieces, 2 };

	assert_true(scatter_holds(&s, SIZE_MAX));
}

static void one_piece_is_found_behind_empty_ones(void **state)
{
	uint8_t m[8];
	struct iovec pieces[] = { { NULL, 0 }, { m, 4 }, { m + 4, 4 } };
	struct scatter s = { pieces, 3 }, none = { NULL, 0 };

	assert_ptr_equal(scatter_one(&s, 4), m);
	assert_null(scatter_one(&s, 5));
	assert_non_null(scatter_one(&none, 0));
	assert_null(scatter_one(&none, 1));
}

static void copies_cross_pieces(void **state)
{
	uint8_t m[64], out[64], zeros[64] = { 0 };
	struct test_random random = { 3 };
	struct test_pieces p;
	struct scatter s;

	for (int round = 0; round < 200; round++) {
		uint32_t offset = test_random_below(&random, 64);
		uint32_t bytes = test_random_below(&random, 65 - offset);

		test_random_fill(&random, m, sizeof(m));
		test_pieces_cut(&p, m, sizeof(m), 9, &random);
		s = list_of(&p);
		scatter_read(&s, offset, out, bytes);
		assert_memory_equal(out, m + offset, bytes);
		test_random_fill(&random, out, sizeof(out));
		scatter_write(&s, offset, out, bytes);
		assert_memory_equal(m + offset, out, bytes);
		m[bytes] = 7;
		scatter_zero(&s, bytes);
		assert_memory_equal(m, zeros, bytes);
		if (bytes < 64)
			assert_int_equal(m[bytes], 7);
	}
}

static void the_same_memory_is_seen_however_it_is_cut(void **state)
{
	struct test_random random = { 4 };
	uint8_t m[64];
	struct test_pieces a, b;

	for (int round = 0; round < 100; round++) {
		struct scatter sa, sb;

		test_pieces_cut(&a, m, 60, 9, &random);
		test_pieces_cut(&b, m + 10, 50, 9, &random);
		sa = list_of(&a);
		sb = list_of(&b);
		assert_true(scatter_is_same(&sa, 10, &sb, 50));
		assert_false(scatter_is_same(&sa, 9, &sb, 50));
		assert_false(scatter_is_same(&sa, 10, &sb, 51));
		assert_true(scatter_is_same(&sa, 60, &sb, 0));
		assert_false(scatter_overlaps(&sb, 50, &sb, 50));
		assert_true(scatter_overlaps(&sa, 60, &sb, 50));
	}
}

static void only_bytes_that_count_overlap(void **state)
{
	uint8_t m[64];
	struct iovec a = { m, 64 }, b = { m + 32, 32 };
	struct scatter sa = { &a, 1 }, sb = { &b, 1 };

	assert_false(scatter_overlaps(&sa, 32, &sb, 32));
	assert_true(scatter_overlaps(&sa, 33, &sb, 32));
	assert_true(scatter_overlaps(&sb, 1, &sa, 33));
	assert_false(scatter_overlaps(&sb, 1, &sa, 32));
	assert_false(scatter_overlaps(&sa, 0, &sb, 32));
}

static void a_piece_twice_in_a_list_overlaps_itself(void **state)
{
	uint8_t m[16];
	struct iovec twice[] = { { m, 16 }, { m, 16 } };
	struct scatter s = { twice, COUNT(twice) };

	assert_false(scatter_overlaps(&s, 16, &s, 16));
	assert_true(scatter_overlaps(&s, 32, &s, 32));
}

/* Adds one to each byte, block by block, through a walk. */
static void walk_and_add(const struct scatter *src, const struct scatter *dst,
			 size_t bytes, size_t block)
{
	struct walk walk;
	struct step step;
	size_t sum = 0;

	walk_init(&walk, src, dst, bytes, block);
	while (walk_next(&walk, &step)) {
		assert_true(step.bytes > 0);
		assert_int_equal(step.bytes % block, 0);
		for (size_t i = 0; i < step.bytes; i++)
			step.dst[i] = (uint8_t)(step.src[i] + 1);
		sum += step.bytes;
	}
	assert_int_equal(sum, bytes);
}

static void a_walk_visits_every_byte_once_in_whole_blocks(void **state)
{
	static const size_t blocks[] = { 1, 8, 16 };
	struct test_random random = { 5 };
	uint8_t from[240], to[240];
	struct test_pieces a, b;

	for (int round = 0; round < 600; round++) {
		size_t block = blocks[round % 3];
		uint8_t *dst = round % 2 ? from : to;
		uint8_t want[240];
		struct scatter src_list, dst_list;

		test_random_fill(&random, from, sizeof(from));
		for (size_t i = 0; i < sizeof(from); i++)
			want[i] = (uint8_t)(from[i] + 1);
		test_pieces_cut(&a, from, 240, 1 + (size_t)round % 50, &random);
		test_pieces_cut(&b, dst, 240, 1 + (size_t)round % 37, &random);
		src_list = list_of(&a);
		dst_list = list_of(&b);
		walk_and_add(&src_list, &dst_list, 240, block);
		assert_memory_equal(dst, want, 240);
	}
}

static void a_walk_takes_whole_pieces_without_copying(void **state)
{
	uint8_t from[64], to[64];
	struct iovec a[] = { { from, 32 }, { from + 32, 32 } };
	struct iovec b[] = { { to, 48 }, { to + 48, 16 } };
	struct scatter src = { a, 2 }, dst = { b, 2 };
	struct walk walk;
	struct step step;

	walk_init(&walk, &src, &dst, 64, 16);
	assert_true(walk_next(&walk, &step));
	assert_ptr_equal(step.src, from);
	assert_ptr_equal(step.dst, to);
	assert_int_equal(step.bytes, 32);
	assert_true(walk_next(&walk, &step));
	assert_ptr_equal(step.dst, to + 32);
	assert_int_equal(step.bytes, 16);
	assert_true(walk_next(&walk, &step));
	assert_ptr_equal(step.dst, to + 48);
	assert_false(walk_next(&walk, &step));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_holds_the_sum_of_its_pieces),
		cmocka_unit_test(a_sum_does_not_wrap),
		cmocka_unit_test(one_piece_is_found_behind_empty_ones),
		cmocka_unit_test(copies_cross_pieces),
		cmocka_unit_test(the_same_memory_is_seen_however_it_is_cut),
		cmocka_unit_test(only_bytes_that_count_overlap),
		cmocka_unit_test(a_piece_twice_in_a_list_overlaps_itself),
		cmocka_unit_test(a_walk_visits_every_byte_once_in_whole_blocks),
		cmocka_unit_test(a_walk_takes_whole_pieces_without_copying),
	};

	return cmocka_run_group_tests_name("scatter", tests, NULL, NULL);
}
