/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - kick, call and error descriptors */
#ifndef PVX_VHOST_EVENT_H
#define PVX_VHOST_EVENT_H

#include <stdbool.h>

/*
 * An eventfd, a pipe, or (UML) one end of a socket pair; each signal is 8
 * bytes. The process ignores SIGPIPE (process_init() of base).
 */

/* Make `fd` fit for use: 0, or -EINVAL when it is none of the three. Anything
 * but a socket is switched to O_NONBLOCK. */
int vhost_event_check(int fd);

/* What it is; ask once and keep the answer. An eventfd holds any number of
 * signals in one number, so that it need never be drained by who sleeps on its
 * edges; the others run full. */
bool vhost_event_is_socket(int fd);
bool vhost_event_is_number(int fd);

/*
 * Signal without waiting. Returns 0, also when the peer has not yet taken the
 * last signal (full is as good as delivered); -EPIPE or another -errno when
 * nobody listens any more, which is the peer's loss: rings go on.
 */
int vhost_event_signal(int fd, bool is_socket);

/* Take what was signalled: 1 something, 0 nothing, -EPIPE the peer closed it,
 * another -errno. Never waits. */
int vhost_event_drain(int fd, bool is_socket);

#endif
