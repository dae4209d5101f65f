/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - who is in a room, and handing on to them */
#ifndef PVX_RELAY_ROOM_H
#define PVX_RELAY_ROOM_H

#include "abi/chat_wire.h"
#include "loop/loop.h"
#include "relay/hash.h"
#include "relay/history.h"

#include <stdbool.h>
#include <stdint.h>

struct chunk;
struct conn;
struct relay;

/* A device key, however many connections it has. It is in the room until the
 * messages of those that left are handed on: so it leaves behind its last. */
struct member {
	uint8_t device_key[CHAT_KEY_BYTES];
	uint32_t conn_count;
	uint32_t puts; /* of connections that left, not told */
	UT_hash_handle hh;
};

struct room {
	uint8_t id[CHAT_ROOM_ID_BYTES];
	struct relay *relay;
	struct list conns;      /* conn.room_link */
	uint32_t conn_count;    /* of them */
	struct member *members; /* uthash */
	uint32_t congested;     /* connections that it waits for */
	uint32_t left_behind;   /* those that it does not wait for any more */
	uint64_t warned_ms;     /* it lost who held it up; 0: never */
	struct list waiting;    /* conn.waiting_link: until congested is 0 */
	struct loop_work resume_work;
	struct room_history history;
	UT_hash_handle hh;
};

/*
 * Put a connection into the room of that id, which is made when it is the
 * first: sets conn->room and conn->member, queues the roster for it and
 * PRESENCE for the others. With nothing changed: -ENOMEM, or -EUSERS above
 * max_rooms or max_room_clients.
 */
int room_enter(struct relay *relay, struct conn *conn,
	       const uint8_t id[CHAT_ROOM_ID_BYTES],
	       const uint8_t device_key[CHAT_KEY_BYTES]);

/* Take it out; the last one out ends the room. Without a room: nothing. Not
 * to be called while the room's connections are walked. */
void room_leave(struct conn *conn);

/* A message of a member's connection that left is handed on, or never will be:
 * the member is gone when it was the last. */
void room_member_told(struct room *room, struct member *member);

/* End it if nobody is in it and the store has nothing to tell it. */
void room_destroy_if_empty(struct room *room);

/* Queue for every connection but `except` (may be NULL). */
void room_deliver(struct room *room, const struct conn *except,
		  struct chunk *chunk);
/* The same, written at once where nothing is queued before it: for the last
 * chunk of a turn, which has nothing to be gathered with. */
void room_hand(struct room *room, const struct conn *except,
	       struct chunk *chunk);

/* One connection more, or one less, to wait for. */
void room_congest(struct room *room);
void room_relieve(struct room *room);

#endif
