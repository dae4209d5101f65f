/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - wait for connections on a Unix socket */

#include "loop/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/unix_socket.h"

/* Few at a time: front ends, who asks for statistics, operators. */
#define BACKLOG 8

static void on_ready(struct loop_watch *watch, unsigned int events)
{
	struct loop_listener *listener =
		list_entry(watch, struct loop_listener, watch);
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		listener->on_accept(listener, fd);
	else if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR)
		log_warning("accept: %s", strerror(errno));
}

int loop_listener_resume(struct loop_listener *listener)
{
	return loop_watch_add(listener->loop, &listener->watch, listener->fd,
			      LOOP_READ, on_ready);
}

void loop_listener_pause(struct loop_listener *listener)
{
	loop_watch_remove(&listener->watch);
}

int loop_listener_open(struct loop_listener *listener, struct loop *loop,
		       const char *path, mode_t mode,
		       loop_listener_fn *on_accept)
{
	int fd = unix_socket_listen(path, mode, BACKLOG);
	int error = fd;

	if (fd >= 0) {
		error = loop_listener_adopt(listener, loop, fd, on_accept);
		listener->path = path;
	}
	if (error)
		log_error("%s: %s", path, strerror(-error));
	else
		log_info("listening on %s", path);
	return error;
}

int loop_listener_adopt(struct loop_listener *listener, struct loop *loop,
			int fd, loop_listener_fn *on_accept)
{
	listener->loop = loop;
	listener->fd = fd;
	listener->on_accept = on_accept;
	if (fcntl(fd, F_SETFL, O_NONBLOCK))
		return -errno;
	return loop_listener_resume(listener);
}

void loop_listener_close(struct loop_listener *listener)
{
	loop_watch_remove(&listener->watch);
	if (listener->fd >= 0)
		close(listener->fd);
	if (listener->path)
		(void)unlink(listener->path);
	listener->fd = -1;
	listener->path = NULL;
}

bool loop_listener_is_listening(int fd)
{
	socklen_t bytes = sizeof(int);
	int is_listening = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening,
			  &bytes) == 0 &&
	       is_listening;
}
