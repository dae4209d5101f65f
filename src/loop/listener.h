/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - wait for connections on a Unix socket */
#ifndef PVX_LOOP_LISTENER_H
#define PVX_LOOP_LISTENER_H

#include "loop/loop.h"

#include <sys/types.h>

struct loop_listener;
/* Somebody has come; `fd` (owned by the callee) does not wait. */
typedef void loop_listener_fn(struct loop_listener *listener, int fd);

struct loop_listener {
	struct loop *loop;
	struct loop_watch watch;
	loop_listener_fn *on_accept;
	int fd;           /* -1: none */
	const char *path; /* borrowed; removed at the end; NULL: none */
};

/* Listen on `path` as unix_socket_listen() does. 0 or -errno after a line in
 * the log. */
int loop_listener_open(struct loop_listener *listener, struct loop *loop,
		       const char *path, mode_t mode,
		       loop_listener_fn *on_accept);
/* Use a descriptor that listens already (owned). */
int loop_listener_adopt(struct loop_listener *listener, struct loop *loop,
			int fd, loop_listener_fn *on_accept);
void loop_listener_close(struct loop_listener *listener);

/* Whether a descriptor is a socket that listens. */
bool loop_listener_is_listening(int fd);

/* Leave them in the backlog, and take them again. */
void loop_listener_pause(struct loop_listener *listener);
int loop_listener_resume(struct loop_listener *listener);

#endif
