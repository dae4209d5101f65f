/* SPDX-License-Identifier: Apache-2.0 */
/* stats_server.h - tell statistics to whoever asks on a Unix socket */
#ifndef PVX_DEVICE_STATS_SERVER_H
#define PVX_DEVICE_STATS_SERVER_H

#include "device/state.h"
#include "loop/query.h"

/*
 * A client sends one line, "json" or "metrics", or an HTTP GET of /json or
 * /metrics. Queues' threads do not know of it: loop/query.h says how it works.
 */
struct stats_server {
	struct query_server queries;
	const struct state *state; /* borrowed */
};

/* Serve on `path` (borrowed). 0 or -errno after a line in the log. */
int stats_server_open(struct stats_server *server, struct loop *loop,
		      const char *path, const struct state *state);
/* Safe on a zeroed one. */
void stats_server_close(struct stats_server *server);

#endif
