/* SPDX-License-Identifier: Apache-2.0 */
/* event.h - what happens in a room, as the core tells it to its faces */
#ifndef PVX_CLIENT_EVENT_H
#define PVX_CLIENT_EVENT_H

#include "client/text.h"

#include "abi/chat_wire.h"
#include "base/list.h"
#include "e2ee/content.h"
#include "e2ee/room.h"
#include "prim/sign.h"

#include <stdbool.h>
#include <stdint.h>

enum event_type {
	/* Said by members; opened and verified. */
	EVENT_MESSAGE,
	EVENT_CAME,   /* the member announces himself */
	EVENT_NAMED,  /* the same, for those who came later */
	EVENT_LEAVES, /* the member says so; `text` may say why */
	/* Remarks on what a member said. */
	EVENT_NEW_MEMBER,   /* first sight of an identity in this room */
	EVENT_NICK_CHANGED, /* `other_nick` before */
	EVENT_NICK_TAKEN,   /* `other_nick` of `other_identity` is the same, or
			     * looks so */
	EVENT_GAP,          /* `count` messages before this one are missing */
	EVENT_LATE,         /* it came behind later ones */
	EVENT_FORK,         /* others were told something else before it */
	EVENT_CHAIN_BREAK,  /* the end of the chain before it is missing */
	/* What came and was not accepted; `text` is the reason. */
	EVENT_REFUSED,
	EVENT_REPLAYED,         /* `count` of them, accepted before */
	EVENT_IDENTITY_CHANGED, /* another identity behind a pinned device */
	/* The relay's word. */
	EVENT_PRESENT, /* a device came */
	EVENT_GONE,    /* a device left */
	/* Our own connection and messages. */
	EVENT_NEW_RELAY,    /* first contact; `text` has its key */
	EVENT_CONNECTED,    /* `count` devices are there, ours too */
	EVENT_DISCONNECTED, /* `text` why; again in `count` ms */
	EVENT_ACKED,        /* our message `number` */
	EVENT_UNSENT,       /* our message `number`, not taken: `text` */
	EVENT_STOPPED,      /* for good; `text` why */
	/* The room's messages on the relay. */
	EVENT_CAUGHT_UP,  /* all is here, `count` came since we were away */
	EVENT_LOST,       /* the relay has another past than before */
	EVENT_EXPIRED,    /* `count` messages were not kept long enough */
	EVENT_UNREADABLE, /* the relay cannot read them now */
	EVENT_FETCHED,    /* `count` older ones were shown */
	EVENTS
};

/* Everything in text form is clean (text.h) and ends with a NUL. */
struct event {
	struct list link; /* of the core's queue */
	enum event_type type;
	enum e2ee_verdict verdict; /* of the refusals */
	uint64_t time_ms;          /* since 1970, by our clock */
	uint64_t said_ms;          /* the same, by the sender's */
	uint8_t device[CHAT_KEY_BYTES];
	uint8_t identity[SIGN_PUBLIC_BYTES];
	uint8_t other_identity[SIGN_PUBLIC_BYTES];
	uint8_t chain[CHAT_CHAIN_ID_BYTES];
	uint64_t generation;
	uint64_t count;
	uint64_t number;
	uint64_t sequence; /* the relay's number of the message; 0: none */
	bool has_device;
	bool has_identity; /* verified to be the sender's */
	bool has_other_identity;
	bool has_chain;
	bool has_said;             /* said_ms is the sender's word */
	bool is_past;              /* said before we came */
	bool is_from_start;        /* EVENT_GAP: nothing of the chain came */
	bool is_reminder;          /* EVENT_NICK_TAKEN: both were known */
	bool is_own;               /* our identity's, from another process */
	bool is_verified;          /* the user compared safety numbers */
	char nick[TEXT_NICK_ROOM]; /* "" unknown */
	char other_nick[TEXT_NICK_ROOM];
	size_t text_bytes;
	char text[]; /* EVENT_MESSAGE: TEXT_BLOCK; else TEXT_LINE */
};

/* A new event of this time; its text is `text` (any bytes, NULL for none) in
 * clean form. NULL when there is no memory. Freed with free(). */
struct event *event_create(enum event_type type, const char *text,
			   size_t text_bytes);

/* Milliseconds since 1970. */
uint64_t event_now_ms(void);

/* "message", "refused" and so on: the name in JSON. */
const char *event_name(enum event_type type);

/* Whether its sender's time is further from ours than clocks and networks
 * explain: then a reader must see it. */
#define EVENT_FAR_MS 120000
bool event_is_said_far_off(const struct event *event);

/* A short name for a device key: eight hexadecimal digits. */
#define EVENT_DEVICE_ROOM 9
void event_device_text(char text[EVENT_DEVICE_ROOM],
		       const uint8_t device[CHAT_KEY_BYTES]);

#endif
