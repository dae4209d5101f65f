/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h - what a process of the device may still do */
#ifndef PVX_DEVICE_SANDBOX_H
#define PVX_DEVICE_SANDBOX_H

/*
 * How it works: the supervisor enters when it has opened all that it needs
 * from outside, and each worker, which is born inside, enters a smaller one
 * when it is ready to serve. Entering means, in this order: limits; another
 * user, when started as root; no capability; no new privileges; no file
 * (Landlock, where the kernel has it); no system call but those of the list in
 * syscalls.c (seccomp).
 *
 * A call outside the list is not executed. Its name is logged, and the process
 * dies of SIGSYS: a worker's successor goes on (docs/decisions/0052).
 */
enum sandbox_process {
	SANDBOX_SUPERVISOR = 1,
	SANDBOX_WORKER = 2,
};

/* Sockets that the supervisor removes at its end. */
#define SANDBOX_PATHS_MAX 2

struct sandbox {
	const char *user;     /* to become when root; NULL: stay */
	const char *provider; /* as on the command line */
	const char *paths[SANDBOX_PATHS_MAX]; /* NULL: none */
};

/*
 * Enter, in a process of one thread. 0 or -errno after a line in the log;
 * after a failure the process is to end. Without Landlock in the kernel that
 * is logged, and the rest holds.
 */
int sandbox_enter(const struct sandbox *sandbox, enum sandbox_process process);

/* syscalls.c: the last step, by the provider's name without a path. 0 or
 * -errno. */
int syscalls_restrict(enum sandbox_process process, const char *provider);

#endif
