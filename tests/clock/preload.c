/* SPDX-License-Identifier: Apache-2.0 */
/* preload.c - clocks that jump, for a test */

/*
 * How it works: preloaded into a program, it adds to clock_gettime() what the
 * file $PVX_CLOCK says at that moment: two numbers of 64 bits, by how many
 * milliseconds CLOCK_REALTIME and CLOCK_MONOTONIC are ahead. The file is
 * mapped, so that a test can write it at any time. The system call is made
 * here, because a sanitizer's runtime may stand on either side.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

struct ahead_ms {
	int64_t realtime;
	int64_t monotonic;
};

static const struct ahead_ms *ahead;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("PVX_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *place = MAP_FAILED;

	if (fd >= 0)
		place = mmap(NULL, sizeof(*ahead), PROT_READ, MAP_SHARED, fd,
			     0);
	if (place == MAP_FAILED)
		abort(); /* a test without its fault would prove nothing */
	close(fd);
	ahead = place;
}

static int64_t ahead_of(clockid_t clock)
{
	if (!ahead)
		return 0;
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		return __atomic_load_n(&ahead->realtime, __ATOMIC_RELAXED);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
		return __atomic_load_n(&ahead->monotonic, __ATOMIC_RELAXED);
	default:
		return 0;
	}
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int64_t more_ms = ahead_of(clock);

	if (syscall(SYS_clock_gettime, clock, now))
		return -1;
	now->tv_sec += more_ms / 1000;
	now->tv_nsec += more_ms % 1000 * NS_PER_MS;
	if (now->tv_nsec >= NS_PER_S) {
		now->tv_nsec -= NS_PER_S;
		now->tv_sec++;
	} else if (now->tv_nsec < 0) {
		now->tv_nsec += NS_PER_S;
		now->tv_sec--;
	}
	return 0;
}
