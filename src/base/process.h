/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what every program of ours does first */
#ifndef PVX_BASE_PROCESS_H
#define PVX_BASE_PROCESS_H

#include <stdbool.h>

/*
 * For programs that hold secrets: no core files (RLIMIT_CORE 0,
 * PR_SET_DUMPABLE 0, which also keeps other processes of the same user from
 * tracing us) and, where RLIMIT_MEMLOCK is no limit, no page on swap. Opens
 * /dev/null for standard descriptors that are closed, and ignores SIGPIPE.
 * Returns 0 or -errno; a mlockall() that the limit forbids is no failure,
 * because secret_alloc() locks its own pages.
 */
int process_harden(void);

/* The same without locking all memory: for a program that maps a guest's. */
int process_hide(void);

/* The same without the secrets' part: descriptors and SIGPIPE. */
int process_init(void);

#endif
