/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - sockets that wait for clients: TCP addresses and Unix paths */
#ifndef PVX_RELAY_LISTEN_H
#define PVX_RELAY_LISTEN_H

#include "loop/loop.h"

#include <stdbool.h>
#include <sys/stat.h>

struct relay;

/* How the clients of a TCP socket are kept from the network's ears. Unix
 * sockets are always plain. */
enum listener_security {
	LISTENER_TLS,
	LISTENER_LOOPBACK, /* plain, and refused where it would leave here */
	LISTENER_PLAIN,    /* plain anywhere: asked for by name */
	LISTENER_OTHER     /* not for chat: the owner knows */
};

struct listener {
	struct loop_watch watch;
	struct relay *relay; /* borrowed */
	int fd;
	bool is_plain;    /* no TLS */
	char *path;       /* Unix only, owned: removed at the end */
	struct stat made; /* what was made there, so as to remove only that */
	char name[128]; /* "127.0.0.1:7450", "plain:[::1]:7450", "unix:/path" */
};

/* Whether an address has one of the forms below, before it is opened: 0 or
 * -EINVAL. */
int listener_check(const char *address);

/*
 * Open what "HOST:PORT", "[HOST]:PORT", ":PORT" (every address) or "unix:PATH"
 * stands for: at most `room` listeners, one per address of the host. "plain:"
 * before an address means LISTENER_PLAIN, else `security` is meant (-EPERM
 * where that refuses). Returns how many were opened, at least 1; or -errno
 * after a log line: -EINVAL for another form, -EAFNOSUPPORT or -EADDRNOTAVAIL
 * when this machine has none of the addresses. A Unix socket that nobody serves
 * is replaced.
 */
int listener_open(struct listener *listeners, unsigned int room,
		  const char *address, enum listener_security security);

/*
 * Use a socket that listens already (owned, also after an error). `is_ours`: a
 * path that it has is removed at the end. 0, or -errno: -ENOTSOCK or -EINVAL
 * for what is none, -EPERM as above.
 */
int listener_adopt(struct listener *listener, int fd, bool is_ours,
		   enum listener_security security);

/* Leave its path alone when it is closed. */
void listener_disown(struct listener *listener);

/* Zeroed and closed ones are left alone. */
void listener_close(struct listener *listener);

#endif
