/* SPDX-License-Identifier: Apache-2.0 */
/* fault.h - survive the loss of pages of a shared file */
#ifndef PVX_VHOST_FAULT_H
#define PVX_VHOST_FAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Watched ranges in one process: regions, inflight areas, with room. */
#define VHOST_FAULT_RANGES_MAX 128

/*
 * Handle SIGBUS in this process. A fault in a watched range maps a page of
 * zeros over the lost one and sets the range's flag; the instruction is then
 * run again. Any other SIGBUS does what it did before. 0 or -errno. Threads
 * that touch guest memory must not block the signal. The handler needs mmap(2),
 * rt_sigaction(2) and rt_sigreturn(2) of a sandbox.
 */
int vhost_fault_install(void);

/*
 * Watch a mapping, whose file has pages of `page_bytes`; `is_damaged`
 * (borrowed until unwatched) is set at a loss. 0, or -ENOSPC.
 */
int vhost_fault_watch(void *base, size_t bytes, size_t page_bytes,
		      atomic_bool *is_damaged);

/* Forget the range that starts at `base`; before its munmap(2). */
void vhost_fault_unwatch(void *base);

#endif
