/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.h - which sockets a relay serves, and who opened them */
#ifndef PVX_RELAY_SOCKETS_H
#define PVX_RELAY_SOCKETS_H

#include "relay/limits.h"

#include <stdbool.h>

struct relay;
struct relay_options;

/* What a socket is for; the names are those that a service manager may give
 * (FileDescriptorName=), any other name means clients. */
enum socket_use {
	SOCKET_CLIENTS, /* under TLS, but for Unix sockets and --no-tls */
	SOCKET_PLAIN,   /* clients in the clear */
	SOCKET_ADMIN,
	SOCKET_METRICS,
	SOCKET_USES
};

#define SOCKETS_MAX (RELAY_LISTENERS_MAX + 2u)

/* Sockets that listen already: of the service manager, or of the relay before
 * this one. */
struct sockets {
	unsigned int count;
	int predecessor_fd; /* it waits for takeover_commit(); -1: none */
	/* Their paths are removed at our end. */
	bool are_ours;
	struct {
		enum socket_use use;
		int fd;
	} socket[SOCKETS_MAX];
};

enum socket_use socket_use_of(const char *name);
const char *socket_use_name(enum socket_use use);

/* Those that the service manager has opened; without any, and with --takeover,
 * those of the relay before us. 0 or -errno after a log line. */
int sockets_inherit(struct sockets *sockets,
		    const struct relay_options *options);

/*
 * Open all that the relay is to serve, but watch none for clients yet: what is
 * in `sockets` is used (and owned, also after an error), and replaces what the
 * options say for the same use. 0 or -errno after a log line.
 */
int sockets_open(struct relay *relay, const struct sockets *sockets);

#endif
