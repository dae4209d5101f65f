/* SPDX-License-Identifier: Apache-2.0 */
/* test_loop.c - descriptors, timers, deferred work and signals in turns */

#include "loop/loop.h"
#include "loop/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

/* One end of a socket pair that is watched, and what happened to it. */
struct peer {
	struct loop_watch watch;
	int fd, other_fd;
	int calls;
	unsigned int events;
	bool has_more;         /* loop_has_more() when it was called */
	struct peer **victims; /* removed and freed by its handler */
	int victim_count;
};

static struct loop *loop;
static char order[64];

static int setup(void **state)
{
	order[0] = '\0';
	return loop_create(&loop);
}

static int teardown(void **state)
{
	loop_destroy(loop);
	return 0;
}

static void peer_free(struct peer *p)
{
	loop_watch_remove(&p->watch);
	close(p->fd);
	close(p->other_fd);
	memset(p, 0xa5, sizeof(*p));
	free(p);
}

static void peer_ready(struct loop_watch *watch, unsigned int events)
{
	struct peer *p = list_entry(watch, struct peer, watch);

	p->calls++;
	p->events = events;
	p->has_more = loop_has_more(loop);
	for (int i = 0; i < p->victim_count; i++)
		if (p->victims[i] && p->victims[i] != p) {
			peer_free(p->victims[i]);
			p->victims[i] = NULL;
		}
}

static struct peer *peer_new(unsigned int events)
{
	struct peer *p = calloc(1, sizeof(*p));
	int fds[2];

	assert_non_null(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	p->fd = fds[0];
	p->other_fd = fds[1];
	assert_int_equal(
		loop_watch_add(loop, &p->watch, p->fd, events, peer_ready), 0);
	return p;
}

static void test_tells_what_is_ready(void **state)
{
	struct peer *p = peer_new(LOOP_READ);

	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(p->calls, 0);
	assert_int_equal(write(p->other_fd, "x", 1), 1);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(p->calls, 1);
	assert_int_equal(p->events, LOOP_READ);
	assert_int_equal(loop_watch_set(&p->watch, LOOP_WRITE), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(p->events, LOOP_WRITE);
	assert_int_equal(loop_watch_set(&p->watch, 0), 0);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(p->calls, 2);
	peer_free(p);
}

static void test_tells_whether_others_wait_in_this_turn(void **state)
{
	struct peer *a = peer_new(LOOP_READ), *b = peer_new(LOOP_READ);

	assert_int_equal(write(a->other_fd, "x", 1), 1);
	assert_int_equal(write(b->other_fd, "x", 1), 1);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(a->calls + b->calls, 2);
	assert_int_equal(a->has_more + b->has_more, 1);
	assert_false(loop_has_more(loop));
	assert_int_equal(loop_watch_set(&b->watch, 0), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(a->calls, 2);
	assert_false(a->has_more);
	peer_free(a);
	peer_free(b);
}

static void test_tells_a_hangup_unasked(void **state)
{
	struct peer *p = peer_new(0);

	assert_int_equal(shutdown(p->other_fd, SHUT_RDWR), 0);
	assert_int_equal(shutdown(p->fd, SHUT_RDWR), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_true(p->events & LOOP_HANGUP);
	peer_free(p);
}

/* All are ready; whichever comes first frees all the others. */
static void test_a_handler_may_free_any_other(void **state)
{
	struct peer *all[8];
	int left = 0, calls = 0;

	for (int i = 0; i < 8; i++) {
		all[i] = peer_new(LOOP_WRITE);
		all[i]->victims = all;
		all[i]->victim_count = 8;
	}
	assert_int_equal(loop_turn(loop, -1), 0);
	for (int i = 0; i < 8; i++)
		if (all[i]) {
			left++;
			calls += all[i]->calls;
			peer_free(all[i]);
		}
	assert_int_equal(left, 1);
	assert_int_equal(calls, 1);
}

static void free_itself(struct loop_watch *watch, unsigned int events)
{
	peer_free(list_entry(watch, struct peer, watch));
}

static void test_a_handler_may_free_itself(void **state)
{
	struct peer *p = peer_new(LOOP_WRITE);

	p->watch.on_ready = free_itself;
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(loop_turn(loop, 0), 0);
}

static void test_removing_is_safe_on_zeroed_and_twice(void **state)
{
	struct loop_watch zeroed = { 0 };
	struct loop_timer timer = { 0 };
	struct loop_work work = { 0 };
	struct peer *p = peer_new(LOOP_READ);

	loop_watch_remove(&zeroed);
	loop_timer_disarm(&timer);
	loop_work_cancel(&work);
	loop_watch_remove(&p->watch);
	peer_free(p);
}

static void test_a_regular_file_is_always_ready(void **state)
{
	struct peer file = { .fd = open("/dev/null", O_RDONLY) };
	struct peer *other = peer_new(LOOP_WRITE);

	assert_int_equal(loop_watch_add(loop, &file.watch, file.fd, LOOP_READ,
					peer_ready),
			 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_int_equal(file.calls, 2);
	assert_int_equal(file.events, LOOP_READ);
	assert_true(other->calls > 0); /* and does not starve the rest */
	assert_int_equal(loop_watch_set(&file.watch, 0), 0);
	assert_int_equal(loop_turn(loop, 0), 0);
	assert_int_equal(file.calls, 2);
	loop_watch_remove(&file.watch);
	close(file.fd);
	peer_free(other);
}

static void test_a_bad_descriptor_is_refused(void **state)
{
	struct loop_watch w;

	assert_int_equal(loop_watch_add(loop, &w, -1, LOOP_READ, peer_ready),
			 -EBADF);
	loop_watch_remove(&w);
}

struct tick {
	struct loop_timer timer;
	char name;
	uint64_t again_ms;
	struct tick *disarms;
};

static void tick_due(struct loop_timer *timer)
{
	struct tick *t = list_entry(timer, struct tick, timer);

	strncat(order, &t->name, 1);
	if (t->again_ms)
		loop_timer_arm(&t->timer, t->again_ms);
	if (t->disarms)
		loop_timer_disarm(&t->disarms->timer);
}

static void tick_init(struct tick *t, char name, uint64_t delay_ms)
{
	*t = (struct tick){ .name = name };
	loop_timer_init(loop, &t->timer, tick_due);
	if (delay_ms)
		loop_timer_arm(&t->timer, delay_ms);
}

static void run_for(int ms)
{
	uint64_t end_ms = loop_now_ms(loop) + (uint64_t)ms;

	while (loop_now_ms(loop) < end_ms)
		assert_int_equal(loop_turn(loop, 5), 0);
}

/* Turn until that many ticks have come; how long it took. */
static uint64_t run_until(size_t ticks)
{
	uint64_t start_ms = loop_now_ms(loop);

	while (strlen(order) < ticks)
		assert_int_equal(loop_turn(loop, 1000), 0);
	return loop_now_ms(loop) - start_ms;
}

static void test_timers_run_in_the_order_of_their_times(void **state)
{
	struct tick a, b, c;

	tick_init(&b, 'b', 20);
	tick_init(&c, 'c', 30);
	tick_init(&a, 'a', 10);
	assert_true(run_until(1) >= 10);
	assert_int_equal(order[0], 'a');
	run_until(3);
	assert_string_equal(order, "abc");
	assert_false(loop_timer_is_armed(&a.timer));
}

static void test_a_timer_moves_both_ways(void **state)
{
	struct tick a, b;

	tick_init(&a, 'a', 10);
	tick_init(&b, 'b', 100000);
	loop_timer_arm(&a.timer, 40);
	loop_timer_arm(&b.timer, 20);
	assert_true(run_until(2) >= 40);
	assert_string_equal(order, "ba");
}

static void test_a_timer_may_arm_itself_and_disarm_another(void **state)
{
	struct tick a, b;

	tick_init(&a, 'a', 5);
	tick_init(&b, 'b', 12);
	a.again_ms = 5;
	a.disarms = &b;
	run_for(30);
	assert_true(strlen(order) >= 2);
	assert_null(strchr(order, 'b'));
	loop_timer_disarm(&a.timer);
}

static void test_a_timer_at_zero_does_not_spin_within_a_turn(void **state)
{
	struct tick a;

	tick_init(&a, 'a', 1);
	a.again_ms = 1;
	for (int i = 0; i < 3; i++)
		assert_int_equal(loop_turn(loop, -1), 0);
	assert_true(strlen(order) <= 3);
	loop_timer_disarm(&a.timer);
}

struct chore {
	struct loop_work work;
	char name;
	struct chore *queues;
	struct chore *cancels;
};

static void chore_run(struct loop_work *work)
{
	struct chore *c = list_entry(work, struct chore, work);

	strncat(order, &c->name, 1);
	if (c->queues)
		loop_work_queue(&c->queues->work);
	if (c->cancels)
		loop_work_cancel(&c->cancels->work);
}

static void test_work_runs_once_and_what_it_queues_next_turn(void **state)
{
	struct chore a = { .name = 'a' }, b = { .name = 'b' };
	struct chore c = { .name = 'c' };

	loop_work_init(loop, &a.work, chore_run);
	loop_work_init(loop, &b.work, chore_run);
	loop_work_init(loop, &c.work, chore_run);
	a.queues = &a;
	a.cancels = &b;
	loop_work_queue(&a.work);
	loop_work_queue(&a.work);
	loop_work_queue(&b.work);
	loop_work_queue(&c.work);
	assert_int_equal(loop_turn(loop, -1), 0);
	assert_string_equal(order, "ac");
	assert_int_equal(loop_turn(loop, -1), 0); /* does not sleep */
	assert_string_equal(order, "aca");
}

static int signal_seen;

static void on_signal(struct loop_signals *signals, int number)
{
	signal_seen = number;
	loop_stop(signals->watch.loop);
}

static void test_signals_arrive_in_the_loop(void **state)
{
	const int numbers[] = { SIGUSR1, SIGUSR2 };
	struct loop_signals signals;

	assert_int_equal(
		loop_signals_open(loop, &signals, numbers, 2, on_signal), 0);
	assert_int_equal(raise(SIGUSR2), 0);
	assert_int_equal(loop_run(loop), 0);
	assert_int_equal(signal_seen, SIGUSR2);
	loop_signals_close(&signals);
	loop_signals_close(&signals);
}

#define LOOP_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOOP_TEST(test_tells_what_is_ready),
		LOOP_TEST(test_tells_whether_others_wait_in_this_turn),
		LOOP_TEST(test_tells_a_hangup_unasked),
		LOOP_TEST(test_a_handler_may_free_any_other),
		LOOP_TEST(test_a_handler_may_free_itself),
		LOOP_TEST(test_removing_is_safe_on_zeroed_and_twice),
		LOOP_TEST(test_a_regular_file_is_always_ready),
		LOOP_TEST(test_a_bad_descriptor_is_refused),
		LOOP_TEST(test_timers_run_in_the_order_of_their_times),
		LOOP_TEST(test_a_timer_moves_both_ways),
		LOOP_TEST(test_a_timer_may_arm_itself_and_disarm_another),
		LOOP_TEST(test_a_timer_at_zero_does_not_spin_within_a_turn),
		LOOP_TEST(test_work_runs_once_and_what_it_queues_next_turn),
		LOOP_TEST(test_signals_arrive_in_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
