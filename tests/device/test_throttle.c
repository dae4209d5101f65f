/* SPDX-License-Identifier: Apache-2.0 */
/* test_throttle.c - rates hold, and a held ring still obeys */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "cryptsess.h"
#include "device/stand.h"
#include "device/throttle.h"

#define SECOND_NS UINT64_C(1000000000)
#define OPS       500u
#define BYTES     (64u << 20)

static int setup(void **state)
{
	driver_init(&stand);
	stand.options.throttle_ops_per_s = OPS;
	stand.options.throttle_bytes_per_s = BYTES;
	return stand_open();
}

/* Requests that pass within `span_ns`, each of so many bytes. */
static unsigned int pass(struct throttle *t, uint64_t span_ns, uint32_t bytes)
{
	uint64_t now_ns = 5 * SECOND_NS, end_ns = now_ns + span_ns;
	unsigned int count = 0;

	while (now_ns < end_ns) {
		uint64_t delay_ns = throttle_delay_ns(t, now_ns);

		if (delay_ns) {
			now_ns += delay_ns;
			continue;
		}
		throttle_spend(t, now_ns, bytes);
		count++;
	}
	return count;
}

static void test_operations_are_kept_to_their_rate(void **state)
{
	struct throttle t;

	throttle_init(&t, 0, 1000);
	assert_in_range(pass(&t, 10 * SECOND_NS, 1u << 20), 10000, 10101);
}

static void test_bytes_are_kept_to_their_rate(void **state)
{
	struct throttle t;

	throttle_init(&t, 1000000, 0);
	assert_in_range(pass(&t, 10 * SECOND_NS, 1000), 10000, 10101);
}

static void test_the_lower_rate_counts(void **state)
{
	struct throttle t;

	throttle_init(&t, 1000000, 100);
	assert_in_range(pass(&t, 10 * SECOND_NS, 1000), 1000, 1011);
	throttle_init(&t, 10000, 1000);
	assert_in_range(pass(&t, 10 * SECOND_NS, 1000), 100, 102);
}

static void test_the_time_without_requests_is_not_saved_up(void **state)
{
	struct throttle t;

	throttle_init(&t, 0, 1000);
	throttle_spend(&t, 1, 1);
	assert_in_range(pass(&t, SECOND_NS, 1), 1000, 1102);
}

static void test_the_device_keeps_to_its_rate(void **state)
{
	uint64_t begun_ns = clock_now_ns(), took_ns;

	for (unsigned int i = 0; i < OPS / 2; i++)
		assert_int_equal(driver_simple(&stand, i % DRIVER_QUEUES,
					       VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
	took_ns = clock_now_ns() - begun_ns;
	/* Half a second's worth, less the burst. */
	assert_true(took_ns > SECOND_NS * 3 / 10);
}

/* A packet of one byte in a megabyte that its mac covers is not one byte. */
static void test_what_is_authenticated_is_counted(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	static uint8_t packet[1 << 20], iv[VCD_MAX_IV_BYTES];
	const struct driver_auth op = { .flags = VCD_FLAG_SRTP,
					.iv = iv,
					.iv_bytes = 16,
					.auth = packet,
					.auth_bytes = sizeof(packet),
					.payload_bytes = 1,
					.dst_bytes = 1,
					.tag_out_bytes = 20 };
	uint64_t begun_ns = clock_now_ns();
	uint8_t out[21];

	stand.manner = LAYOUT_WHOLE;
	for (unsigned int i = 0; i < BYTES / 2 / sizeof(packet); i++)
		assert_int_equal(stand_auth(0, session, &op, out),
				 VCD_STATUS_OK);
	/* Half a second's worth, less the burst. */
	assert_true(clock_now_ns() - begun_ns > SECOND_NS * 3 / 10);
}

static void test_a_held_ring_stops_at_once(void **state)
{
	static struct driver_flight flight[OPS];
	struct frontend_queue *q = &stand.fe.queue[0];
	struct frontend_used used;
	unsigned int answered = 0;
	uint16_t base;

	for (unsigned int i = 0; i < OPS; i++) {
		struct driver_request r;

		driver_begin(&stand, &r, VCD_OP_PING, 0, 0);
		stand.manner = LAYOUT_WHOLE;
		assert_int_equal(driver_launch(&stand, 0, &r, &flight[i]), 0);
	}
	assert_int_equal(frontend_kick(q), 0);
	assert_int_equal(frontend_queue_stop(q, &base), 0);
	while (frontend_harvest(q, &used) == 1)
		answered++;
	/* What was begun is answered, the rest is still there: it did not wait
	 * for the second that all of them take. */
	assert_true(answered < OPS);
	assert_int_equal((uint16_t)(q->avail_idx - base), OPS - answered);
	assert_int_equal(frontend_queue_start(q, base), 0);
	while (answered < OPS) {
		assert_int_equal(frontend_wait(q, &used, FRONTEND_WAIT_MS), 1);
		answered++;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operations_are_kept_to_their_rate),
		cmocka_unit_test(test_bytes_are_kept_to_their_rate),
		cmocka_unit_test(test_the_lower_rate_counts),
		cmocka_unit_test(
			test_the_time_without_requests_is_not_saved_up),
		cmocka_unit_test_setup(test_the_device_keeps_to_its_rate,
				       stand_begin),
		cmocka_unit_test_setup(test_what_is_authenticated_is_counted,
				       stand_begin),
		cmocka_unit_test_setup(test_a_held_ring_stops_at_once,
				       stand_begin),
	};

	return cmocka_run_group_tests_name("throttle", tests, setup,
					   stand_close);
}
