/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - sockets that wait for clients: TCP addresses and Unix paths */
#ifndef PVX_RELAY_LISTEN_H
#define PVX_RELAY_LISTEN_H

#include "loop/loop.h"

#include <stdbool.h>
#include <sys/stat.h>

struct relay;

struct listener {
	struct loop_watch watch;
	struct relay *relay; /* borrowed */
	int fd;
	char *path;       /* Unix only, owned: removed at the end */
	struct stat made; /* what was made there, so as to remove only that */
	char name[120];   /* "127.0.0.1:7450", "[::1]:7450", "unix:/path" */
};

/*
 * Open what "HOST:PORT", "[HOST]:PORT", ":PORT" (every address) or
 * "unix:PATH" stands for: at most `room` listeners, one per address of the
 * host. Returns how many were opened, at least 1; or -errno after a log line:
 * -EINVAL for another form, -EAFNOSUPPORT or -EADDRNOTAVAIL when this machine
 * has none of the addresses. A Unix socket that nobody serves is replaced.
 */
int listener_open(struct listener *listeners, unsigned int room,
		  const char *address);

/*
 * Use a socket that listens already (owned, also after an error). `is_ours`: a
 * path that it has is removed at the end. 0, or -errno: -ENOTSOCK or -EINVAL
 * for what is none.
 */
int listener_adopt(struct listener *listener, int fd, bool is_ours);

/* Leave its path alone when it is closed. */
void listener_disown(struct listener *listener);

/* Zeroed and closed ones are left alone. */
void listener_close(struct listener *listener);

#endif
