/* SPDX-License-Identifier: Apache-2.0 */
/* test_load.c - workers and front ends killed at random under load
 *
 * test_load COUNT: so many deaths of either kind.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "device/load.h"

static unsigned int deaths_wanted = 30;

static uint64_t now_us(void)
{
	return clock_now_ns() / 1000;
}

static void start(struct driver *d)
{
	driver_init(d);
	d->expects_deaths = true;
	assert_int_equal(driver_start(d), 0);
}

/* Two deaths in a row, and then none until every queue has got on: a request
 * that is hit three times running is failed, as it should be (vcd 9.5). */
struct mercy {
	unsigned int deaths;
	uint64_t answered[DRIVER_QUEUES];
};

static bool may_kill(struct mercy *m, const struct load *load)
{
	if (m->deaths < 2)
		return true;
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		if (load->queue[i].answered == m->answered[i])
			return false;
	m->deaths = 0;
	return true;
}

static void killed(struct mercy *m, const struct load *load)
{
	m->deaths++;
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		m->answered[i] = load->queue[i].answered;
}

/* Every request over one connection is answered once and right. */
static void test_workers_killed_at_random_go_unseen(void **state)
{
	static struct load load;
	struct driver d;
	struct mercy mercy = { 0 };
	unsigned int deaths = 0;
	pid_t last = 0;
	uint64_t next_us;

	start(&d);
	assert_int_equal(driver_connect(&d, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(&d), 0);
	assert_int_equal(load_init(&load, &d), 0);
	next_us = now_us();
	while (deaths < deaths_wanted) {
		pid_t worker;

		assert_int_equal(load_turn(&load), 0);
		if (now_us() < next_us || !may_kill(&mercy, &load))
			continue;
		worker = driver_worker(&d);
		if (worker <= 0 || worker == last)
			continue;
		last = worker;
		deaths++;
		assert_int_equal(kill(worker, SIGKILL), 0);
		killed(&mercy, &load);
		/* From before it is ready to deep in its work. */
		next_us = now_us() + 1 + layout_random(&d.rng, 8000);
	}
	assert_int_equal(load_drain(&load), 0);
	assert_int_equal(load.answered, load.launched);
	assert_true(load.answered > deaths_wanted);
	print_message("# %u deaths, %llu answers\n", deaths,
		      (unsigned long long)load.answered);
	load_deinit(&load);
	assert_int_equal(driver_stop(&d), 0);
}

/* The front end of one life: connects, works, and is killed. */
static void live(struct driver *d)
{
	static struct load load;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	d->rng.state = (uint64_t)getpid() + 1;
	if (driver_connect(d, DRIVER_FEATURES) || driver_hello(d) ||
	    load_init(&load, d))
		_exit(1);
	while (load_turn(&load) == 0)
		;
	_exit(2);
}

struct burden {
	unsigned int fds, maps, threads;
	long kib;
};

static long resident_kib(pid_t pid)
{
	char path[64], line[128];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/* Of the daemon with one front end that has its answers, so that all others are
 * gone for good. */
static void weigh(struct driver *d, struct burden *b)
{
	assert_int_equal(driver_connect(d, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(d), 0);
	b->fds = driver_count(d->daemon, "fd");
	b->maps = driver_count(d->daemon, "maps");
	b->threads = driver_count(d->daemon, "task");
	b->kib = resident_kib(d->daemon);
	driver_disconnect(d);
}

static void one_life(struct driver *d, uint32_t least_us)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		live(d);
	usleep(least_us + layout_random(&d->rng, 15000));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* It lived until we killed it. */
	assert_true(WIFSIGNALED(status));
}

static void test_front_ends_killed_at_random_leave_nothing(void **state)
{
	struct burden before, after;
	struct driver d;

	start(&d);
	/* What is made once is there from the first one on. */
	for (unsigned int i = 0; i < 3; i++)
		one_life(&d, 50000);
	weigh(&d, &before);
	for (unsigned int i = 0; i < deaths_wanted; i++)
		one_life(&d, 1);
	weigh(&d, &after);
	print_message("# descriptors %u %u, mappings %u %u, threads %u %u, "
		      "resident %ld %ld KiB\n",
		      before.fds, after.fds, before.maps, after.maps,
		      before.threads, after.threads, before.kib, after.kib);
	assert_true(before.fds > 0);
	assert_int_equal(after.fds, before.fds);
	assert_int_equal(after.maps, before.maps);
	assert_int_equal(after.threads, before.threads);
	assert_true(after.kib < before.kib + 1024);
	assert_int_equal(driver_stop(&d), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_workers_killed_at_random_go_unseen),
		cmocka_unit_test(
			test_front_ends_killed_at_random_leave_nothing),
	};

	if (argc > 1)
		deaths_wanted = (unsigned int)strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
