/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - the messages of the stream: table, decode, encode */
#ifndef PVX_WIRE_MESSAGE_H
#define PVX_WIRE_MESSAGE_H

#include "abi/chat_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who sends. */
enum wire_side {
	WIRE_SIDE_CLIENT = 1,
	WIRE_SIDE_RELAY = 2
};

/* How far a connection is, clause 4. Both sides count the same way: the state
 * is the one in which a message is received. */
enum wire_state {
	WIRE_STATE_OPENED,  /* before HELLO */
	WIRE_STATE_GREETED, /* after HELLO, before JOIN (client: WELCOME) */
	WIRE_STATE_JOINING, /* client only: JOIN sent, roster not complete */
	WIRE_STATE_JOINED,
	WIRE_STATES
};

/* A message. Pointers are borrowed: decode() points into the frame. */
struct wire_message {
	enum chat_type type;
	union {
		struct {
			uint32_t magic; /* not checked by decode */
			uint16_t version_min;
			uint16_t version_max;
		} hello;
		struct {
			uint16_t version;
			const uint8_t *nonce; /* CHAT_NONCE_BYTES */
			uint32_t max_envelope_bytes;
			uint32_t window_messages;
			uint32_t window_bytes;
			uint32_t ping_interval_ms;
			const char *name; /* printable ASCII, no NUL */
			uint8_t name_bytes;
		} welcome;
		struct {
			const uint8_t *room_id;
			const uint8_t *admission_key;
			const uint8_t *device_key;
			const uint8_t *admission_signature;
			const uint8_t *device_signature;
			enum chat_want want;
			uint64_t era;  /* of AFTER, 0: none known */
			uint64_t from; /* 0 for NOTHING */
		} join;
		struct {
			uint32_t keys_after; /* in JOINED frames to come */
			const uint8_t *keys; /* count * CHAT_KEY_BYTES */
			uint32_t count;
		} joined;
		struct {
			const uint8_t *envelope;
			uint32_t envelope_bytes;
		} send;
		struct {
			uint64_t sequence; /* 0: no history */
			const uint8_t *envelope;
			uint32_t envelope_bytes;
		} deliver;
		struct {
			uint64_t up_to;
		} ack;
		struct {
			uint64_t index; /* 1: the first SEND */
			uint16_t code;
			const char *text; /* printable ASCII, no NUL */
			uint8_t text_bytes;
		} refused;
		struct {
			enum chat_presence what;
			const uint8_t *device_key;
		} presence;
		struct {
			uint64_t token;
		} ping, pong;
		struct {
			enum chat_history what;
			uint64_t era;   /* of this room's numbers */
			uint64_t first; /* kept; last + 1 when nothing is */
			uint64_t last;  /* given so far, or to be given */
		} history;
		struct {
			uint64_t from; /* sequence, 1 or more */
			uint16_t count;
		} fetch;
		struct {
			uint16_t code;
			const char *text; /* printable ASCII, no NUL */
			uint8_t text_bytes;
		} error;
	};
};

/*
 * Decode one frame (length, type and body, exactly) that `from` sent and that
 * arrived in `state`. Returns 0; -EBADMSG for what the specification forbids
 * (clauses 2 and 3); -EPROTO for a type that is unknown or not allowed from
 * that side; -EILSEQ for one that is not allowed in that state (clause 4).
 */
int wire_decode(struct wire_message *m, const uint8_t *frame, size_t bytes,
		enum wire_side from, enum wire_state state);

/*
 * Encode into a whole frame. Returns its bytes; -EMSGSIZE when it does not fit
 * into `room_bytes` or is longer than its type allows; -EINVAL for a message
 * that decode would refuse.
 */
long wire_encode(const struct wire_message *m, void *room, size_t room_bytes);

/* The largest frame (with its length field) that `from` may send in `state`. */
size_t wire_max_frame_bytes(enum wire_side from, enum wire_state state);

/* "SEND" and so on, "?" for another number; for logs. */
const char *wire_type_name(unsigned int type);
/* A sentence for people, "unknown code" for another number. */
const char *wire_code_text(unsigned int code);

/* Where things are in a row of the tests: the table of types, clause 3. */
struct wire_type {
	const char *name;
	unsigned int sides;  /* enum wire_side, or-ed */
	unsigned int states; /* 1 << enum wire_state, or-ed */
	uint32_t min_body_bytes;
	uint32_t max_body_bytes;
};
/* The row of a type, or NULL. */
const struct wire_type *wire_type(unsigned int type);

#endif
