/* SPDX-License-Identifier: Apache-2.0 */
/* test_frame.c - frames out of bytes in whatever pieces */

#include "base/bytes.h"
#include "wire/frame.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MAX_BYTES 300

static uint8_t stream[4096];
static size_t stream_bytes;

/* Frames of bodies that name their number, of growing size. */
static void build_stream(int count)
{
	stream_bytes = 0;
	for (int i = 0; i < count; i++) {
		uint32_t length = 1 + (uint32_t)(i * 13 % 280);

		bytes_put_be32(stream + stream_bytes, length);
		memset(stream + stream_bytes + 4, i, length);
		stream_bytes += 4 + length;
	}
}

/* Feed the stream in pieces of `piece` bytes; every frame must come out. */
static void feed_in_pieces(size_t piece, int count)
{
	struct wire_assembler a;
	int found_count = 0;

	wire_assembler_init(&a, MAX_BYTES);
	for (size_t at = 0; at < stream_bytes; at += piece) {
		size_t left = stream_bytes - at;
		size_t n = left < piece ? left : piece;
		/* Of its own size, so that a sanitizer sees overreads. */
		uint8_t *copy = malloc(n);
		const uint8_t *data = copy, *frame;
		long found;

		memcpy(copy, stream + at, n);
		while ((found = wire_frame_next(&a, &data, &n, &frame)) != 0) {
			if (found == -ENOBUFS) {
				a.room = realloc(a.room, a.wanted_bytes);
				a.room_bytes = a.wanted_bytes;
				continue;
			}
			assert_int_equal(found, 5 + found_count * 13 % 280);
			for (long i = 4; i < found; i++)
				assert_int_equal(frame[i], found_count);
			found_count++;
		}
		assert_int_equal(n, 0);
		free(copy);
	}
	assert_int_equal(found_count, count);
	assert_false(wire_frame_is_begun(&a));
	free(a.room);
}

static void test_finds_frames_in_pieces_of_any_size(void **state)
{
	build_stream(20);
	for (size_t piece = 1; piece <= stream_bytes; piece++)
		feed_in_pieces(piece, 20);
}

static long feed(struct wire_assembler *a, const void *bytes, size_t n)
{
	const uint8_t *data = bytes, *frame;

	return wire_frame_next(a, &data, &n, &frame);
}

static void test_rejects_oversized_length_at_four_bytes(void **state)
{
	const uint8_t large[] = { 0, 0, 1, 0x29 }; /* 297: 1 above */
	const uint8_t fits[] = { 0, 0, 1, 0x28 };
	struct wire_assembler a;

	wire_assembler_init(&a, MAX_BYTES);
	assert_int_equal(feed(&a, large, 4), -EMSGSIZE);
	wire_assembler_init(&a, MAX_BYTES);
	assert_int_equal(feed(&a, large, 3), 0);
	assert_int_equal(feed(&a, large + 3, 1), -EMSGSIZE);
	wire_assembler_init(&a, MAX_BYTES);
	assert_int_equal(feed(&a, fits, 4), -ENOBUFS);
	assert_int_equal(a.wanted_bytes, MAX_BYTES);
	wire_assembler_init(&a, MAX_BYTES);
	assert_int_equal(feed(&a, "\xff\xff\xff\xff", 4), -EMSGSIZE);
}

static void test_rejects_a_frame_without_a_type(void **state)
{
	struct wire_assembler a;

	wire_assembler_init(&a, MAX_BYTES);
	assert_int_equal(feed(&a, "\0\0\0\0", 4), -EBADMSG);
}

static void test_knows_when_a_frame_is_begun(void **state)
{
	struct wire_assembler a;

	wire_assembler_init(&a, MAX_BYTES);
	assert_false(wire_frame_is_begun(&a));
	assert_int_equal(feed(&a, "\0", 1), 0);
	assert_true(wire_frame_is_begun(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds_frames_in_pieces_of_any_size),
		cmocka_unit_test(test_rejects_oversized_length_at_four_bytes),
		cmocka_unit_test(test_rejects_a_frame_without_a_type),
		cmocka_unit_test(test_knows_when_a_frame_is_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
