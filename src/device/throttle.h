/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.h - keep a device to so many operations and bytes a second */
#ifndef PVX_DEVICE_THROTTLE_H
#define PVX_DEVICE_THROTTLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * How it works: each rate has a time up to which it is spent. A request moves
 * that time on by what it costs, and the next one waits until it is at most a
 * tenth of a second ahead, which is the burst. All queues share one throttle.
 */
struct throttle {
	uint64_t bytes_per_s; /* 0: any */
	uint64_t ops_per_s;   /* 0: any */
	pthread_mutex_t lock;
	uint64_t bytes_spent_ns; /* under lock; CLOCK_MONOTONIC */
	uint64_t ops_spent_ns;   /* under lock */
};

void throttle_init(struct throttle *throttle, uint64_t bytes_per_s,
		   uint64_t ops_per_s);

static inline bool throttle_is_on(const struct throttle *throttle)
{
	return throttle->bytes_per_s || throttle->ops_per_s;
}

/* How long to wait before the next request; 0: it may begin. */
uint64_t throttle_delay_ns(struct throttle *throttle, uint64_t now_ns);

/* A request of so many bytes was done. */
void throttle_spend(struct throttle *throttle, uint64_t now_ns, uint32_t bytes);

#endif
