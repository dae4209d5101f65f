/* SPDX-License-Identifier: Apache-2.0 */
/* test_sleep.c - when a queue's thread looks at its ring, and what wakes it */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "device/look.h"
#include "device/stand.h"

#define LIMIT_NS UINT64_C(1000)
#define SHORT_NS (LIMIT_NS / 2)
#define LONG_NS  (100 * LIMIT_NS)
#define PINGS    600u /* more than a small pipe or socket holds signals */

/* --- when to look ------------------------------------------------------ */

static void test_without_a_limit_it_never_looks(void **state)
{
	struct look look;

	look_init(&look, 0);
	for (unsigned int i = 0; i < 10000; i++)
		look_slept(&look, 0);
	assert_int_equal(look_ns(&look), 0);
}

static void test_after_a_short_sleep_it_looks(void **state)
{
	struct look look;

	look_init(&look, LIMIT_NS);
	assert_int_equal(look_ns(&look), 0);
	look_slept(&look, LONG_NS);
	assert_int_equal(look_ns(&look), 0);
	look_slept(&look, SHORT_NS);
	assert_int_equal(look_ns(&look), LIMIT_NS);
}

static void test_it_looks_as_long_as_it_finds(void **state)
{
	struct look look;

	look_init(&look, LIMIT_NS);
	look_slept(&look, SHORT_NS);
	for (unsigned int i = 0; i < 100; i++) {
		look_ended(&look, true);
		assert_int_equal(look_ns(&look), LIMIT_NS);
	}
	look_ended(&look, false);
	assert_int_equal(look_ns(&look), 0);
}

/* A driver on the same CPU cannot go on while we look: that we find out at the
 * price of few looks, and one for thousands of sleeps later on. */
static void test_looks_in_vain_become_rare(void **state)
{
	unsigned int first = 0, later = 0;
	struct look look;

	look_init(&look, LIMIT_NS);
	for (unsigned int i = 0; i < 100000; i++) {
		if (look_ns(&look)) {
			look_ended(&look, false);
			*(i < 10000 ? &first : &later) += 1;
		}
		look_slept(&look, SHORT_NS);
	}
	assert_in_range(first, 2, 14);
	assert_in_range(later, 10, 25);
	/* One that was not in vain makes up for them. */
	look_ended(&look, true);
	look_ended(&look, false);
	look_slept(&look, SHORT_NS);
	look_slept(&look, SHORT_NS);
	assert_int_equal(look_ns(&look), LIMIT_NS);
}

/* --- the device -------------------------------------------------------- */

static int begin(uint64_t poll_us)
{
	driver_init(&stand);
	stand.options.poll_us = poll_us;
	return stand_open() || driver_hello(&stand);
}

static int begin_sleeping(void **state)
{
	return begin(0);
}

/* So long that a busy machine's front end is back in time. */
static int begin_looking(void **state)
{
	return begin(500000);
}

/* Kicks since the last time, which the device has left in the eventfd. */
static uint64_t kicks_take(const struct frontend_queue *q)
{
	uint64_t kicks;

	return read(q->kick_fd, &kicks, sizeof(kicks)) == sizeof(kicks) ? kicks
									: 0;
}

/* PINGs, one after the other: how many of them were kicked. */
static uint64_t kicks_of_pings(unsigned int pings, unsigned int pause_us)
{
	const struct frontend_queue *q = &stand.fe.queue[1];

	(void)kicks_take(q);
	for (unsigned int i = 0; i < pings; i++) {
		usleep(pause_us);
		assert_int_equal(driver_simple(&stand, 1, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
	}
	return kicks_take(q);
}

static void test_a_sleeping_thread_is_kicked(void **state)
{
	/* On a busy machine it may not have come to sleep each time. */
	assert_in_range(kicks_of_pings(20, 5000), 1, 20);
}

static void test_a_looking_thread_needs_no_kick(void **state)
{
	assert_in_range(kicks_of_pings(PINGS, 0), 0, PINGS / 20);
}

static void pings_with_a_kick_each(struct frontend_queue *q)
{
	struct driver_flight flight;
	struct driver_answer answer;

	for (unsigned int i = 0; i < PINGS; i++) {
		struct driver_request r;
		int kicked;

		driver_begin(&stand, &r, VCD_OP_PING, 0, 0);
		assert_int_equal(driver_launch(&stand, q->index, &r, &flight),
				 0);
		kicked = frontend_kick_always(q);
		/* Full is as good as delivered. */
		assert_true(kicked == 0 || kicked == -EAGAIN);
		assert_int_equal(
			driver_land(&stand, q->index, &flight, &answer), 0);
		assert_int_equal(answer.status, VCD_STATUS_OK);
		driver_answer_free(&answer);
		driver_rewind(&stand);
	}
}

/* Start the ring again with `theirs` as its kick: every signal wakes, and none
 * is left there. */
static void try_kick(struct frontend_queue *q, int ours, int theirs)
{
	int left_bytes = 1;
	uint16_t base;

	assert_int_equal(frontend_queue_stop(q, &base), 0);
	assert_int_equal(dup2(theirs, q->kick_fd), q->kick_fd);
	assert_int_equal(frontend_queue_start(q, base), 0);
	assert_int_equal(dup2(ours, q->kick_fd), q->kick_fd);
	close(ours);
	pings_with_a_kick_each(q);
	for (int i = 0; i < 1000 && left_bytes; i++) {
		usleep(5000);
		assert_int_equal(ioctl(theirs, FIONREAD, &left_bytes), 0);
	}
	assert_int_equal(left_bytes, 0);
	close(theirs);
}

static void test_a_pipe_kicks(void **state)
{
	struct frontend_queue *q = &stand.fe.queue[1];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) <= 4096);
	assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	try_kick(q, ends[1], ends[0]);
}

static void test_a_socket_kicks(void **state)
{
	struct frontend_queue *q = &stand.fe.queue[1];
	const int least = 0;
	int ends[2], nowhere;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	assert_int_equal(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &least,
				    sizeof(least)),
			 0);
	try_kick(q, ends[1], ends[0]);
	/* When it is closed the ring is looked at by the clock. */
	nowhere = open("/dev/null", O_WRONLY);
	assert_int_equal(dup2(nowhere, q->kick_fd), q->kick_fd);
	close(nowhere);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(driver_simple(&stand, 1, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
}

/* It is full of signals that nobody takes, and each of them wakes. */
static void test_a_number_is_never_read(void **state)
{
	struct frontend_queue *q = &stand.fe.queue[1];

	(void)kicks_take(q);
	pings_with_a_kick_each(q);
	assert_int_equal(kicks_take(q), PINGS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_a_limit_it_never_looks),
		cmocka_unit_test(test_after_a_short_sleep_it_looks),
		cmocka_unit_test(test_it_looks_as_long_as_it_finds),
		cmocka_unit_test(test_looks_in_vain_become_rare),
		cmocka_unit_test_setup_teardown(
			test_a_sleeping_thread_is_kicked, begin_sleeping,
			stand_close),
		cmocka_unit_test_setup_teardown(
			test_a_looking_thread_needs_no_kick, begin_looking,
			stand_close),
		cmocka_unit_test_setup_teardown(test_a_pipe_kicks,
						begin_sleeping, stand_close),
		cmocka_unit_test_setup_teardown(test_a_socket_kicks,
						begin_sleeping, stand_close),
		cmocka_unit_test_setup_teardown(test_a_number_is_never_read,
						begin_sleeping, stand_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
