/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h - a ring and the thread that serves it */
#ifndef PVX_DEVICE_QUEUE_H
#define PVX_DEVICE_QUEUE_H

#include "device/engine.h"
#include "device/look.h"
#include "device/throttle.h"

/*
 * How it works: the thread takes what is available, executes each request
 * (engine.h), returns and publishes the batch, calls when the driver wants to
 * be called, looks for more for a while (look.h), asks for kicks and sleeps.
 * The journal has each step, so that the
 * thread of another worker can go on.
 *
 * start and stop are called by one other thread.
 */
struct queue {
	struct engine_lane *lane;  /* borrowed */
	struct throttle *throttle; /* borrowed */
	struct counters *counters; /* borrowed */
	struct journal journal;
	struct vring ring;
	struct vring_chain chain;
	int kick_fd;  /* -1: look every now and then */
	int call_fd;  /* -1: the driver looks for itself */
	int err_fd;   /* -1: nobody wants to know */
	int wake_fd;  /* our own: stop */
	int epoll_fd; /* of wake_fd and kick_fd */
	struct look look;
	bool is_kick_socket;
	bool is_kick_number; /* an eventfd, which is never drained */
	bool is_call_socket;
	bool is_broken;
	atomic_bool must_stop;
	pthread_t thread;
	bool is_running;
};

struct queue_start {
	struct vring_layout layout;
	uint64_t features;
	uint32_t number; /* of the ring's starts */
	uint16_t base;
	int kick_fd; /* owned from now on, also on failure */
	int call_fd;
	int err_fd;
	const struct guest_memory *memory;   /* borrowed until it stops */
	const struct inflight_map *inflight; /* the same; NULL: none */
};

int queue_init(struct queue *queue, struct engine_lane *lane,
	       struct throttle *throttle, uint64_t poll_ns);
void queue_deinit(struct queue *queue);

/* Attach and serve: from where the journal says when it is of the same start,
 * else from `base`. 0 or -errno. */
int queue_start(struct queue *queue, const struct queue_start *start);

/* Ask the thread to end after the request at hand. */
void queue_ask_stop(struct queue *queue);

/* Wait for its end. What it has begun is finished, its descriptors are closed,
 * and guest memory is touched no more. Returns next_avail. */
uint16_t queue_stop(struct queue *queue);

#endif
