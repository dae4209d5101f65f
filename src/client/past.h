/* SPDX-License-Identifier: Apache-2.0 */
/* past.h - how far we have the messages that the relay keeps of the room */
#ifndef PVX_CLIENT_PAST_H
#define PVX_CLIENT_PAST_H

#include "client/since.h"
#include "client/state.h"
#include "wire/message.h"

#include <stdbool.h>

/*
 * How it works (spec/chat-wire.md, clause 9): `last` is the number up to which
 * nothing is wanted any more. It moves with every message of the catch-up and
 * of the live stream, and is stored with what these messages change, so each
 * is shown once, whatever ends the program. What has a lower number is shown
 * again when the user asks for it, and changes nothing.
 */
struct past {
	struct since since; /* of the user, for the first connection */
	uint64_t era;       /* of `last`; 0: none known */
	uint64_t last;
	uint64_t seen;    /* the same when this connection began */
	uint64_t given;   /* the newest of the catch-up, or of the FETCH */
	uint64_t shown;   /* the oldest that was shown; 0: none */
	uint64_t fetched; /* messages shown of the FETCH that is open */
	uint64_t caught;  /* messages shown since BEGINS */
	bool is_known;    /* era and last are of a connection before */
	bool was_asked;   /* `since` was answered */
	bool is_answered; /* this connection's JOIN, by a HISTORY */
	bool is_given;    /* the numbers of what comes move `last` */
	bool is_asking;   /* it said `since` */
	bool is_catching_up;
	bool is_fetching;
	bool has_moved;     /* and is not stored */
	bool has_gone_back; /* the same, because the relay has */
};

/* What is remembered of the room. 0 or -errno. */
int past_load(struct past *past, struct state *state,
	      const uint8_t room_id[CHAT_ROOM_ID_BYTES]);
/* Store it with the transaction that is open, or that this opens. */
int past_store(struct past *past, struct state *state,
	       const uint8_t room_id[CHAT_ROOM_ID_BYTES]);

/* A connection begins: what JOIN says of it. */
void past_begin(struct past *past, struct wire_message *join);

/* What a HISTORY means to a user; bits. */
enum past_news {
	PAST_HAS_CAUGHT_UP = 1, /* `caught` messages were shown */
	PAST_WAS_LOST = 2,      /* the relay has another past than before */
	PAST_HAS_EXPIRED = 4,   /* `missing` are not kept any more */
	PAST_IS_UNREADABLE = 8,
	PAST_IS_FETCHED = 16, /* `fetched` were shown */
	PAST_IS_NOT_KEPT = 32 /* there is none to be fetched from */
};
unsigned int past_take(struct past *past, const struct wire_message *history,
		       uint64_t *missing);

/* A DELIVER of that number comes. Whether the user asked for it to be shown
 * again (or for the first time, out of order): it is shown and changes
 * nothing. Only while such an answer comes, and each number once. */
bool past_is_old(const struct past *past, uint64_t sequence);
/* Whether it is shown again, too, when it was accepted before under a number
 * that we do not know: a line that `send` said, who reads nothing. */
bool past_is_asked_for(const struct past *past, uint64_t sequence);
/* Whether the user wants to see it at all. */
bool past_is_wanted(const struct past *past, uint64_t sequence);
/* It was taken, or shown, as `messages` texts. */
void past_move(struct past *past, uint64_t sequence, uint64_t messages);

/* Ask for `count` messages before the oldest one shown. 0, -ENOENT when there
 * are none, -EBUSY before the last answer. */
int past_fetch(struct past *past, uint16_t count, struct wire_message *fetch);

#endif
