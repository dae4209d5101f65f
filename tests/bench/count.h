/* SPDX-License-Identifier: Apache-2.0 */
/* count.h - what a request costs besides time: allocations, system calls */
#ifndef PVX_TESTS_COUNT_H
#define PVX_TESTS_COUNT_H

#include "device/driver.h"

/*
 * How it works: malloc(3) and its relatives are defined here, before libc's,
 * for this program and every library in it; in a daemon that is to be counted
 * they add one to a number in shared memory. System calls are strace(1)'s to
 * count, for as long as it is attached to the worker.
 */
#define COUNT_CALLS_MAX 32

struct count_calls {
	pid_t strace;
	char path[64]; /* of its summary */
	unsigned int count;
	struct {
		char name[32];
		uint64_t calls;
	} call[COUNT_CALLS_MAX];
};

/* Whether allocations can be counted: not beside a sanitizer's malloc. */
bool count_has_allocations(void);
/* Have the driver's daemon count; before driver_start(). 0 or -errno. */
int count_allocations_in(struct driver *driver);
/* Those of the daemon so far: supervisor and workers. */
uint64_t count_allocations(void);

/* Attach to the worker. -ENOENT: there is no strace, or it may not. */
int count_calls_begin(struct count_calls *calls, pid_t worker);
/* Detach, and read what was counted. 0 or -errno. */
int count_calls_end(struct count_calls *calls);

#endif
