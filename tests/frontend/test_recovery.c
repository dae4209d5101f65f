/* SPDX-License-Identifier: Apache-2.0 */
/* test_recovery.c - the device dies with requests in flight */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/stage.h"

#define REQUESTS (STAGE_SIZE / 2)
#define DIED     77

static struct stage stage;
static struct frontend *const fe = &stage.fe;

/* One request for each slot, of two descriptors each; what came back. */
static struct frontend_piece pieces[REQUESTS][2];
static unsigned int answers[REQUESTS];
static int slot_of_head[STAGE_SIZE];

static void pieces_init(void)
{
	for (unsigned int i = 0; i < REQUESTS; i++)
		for (unsigned int n = 0; n < 2; n++)
			pieces[i][n] = (struct frontend_piece){
				.guest_addr = frontend_alloc(fe, 64, 16),
				.bytes = 64,
				.is_writable = n == 1,
			};
}

/* Put new bytes into a slot and make it available. */
static void slot_submit(unsigned int slot)
{
	uint8_t *in = frontend_at(fe, pieces[slot][0].guest_addr);
	int head;

	for (unsigned int i = 0; i < 64; i++)
		in[i] = (uint8_t)layout_random(&stage.rng, 256);
	memset(frontend_at(fe, pieces[slot][1].guest_addr), 0, 64);
	head = frontend_submit(&fe->queue[0], pieces[slot], 2, 0);
	assert_true(head >= 0);
	slot_of_head[head] = (int)slot;
	answers[slot] = 0;
}

/* Harvest all that is there; each is the answer to its request. */
static unsigned int harvest_all(void)
{
	struct frontend_used used;
	unsigned int count = 0;
	int got;

	while ((got = frontend_harvest(&fe->queue[0], &used)) == 1) {
		int slot = slot_of_head[used.head];
		const uint8_t *in, *out;

		in = frontend_at(fe, pieces[slot][0].guest_addr);
		out = frontend_at(fe, pieces[slot][1].guest_addr);
		assert_int_equal(used.bytes, 64);
		for (unsigned int i = 0; i < 64; i++)
			assert_int_equal(out[i], in[i] ^ ECHO_MASK);
		answers[slot]++;
		count++;
	}
	/* -EPROTO: a head that was not in flight, an answer given twice. */
	assert_int_equal(got, 0);
	return count;
}

static struct vhost_inflight_area area = { .queues = 1,
					   .ring_size = STAGE_SIZE };
static int inflight_fd = -1;

static void get_inflight(void)
{
	struct vhost_message reply;

	frontend_send(fe, VHOST_GET_INFLIGHT_FD, 0, &area, sizeof(area), NULL,
		      0);
	assert_int_equal(frontend_receive(fe, &reply), 0);
	assert_int_equal(reply.fd_count, 1);
	area = reply.payload.inflight;
	inflight_fd = reply.fds[0];
}

/* A life of the device on the same memory, ring and inflight file. It may die
 * while we set it up: -errno. */
static int device_start(const struct echo_options *options, bool is_first)
{
	int error;
	int sock;

	stage.options = *options;
	stage.pid = echo_spawn(&stage.options, &sock);
	assert_true(stage.pid > 0);
	frontend_adopt(fe, sock);
	error = frontend_negotiate(fe, STAGE_FEATURES, UINT64_MAX);
	if (!error)
		error = frontend_share_memory(fe);
	if (error)
		return error;
	if (is_first) {
		assert_int_equal(frontend_queue_init(fe, 0, STAGE_SIZE), 0);
		pieces_init();
		get_inflight();
	}
	error = frontend_ask(fe, VHOST_SET_INFLIGHT_FD, &area, sizeof(area),
			     &inflight_fd, 1);
	/* The base is what a front end guesses after a crash. */
	if (!error)
		error = frontend_queue_start(&fe->queue[0],
					     fe->queue[0].used[1]);
	return error;
}

static void world_init(void)
{
	memset(&stage, 0, sizeof(stage));
	stage.rng.state = 4711;
	assert_int_equal(frontend_init(fe, STAGE_BYTES, 3), 0);
}

static void world_deinit(void)
{
	close(inflight_fd);
	inflight_fd = -1;
	frontend_deinit(fe);
}

/* Wait until the device answers no more: it has died, or is done. */
static void wait_for(unsigned int count)
{
	for (unsigned int i = 0; count > 0 && i < FRONTEND_WAIT_MS; i++) {
		unsigned int got = harvest_all();

		count -= got < count ? got : count;
		if (count == 0 || frontend_poll(fe->sock, 0) != 0)
			return;
		usleep(1000);
	}
}

static void test_death_before_publish_answers_each_request_once(void **state)
{
	static const struct echo_options dies = { .die_after = 1 };
	static const struct echo_options lives;

	world_init();
	assert_int_equal(device_start(&dies, true), 0);
	for (unsigned int i = 0; i < REQUESTS; i++)
		slot_submit(i);
	frontend_kick_always(&fe->queue[0]);
	assert_int_equal(echo_join(stage.pid), DIED);
	assert_int_equal(harvest_all(), 0);
	assert_int_equal(device_start(&lives, false), 0);
	wait_for(REQUESTS);
	for (unsigned int i = 0; i < REQUESTS; i++)
		assert_int_equal(answers[i], 1);
	frontend_disconnect(fe);
	assert_int_equal(echo_join(stage.pid), 0);
	world_deinit();
}

/* Killed at any moment, many times, under load. */
static void test_sigkill_at_random_answers_each_request_once(void **state)
{
	static const struct echo_options lives;
	unsigned int done = 0;
	int is_up;

	world_init();
	assert_int_equal(device_start(&lives, true), 0);
	for (unsigned int i = 0; i < REQUESTS; i++)
		slot_submit(i);
	for (unsigned int life = 0; life < 60; life++) {
		unsigned int rounds = layout_random(&stage.rng, 12);

		frontend_kick_always(&fe->queue[0]);
		for (unsigned int n = 0; n < rounds; n++) {
			done += harvest_all();
			for (unsigned int i = 0; i < REQUESTS; i++)
				if (answers[i] == 1)
					slot_submit(i);
			frontend_kick_always(&fe->queue[0]);
			usleep(layout_random(&stage.rng, 200));
		}
		kill(stage.pid, SIGKILL);
		assert_int_equal(echo_join(stage.pid), 1000 + SIGKILL);
		is_up = device_start(&lives, false);
		assert_int_equal(is_up, 0);
	}
	frontend_kick_always(&fe->queue[0]);
	for (unsigned int i = 0; i < FRONTEND_WAIT_MS; i++) {
		done += harvest_all();
		if (fe->queue[0].free_count == STAGE_SIZE)
			break;
		usleep(1000);
	}
	for (unsigned int i = 0; i < REQUESTS; i++)
		assert_int_equal(answers[i], 1);
	assert_true(done > REQUESTS);
	frontend_disconnect(fe);
	assert_int_equal(echo_join(stage.pid), 0);
	world_deinit();
}

/* One connection; the process behind it changes with a request in its hands. */
static void test_another_process_goes_on_from_plain_data(void **state)
{
	for (unsigned int at = 1; at < 20; at += 3) {
		memset(&stage.options, 0, sizeof(stage.options));
		stage.options.hand_over_at = at;
		stage_open(&stage);
		stage_start(&stage, STAGE_FEATURES, 2);
		for (unsigned int i = 0; i < 30; i++)
			stage_works(&stage, i % 2);
		/* The control connection is the new process's too. */
		assert_int_equal(frontend_share_memory(fe), 0);
		assert_int_equal(frontend_queue_stop(&fe->queue[1], NULL), 0);
		stage_works(&stage, 0);
		stage_close(&stage);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_death_before_publish_answers_each_request_once),
		cmocka_unit_test(
			test_sigkill_at_random_answers_each_request_once),
		cmocka_unit_test(test_another_process_goes_on_from_plain_data),
	};

	return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
