/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - what supervisor and worker say to each other */
#ifndef PVX_DEVICE_LINK_H
#define PVX_DEVICE_LINK_H

#include "vhost/control.h"

/*
 * How it works: a SOCK_SEQPACKET pair, one message for each step. All that a
 * worker has to know is in the message, so the supervisor may change its state
 * while the message is under way. At most one START is under way for each
 * queue, since only STOPPED lets the supervisor start a queue again.
 */
enum link_type {
	LINK_START = 1, /* queue, ring, features; with or without memory */
	LINK_STOP,      /* mask; should_unmap */
	LINK_STOPPED,   /* mask, next_avail: the answer to STOP */
	LINK_FAILED,    /* queue, error: START did not work */
};

/* The descriptors of a START, in this order; each may be absent. */
enum link_fd {
	LINK_FD_KICK,
	LINK_FD_CALL,
	LINK_FD_ERR,
	LINK_FD_INFLIGHT,
	LINK_FD_MEMORY, /* the first of GUEST_REGIONS_MAX */
	LINK_FDS = LINK_FD_MEMORY + GUEST_REGIONS_MAX
};

struct link_message {
	uint32_t type;
	uint32_t queue;
	uint64_t mask;
	int32_t error; /* -errno */
	bool has_memory;
	bool should_unmap; /* no ring runs any more */
	uint64_t features;
	struct vring_layout ring;
	uint32_t start; /* the ring's starts so far */
	uint16_t base;
	struct guest_layout memory;
	struct vhost_inflight_area inflight; /* bytes 0: none */
	uint16_t next_avail[VHOST_QUEUES_MAX];
	uint64_t present; /* which descriptors are there */
};

/* fds: -1 for none, all LINK_FDS of them; borrowed. NULL: none at all. Never
 * waits. 0 or -errno. */
int link_send(int sock, struct link_message *message, const int *fds);

/*
 * Wait for the next message, unless the socket does not wait. The descriptors
 * become the caller's, to be closed by link_close() where they were not made
 * -1. 1, 0 when the other side has gone, or -errno without descriptors.
 */
int link_receive(int sock, struct link_message *message, int *fds);
void link_close(int *fds);

#endif
