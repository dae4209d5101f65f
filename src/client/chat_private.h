/* SPDX-License-Identifier: Apache-2.0 */
/* chat_private.h - what chat.c and chat_relay.c share */
#ifndef PVX_CLIENT_CHAT_PRIVATE_H
#define PVX_CLIENT_CHAT_PRIVATE_H

#include "client/backoff.h"
#include "client/chat.h"
#include "client/conn.h"
#include "client/outbox.h"
#include "client/pin.h"
#include "client/past.h"

struct chat {
	struct loop *loop;
	struct conn conn;
	struct outbox outbox;
	struct roster roster;
	struct inbox inbox;
	struct backoff backoff;
	struct past past;
	struct cryptsess_provider *provider;
	struct e2ee_room *room;
	struct state *state;
	struct loop_work flush_work;
	struct loop_timer retry_timer;
	struct loop_timer hold_timer;
	struct loop_timer greet_timer;
	struct loop_timer leave_timer;
	struct tls_context *tls; /* NULL: plain */
	struct pin pin;
	char server[LINK_MAX_SERVER_BYTES + 1];
	char nick[TEXT_NICK_ROOM];
	uint8_t envelope[CHAT_ENVELOPE_MAX]; /* where seal() writes */
	uint64_t last_number;
	uint64_t away_since_ms;
	int64_t first_patience_ms;
	int64_t patience_ms;
	uint32_t ping_interval_ms; /* of WELCOME */
	size_t max_envelope_bytes; /* of WELCOME */
	uint16_t fetch_later;      /* messages asked for too early; 0: none */
	bool is_announced;
	bool is_deaf;
	bool was_joined;
	bool is_holding; /* after a reconnect: nothing is sent yet */
	bool is_leaving;
	bool is_stopped;
};

/* chat.c */
void chat_push(struct chat *chat, enum event_type type, uint64_t count,
	       const char *text);
void chat_push_presence(struct chat *chat, enum event_type type,
			const uint8_t device[CHAT_KEY_BYTES]);
void chat_stop(struct chat *chat, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void chat_stop_for_error(struct chat *chat, int error);
void chat_retry(struct chat *chat, const char *why);
void chat_announce(struct chat *chat);
void chat_greet_soon(struct chat *chat);
void chat_release_hold(struct chat *chat);
void chat_finish_leaving(struct chat *chat);

/* chat_relay.c: begin to connect; what the relay says is handled there. */
void chat_connect(struct chat *chat);

#endif
