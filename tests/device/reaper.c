/* SPDX-License-Identifier: Apache-2.0 */
/* reaper.c - end workers and supervisors at moments of one's choice */
#include "device/reaper.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct reaper *the_reaper; /* the hook has no context */

static void die(struct reaper *r)
{
	atomic_fetch_add(&r->deaths, 1);
	if (!r->must_hang)
		(void)raise(SIGKILL); /* the sandbox has no kill(2) */
	for (;;)
		sleep(1);
}

static void on_moment(unsigned int queue, enum journal_moment moment)
{
	struct reaper *r = the_reaper;

	if (queue != r->queue)
		return;
	atomic_fetch_add(&r->met[moment], 1);
	if (moment != r->moment || atomic_fetch_sub(&r->passes, 1) > 0)
		return;
	atomic_fetch_add(&r->passes, 1);
	if (atomic_fetch_sub(&r->times, 1) <= 0)
		return;
	die(r);
}

static void on_control(unsigned int moment)
{
	struct reaper *r = the_reaper;

	atomic_fetch_add(&r->control_met[moment], 1);
	if (moment != r->control_moment ||
	    atomic_fetch_sub(&r->control_passes, 1) > 0)
		return;
	r->control_moment = SUPERVISOR_MOMENTS;
	die(r);
}

struct reaper *reaper_create(struct driver *driver)
{
	the_reaper = mmap(NULL, sizeof(*the_reaper), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (the_reaper == MAP_FAILED)
		abort();
	the_reaper->moment = MOMENTS;
	the_reaper->control_moment = SUPERVISOR_MOMENTS;
	driver->at_moment = on_moment;
	driver->at_control = on_control;
	driver->expects_deaths = true;
	return the_reaper;
}

void reaper_order(struct reaper *r, unsigned int queue,
		  enum journal_moment moment, int passes, int times)
{
	r->moment = MOMENTS;
	r->queue = queue;
	r->passes = passes;
	r->times = times;
	r->deaths = 0;
	r->moment = moment;
}

void reaper_order_control(struct reaper *r, unsigned int moment, int passes)
{
	r->control_moment = SUPERVISOR_MOMENTS;
	r->control_passes = passes;
	r->deaths = 0;
	r->control_moment = moment;
}

unsigned int reaper_rest(struct reaper *r)
{
	r->moment = MOMENTS;
	r->control_moment = SUPERVISOR_MOMENTS;
	r->times = 0;
	return r->deaths;
}

void reaper_kill(struct driver *driver)
{
	pid_t old = driver_worker(driver), now;

	if (old > 0)
		(void)kill(old, SIGKILL);
	do {
		usleep(500);
		now = driver_worker(driver);
	} while (now == 0 || now == old);
}

const char *reaper_moment_name(enum journal_moment moment)
{
	static const char *const names[MOMENTS] = {
		[MOMENT_TAKEN] = "taken",
		[MOMENT_BEGUN] = "begun",
		[MOMENT_MADE] = "made",
		[MOMENT_ENDED] = "ended",
		[MOMENT_EXECUTED] = "executed",
		[MOMENT_RECORDED] = "recorded",
		[MOMENT_COPIED] = "copied",
		[MOMENT_COMMITTED] = "committed",
		[MOMENT_APPLIED] = "applied",
		[MOMENT_RETURNED] = "returned",
		[MOMENT_PUBLISHED] = "published",
		[MOMENT_SETTLED] = "settled",
	};

	return names[moment];
}
