/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - wait for front ends on a Unix socket */
#include "device/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

/* One front end is served at a time; a restarted one may come early. */
#define BACKLOG 8

static void on_ready(struct loop_watch *watch, unsigned int events)
{
	struct listener *listener = list_entry(watch, struct listener, watch);
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		listener->on_accept(listener, fd);
	else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		log_warning("accept: %s", strerror(errno));
}

int listener_resume(struct listener *listener)
{
	return loop_watch_add(listener->loop, &listener->watch, listener->fd,
			      LOOP_READ, on_ready);
}

void listener_pause(struct listener *listener)
{
	loop_watch_remove(&listener->watch);
}

/* Remove a socket at `address` that refuses connections. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat there;
	int fd;

	if (lstat(address->sun_path, &there) || !S_ISSOCK(there.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const void *)address, sizeof(*address)) &&
	    errno == ECONNREFUSED)
		(void)unlink(address->sun_path);
	close(fd);
}

static int socket_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error = 0;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	remove_stale(&address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const void *)&address, sizeof(address)) ||
	    listen(fd, BACKLOG)) {
		error = -errno;
		close(fd);
	}
	return error ? error : fd;
}

int listener_open(struct listener *listener, struct loop *loop,
		  const char *path, listener_fn *on_accept)
{
	int fd = socket_at(path);
	int error = fd;

	if (fd >= 0) {
		error = listener_adopt(listener, loop, fd, on_accept);
		listener->path = path;
	}
	if (error)
		log_error("%s: %s", path, strerror(-error));
	else
		log_info("listening on %s", path);
	return error;
}

int listener_adopt(struct listener *listener, struct loop *loop, int fd,
		   listener_fn *on_accept)
{
	listener->loop = loop;
	listener->fd = fd;
	listener->on_accept = on_accept;
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return listener_resume(listener);
}

void listener_close(struct listener *listener)
{
	loop_watch_remove(&listener->watch);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path)
		(void)unlink(listener->path);
	listener->fd = -1;
	listener->path = NULL;
}

bool listener_is_listening(int fd)
{
	socklen_t bytes = sizeof(int);
	int is_listening = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening,
			  &bytes) == 0 &&
	       is_listening;
}
