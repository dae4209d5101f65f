/* SPDX-License-Identifier: Apache-2.0 */
/* stats_server.h - tell statistics to whoever asks on a Unix socket */
#ifndef PVX_DEVICE_STATS_SERVER_H
#define PVX_DEVICE_STATS_SERVER_H

#include "device/listen.h"
#include "device/state.h"

/*
 * How it works: a client sends one line, "json" or "metrics", or an HTTP GET of
 * /json or /metrics; it gets the answer, and the end. All of it happens in the
 * supervisor's loop, which never waits for a client: each has a buffer of its
 * own and a few seconds, and there are no more than STATS_CLIENTS at a time;
 * others wait in the backlog. Queues' threads do not know of it.
 */
#define STATS_CLIENTS       8
#define STATS_REQUEST_BYTES 2048
#define STATS_SOCKET_BYTES  8192 /* of the kernel's, for a slow client */
#define STATS_TIME_MS       3000

struct stats_client {
	struct stats_server *server; /* NULL: free */
	int fd;
	struct loop_watch watch;
	struct loop_timer limit;
	char request[STATS_REQUEST_BYTES + 1];
	size_t request_bytes;
	char *answer; /* NULL: the request is not complete */
	size_t answer_bytes;
	size_t sent_bytes;
};

struct stats_server {
	struct listener listener;
	const struct state *state; /* borrowed */
	struct stats_client client[STATS_CLIENTS];
};

/* Serve on `path` (borrowed). 0 or -errno after a line in the log. */
int stats_server_open(struct stats_server *server, struct loop *loop,
		      const char *path, const struct state *state);
/* Safe on a zeroed one. */
void stats_server_close(struct stats_server *server);

#endif
