/* SPDX-License-Identifier: Apache-2.0 */
/* device_inner.h - what device_world.c and device_guest.c have in common */
#ifndef PVX_TESTS_DEVICE_INNER_H
#define PVX_TESTS_DEVICE_INNER_H

#include <setjmp.h>

#include "device/task.h"
#include "fuzz/demand.h"
#include "fuzz/device_world.h"

#define QUEUES       2u
#define FILES        4u
#define SESSIONS     6u
#define REQUEST_MAX  4096u
#define RING         128u
#define REGION_BYTES 32768u
#define REGIONS      2u
#define GUEST_START  UINT64_C(0x100000)
#define RING_BYTES   0x2000u /* of each queue, with an indirect table */
#define AVAIL_AT     0x800u
#define USED_AT      0x1000u
#define TABLE_AT     0x1800u
#define ARENA        (GUEST_START + (uint64_t)QUEUES * RING_BYTES)
#define ARENA_END    (GUEST_START + (uint64_t)REGIONS * REGION_BYTES)
#define STRIKES_MAX  4u
#define TAKES_MAX    8u

/* A queue of a worker; its ring's driver. */
struct line {
	struct vring ring;
	struct journal journal;
	struct vring_layout layout;
	uint16_t avail_idx; /* the driver's */
	uint16_t last_used;
};

struct world {
	struct state state;
	struct cryptsess_provider *provider;
	struct engine engine;
	uint32_t worker;
	struct guest_memory memory;
	uint8_t *was[REGIONS]; /* guest memory before the request */
	uint8_t *may_change[REGIONS];
	struct line line[QUEUES];
	struct vring_chain chain;
	struct world_strike strike[STRIKES_MAX];
	unsigned int strike_count;
	unsigned int death; /* a moment; MOMENTS: none */
	jmp_buf grave;
	unsigned int queue;                 /* of the request */
	uint64_t readable, writable, table; /* of the request: addresses */
	bool is_struck; /* ring, descriptors or answer were changed */
	uint64_t random;
	uint8_t noise[REGIONS * REGION_BYTES];
	uint8_t pattern[REGIONS * REGION_BYTES + 8]; /* not written */
	uint64_t arena;                              /* next free address */
};

extern struct world w;

/* From the same start for each input. */
uint8_t world_random(void);
/* The place of a guest address, and where a queue's ring begins. */
uint8_t *guest_at(uint64_t guest_addr);
uint64_t world_ring(unsigned int queue);

/* Remember guest memory; demand that only what was offered has changed. */
void world_snapshot(void);
void world_check_memory(void);
void world_check_tables(void);

void world_strike_all(unsigned int moment);
/* Serve w.queue through all deaths. Whether the ring is sound. */
bool world_serve(void);
/* A ring as it was made. */
void world_reset_ring(unsigned int queue);

#endif
