/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - tell monitoring how the relay is: HTTP on this machine */
#ifndef PVX_RELAY_METRICS_H
#define PVX_RELAY_METRICS_H

#include "loop/loop.h"
#include "relay/listen.h"

struct MHD_Daemon;
struct relay;

/*
 * How it works: libmicrohttpd reads and writes HTTP, without a thread: its
 * epoll descriptor is one that our loop watches. GET /metrics gives the
 * counters, GET /health 200 while clients are taken and 503 when not. An
 * answer is made when somebody asks, so between scrapes nothing is done.
 */
struct metrics {
	struct listener listener;
	struct MHD_Daemon *daemon; /* NULL: closed */
	struct loop_watch watch;
	struct loop_timer timer; /* libmicrohttpd's next time limit */
	struct relay *relay;     /* borrowed */
};

#define METRICS_CLIENTS   16u
#define METRICS_TIMEOUT_S 10u

/* Serve on "ADDR:PORT" of the loopback interface or on "unix:PATH". 0 or -errno
 * after a line in the log. */
int metrics_open(struct relay *relay, const char *address);
/* The same on a socket that listens already (owned). */
int metrics_adopt(struct relay *relay, int fd, bool is_ours);
/* Safe on a relay that has none. */
void metrics_close(struct relay *relay);

#endif
