/* SPDX-License-Identifier: Apache-2.0 */
/* crowd.h - rooms full of clients who send, read and check every message */
#ifndef BENCH_RELAY_CROWD_H
#define BENCH_RELAY_CROWD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/relay/histogram.h"

struct client;
struct protocol;

/* What a sample is to be like. */
struct crowd_plan {
	const struct protocol *protocol;
	struct sockaddr_in server;
	uint32_t rooms;
	uint32_t members;    /* of each room */
	uint32_t senders;    /* of them, the first ones */
	uint32_t body_bytes; /* of a message, as the server sees it */
	uint32_t window;     /* of a sender: not yet with everybody */
	uint64_t rate;       /* messages a second of all; 0: as they can */
	uint32_t stalled;    /* of the first room, the last ones: never read */
	uint32_t idle;       /* connections that only are there */
	bool is_secure;      /* TLS */
	bool is_awake;       /* looks for events without sleeping */
};

struct crowd_room {
	uint32_t first; /* client; the others follow */
	uint32_t members;
	uint32_t senders;
	uint32_t receivers; /* of each message */
};

struct crowd {
	struct crowd_plan plan;
	int epoll_fd;
	struct client *clients;
	uint32_t client_count;
	uint32_t ready_count;
	struct crowd_room *rooms;
	struct client **dirty; /* senders who may be able to send */
	uint32_t dirty_count;
	uint8_t *buffer; /* of whoever reads now */
	uint64_t now_ns;
	bool is_sending;
	bool is_measured;
	/* With a rate: */
	uint64_t next_ns; /* when the next message is due */
	uint32_t next_sender;
	/* What came of it: */
	uint64_t deliveries;
	uint64_t measured;
	uint64_t idle_ns; /* looked for events in vain, while measured */
	struct histogram latency;
	char fault[160]; /* the first one; empty: none */
};

/* Takes the plan over. 0 or -errno. */
int crowd_create(struct crowd *crowd, const struct crowd_plan *plan);
void crowd_destroy(struct crowd *crowd);

/* Connect clients [first, first + count) and wait until all are admitted. */
int crowd_enter(struct crowd *crowd, uint32_t first, uint32_t count);

/* Serve for that long. 0, or -errno with `fault` set. */
int crowd_run(struct crowd *crowd, uint64_t ns);

/* Start to send; stop and wait until everything sent has arrived. */
void crowd_start(struct crowd *crowd);
int crowd_finish(struct crowd *crowd, uint64_t patience_ns);

/* A message arrived at `c`: the server's copy of some sender's body. */
void crowd_deliver(struct crowd *crowd, struct client *c, const uint8_t *body,
		   size_t bytes);

/* Note the first thing that went wrong; says -EBADMSG. */
int crowd_fail(struct crowd *crowd, const struct client *c, const char *what);

#endif
