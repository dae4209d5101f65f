/* SPDX-License-Identifier: Apache-2.0 */
/* test_queues.c - chunks, outboxes and buckets of the relay */

#include "relay/bucket.h"
#include "relay/outbox.h"
#include "wire/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static size_t held_bytes;

static struct chunk *chunk_with(uint8_t value, uint32_t bytes)
{
	struct chunk *chunk = chunk_create(&held_bytes, bytes);

	assert_non_null(chunk);
	memset(chunk->bytes, value, bytes);
	chunk->used_bytes = bytes;
	return chunk;
}

static void push(struct outbox *o, uint8_t value, uint32_t bytes)
{
	struct chunk *chunk = chunk_with(value, bytes);

	assert_int_equal(outbox_push(o, chunk), 0);
	chunk_put(chunk);
}

/* Write `bytes` bytes out and compare with what must come next. */
static void drain(struct outbox *o, const uint8_t *wanted, size_t bytes)
{
	struct iovec pieces[4];
	uint8_t out[64];
	size_t have = 0;
	unsigned int n = outbox_gather(o, pieces, 4);

	for (unsigned int i = 0; i < n && have < bytes; i++) {
		size_t take = pieces[i].iov_len;

		if (take > bytes - have)
			take = bytes - have;
		memcpy(out + have, pieces[i].iov_base, take);
		have += take;
	}
	assert_int_equal(have, bytes);
	assert_memory_equal(out, wanted, bytes);
	outbox_consume(o, bytes);
}

static void test_bytes_leave_in_order_in_writes_of_any_size(void **state)
{
	uint8_t all[60];

	for (size_t step = 1; step <= 9; step++) {
		struct outbox o = { 0 };
		size_t at = 0;

		for (uint8_t i = 0; i < 20; i++) {
			push(&o, i, 3);
			memset(all + 3 * i, i, 3);
		}
		assert_int_equal(o.bytes, 60);
		while (at < 60) {
			size_t n = 60 - at < step ? 60 - at : step;

			drain(&o, all + at, n);
			at += n;
			assert_int_equal(o.bytes, 60 - at);
		}
		assert_int_equal(o.count, 0);
		outbox_deinit(&o);
		outbox_deinit(&o);
	}
}

/* The ring goes round many times while it holds a few. */
static void test_the_ring_wraps(void **state)
{
	struct outbox o = { 0 };

	for (int i = 0; i < 5; i++)
		push(&o, (uint8_t)i, 2);
	for (int i = 5; i < 1000; i++) {
		const uint8_t wanted[2] = { (uint8_t)(i - 5),
					    (uint8_t)(i - 5) };

		push(&o, (uint8_t)i, 2);
		drain(&o, wanted, 2);
		assert_int_equal(o.count, 5);
	}
	assert_int_equal(o.capacity, 8);
	outbox_deinit(&o);
}

static void test_a_chunk_is_shared_and_freed_by_its_last_owner(void **state)
{
	struct chunk *chunk = chunk_with(1, 10);
	struct outbox a = { 0 }, b = { 0 };

	assert_int_equal(outbox_push(&a, chunk), 0);
	assert_int_equal(outbox_push(&b, chunk), 0);
	assert_int_equal(chunk->refs, 3);
	outbox_consume(&a, 10);
	assert_int_equal(chunk->refs, 2);
	outbox_deinit(&b);
	assert_int_equal(chunk->refs, 1);
	chunk_put(chunk);
	outbox_deinit(&a);
}

static void test_truncating_keeps_the_frame_that_is_begun(void **state)
{
	struct outbox o = { 0 };

	push(&o, 1, 10);
	push(&o, 2, 10);
	outbox_truncate(&o);
	assert_int_equal(o.count, 0);
	assert_int_equal(o.bytes, 0);
	push(&o, 1, 10);
	push(&o, 2, 10);
	outbox_consume(&o, 4);
	outbox_truncate(&o);
	assert_int_equal(o.count, 1);
	assert_int_equal(o.bytes, 6);
	outbox_deinit(&o);
}

static void test_a_chunk_takes_no_more_than_its_room(void **state)
{
	const struct wire_message ping = { .type = CHAT_PING };
	struct chunk *chunk = chunk_create(&held_bytes, 13 + 12);

	assert_int_equal(chunk_append(chunk, &ping), 0);
	assert_int_equal(chunk_append(chunk, &ping), -EMSGSIZE);
	assert_int_equal(chunk->used_bytes, 13);
	chunk = chunk_shrink(chunk);
	assert_int_equal(chunk->room_bytes, 13);
	chunk_put(chunk);
	chunk_put(NULL);
}

static void test_what_chunks_take_is_counted_once(void **state)
{
	const struct wire_message ping = { .type = CHAT_PING };
	struct chunk *a = chunk_create(&held_bytes, 1000), *b;

	assert_int_equal(held_bytes, 1000 + sizeof(*a));
	assert_int_equal(chunk_append(a, &ping), 0);
	a = chunk_shrink(a);
	assert_int_equal(held_bytes, 13 + sizeof(*a));
	b = chunk_of(&held_bytes, &ping);
	assert_int_equal(held_bytes, 2 * (13 + sizeof(*a)));
	chunk_put(chunk_get(a));
	chunk_put(b);
	chunk_put(a);
	assert_int_equal(held_bytes, 0);
}

static void test_a_burst_is_free_and_the_rest_waits(void **state)
{
	struct bucket b;

	bucket_init(&b, 100, 50, 1000);
	assert_int_equal(bucket_take(&b, 50, 1000), 0);
	assert_int_equal(bucket_take(&b, 10, 1000), 101);
	/* The debt is paid after that time, and no sooner. */
	assert_int_equal(bucket_take(&b, 0, 1050), 51);
	assert_int_equal(bucket_take(&b, 0, 1100), 0);
}

static void test_the_mean_rate_holds_for_greedy_reads(void **state)
{
	uint64_t now_ms = 0, taken = 0;
	struct bucket b;

	bucket_init(&b, 1000, 100, 0);
	while (now_ms < 100000) {
		taken += 777;
		now_ms += bucket_take(&b, 777, now_ms) + 1;
	}
	assert_in_range(taken, 99000, 102000);
}

static void test_a_bucket_is_never_fuller_than_its_burst(void **state)
{
	struct bucket b;

	bucket_init(&b, 4294967295u, 10, 0);
	assert_int_equal(bucket_take(&b, 10, 1ull << 40), 0);
	assert_int_equal(bucket_take(&b, 0, UINT64_MAX), 0);
	assert_int_not_equal(bucket_take(&b, 11, UINT64_MAX), 0);
}

static void test_rate_zero_is_no_limit(void **state)
{
	struct bucket b;

	bucket_init(&b, 0, 1, 0);
	assert_int_equal(bucket_take(&b, 1u << 30, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_bytes_leave_in_order_in_writes_of_any_size),
		cmocka_unit_test(test_the_ring_wraps),
		cmocka_unit_test(
			test_a_chunk_is_shared_and_freed_by_its_last_owner),
		cmocka_unit_test(test_truncating_keeps_the_frame_that_is_begun),
		cmocka_unit_test(test_a_chunk_takes_no_more_than_its_room),
		cmocka_unit_test(test_what_chunks_take_is_counted_once),
		cmocka_unit_test(test_a_burst_is_free_and_the_rest_waits),
		cmocka_unit_test(test_the_mean_rate_holds_for_greedy_reads),
		cmocka_unit_test(test_a_bucket_is_never_fuller_than_its_burst),
		cmocka_unit_test(test_rate_zero_is_no_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
