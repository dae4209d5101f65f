/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - survive the loss of pages of a shared file */
#include "vhost/fault.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/*
 * How it works: a signal handler has no argument but the address, so the ranges
 * are the one table of this process that is not reached through an object.
 * Threads change it under `watch_lock`; the handler reads without a lock. A
 * slot's `base` is stored last and cleared first, with release, so the handler
 * sees whole slots. A range cannot go away under the handler: its user is the
 * thread that faulted.
 */
struct watched_range {
	_Atomic(uintptr_t) base; /* 0: free */
	_Atomic(size_t) bytes;
	_Atomic(size_t) page_bytes;
	_Atomic(atomic_bool *) is_damaged;
};

static struct watched_range ranges[VHOST_FAULT_RANGES_MAX];
static pthread_mutex_t watch_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction former_action;

/* Put zeros where the page was. Whether the fault was in a watched range. */
static bool range_patch(uintptr_t addr)
{
	for (size_t i = 0; i < VHOST_FAULT_RANGES_MAX; i++) {
		struct watched_range *r = &ranges[i];
		uintptr_t base =
			atomic_load_explicit(&r->base, memory_order_acquire);
		size_t page;
		void *at;

		if (!base || addr < base || addr - base >= r->bytes)
			continue;
		page = r->page_bytes;
		at = (void *)(base + (addr - base) / page * page);
		if (mmap(at, page, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			 0) == MAP_FAILED)
			return false;
		atomic_store(r->is_damaged, true);
		return true;
	}
	return false;
}

static void on_sigbus(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	/* Another cause: let the instruction fault again under what was set
	 * before us, so that it ends the process as it would have. */
	if (info->si_code != BUS_ADRERR ||
	    !range_patch((uintptr_t)info->si_addr))
		sigaction(SIGBUS, &former_action, NULL);
	errno = saved_errno;
}

int vhost_fault_install(void)
{
	struct sigaction action = { .sa_sigaction = on_sigbus,
				    .sa_flags = SA_SIGINFO };
	struct sigaction now;

	if (sigaction(SIGBUS, NULL, &now))
		return -errno;
	if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_sigbus)
		return 0;
	former_action = now;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) ? -errno : 0;
}

int vhost_fault_watch(void *base, size_t bytes, size_t page_bytes,
		      atomic_bool *is_damaged)
{
	int result = -ENOSPC;

	pthread_mutex_lock(&watch_lock);
	for (size_t i = 0; i < VHOST_FAULT_RANGES_MAX; i++) {
		struct watched_range *r = &ranges[i];

		if (r->base)
			continue;
		r->bytes = bytes;
		r->page_bytes = page_bytes;
		r->is_damaged = is_damaged;
		atomic_store_explicit(&r->base, (uintptr_t)base,
				      memory_order_release);
		result = 0;
		break;
	}
	pthread_mutex_unlock(&watch_lock);
	return result;
}

void vhost_fault_unwatch(void *base)
{
	pthread_mutex_lock(&watch_lock);
	for (size_t i = 0; i < VHOST_FAULT_RANGES_MAX; i++)
		if (ranges[i].base == (uintptr_t)base)
			atomic_store_explicit(&ranges[i].base, 0,
					      memory_order_release);
	pthread_mutex_unlock(&watch_lock);
}
