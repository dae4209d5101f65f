/* SPDX-License-Identifier: Apache-2.0 */
/* chat.h - being in a room: the core that all faces share */
#ifndef PVX_CLIENT_CHAT_H
#define PVX_CLIENT_CHAT_H

#include "client/event.h"
#include "client/inbox.h"
#include "client/roster.h"
#include "client/since.h"

#include "cryptsess.h"
#include "e2ee/link.h"
#include "loop/loop.h"

/*
 * After a reconnect what is unsent waits until the devices that were there
 * before are back, so that it reaches every member that stayed (the relay
 * keeps no history); but no longer than this, which is more than a client waits
 * between two tries (backoff.h).
 */
#define CHAT_HOLD_MS 5000
/* A device that comes is told our nick after a random part of this, plus the
 * second number for each member, so that a crowd does not answer at once. */
#define CHAT_GREET_MS        500
#define CHAT_GREET_MEMBER_MS 20

/* One message is at most this long; faces refuse more. */
#define CHAT_MAX_TEXT_BYTES 49152

#define CHAT_FOREVER (-1)

struct chat_options {
	const char *server;           /* of the room, or --server's */
	const struct room_link *room; /* borrowed for the call */
	const char *fingerprint; /* of the relay, by --fingerprint; or NULL */
	const char *provider;    /* NULL: openssl */
	const char *nick;        /* NULL: says nothing, ever */
	bool is_announced;       /* tells the room that it came and leaves */
	bool is_deaf;            /* does not open what others send */
	/* How long the relay may be out of reach, before the first
	 * connection and after one was lost, until EVENT_STOPPED. */
	int64_t first_patience_ms;
	int64_t patience_ms;
	struct since since; /* of the past; zeroed: what was missed */
};

struct chat; /* opaque */

/*
 * Enter a room: load the identity and the state, open the crypto provider,
 * begin to connect. `on_event` is called from the loop only. Returns 0, or
 * -errno after a message on standard error.
 */
int chat_create(struct chat **chat, struct loop *loop,
		const struct chat_options *options, inbox_event_fn *on_event,
		void *owner);
/* Wipe and release. NULL is allowed. Not from within on_event. */
void chat_destroy(struct chat *chat);

/*
 * Seal a text and send it as soon as can be; an EVENT_ACKED or EVENT_UNSENT
 * with `number` follows, whatever connections come and go. 0; -EMSGSIZE above
 * CHAT_MAX_TEXT_BYTES; -EINVAL for no text, or one with a NUL; -ENOBUFS while
 * too much is unsent. Another failure is for good: EVENT_STOPPED follows.
 */
int chat_say(struct chat *chat, const char *text, size_t bytes,
	     uint64_t *number);

/* Take another nick (text_nick_is_good()) and tell the room. As chat_say(). */
int chat_set_nick(struct chat *chat, const char *nick);

/* Show `count` messages older than the oldest that was shown; EVENT_FETCHED
 * follows. 0; -ENOENT when there are none, -EBUSY before that event, -ENOTCONN
 * without a relay, or one that keeps nothing. Until a relay has said what it
 * keeps the question waits. */
int chat_fetch(struct chat *chat, uint16_t count);

/* Say goodbye; EVENT_STOPPED without a text follows when all is acknowledged,
 * or after `wait_ms`. */
void chat_leave(struct chat *chat, uint64_t wait_ms);

/* What is not acknowledged yet. */
size_t chat_unacked(const struct chat *chat);
bool chat_is_joined(const struct chat *chat);
const char *chat_nick(const struct chat *chat);

/* For /who and /verify: the devices present, and what is known of one. */
const struct roster *chat_roster(const struct chat *chat);
const struct e2ee_room *chat_room(const struct chat *chat);
void chat_describe(struct chat *chat, struct event *event,
		   const uint8_t device[CHAT_KEY_BYTES]);
struct state *chat_state(struct chat *chat);

#endif
