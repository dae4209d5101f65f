/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h - the relay as a whole: its clients, rooms, listeners */
#ifndef PVX_RELAY_RELAY_H
#define PVX_RELAY_RELAY_H

#include "base/log.h"
#include "loop/loop.h"
#include "loop/signals.h"
#include "loop/query.h"
#include "prim/shorthash.h"
#include "relay/address.h"
#include "relay/ban.h"
#include "relay/bucket.h"
#include "relay/counters.h"
#include "relay/drain.h"
#include "relay/handshake.h"
#include "relay/history.h"
#include "relay/limits.h"
#include "relay/listen.h"
#include "relay/metrics.h"
#include "relay/takeover.h"

#include <stdbool.h>
#include <stdint.h>

struct relay_options;
struct room;

struct relay {
	struct loop *loop;
	const struct relay_options *options; /* borrowed: those of the start */
	struct relay_limits limits;          /* those of now */
	const char *name;                    /* borrowed; WELCOME says it */
	size_t flush_bytes;
	struct listener listeners[RELAY_LISTENERS_MAX];
	unsigned int listener_count;
	struct tls_context *tls; /* NULL: every listener is plain */
	struct handshakes handshakes;
	struct list conns;
	uint64_t conn_count;   /* of them all */
	uint64_t client_count; /* without those that are on their way out */
	uint64_t last_number;  /* of a connection, for the log */
	struct history history;
	struct room *rooms; /* uthash */
	struct addresses addresses;
	struct bans bans;
	struct relay_counters counters;
	uint8_t hash_key[SHORTHASH_KEY_BYTES]; /* of all tables */
	size_t held_bytes;                     /* by all chunks */
	struct list stalled;                   /* conn.stalled_link */
	uint64_t saved_ms;                     /* when memory was last short */
	struct bucket log_lines;               /* that peers may cause */
	uint64_t muted_lines; /* of them, since one was shown */
	struct loop_signals signals;
	struct query_server admin;
	struct metrics metrics;
	struct takeover takeover;
	struct loop_timer accept_timer; /* accept again */
	struct loop_timer stop_timer;   /* give up on who does not read BYE */
	struct loop_timer watchdog_timer;
	uint64_t watchdog_us; /* 0: nobody watches */
	struct relay_drain drain;
	bool is_draining; /* and stays so */
	bool is_stopping;
	bool is_full;    /* the last client was turned away */
	bool is_crowded; /* with TLS handshakes: nobody is accepted */
	bool is_short;   /* of descriptors or memory, at the last accept */
	uint8_t read_buffer[RELAY_READ_BYTES]; /* of whoever reads now */
};

/*
 * Serve until SIGTERM or SIGINT. Prints "listening on ADDRESS" lines on
 * standard output as soon as clients can connect. Returns 0, or -errno after
 * a log line that says what could not be had. `options` is borrowed.
 */
int relay_run(const struct relay_options *options);

/* Take no more clients, say BYE to all, wait a little until it is sent, and
 * end; `why` is for the log. */
void relay_stop(struct relay *relay, const char *why);

/* No new clients. */
void relay_close_listeners(struct relay *relay);

/* reload.c: read the options again, and apply what can change; on an error all
 * stays as it is. */
void relay_reload(struct relay *relay);

/* Those of a start, or of a reload. Who is there keeps its rates. */
void relay_set_limits(struct relay *relay, const struct relay_limits *limits);

/*
 * The level for a line that a peer can cause again and again: `level`, or
 * debug while there were too many of them. Who can connect must not be able
 * to fill a disk. Says how many were left out when it shows one again.
 */
enum log_level relay_log_level(struct relay *relay, enum log_level level);

/*
 * After reading: while the chunks take more than memory_bytes, cut off who
 * took nothing for a second, and above twice that also who moves (clause 5.6).
 * Not while the connections of a room are walked.
 */
void relay_save_memory(struct relay *relay);

/* There is room for another handshake: listen again where that was why not. */
void relay_accept_more(struct relay *relay);

/* A connection is gone; called by conn_destroy(). */
void relay_conn_gone(struct relay *relay);

#endif
