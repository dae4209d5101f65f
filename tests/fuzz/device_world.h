/* SPDX-License-Identifier: Apache-2.0 */
/* device_world.h - a device's engine, guest and deaths, in one thread */
#ifndef PVX_TESTS_DEVICE_WORLD_H
#define PVX_TESTS_DEVICE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/virtio_cryptodev.h"
#include "device/journal.h"

/* Any claim that does not hold ends the process. */

/* Where a strike hits guest memory, counted from there. */
enum world_place {
	WORLD_READABLE,
	WORLD_WRITABLE,
	WORLD_DESCRIPTORS, /* the ring's table or the indirect one */
	WORLD_RING,        /* all of it */
	WORLD_PLACES
};

/* At `moment` of the next request (MOMENTS: before it is taken) a byte of
 * guest memory changes. */
struct world_strike {
	uint8_t moment;
	uint8_t where;
	uint16_t offset;
	uint8_t flip;
};

struct world_request {
	uint32_t op;
	struct vcd_request header;
	uint8_t params[64] __attribute__((aligned(8)));
	size_t params_bytes;
	size_t answer_bytes;
	uint64_t in_bytes;   /* of the parts; what does not fit is cut */
	uint64_t out_bytes;  /* the same */
	uint32_t source_at;  /* in the parts */
	const uint8_t *data; /* the parts begin with it, then go on at random */
	size_t data_bytes;
	unsigned int queue;
	bool is_indirect;
	bool is_in_place;    /* destination over source */
	unsigned int pieces; /* manner: 0 to 3 */
	/* Of the answer: OK, and nothing has spoilt it. */
	bool is_ok;
	uint8_t answer[512] __attribute__((aligned(8)));
};

/* As new: no generation, no sessions, empty rings. */
void world_init(void);
void world_end(void);

/* Send and serve; whatever strikes and deaths were laid happens. */
void world_send(struct world_request *r);
void world_strike(const struct world_strike *strike);
void world_die_at(unsigned int moment);

/* The front end goes and comes again; or its rings only. */
void world_forget(void);
void world_restart_rings(void);

#endif
