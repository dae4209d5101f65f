/* SPDX-License-Identifier: Apache-2.0 */
/* unix_socket.c - stream sockets that have a path */

#include "base/unix_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_init(struct sockaddr_un *at, const char *path)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof(at->sun_path))
		return -EINVAL;
	memcpy(at->sun_path, path, strlen(path) + 1);
	return 0;
}

static int connect_to(const struct sockaddr_un *at, int flags)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at))) {
		error = -errno;
		close(fd);
	}
	return error ? error : fd;
}

/* Remove a socket that nobody listens on: connecting to it is refused. */
static int remove_stale(const struct sockaddr_un *at)
{
	struct stat there;
	int fd;

	if (lstat(at->sun_path, &there))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(there.st_mode))
		return -EEXIST;
	fd = connect_to(at, SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(at->sun_path) ? -errno : 0;
}

int unix_socket_listen(const char *path, mode_t mode, int backlog)
{
	struct sockaddr_un at;
	int error = address_init(&at, path);
	int fd;

	if (!error)
		error = remove_stale(&at);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* What the socket has before bind(2) is what the path gets. */
	if (fchmod(fd, mode) ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) ||
	    listen(fd, backlog)) {
		error = -errno;
		close(fd);
	}
	return error ? error : fd;
}

int unix_socket_connect(const char *path)
{
	struct sockaddr_un at;
	int error = address_init(&at, path);

	return error ? error : connect_to(&at, 0);
}
