/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - many requests in flight, each checked to the byte */
#ifndef PVX_TESTS_LOAD_H
#define PVX_TESTS_LOAD_H

#include "cryptsess.h"
#include "device/driver.h"

/*
 * How it works: each queue has a session of AES-128-CBC whose IV is chained
 * from request to request, so one request that is lost, done twice or out of
 * order spoils all that follow. A session of libcryptsess in this process says
 * what each answer must be. On odd queues source and destination are one
 * memory. The memory of a request in flight is not touched.
 */
#define LOAD_DEPTH 16
#define LOAD_BYTES 4096

struct load_slot {
	struct frontend_piece piece[4];
	uint8_t *request; /* in guest memory: header and parameters */
	uint8_t *source;
	uint8_t *reply;
	uint8_t *destination; /* may be `source` */
	uint8_t expected[LOAD_BYTES];
	int head; /* -1: not in flight */
};

struct load_queue {
	uint32_t session;
	struct cryptsess *reference;
	struct load_slot slot[LOAD_DEPTH];
	unsigned int in_flight;
	uint64_t answered;
	uint64_t silent_ns; /* without an answer, of the turns' time */
};

struct load {
	struct driver *driver;
	struct cryptsess_provider *provider;
	uint32_t file;
	struct load_queue queue[DRIVER_QUEUES];
	uint64_t launched;
	uint64_t answered;
	uint64_t turn_ns; /* when the last one was */
};

/* On a connected driver, after HELLO. 0 or -errno. */
int load_init(struct load *load, struct driver *driver);
void load_deinit(struct load *load);

/* Fill every queue to its depth, and take what was answered: 0, or -EPROTO for
 * an answer that is wrong or was not asked for. Never waits; but when a queue
 * had no answer in turns of FRONTEND_WAIT_MS, it is -ETIMEDOUT. */
int load_turn(struct load *load);

/* Wait until nothing is in flight. As load_turn(), or -ETIMEDOUT. */
int load_drain(struct load *load);

#endif
