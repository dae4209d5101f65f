/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - wait for front ends on a Unix socket */
#ifndef PVX_DEVICE_LISTEN_H
#define PVX_DEVICE_LISTEN_H

#include "loop/loop.h"

struct listener;
/* A front end has come; `fd` (owned by the callee) does not wait. */
typedef void listener_fn(struct listener *listener, int fd);

struct listener {
	struct loop *loop;
	struct loop_watch watch;
	listener_fn *on_accept;
	int fd;           /* -1: none */
	const char *path; /* borrowed; removed at the end; NULL: none */
};

/* Listen on `path`; a socket there that nobody serves is replaced. 0 or
 * -errno after a line in the log. */
int listener_open(struct listener *listener, struct loop *loop,
		  const char *path, listener_fn *on_accept);
/* Use a descriptor that listens already (owned). */
int listener_adopt(struct listener *listener, struct loop *loop, int fd,
		   listener_fn *on_accept);
void listener_close(struct listener *listener);

/* Whether a descriptor is a socket that listens. */
bool listener_is_listening(int fd);

/* Leave front ends in the backlog, and take them again. */
void listener_pause(struct listener *listener);
int listener_resume(struct listener *listener);

#endif
