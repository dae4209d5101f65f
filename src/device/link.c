/* SPDX-License-Identifier: Apache-2.0 */
/* link.c - what supervisor and worker say to each other */
#include "device/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header;
	uint8_t room[CMSG_SPACE(LINK_FDS * sizeof(int))];
};

/* The descriptors that are there, put together. */
static size_t pack(struct link_message *message, const int *fds, int *packed)
{
	size_t count = 0;

	message->present = 0;
	for (unsigned int i = 0; fds && i < LINK_FDS; i++) {
		if (fds[i] < 0)
			continue;
		message->present |= UINT64_C(1) << i;
		packed[count++] = fds[i];
	}
	return count;
}

int link_send(int sock, struct link_message *message, const int *fds)
{
	struct iovec piece = { message, sizeof(*message) };
	struct msghdr header = { .msg_iov = &piece, .msg_iovlen = 1 };
	int packed[LINK_FDS];
	size_t count = pack(message, fds, packed);
	const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
	union control control;
	ssize_t sent;

	if (count) {
		memset(&control, 0, sizeof(control));
		header.msg_control = &control;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(&control.header), packed, count * sizeof(int));
	}
	/* A worker's sandbox has no sendmsg(2): it passes no descriptors. */
	do {
		sent = count ? sendmsg(sock, &header, flags)
			     : send(sock, message, sizeof(*message), flags);
	} while (sent < 0 && errno == EINTR);
	if (sent < 0)
		return -errno;
	return sent == sizeof(*message) ? 0 : -EMSGSIZE;
}

/* Put the descriptors where they belong, and close those that were not
 * announced: -EPROTO when there are any, or too few. */
static int unpack(const struct link_message *message, struct msghdr *header,
		  int *fds)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(header);
	const uint8_t *from = c ? CMSG_DATA(c) : NULL;
	size_t left = c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	int error =
		left > LINK_FDS || header->msg_flags & MSG_CTRUNC ? -EPROTO : 0;

	for (unsigned int i = 0; i < LINK_FDS; i++) {
		if (!(message->present >> i & 1))
			continue;
		if (left == 0)
			return -EPROTO;
		memcpy(&fds[i], from, sizeof(int));
		from += sizeof(int);
		left--;
	}
	for (; left > 0; left--) {
		int fd;

		memcpy(&fd, from, sizeof(fd));
		from += sizeof(fd);
		close(fd);
		error = -EPROTO;
	}
	return error;
}

void link_close(int *fds)
{
	for (unsigned int i = 0; i < LINK_FDS; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}

int link_receive(int sock, struct link_message *message, int *fds)
{
	struct iovec piece = { message, sizeof(*message) };
	union control control;
	struct msghdr header = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;
	int error;

	for (unsigned int i = 0; i < LINK_FDS; i++)
		fds[i] = -1;
	do {
		got = recvmsg(sock, &header, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == ECONNRESET ? 0 : -errno;
	if (got == 0)
		return 0;
	/* What is not there was not announced either. */
	if (got != sizeof(*message))
		message->present = 0;
	error = unpack(message, &header, fds);
	if (got != sizeof(*message))
		error = -EPROTO;
	if (error)
		link_close(fds);
	return error ? error : 1;
}
