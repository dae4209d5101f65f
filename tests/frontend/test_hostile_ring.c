/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile_ring.c - drivers that break rings, peers that leave or stall */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/stage.h"

static struct stage stage;
static struct frontend *const fe = &stage.fe;

static void open_and_start(unsigned int queues)
{
	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	stage_start(&stage, STAGE_FEATURES, queues);
}

/* Queue 0 is broken and says so; the others work; it works again after it was
 * stopped and set up anew. */
static void check_broken_and_repaired(void)
{
	struct frontend_queue *q = &fe->queue[0];
	uint64_t count;

	assert_int_equal(frontend_poll(q->err_fd, FRONTEND_WAIT_MS), 1);
	assert_int_equal(read(q->err_fd, &count, sizeof(count)), sizeof(count));
	stage_works(&stage, 1);
	assert_int_equal(frontend_queue_stop(q, NULL), 0);
	frontend_queue_clear(q);
	assert_int_equal(frontend_queue_start(q, 0), 0);
	stage_works(&stage, 0);
	stage_works(&stage, 1);
}

static void test_a_loop_breaks_its_queue_only(void **state)
{
	struct frontend_queue *q = &fe->queue[0];

	open_and_start(2);
	stage_works(&stage, 0);
	for (unsigned int i = 0; i < 3; i++) {
		q->desc[0] = (struct frontend_desc){
			.addr = fe->region[0].guest_addr,
			.bytes = 1,
			.flags = FRONTEND_DESC_NEXT,
		};
		frontend_make_available(q, 0);
		frontend_kick_always(q);
		check_broken_and_repaired();
	}
	stage_close(&stage);
}

static void test_a_broken_queue_returns_nothing_more(void **state)
{
	struct frontend_queue *q = &fe->queue[0];
	struct frontend_piece piece;
	struct frontend_used used;

	open_and_start(2);
	frontend_make_available(q, STAGE_SIZE);
	frontend_kick_always(q);
	piece = (struct frontend_piece){ .guest_addr = frontend_alloc(fe, 8, 8),
					 .bytes = 8 };
	frontend_submit(q, &piece, 1, 0);
	frontend_kick_always(q);
	stage_works(&stage, 1);
	assert_int_equal(frontend_wait(q, &used, 20), 0);
	check_broken_and_repaired();
	stage_close(&stage);
}

static void test_random_rings_do_no_harm(void **state)
{
	struct frontend_queue *q = &fe->queue[0];

	open_and_start(2);
	for (unsigned int i = 0; i < 300; i++) {
		uint8_t *desc = (uint8_t *)q->desc;

		/* Half of it sound, so that some bytes get deep. */
		for (unsigned int n = 0; n < STAGE_SIZE; n++)
			q->desc[n] = (struct frontend_desc){
				.addr = fe->region[0].guest_addr + 0x80000,
				.bytes = 1 + layout_random(&stage.rng, 100),
				.flags = (uint16_t)layout_random(&stage.rng, 4),
				.next = (uint16_t)layout_random(&stage.rng,
								STAGE_SIZE),
			};
		for (unsigned int n = layout_random(&stage.rng, 64); n > 0; n--)
			desc[layout_random(&stage.rng, 16 * STAGE_SIZE)] =
				(uint8_t)layout_random(&stage.rng, 256);
		for (unsigned int n = 0; n < STAGE_SIZE; n++)
			q->avail[2 + n] = (uint16_t)layout_random(
				&stage.rng, STAGE_SIZE + 1);
		q->avail_idx = (uint16_t)(q->avail_idx +
					  layout_random(&stage.rng, 70));
		frontend_kick_always(q);
		assert_int_equal(frontend_queue_stop(q, NULL), 0);
		frontend_queue_clear(q);
		assert_int_equal(frontend_queue_start(q, 0), 0);
		stage_works(&stage, 0);
		stage_works(&stage, 1);
	}
	stage_close(&stage);
}

/* Every answer makes the next request available, for ever. */
static void test_a_ring_that_feeds_itself_takes_turns(void **state)
{
	struct frontend_queue *q = &fe->queue[0];

	open_and_start(2);
	assert_int_equal(frontend_queue_stop(q, NULL), 0);
	frontend_queue_clear(q);
	q->used_guest = (q->avail_guest + 3) & ~UINT64_C(3);
	q->avail_guest = q->used_guest;
	q->avail = frontend_at(fe, q->avail_guest);
	for (unsigned int i = 0; i < STAGE_SIZE; i++)
		q->desc[i] = (struct frontend_desc){
			.addr = fe->region[0].guest_addr + 0x80000, .bytes = 8
		};
	/* Five requests, and a used index that is as far ahead. */
	q->avail[1] = 5;
	assert_int_equal(frontend_queue_start(q, 0), 0);
	for (unsigned int i = 0; i < 20; i++) {
		uint16_t seen = __atomic_load_n(&q->avail[1], __ATOMIC_ACQUIRE);

		stage_works(&stage, 1);
		/* It is being served all the while. */
		while (__atomic_load_n(&q->avail[1], __ATOMIC_ACQUIRE) == seen)
			usleep(10);
	}
	assert_int_equal(frontend_queue_stop(q, NULL), 0);
	stage_works(&stage, 1);
	stage_close(&stage);
}

struct scribbler {
	struct frontend_queue *q;
	_Atomic(bool) must_end;
};

/* Change what the device is reading, all the time. */
static void *scribble(void *argument)
{
	struct scribbler *s = argument;
	struct layout_rng rng = { .state = 77 };

	while (!s->must_end) {
		volatile uint8_t *at = (volatile uint8_t *)s->q->desc;

		at[layout_random(&rng, 16 * STAGE_SIZE)] =
			(uint8_t)layout_random(&rng, 256);
		*(volatile uint16_t *)&s->q->avail[2] =
			(uint16_t)layout_random(&rng, STAGE_SIZE);
	}
	return NULL;
}

static void test_rings_that_change_while_they_are_read(void **state)
{
	struct scribbler s = { .q = &fe->queue[0] };
	pthread_t thread;

	open_and_start(2);
	assert_int_equal(pthread_create(&thread, NULL, scribble, &s), 0);
	for (unsigned int i = 0; i < 300; i++) {
		frontend_make_available(s.q, 0);
		frontend_make_available(s.q, 1);
		frontend_kick_always(s.q);
		if (i % 10 == 9) {
			assert_int_equal(frontend_queue_stop(s.q, NULL), 0);
			s.q->avail_idx = 0;
			s.q->avail[1] = 0;
			assert_int_equal(frontend_queue_start(s.q, 0), 0);
			stage_works(&stage, 1);
		}
	}
	s.must_end = true;
	pthread_join(thread, NULL);
	stage_works(&stage, 1);
	stage_close(&stage);
}

/* A file that takes no seals is cut under the device's feet. */
static void test_memory_that_shrinks(void **state)
{
	struct frontend_queue *q = &fe->queue[0];
	struct frontend_piece pieces[2];
	struct frontend_used used;

	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	assert_int_equal(fcntl(fe->memory_fd, F_ADD_SEALS, F_SEAL_SEAL), 0);
	stage_start(&stage, STAGE_FEATURES, 2);
	stage_works(&stage, 0);
	pieces[0] = (struct frontend_piece){
		.guest_addr = fe->region[2].guest_addr + 4096, .bytes = 4096
	};
	pieces[1] = (struct frontend_piece){
		.guest_addr = frontend_alloc(fe, 4096, 1),
		.bytes = 4096,
		.is_writable = true,
	};
	assert_int_equal(
		ftruncate(fe->memory_fd, (off_t)fe->region[2].file_offset), 0);
	frontend_submit(q, pieces, 2, 0);
	frontend_kick_always(q);
	assert_int_equal(frontend_poll(q->err_fd, FRONTEND_WAIT_MS), 1);
	/* What was made of the lost bytes is not shown as an answer. */
	assert_int_equal(frontend_harvest(q, &used), 0);
	/* With whole memory again, everything works again. */
	assert_int_equal(ftruncate(fe->memory_fd, (off_t)STAGE_BYTES), 0);
	assert_int_equal(frontend_share_memory(fe), 0);
	stage_works(&stage, 1);
	assert_int_equal(frontend_queue_stop(q, NULL), 0);
	frontend_queue_clear(q);
	assert_int_equal(frontend_queue_start(q, 0), 0);
	stage_works(&stage, 0);
	stage_close(&stage);
}

static void test_a_full_call_descriptor_does_not_stall(void **state)
{
	struct frontend_queue *q = &fe->queue[0];
	uint64_t full = UINT64_MAX - 1;
	int event = eventfd(0, 0); /* one that would wait */

	open_and_start(2);
	assert_int_equal(frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, event),
			 0);
	/* Full up: the call of the start may or may not be in it already. */
	if (write(event, &full, sizeof(full)) < 0) {
		full = UINT64_MAX - 2;
		assert_int_equal(write(event, &full, sizeof(full)),
				 sizeof(full));
	}
	dup2(event, q->call_fd);
	stage_works(&stage, 0);
	stage_works(&stage, 1);
	close(event);
	stage_close(&stage);
}

static void test_a_closed_call_socket_does_no_harm(void **state)
{
	struct frontend_queue *q = &fe->queue[0];
	int pair[2];

	open_and_start(2);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, pair[1]), 0);
	close(pair[0]);
	close(pair[1]);
	stage_answers_uncalled(&stage, q);
	stage_works(&stage, 1);
	stage_close(&stage);
}

static void test_a_closed_kick_socket_does_no_harm(void **state)
{
	int pair[2];

	open_and_start(2);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(frontend_queue_set_fd(&fe->queue[0],
					       VHOST_SET_VRING_KICK, pair[1]),
			 0);
	close(pair[0]);
	close(pair[1]);
	stage_works(&stage, 1);
	stage_close(&stage);
}

/* A control message that stops in its middle does not stop the rings. */
static void test_half_a_message_does_not_stall_the_rings(void **state)
{
	open_and_start(2);
	frontend_send_raw(fe, "\1\0\0\0\1", 5, NULL, 0);
	for (unsigned int i = 0; i < 50; i++)
		stage_works(&stage, i % 2);
	stage_close(&stage);
}

static void test_a_front_end_that_reads_no_answers_is_left(void **state)
{
	struct vhost_header h = { .request = VHOST_GET_FEATURES,
				  .flags = VHOST_VERSION };
	int error = 0;

	open_and_start(1);
	fcntl(fe->sock, F_SETFL, O_NONBLOCK);
	for (unsigned int i = 0; i < 1000000; i++) {
		error = frontend_send_raw(fe, &h, sizeof(h), NULL, 0);
		if (error == -EAGAIN)
			usleep(100);
		else if (error)
			break;
	}
	assert_true(error == -EPIPE || error == -ECONNRESET);
	stage_close_with(&stage, EAGAIN);
}

static void test_repetition_leaks_nothing(void **state)
{
	struct vhost_inflight_area area = { .queues = 2, .ring_size = 64 };
	unsigned int fds, maps;

	open_and_start(2);
	for (unsigned int i = 0; i < 100; i++) {
		struct vhost_message reply;
		struct frontend_queue *q = &fe->queue[i % 2];

		frontend_share_memory(fe);
		frontend_queue_stop(q, NULL);
		frontend_queue_clear(q);
		for (unsigned int n = 0; n < 5; n++)
			frontend_ask_ring(fe, VHOST_SET_VRING_NUM, q->index,
					  STAGE_SIZE >> n);
		frontend_send(fe, VHOST_GET_INFLIGHT_FD, 0, &area, sizeof(area),
			      NULL, 0);
		assert_int_equal(frontend_receive(fe, &reply), 0);
		assert_int_equal(reply.fd_count, 1);
		assert_int_equal(frontend_ask(fe, VHOST_SET_INFLIGHT_FD,
					      &reply.payload, sizeof(area),
					      reply.fds, 1),
				 0);
		close(reply.fds[0]);
		assert_int_equal(frontend_queue_start(q, 0), 0);
		stage_works(&stage, i % 2);
		if (i == 10) {
			fds = stage_device_fds(&stage);
			maps = stage_device_maps(&stage);
		}
	}
	assert_int_equal(stage_device_fds(&stage), fds);
	assert_int_equal(stage_device_maps(&stage), maps);
	stage_close(&stage);
}

static void test_reconnecting_leaks_nothing(void **state)
{
	char path[] = "/tmp/pvx-echo-XXXXXX";
	unsigned int fds = 0, maps = 0;
	struct echo_options options = { .die_after = 0 };

	close(mkstemp(path));
	unlink(path);
	memset(&stage, 0, sizeof(stage));
	stage.rng.state = 1;
	stage.pid = echo_listen(&options, path);
	assert_true(stage.pid > 0);
	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(frontend_init(fe, STAGE_BYTES, 3), 0);
		assert_int_equal(frontend_connect(fe, path), 0);
		stage_start(&stage, STAGE_FEATURES, 2);
		stage_works(&stage, i % 2);
		if (i == 10) {
			fds = stage_device_fds(&stage);
			maps = stage_device_maps(&stage);
		} else if (i == 99) {
			assert_int_equal(stage_device_fds(&stage), fds);
			assert_int_equal(stage_device_maps(&stage), maps);
		}
		frontend_deinit(fe);
	}
	kill(stage.pid, SIGKILL);
	assert_int_equal(echo_join(stage.pid), 1000 + SIGKILL);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_loop_breaks_its_queue_only),
		cmocka_unit_test(test_a_broken_queue_returns_nothing_more),
		cmocka_unit_test(test_random_rings_do_no_harm),
		cmocka_unit_test(test_a_ring_that_feeds_itself_takes_turns),
		cmocka_unit_test(test_rings_that_change_while_they_are_read),
		cmocka_unit_test(test_memory_that_shrinks),
		cmocka_unit_test(test_a_full_call_descriptor_does_not_stall),
		cmocka_unit_test(test_a_closed_call_socket_does_no_harm),
		cmocka_unit_test(test_a_closed_kick_socket_does_no_harm),
		cmocka_unit_test(test_half_a_message_does_not_stall_the_rings),
		cmocka_unit_test(
			test_a_front_end_that_reads_no_answers_is_left),
		cmocka_unit_test(test_repetition_leaks_nothing),
		cmocka_unit_test(test_reconnecting_leaks_nothing),
	};

	return cmocka_run_group_tests_name("hostile_ring", tests, NULL, NULL);
}
