/* SPDX-License-Identifier: Apache-2.0 */
/* channel.h - whole vhost-user messages from and to a socket */
#ifndef PVX_VHOST_CHANNEL_H
#define PVX_VHOST_CHANNEL_H

#include <stdbool.h>

#include "vhost/proto.h"

/* The receiving side of a connection; `fd` is borrowed. */
struct vhost_channel {
	int fd;
	bool is_kept;            /* messages stay in the socket until taken */
	size_t have_bytes;       /* of `in`, header and payload */
	struct vhost_message in; /* owns the descriptors in it */
};

/* Take the stream socket `fd`; the mode of the descriptor does not matter. */
void vhost_channel_init(struct vhost_channel *channel, int fd);

/*
 * From now on leave what is received in the socket, until vhost_channel_take():
 * whoever has the socket after us finds it there. 0, or -errno for a descriptor
 * that is no Unix socket. The descriptor does not wait any more.
 */
int vhost_channel_keep(struct vhost_channel *channel);

/* Take what was received out of the socket, whichever process received it. 0
 * or -errno. */
int vhost_channel_take(struct vhost_channel *channel);

/* Close the descriptors of an unfinished or untaken message. */
void vhost_channel_deinit(struct vhost_channel *channel);

/*
 * Read on without waiting. Returns 1 when `in` holds a whole message (call
 * vhost_channel_next() before the next receive), 0 when more must come first,
 * -EPIPE when the peer has gone, -EPROTO for bytes that are no message (wrong
 * version, payload or descriptors beyond the limits), or another -errno. After
 * a failure the connection is of no more use.
 */
int vhost_channel_receive(struct vhost_channel *channel);

/* Be done with `in`: descriptors still in it (not -1) are closed. */
void vhost_channel_next(struct vhost_channel *channel);

/*
 * Send a header and its payload, and `passed_fd` (borrowed) unless it is -1,
 * without waiting and without SIGPIPE. Returns 0; -EAGAIN when the peer does
 * not read its answers; -EPIPE or another -errno when it has gone.
 */
int vhost_channel_send(int fd, const struct vhost_message *message,
		       int passed_fd);

#endif
