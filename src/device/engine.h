/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - execute the requests of the contract */
#ifndef PVX_DEVICE_ENGINE_H
#define PVX_DEVICE_ENGINE_H

#include <pthread.h>
#include <stdbool.h>

#include "cryptsess.h"
#include "device/journal.h"
#include "device/state.h"

/*
 * How it works: an engine is what one worker makes of the state: it has the
 * provider and the open crypto sessions, which are made from the state's keys
 * when they are first used. Each queue's thread runs requests on its own lane.
 *
 * A request is judged in the order of vcd 5.3 by one table of ops. Header and
 * parameters are copied once; payload is used where it lies in guest memory.
 * When readable and writable bytes overlap, the whole answer is first made in
 * the queue's result and recorded, so that a request can always be done again
 * from what is readable (vcd 9.3).
 *
 * Locks: a lane's lock is held while it executes a batch. Ops that change the
 * tables or reach into another queue's sessions hold every lane's lock, in
 * order, behind `exclusive`; so HELLO is the barrier of vcd 4.4, and what one
 * request finds in the tables stays as it is until it ends. Mutexes are not
 * fair, so a lane that is about to begin a batch or a request gives way to who
 * wants them all.
 */
#define ENGINE_ATTEMPTS_MAX 3 /* vcd 9.5 */

/* Free entries of a table of the state; rebuilt by each worker. */
struct engine_pool {
	uint64_t *used; /* a bit for each entry */
	uint32_t entries;
	uint32_t next; /* where to look first: entries rest before reuse */
};

/* A session that was opened, and what it is made of (libcryptsess would put
 * names together each time it is asked). */
struct engine_crypto {
	struct cryptsess *session;                /* NULL: not yet opened */
	const struct cryptsess_algorithm *cipher; /* NULL: none */
	const struct cryptsess_algorithm *mac;    /* NULL: none */
};

struct engine_lane {
	pthread_mutex_t lock;
	struct engine *engine;
	unsigned int index; /* of the queue */
	unsigned int untimed;
	uint8_t *scratch; /* result_bytes of the worker's own */
	struct iovec source[VRING_PIECES_MAX];
	struct iovec target[VRING_PIECES_MAX];
	struct iovec auth[VRING_PIECES_MAX];
} __attribute__((aligned(64)));

struct engine {
	struct state *state;                 /* borrowed */
	struct cryptsess_provider *provider; /* borrowed */
	uint32_t worker;                     /* its number, not 0 */
	struct vcd_config config;
	uint64_t ciphers[2]; /* of the HELLO answer */
	uint64_t macs[2];
	pthread_mutex_t exclusive;
	_Atomic uint32_t exclusive_wanted; /* ops that want it, or have it */
	struct engine_pool files;          /* under all locks */
	struct engine_pool sessions;       /* under all locks */
	struct engine_crypto *crypto;      /* by index of the state's session */
	struct engine_lane *lane;          /* for each queue */
	/* For tests: told at each moment. NULL in the daemon. */
	void (*at_moment)(unsigned int queue, enum journal_moment moment);
};

/* 0 or -errno. `worker` is a number that no worker of this state had. */
int engine_init(struct engine *engine, struct state *state,
		struct cryptsess_provider *provider, uint32_t worker);
void engine_deinit(struct engine *engine);

/*
 * Go on with what is in the state, before any queue runs: repair it and end
 * entries that cannot be. Its last worker may have been taken over, so what
 * cannot do without the sandbox is done before. Nobody else writes the state
 * from then on (state_lock()).
 */
void engine_take_over(struct engine *engine);

/* What the device says of itself with these limits and that provider. */
void engine_describe(struct vcd_config *config,
		     const struct state_limits *limits,
		     struct cryptsess_provider *provider);

/* The lane's thread is about to execute requests, and has done with them: it
 * must leave before it waits for anything. */
void engine_enter(struct engine_lane *lane);
void engine_leave(struct engine_lane *lane);

/*
 * On a lane that was entered: execute the request in `chain`, or finish what
 * another worker began, as `slot` tells. When it returns the slot is committed
 * and applied, and slot->used_bytes is what to return the chain with. Returns
 * the bytes of payload and of associated data that were worked on, for the
 * throttle.
 */
uint32_t engine_execute(struct engine_lane *lane, struct state_slot *slot,
			const struct vring_chain *chain);

static inline void engine_moment(const struct engine_lane *lane,
				 enum journal_moment moment)
{
	if (lane->engine->at_moment)
		lane->engine->at_moment(lane->index, moment);
}

#endif
