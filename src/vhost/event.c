/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - kick, call and error descriptors */
#include "vhost/event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

bool vhost_event_is_socket(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

/* An eventfd is an anonymous inode: it has no type bits. */
bool vhost_event_is_number(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (st.st_mode & S_IFMT) == 0;
}

int vhost_event_check(int fd)
{
	struct stat st;
	int flags;

	if (fstat(fd, &st))
		return -errno;
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (!S_ISFIFO(st.st_mode) && (st.st_mode & S_IFMT) != 0)
		return -EINVAL;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0)
		return -errno;
	if (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	return 0;
}

int vhost_event_signal(int fd, bool is_socket)
{
	const uint64_t one = 1;
	ssize_t done;

	if (fd < 0)
		return 0;
	do {
		if (is_socket)
			done = send(fd, &one, sizeof(one),
				    MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			done = write(fd, &one, sizeof(one));
	} while (done < 0 && errno == EINTR);
	return done >= 0 || errno == EAGAIN ? 0 : -errno;
}

int vhost_event_drain(int fd, bool is_socket)
{
	uint64_t counts[8]; /* a socket or pipe may hold several signals */
	ssize_t done;

	do {
		if (is_socket)
			done = recv(fd, counts, sizeof(counts), MSG_DONTWAIT);
		else
			done = read(fd, counts, sizeof(counts));
	} while (done < 0 && errno == EINTR);
	if (done < 0)
		return errno == EAGAIN ? 0 : -errno;
	return done > 0 ? 1 : -EPIPE;
}
