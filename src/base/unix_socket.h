/* SPDX-License-Identifier: Apache-2.0 */
/* unix_socket.h - stream sockets that have a path */
#ifndef PVX_BASE_UNIX_SOCKET_H
#define PVX_BASE_UNIX_SOCKET_H

#include <sys/types.h>

/*
 * Listen on `path`: whoever `mode` (and the umask) lets write to it can
 * connect, from its first moment on. A socket there that nobody serves is
 * replaced. Returns a descriptor that does not wait, or -errno: -EINVAL for a
 * path that is empty or too long, -EEXIST when a file is there that is no
 * socket, -EADDRINUSE when somebody serves it.
 */
int unix_socket_listen(const char *path, mode_t mode, int backlog);

/* Connect to it, as it may take. A descriptor, or -errno. */
int unix_socket_connect(const char *path);

#endif
