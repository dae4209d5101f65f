/* SPDX-License-Identifier: Apache-2.0 */
/* rings.h - keep a device's rings full of one kind of request */
#ifndef PVX_TESTS_RINGS_H
#define PVX_TESTS_RINGS_H

#include "bench/direct.h"
#include "device/driver.h"

/*
 * How it works: each queue has `depth` slots of guest memory with a request
 * written once; a slot that comes back is submitted again. Where everything
 * runs on one CPU the front end sleeps when there is nothing to take, so the
 * device works a whole ring off before it is heard; on two CPUs both sides
 * work at once.
 */
#define RINGS_QUEUES_MAX 2
#define RINGS_DEPTH_MAX  64
/* Of source, and of destination, of all slots. */
#define RINGS_BYTES_MAX (16u << 20)

struct rings_slot {
	struct frontend_piece piece[4];
	unsigned int pieces;
	uint64_t table; /* of indirect descriptors */
	uint8_t *source;
	uint8_t *destination;
};

struct rings {
	struct driver *driver; /* borrowed; connected */
	uint32_t file;
	unsigned int queues;
	unsigned int depth;
	unsigned int spin_turns; /* looks before sleeping */
	struct rings_slot slot[RINGS_QUEUES_MAX][RINGS_DEPTH_MAX];
	uint16_t slot_of[RINGS_QUEUES_MAX][DRIVER_RING]; /* by head */
};

/* What a run came to. */
struct rings_run {
	uint64_t ops;
	uint64_t wall_ns;
	uint64_t cpu_ns;   /* of the worker's threads */
	uint64_t front_ns; /* and of this one: the front end */
};

/*
 * Requests of `algorithm` (NULL: PING) with `bytes` of payload on `queues`
 * queues. 0 or -errno; the arena is rewound first.
 */
int rings_init(struct rings *rings, struct driver *driver,
	       const struct bench_algorithm *algorithm, uint32_t bytes,
	       unsigned int queues, unsigned int depth);
void rings_deinit(struct rings *rings);

/* Run for that time, and until all has come back. -EPROTO when an answer is
 * not OK. */
int rings_run(struct rings *rings, uint64_t run_ns, struct rings_run *run);

/* SESSION_OPEN and SESSION_CLOSE, one after the other. */
int rings_run_sessions(struct rings *rings,
		       const struct bench_algorithm *algorithm, uint64_t run_ns,
		       struct rings_run *run);

/* On a CPU, of this thread. */
uint64_t rings_thread_ns(void);

#endif
