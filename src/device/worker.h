/* SPDX-License-Identifier: Apache-2.0 */
/* worker.h - the process that does the crypto */
#ifndef PVX_DEVICE_WORKER_H
#define PVX_DEVICE_WORKER_H

#include "device/journal.h"
#include "device/sandbox.h"

#include <sys/types.h>

/* What a worker is told when it is made; it lives in the supervisor's memory,
 * of which the worker is a copy. */
struct worker_params {
	struct state *state;  /* shared */
	const char *provider; /* a name, as on the command line */
	uint32_t number;      /* that no worker of this state had */
	pid_t supervisor;
	uint64_t throttle_bytes_per_s;
	uint64_t throttle_ops_per_s;
	uint64_t poll_ns;              /* look.h */
	int link;                      /* its end of the pair */
	const struct sandbox *sandbox; /* NULL: none */
	/* For tests: told at each moment. NULL in the daemon. */
	void (*at_moment)(unsigned int queue, enum journal_moment moment);
};

/* How a worker's process ends. */
enum worker_exit {
	WORKER_DONE = 0,     /* the supervisor has gone */
	WORKER_PROVIDER = 3, /* the provider cannot be opened */
	WORKER_RESOURCES = 4 /* memory, descriptors */
};

/*
 * The process: all of a worker between fork(2) and _exit(2). It keeps no
 * descriptor but its link and the standard ones. Returns the exit status.
 */
int worker_main(const struct worker_params *params);

#endif
