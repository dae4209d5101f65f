/* SPDX-License-Identifier: Apache-2.0 */
/* frontend.h - a vhost-user front end and driver without a VM, for tests */
#ifndef PVX_TESTS_FRONTEND_H
#define PVX_TESTS_FRONTEND_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/proto.h"

/*
 * How it works: guest memory is one memfd, cut into regions with guest
 * addresses of their own; rings and buffers are taken from it one after the
 * other. Everything the driver writes is in plain sight (desc, avail, used), so
 * that a test can spoil it, and every message may be sent with any bytes.
 *
 * Functions that talk return 0 or -errno and wait at most FRONTEND_WAIT_MS.
 * One thread at a time uses a frontend; a queue may have a thread of its own
 * once it was started.
 */
#define FRONTEND_QUEUES_MAX  8
#define FRONTEND_REGIONS_MAX 8
#define FRONTEND_RING_MAX    1024
#define FRONTEND_WAIT_MS     60000

#define FRONTEND_DESC_NEXT     1u
#define FRONTEND_DESC_WRITE    2u
#define FRONTEND_DESC_INDIRECT 4u

struct frontend_desc {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};

struct frontend_used {
	uint32_t head;
	uint32_t bytes;
};

/* One piece of a request's memory. */
struct frontend_piece {
	uint64_t guest_addr;
	uint32_t bytes;
	bool is_writable;
};

struct frontend;

struct frontend_queue {
	struct frontend *fe;
	unsigned int index;
	uint32_t size;
	uint64_t desc_guest;
	uint64_t avail_guest;
	uint64_t used_guest;
	struct frontend_desc *desc; /* in guest memory, as are these two */
	uint16_t *avail;            /* flags, idx, heads, used_event */
	uint16_t *used;             /* flags, idx, elements, avail_event */
	bool has_event_idx;
	uint16_t avail_idx; /* what we have written so far */
	uint16_t kicked;    /* avail_idx at the last look at avail_event */
	uint16_t last_used;
	uint16_t free_head;
	uint32_t free_count;
	uint16_t next_free[FRONTEND_RING_MAX];
	uint16_t chain_descs[FRONTEND_RING_MAX]; /* of a head in flight */
	int kick_fd;
	int call_fd;
	int err_fd;
};

struct frontend {
	int sock; /* -1: not connected */
	/* Called now and then while an answer is waited for; NULL: not. */
	void (*while_waiting)(void);
	int memory_fd;
	uint8_t *memory;
	uint64_t memory_bytes;
	uint64_t arena_used;
	unsigned int region_count;
	struct vhost_region region[FRONTEND_REGIONS_MAX];
	uint64_t features;
	uint64_t protocol_features;
	struct frontend_queue queue[FRONTEND_QUEUES_MAX];
};

/*
 * Guest memory of `bytes` in `regions` equal regions. Guest addresses of all
 * but the last are contiguous; the last one lies behind a hole.
 */
int frontend_init(struct frontend *fe, uint64_t bytes, unsigned int regions);
void frontend_deinit(struct frontend *fe);

/* Connect to a listening socket, or use one end of a pair (owned). */
int frontend_connect(struct frontend *fe, const char *path);
void frontend_adopt(struct frontend *fe, int sock);
void frontend_disconnect(struct frontend *fe);

/* --- messages ---------------------------------------------------------- */

/* Send these bytes and descriptors (borrowed), whatever they are. */
int frontend_send_raw(struct frontend *fe, const void *bytes, size_t count,
		      const int *fds, unsigned int fd_count);

/* Send a well-formed header and that payload. */
int frontend_send(struct frontend *fe, uint32_t request, uint32_t flags,
		  const void *payload, uint32_t payload_bytes, const int *fds,
		  unsigned int fd_count);

/* The next message from the back end; a descriptor in it is owned by the
 * caller. -EPIPE when it closed the connection, -ETIMEDOUT. */
int frontend_receive(struct frontend *fe, struct vhost_message *message);

/* Send with NEED_REPLY: 0 when acknowledged, -EREMOTEIO when refused. */
int frontend_ask(struct frontend *fe, uint32_t request, const void *payload,
		 uint32_t payload_bytes, const int *fds, unsigned int fd_count);

/* GET_FEATURES and the like: a question without payload and a u64 answer. */
int frontend_get(struct frontend *fe, uint32_t request, uint64_t *value);

int frontend_ask_u64(struct frontend *fe, uint32_t request, uint64_t value);
int frontend_ask_ring(struct frontend *fe, uint32_t request, uint32_t index,
		      uint32_t value);

/* Set features: what is offered and in the masks. Then share the memory. */
int frontend_negotiate(struct frontend *fe, uint64_t features,
		       uint64_t protocol_features);
int frontend_share_memory(struct frontend *fe);

/* --- guest memory ------------------------------------------------------ */

/* Take memory for good; 0 when there is no more. Never crosses regions unless
 * `bytes` does not fit into what is left of one. */
uint64_t frontend_alloc(struct frontend *fe, uint64_t bytes, uint64_t align);
/* The place of a guest address, NULL outside. */
void *frontend_at(struct frontend *fe, uint64_t guest_addr);
/* The user address that stands for a guest address in messages. */
uint64_t frontend_user(struct frontend *fe, uint64_t guest_addr);

/* --- queues ------------------------------------------------------------ */

/* Lay a ring of `size` in memory and make its descriptors. */
int frontend_queue_init(struct frontend *fe, unsigned int index, uint32_t size);
/* Forget all requests: a ring as it was made. */
void frontend_queue_clear(struct frontend_queue *q);
/* NUM, BASE, ADDR, CALL, ERR, KICK, ENABLE 1 (or an -errno of one). */
int frontend_queue_start(struct frontend_queue *q, uint16_t base);
int frontend_queue_set_addr(struct frontend_queue *q);
int frontend_queue_set_fd(struct frontend_queue *q, uint32_t request, int fd);
/* ENABLE 0, GET_VRING_BASE. */
int frontend_queue_stop(struct frontend_queue *q, uint16_t *base);

/*
 * Put a request into descriptors; `table` (guest address of count * 16 bytes,
 * or 0) makes it indirect. Returns the head, or -ENOSPC.
 */
int frontend_submit(struct frontend_queue *q,
		    const struct frontend_piece *pieces, unsigned int count,
		    uint64_t table);
/* Put a head into the available ring, whatever it is. */
void frontend_make_available(struct frontend_queue *q, uint16_t head);
/* Show the new heads; kick when the device asks for it. */
int frontend_kick(struct frontend_queue *q);
/* Kick whatever the device asks for. */
int frontend_kick_always(struct frontend_queue *q);

/* The next answer: 1, and its descriptors are free again; 0; -EPROTO when the
 * device returned what it was not given. */
int frontend_harvest(struct frontend_queue *q, struct frontend_used *used);
/* As above, waiting for a call where there is none; 0 after `timeout_ms`. */
int frontend_wait(struct frontend_queue *q, struct frontend_used *used,
		  int timeout_ms);
/* Ask for a call and wait until there may be an answer: 1, 0 after the time,
 * -errno. */
int frontend_wait_call(struct frontend_queue *q, int timeout_ms);
/* Wait until `fd` is readable: 1, 0 after the time, -errno. */
int frontend_poll(int fd, int timeout_ms);
/* The same with what is to be done meanwhile. */
int frontend_await(struct frontend *fe, int fd, int timeout_ms);

#endif
