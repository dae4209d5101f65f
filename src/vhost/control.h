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
 * A connection may outlive this process (vhost_control_keep()): the message at
 * hand stays in the socket until it took effect, and at each step the owner is
 * asked to put state and descriptors where its successor finds them (commit).
 * Until a message took effect it's as if it had not been read; from then on
 * vhost_step says what is left to do. Rings start behind that commit, so that
 * nothing is done in a ring that the successor doesn't know of.
 *
 * Ring states (vhost-user.rst): a ring runs when it has addresses, was given a
 * kick descriptor, and is enabled. UML never sends GET_VRING_BASE, so ENABLE 0
 * is a full stop, answered only when the ring's requests are finished.
 */

/* What a hook returns when it is not done yet. */
#define VHOST_PENDING 1

/* Moments of a message on a kept connection, at which a test may end us. */
enum vhost_moment {
	VHOST_MOMENT_RECEIVED,
	VHOST_MOMENT_STOPPED, /* rings stand still, nothing else has changed */
	VHOST_MOMENT_ACTED,   /* in our state only */
	VHOST_MOMENT_APPLIED, /* in our successor's too; rings do not run */
	VHOST_MOMENT_STARTED,
	VHOST_MOMENT_TAKEN,   /* out of the socket */
	VHOST_MOMENT_WRITTEN, /* the answer is in the pipe, not yet noted */
	VHOST_MOMENT_NOTED,
	VHOST_MOMENT_SENT, /* not yet noted */
	VHOST_MOMENTS
};

/* How far the message at hand came. */
enum vhost_phase {
	VHOST_PHASE_OPEN,    /* to be handled, if there is one */
	VHOST_PHASE_APPLIED, /* to be taken, and the answer to be written */
	VHOST_PHASE_WRITTEN, /* taken; the answer is in the pipe, or was sent */
};

struct vhost_step {
	uint32_t phase;
	bool has_answer;
	struct vhost_message answer;
};

struct vhost_ring_state {
	struct vring_layout layout;
	uint16_t base; /* next_avail at the next start */
	bool has_addresses;
	bool is_started; /* a kick descriptor, or the wish to be polled */
	bool is_enabled;
	bool is_running;
	uint32_t starts; /* so far, so that each one has a number */
};

struct vhost_state {
	uint64_t features;
	uint64_t protocol_features;
	struct guest_layout memory;
	struct vhost_inflight_area inflight; /* bytes 0: none */
	struct vhost_ring_state ring[VHOST_QUEUES_MAX];
	struct vhost_step step;
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
	/* Kept connections: state and descriptors, as they are now, are what
	 * another process may go on from. NULL: none is kept. */
	void (*commit)(void *owner);
	/* For tests: told at each moment. NULL: nobody wants to know. */
	void (*at_moment)(void *owner, enum vhost_moment moment);
};

struct vhost_control {
	const struct vhost_device *device; /* borrowed */
	void *owner;                       /* borrowed */
	struct vhost_state *state;         /* borrowed */
	struct vhost_fds *fds;             /* borrowed; the descriptors owned */
	struct vhost_channel channel;
	bool is_pending;
	uint64_t starting;  /* rings that run as soon as that is committed */
	int answer_pipe[2]; /* borrowed, of a kept connection */
};

/* A fresh connection on `fd` (owned from now on): state and fds are set to
 * nothing. */
void vhost_control_init(struct vhost_control *control,
			const struct vhost_device *device, void *owner,
			struct vhost_state *state, struct vhost_fds *fds,
			int fd);

/* Go on with a connection of another process: `fd`, `state` and `fds` are what
 * it had between two messages, or at its last commit. */
void vhost_control_resume(struct vhost_control *control,
			  const struct vhost_device *device, void *owner,
			  struct vhost_state *state, struct vhost_fds *fds,
			  int fd);

/*
 * Keep the connection over our death. `pipe_fds` (borrowed, of pipe2(2) with
 * O_NONBLOCK) must outlive us like the socket; commit() and all that it is
 * given too. Called behind vhost_control_init(), with an empty pipe; or behind
 * vhost_control_resume(), and then it judges the state and finishes the message
 * of the process that died. 0 or -errno: the connection cannot be kept, and
 * must be closed.
 */
int vhost_control_keep(struct vhost_control *control, const int pipe_fds[2]);

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
 * gave no socket for that; -errno. Never waits. QEMU 11.1 dies of one that it
 * reads while the device is stopped: vub_config_notifier() then has a NULL.
 */
int vhost_control_config_changed(struct vhost_control *control);

/* The rings that run, a bit for each. */
uint64_t vhost_control_running(const struct vhost_control *control);

/* "SET_MEM_TABLE" and the like, or "?". */
const char *vhost_request_name(uint32_t request);

#endif
