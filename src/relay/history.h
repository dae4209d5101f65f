/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - keep a room's messages before they are handed on */
#ifndef PVX_RELAY_HISTORY_H
#define PVX_RELAY_HISTORY_H

#include "base/list.h"
#include "loop/loop.h"
#include "store/store.h"

#include <stdbool.h>

struct conn;
struct relay;
struct relay_options;
struct room;

/* Of the relay. Zeroed keeps nothing. */
struct history {
	struct store *store; /* NULL: nothing is kept */
	struct loop_watch watch;
	size_t queued_bytes;   /* put and not told */
	struct list full;      /* conn.full_link: wait for less of them */
	struct list readers;   /* catchup.link: wait for their turn */
	unsigned int reading;  /* asked and not told */
	unsigned int catching; /* connections with a catchup */
	int error;             /* of the last put, for the log */
};

/* Of a room. What its numbers are is known after the store was asked once. */
struct room_history {
	uint64_t era;
	uint64_t first; /* kept, as far as is known */
	uint64_t last;  /* handed on */
	bool is_known;
	bool is_begun; /* kept before, or counted on who begins it */
	bool is_looking;
	unsigned int puts;  /* not told; they keep the room alive */
	struct list early;  /* history_put.put.link: wait until it is known */
	struct list asking; /* catchup.link: the same */
	struct store_read look;
};

/* Open what the options say. 0 or -errno after a log line. */
int history_open(struct relay *relay, const struct relay_options *options);
/* When all connections are gone. */
void history_close(struct relay *relay);

void history_room_init(struct room *room);
/* Whether the room must live on although nobody is in it. */
bool history_room_is_busy(const struct room *room);
/* Ask the store for the room's numbers, if that is not done. */
void history_look(struct room *room);

/*
 * Keep the connection's batch and hand it on when it is on the disk; it is
 * consumed. Without a history: hand it on at once. The SENDs in it are the
 * last `count` of the connection. `is_last`: of this read.
 */
void history_take_batch(struct conn *conn, bool is_last);

/* The index up to which the connection's SENDs are done, when those behind its
 * last batch were refused at once: all, while no batch is under way. */
uint64_t history_done(struct conn *conn);

/* Bytes of the envelopes that are under way. */
size_t history_open_bytes(const struct conn *conn);

/* It leaves its room: nothing is told to it any more. */
void history_leave(struct conn *conn);

/* So much waits for the disk that nobody may send. */
bool history_is_full(const struct relay *relay);

#endif
