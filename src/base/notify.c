/* SPDX-License-Identifier: Apache-2.0 */
/* notify.c - what a service manager and we tell each other (sd-daemon(3)) */

#include "base/notify.h"
#include "base/option.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* More than any program of ours serves. */
#define LISTEN_FDS_MAX 1024

int notify_send(const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd, error = 0;
	socklen_t bytes;

	if (!path || !*path)
		return 0;
	if ((path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, path, strlen(path));
	if (path[0] == '@') /* the abstract namespace */
		to.sun_path[0] = '\0';
	bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			    strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		   (struct sockaddr *)&to, bytes) < 0)
		error = -errno;
	close(fd);
	return error;
}

/* A number of the environment that is meant for this process; 0: none. */
static int own_number(const char *pid_name, const char *name, uint64_t *number,
		      uint64_t most)
{
	const char *pid = getenv(pid_name), *text = getenv(name);
	uint64_t of;

	*number = 0;
	if (!text)
		return 0;
	if (pid &&
	    (option_number(&of, pid, 1, INT32_MAX) || of != (uint64_t)getpid()))
		return 0;
	return option_number(number, text, 0, most);
}

uint64_t notify_watchdog_us(void)
{
	uint64_t interval_us;

	if (own_number("WATCHDOG_PID", "WATCHDOG_USEC", &interval_us,
		       UINT64_MAX / 2))
		return 0;
	return interval_us;
}

int notify_listen_fds(void)
{
	uint64_t count;
	int error;

	/* Unlike the watchdog's, descriptors are never anybody's. */
	if (!getenv("LISTEN_PID"))
		return 0;
	error = own_number("LISTEN_PID", "LISTEN_FDS", &count, LISTEN_FDS_MAX);
	for (int i = 0; !error && i < (int)count; i++)
		if (fcntl(NOTIFY_FIRST_FD + i, F_SETFD, FD_CLOEXEC))
			error = -errno;
	return error ? error : (int)count;
}

void notify_listen_fd_name(unsigned int index, char *name, size_t room)
{
	const char *at = getenv("LISTEN_FDNAMES");
	size_t bytes;

	name[0] = '\0';
	for (; at && index; index--) {
		at = strchr(at, ':');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return;
	bytes = strcspn(at, ":");
	if (bytes >= room)
		bytes = room - 1;
	memcpy(name, at, bytes);
	name[bytes] = '\0';
}
