/* SPDX-License-Identifier: Apache-2.0 */
/* channel.c - whole vhost-user messages from and to a socket */
#include "vhost/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * How it works: one recvmsg() never asks for more than what the current
 * message lacks (first its header, then its payload), so descriptors always
 * arrive with the message they belong to, and a peer may stop at any byte. Room
 * for twice the allowed descriptors makes too many of them visible; those are
 * closed like all others.
 *
 * A kept channel only peeks. The socket itself, and not this process, knows how
 * far (SO_PEEK_OFF): the kernel moves that mark back as bytes are taken out, so
 * that another process can tell a message that was taken from one that is still
 * there. Each peek at bytes that came with descriptors brings duplicates of
 * them, so those of the first one are kept, and a message cannot bring some
 * with its header and others with its payload.
 */
#define CONTROL_FDS (2 * VHOST_MESSAGE_FDS_MAX)

_Static_assert(offsetof(struct vhost_message, payload) ==
		       sizeof(struct vhost_header) + 4,
	       "the payload is aligned to 8 bytes");

void vhost_channel_init(struct vhost_channel *channel, int fd)
{
	memset(channel, 0, sizeof(*channel));
	channel->fd = fd;
}

int vhost_channel_keep(struct vhost_channel *channel)
{
	int flags = fcntl(channel->fd, F_GETFL);
	int start = 0;

	if (flags < 0 || fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) ||
	    setsockopt(channel->fd, SOL_SOCKET, SO_PEEK_OFF, &start,
		       sizeof(start)))
		return -errno;
	channel->is_kept = true;
	return 0;
}

int vhost_channel_take(struct vhost_channel *channel)
{
	uint8_t gone[sizeof(struct vhost_message)];
	socklen_t bytes = sizeof(int);
	ssize_t got;
	int left;

	if (!channel->is_kept)
		return 0;
	for (;;) {
		if (getsockopt(channel->fd, SOL_SOCKET, SO_PEEK_OFF, &left,
			       &bytes))
			return -errno;
		if (left <= 0)
			return 0;
		if ((size_t)left > sizeof(gone))
			return -EPROTO;
		/* A read ends where descriptors do; those are dropped. */
		got = recv(channel->fd, gone, (size_t)left, MSG_DONTWAIT);
		if (got == 0 || (got < 0 && errno != EINTR))
			return -EPIPE;
	}
}

void vhost_channel_next(struct vhost_channel *channel)
{
	for (unsigned int i = 0; i < channel->in.fd_count; i++)
		if (channel->in.fds[i] >= 0)
			close(channel->in.fds[i]);
	/* A short payload must not be completed by the last one's bytes. */
	memset(&channel->in, 0, sizeof(channel->in));
	channel->have_bytes = 0;
}

void vhost_channel_deinit(struct vhost_channel *channel)
{
	vhost_channel_next(channel);
	channel->fd = -1;
}

/* Keep the descriptors of one recvmsg(); 0, or -EPROTO when too many came. */
static int take_fds(struct vhost_message *in, struct msghdr *got, bool is_again)
{
	int result = got->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(got); c;
	     c = CMSG_NXTHDR(got, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (!is_again && in->fd_count < VHOST_MESSAGE_FDS_MAX) {
				in->fds[in->fd_count++] = fd;
				continue;
			}
			close(fd);
			if (!is_again)
				result = -EPROTO;
		}
	}
	return result;
}

/* At most `room` bytes to `to`. Returns how many (0: none now) or -errno. */
static long receive_some(struct vhost_channel *channel, void *to, size_t room)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(CONTROL_FDS * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = to, .iov_len = room };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int flags = MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
	ssize_t got;
	int error;

	if (channel->is_kept)
		flags |= MSG_PEEK;
	do
		got = recvmsg(channel->fd, &msg, flags);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? 0 : -errno;
	error = take_fds(&channel->in, &msg,
			 channel->is_kept && channel->in.fd_count);
	if (error)
		return error;
	return got == 0 ? -EPIPE : (long)got;
}

/* Whether the header may stand before a payload that we take. */
static int header_check(const struct vhost_header *header)
{
	if ((header->flags & VHOST_FLAG_VERSION) != VHOST_VERSION)
		return -EPROTO;
	if (header->flags & VHOST_FLAG_REPLY)
		return -EPROTO;
	if (header->payload_bytes > VHOST_PAYLOAD_MAX)
		return -EPROTO;
	return 0;
}

int vhost_channel_receive(struct vhost_channel *channel)
{
	const size_t head = sizeof(struct vhost_header);
	struct vhost_message *in = &channel->in;

	for (;;) {
		size_t have = channel->have_bytes;
		uint8_t *to = (uint8_t *)&in->header + have;
		size_t want = head - have;
		long got;
		int error;

		if (have >= head) {
			error = header_check(&in->header);
			if (error)
				return error;
			to = in->payload.bytes + (have - head);
			want = head + in->header.payload_bytes - have;
			if (want == 0)
				return 1;
		}
		got = receive_some(channel, to, want);
		if (got <= 0)
			return (int)got;
		channel->have_bytes += (size_t)got;
	}
}

int vhost_channel_send(int fd, const struct vhost_message *message,
		       int passed_fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov[2] = {
		{ .iov_base = (void *)(uintptr_t)&message->header,
		  .iov_len = sizeof(message->header) },
		{ .iov_base = (void *)(uintptr_t)&message->payload,
		  .iov_len = message->header.payload_bytes },
	};
	size_t total = iov[0].iov_len + iov[1].iov_len;
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t sent;

	if (passed_fd >= 0) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed_fd, sizeof(passed_fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	do
		sent = sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	/* The kernel takes so few bytes whole or not at all. */
	return (size_t)sent == total ? 0 : -EAGAIN;
}
