/* SPDX-License-Identifier: Apache-2.0 */
/* catchup.h - give a client what was said before it came */
#ifndef PVX_RELAY_CATCHUP_H
#define PVX_RELAY_CATCHUP_H

#include "abi/chat_wire.h"
#include "relay/outbox.h"
#include "store/store.h"
#include "wire/message.h"

#include <stdbool.h>

struct conn;
struct history;

/* How far a connection is with its past. */
enum catchup_stage {
	CATCHUP_ASKING, /* the room's numbers are not known yet */
	CATCHUP_TIMING, /* the number of a time is looked for */
	CATCHUP_GIVING, /* between BEGINS and LIVE */
	CATCHUP_LIVE    /* it has a FETCH to be answered */
};

/* There as long as a connection is not, or not only, live. */
struct catchup {
	struct store_read read;
	struct list link;  /* room_history.asking or history.readers */
	struct conn *conn; /* NULL: it left while the store reads for it */
	struct history *history; /* borrowed: the relay's */
	uint8_t room_id[CHAT_ROOM_ID_BYTES];
	enum catchup_stage stage;
	enum chat_want want;
	uint64_t era, from;  /* of JOIN */
	uint64_t next, to;   /* still to be read */
	struct chunk *chunk; /* what the read that runs has taken */
	size_t chunk_bytes;
	size_t most_bytes;  /* of that chunk */
	struct outbox held; /* handed on since that read began */
	bool is_reading;
	bool is_waiting;     /* until the client has taken what is queued */
	bool has_missed;     /* too much was handed on to be held */
	bool is_short;       /* of memory */
	bool has_begun;      /* BEGINS was said */
	uint64_t fetch_from; /* 0: no FETCH is open */
	uint16_t fetch_count;
	uint64_t fetched_first, fetched_last;
};

/* It has joined: say what there is, and give what it wants. */
void catchup_begin(struct conn *conn, const struct wire_message *join);

/* The room's numbers are known, or cannot be. */
void catchup_answer(struct catchup *catchup);

/* Messages are handed on to the room of a connection with a catchup. */
void catchup_offer(struct conn *conn, struct chunk *chunk);

/* Some of what is queued was taken. */
void catchup_go_on(struct conn *conn);

/* Clause 9.5. */
void catchup_fetch(struct conn *conn, const struct wire_message *fetch);

/* It leaves. Without a catchup: nothing. */
void catchup_end(struct conn *conn);

#endif
