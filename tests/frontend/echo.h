/* SPDX-License-Identifier: Apache-2.0 */
/* echo.h - the smallest device on src/vhost, to drive the transport with */
#ifndef PVX_TESTS_ECHO_H
#define PVX_TESTS_ECHO_H

#include <sys/types.h>

#include "vhost/control.h"

#define ECHO_QUEUES       4
#define ECHO_CONFIG_BYTES 64
#define ECHO_MASK         0x5a /* an answer is the question XOR this */

struct echo;

/* How the device behaves; all zero: well. */
struct echo_options {
	/* Another device: its configuration space, and what it does with the
	 * request in echo->chain of ring `index`. */
	void (*get_config)(uint8_t *data, uint32_t offset, uint32_t bytes);
	void (*answer)(struct echo *echo, unsigned int index);
	bool is_slow_to_stop;   /* a stop ends one turn of the loop later */
	bool holds_answers;     /* takes requests and never returns them */
	unsigned int die_after; /* _exit() in front of publish number N */
	/* With the Nth request taken and not answered, leave everything to
	 * another process, which goes on from plain data and descriptors. */
	unsigned int hand_over_at;
};

/* The device, made of plain calls into src/vhost and poll(2). */
struct echo {
	const struct echo_options *options;
	struct vhost_control control;
	struct vhost_state state;
	struct vhost_fds fds;
	struct guest_memory memory;
	struct inflight_map inflight;
	struct vring ring[ECHO_QUEUES];
	struct vring_chain chain;
	uint64_t pending_stop;
	bool has_more; /* a ring was left with requests in it */
	unsigned int publishes;
	unsigned int takes;
	unsigned int resets;
};

/* Serve the connection on `fd` (owned) until it ends. 0, or what ended it. */
int echo_serve(struct echo *echo, const struct echo_options *options, int fd);

/* One turn: wait at most `timeout_ms`, then serve what is ready. 1, or 0 or
 * -errno when the connection has ended. */
int echo_init(struct echo *echo, const struct echo_options *options, int fd);
int echo_turn(struct echo *echo, int timeout_ms);
void echo_deinit(struct echo *echo);

/* A child process that serves one end of a socket pair; *sock is the other.
 * The child ends with status 0 when the front end just went away. */
pid_t echo_spawn(const struct echo_options *options, int *sock);

/* A child that listens on `path` and serves one connection after another. */
pid_t echo_listen(const struct echo_options *options, const char *path);

/* Its exit status, or 1000 and more when it was a signal. */
int echo_join(pid_t pid);

#endif
