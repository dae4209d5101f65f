/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h - what a queue has done, for whoever wants to know */
#ifndef PVX_DEVICE_COUNTERS_H
#define PVX_DEVICE_COUNTERS_H

#include <stdint.h>

#include "abi/virtio_cryptodev.h"

/* Rows of cryptsess_algorithm_at(), and one for requests without one. */
#define COUNTERS_ROWS_MAX 40
/* Bucket N counts times below 2^N microseconds; the last one, the rest. */
#define COUNTERS_LATENCIES 24
/* One request in so many is timed: a clock costs as much as a small block. */
#define COUNTERS_TIMED 16

struct counters_row {
	uint64_t requests; /* CRYPT and AUTHCRYPT on sessions of the row */
	uint64_t bytes;    /* payload of those that were OK */
	uint64_t failures;
	uint64_t sessions; /* opened */
	uint64_t timed;
	uint64_t timed_ns;
	uint64_t latency[COUNTERS_LATENCIES];
};

/*
 * Written by the queue's thread alone, in memory that outlives it; others read
 * it at any time, each number whole and for itself. A combined session counts
 * for its cipher.
 */
struct counters {
	uint64_t requests[VCD_OPS];      /* [0]: unknown ops */
	uint64_t statuses[VCD_STATUSES]; /* of answers */
	uint64_t unanswerable;           /* no room for a status, vcd 5.3 */
	uint64_t wakeups;
	uint64_t looks;   /* at the ring instead of sleeping */
	uint64_t finds;   /* looks that found a request */
	uint64_t batches; /* publishes */
	uint64_t calls;
	uint64_t throttled;
	uint64_t resumed; /* requests that a dead worker left */
	uint64_t depth;   /* available, when last looked at */
	uint64_t depths;  /* the sum of what that was for each batch */
	struct counters_row row[COUNTERS_ROWS_MAX];
};

/* Count one. */
static inline void counters_add(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

/* What is counted now. */
static inline void counters_set(uint64_t *counter, uint64_t number)
{
	__atomic_store_n(counter, number, __ATOMIC_RELAXED);
}

/* Note a time in the row's histogram. */
void counters_time(struct counters_row *row, uint64_t elapsed_ns);

#endif
