/* SPDX-License-Identifier: Apache-2.0 */
/* receive.c - take bytes from a Unix socket, and a descriptor with them */

#include "lib/receive.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

ssize_t receive(int sock, void *data, size_t room, int flags, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = { .iov_base = data, .iov_len = room };
	/* CMSG_SPACE() has room for a second one in its padding. */
	struct msghdr message = { .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = CMSG_LEN(sizeof(int)) };
	ssize_t got = recvmsg(sock, &message, flags | MSG_CMSG_CLOEXEC);
	const struct cmsghdr *first;

	if (got < 0)
		return -errno;
	first = CMSG_FIRSTHDR(&message);
	if (first && first->cmsg_type == SCM_RIGHTS)
		memcpy(fd, CMSG_DATA(first), sizeof(*fd));
	return got;
}
