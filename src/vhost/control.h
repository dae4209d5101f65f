/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - the back end's side of a vhost-user connection */
#ifndef PVX_VHOST_CONTROL_H
#define PVX_VHOST_CONTROL_H

#include "vhost/channel.h"
#include "vhost/memory.h"
#include "vhost/vring.h"

/*
 * How it works: the owner polls the socket and calls vhost_control_read() when
 * it is readable. Each message is looked up in one table and judged against
 * it; a few of them need rings to stand still. Then the control asks its owner
 * to stop them, which may take a while elsewhere (VHOST_PENDING): the owner
 * stops polling the socket and calls vhost_control_continue() when they stand.
 * Afterwards rings that should run are started again.
 *
 * All that a connection is lies in a vhost_state, plain data that the owner may
 * keep in memory of its choice, and in a vhost_fds. Rings and mappings are the
 * owner's, in this or any other process: vring_attach() and
 * guest_memory_attach() make them from state and descriptors.
 *
 * Ring states (vhost-user.rst): a ring runs when it has addresses, was given a
 * kick descriptor, and is enabled. UML never sends GET_VRING_BASE, so ENABLE 0
 * is a full stop, answered only when the ring's requests are finished.
 */

/* What a hook returns when it is not done yet. */
#define VHOST_PENDING 1

struct vhost_ring_state {
	struct vring_layout layout;
	uint16_t base; /* next_avail at the next start */
	bool has_addresses;
	bool is_started; /* a kick descriptor, or the wish to be polled */
	bool is_enabled;
	bool is_running;
};

struct vhost_state {
	uint64_t features;
	uint64_t protocol_features;
	struct guest_layout memory;
	struct vhost_inflight_area inflight; /* bytes 0: none */
	struct vhost_ring_state ring[VHOST_QUEUES_MAX];
};

/* -1: none. */
struct vhost_fds {
	int memory[GUEST_REGIONS_MAX]; /* of the layout's regions */
	int kick[VHOST_QUEUES_MAX];
	int call[VHOST_QUEUES_MAX];
	int err[VHOST_QUEUES_MAX];
	int inflight;
	int backend_req;
};

/* What the device is, and what its owner does. Every hook gets `owner`. */
struct vhost_device {
	uint64_t features;          /* offered; F_PROTOCOL_FEATURES too */
	uint64_t protocol_features; /* offered */
	unsigned int queues;
	unsigned int config_bytes;

	/* Fill [offset, offset + bytes), which lies within config_bytes. */
	void (*get_config)(void *owner, uint8_t *data, uint32_t offset,
			   uint32_t bytes);
	/* The ring may run: attach to state->ring[index], look into it at once
	 * and signal its call descriptor once. 0 or -errno. */
	int (*start)(void *owner, unsigned int index);
	/* Let the rings in `mask` finish what they have begun and touch their
	 * memory no more; store each one's next_avail as its `base`. 0 or
	 * VHOST_PENDING. */
	int (*stop)(void *owner, uint64_t mask);
	/* The memory map, or the inflight file, is another; no ring runs. 0 or
	 * -errno: the guest's memory cannot be used. */
	int (*remap)(void *owner);
	/* RESET_DEVICE: forget all state of the device itself. No ring runs. */
	void (*reset)(void *owner);
};

struct vhost_control {
	const struct vhost_device *device; /* borrowed */
	void *owner;                       /* borrowed */
	struct vhost_state *state;         /* borrowed */
	struct vhost_fds *fds;             /* borrowed; the descriptors owned */
	struct vhost_channel channel;
	bool is_pending;
};

/* A fresh connection on `fd` (owned from now on): state and fds are set to
 * nothing. */
void vhost_control_init(struct vhost_control *control,
			const struct vhost_device *device, void *owner,
			struct vhost_state *state, struct vhost_fds *fds,
			int fd);

/* Go on with a connection of another process: `fd`, `state` and `fds` are what
 * it had between two messages. */
void vhost_control_resume(struct vhost_control *control,
			  const struct vhost_device *device, void *owner,
			  struct vhost_state *state, struct vhost_fds *fds,
			  int fd);

/* Close every descriptor and forget the state. The owner has stopped its rings
 * and unmapped its memory. */
void vhost_control_deinit(struct vhost_control *control);

/*
 * Read on and act on at most one message. Returns 0 when it waits for the
 * socket, 1 after a message (there may be more), -EINPROGRESS while it waits
 * for vhost_control_continue(), -EPIPE when the front end has gone, another
 * -errno when the connection must be closed.
 */
int vhost_control_read(struct vhost_control *control);

/* The rings that `stop` was asked for stand still. As vhost_control_read(). */
int vhost_control_continue(struct vhost_control *control);

/*
 * Tell the front end that the configuration space changed. 0; -ENOTCONN when it
 * gave no socket for that; -errno. Never waits.
 */
int vhost_control_config_changed(struct vhost_control *control);

/* The rings that run, a bit for each. */
uint64_t vhost_control_running(const struct vhost_control *control);

/* "SET_MEM_TABLE" and the like, or "?". */
const char *vhost_request_name(uint32_t request);

#endif
