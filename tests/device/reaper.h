/* SPDX-License-Identifier: Apache-2.0 */
/* reaper.h - end workers and supervisors at moments of one's choice */
#ifndef PVX_TESTS_REAPER_H
#define PVX_TESTS_REAPER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "device/driver.h"
#include "device/supervisor.h"

/* In memory that test, daemon and workers share. */
struct reaper {
	_Atomic uint32_t moment; /* enum journal_moment; MOMENTS: never */
	_Atomic uint32_t queue;
	_Atomic int passes; /* moments to let go by first */
	_Atomic int times;  /* deaths to come */
	_Atomic uint32_t deaths;
	_Atomic bool must_hang;        /* instead of dying */
	_Atomic uint32_t met[MOMENTS]; /* how often each one came */
	/* Of the supervisor; SUPERVISOR_MOMENTS: never. */
	_Atomic uint32_t control_moment;
	_Atomic int control_passes;
	_Atomic uint32_t control_met[SUPERVISOR_MOMENTS];
};

/* Map it and have the driver's daemon obey; before driver_start(). */
struct reaper *reaper_create(struct driver *driver);

/* The next worker that comes to that moment on that queue dies, `times` in a
 * row, after `passes` were let go. */
void reaper_order(struct reaper *reaper, unsigned int queue,
		  enum journal_moment moment, int passes, int times);

/* The supervisor that comes to that moment dies, once, after `passes` were let
 * go. */
void reaper_order_control(struct reaper *reaper, unsigned int moment,
			  int passes);

/* No more deaths. Returns how many there were since the order. */
unsigned int reaper_rest(struct reaper *reaper);

/* SIGKILL the worker of now and wait until there is another one. */
void reaper_kill(struct driver *driver);

const char *reaper_moment_name(enum journal_moment moment);

#endif
