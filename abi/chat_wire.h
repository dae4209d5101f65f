/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* chat_wire.h - the frames on the stream between a relay and its clients */
#ifndef ABI_CHAT_WIRE_H
#define ABI_CHAT_WIRE_H

/*
 * How to use it: a stream is a row of frames, each a 32-bit length, a type
 * byte and a body; the length counts type and body. Integers are big-endian.
 * Layouts are byte offsets, not structs, because bytes are touched only by
 * encode and decode (src/wire). The text is docs/spec/chat-wire.md.
 *
 * Numbers here may be added with a new CHAT_VERSION, never changed. HELLO
 * keeps its layout in every version.
 */

#define CHAT_MAGIC        0x50565843u /* "PVXC" */
#define CHAT_VERSION      1
#define CHAT_DEFAULT_PORT 7450

/* Message types, clause 3. */
enum chat_type {
	CHAT_HELLO = 1,    /* client: magic, versions */
	CHAT_WELCOME = 2,  /* relay: version, nonce, limits, name */
	CHAT_JOIN = 3,     /* client: room, keys, signatures, catch-up */
	CHAT_JOINED = 4,   /* relay: a part of the roster */
	CHAT_SEND = 5,     /* client: an envelope */
	CHAT_DELIVER = 6,  /* relay: sequence, an envelope */
	CHAT_ACK = 7,      /* relay: SENDs that are done, counted */
	CHAT_REFUSED = 8,  /* relay: one SEND that was not taken */
	CHAT_PRESENCE = 9, /* relay: a device key came or left */
	CHAT_PING = 10,    /* both */
	CHAT_PONG = 11,    /* both */
	CHAT_ERROR = 12,   /* relay: why it closes */
	CHAT_BYE = 13,     /* both: nothing follows */
	CHAT_HISTORY = 14, /* relay: what it keeps, and where we are in it */
	CHAT_FETCH = 15,   /* client: asks for older messages */
	CHAT_TYPES         /* one more than the last */
};

/* Codes of ERROR, clause 8, and of REFUSED, clause 5. */
enum chat_code {
	CHAT_CODE_PROTOCOL = 1,  /* a frame that the specification forbids */
	CHAT_CODE_TOO_LARGE = 2, /* a length above the limit */
	CHAT_CODE_VERSION = 3,   /* no version in common */
	CHAT_CODE_STATE = 4,     /* a message at the wrong time */
	CHAT_CODE_ADMISSION = 5, /* a signature or the room id is wrong */
	CHAT_CODE_FULL = 6,      /* the relay takes no more clients */
	CHAT_CODE_TIMEOUT = 7,   /* handshake or PONG did not come */
	CHAT_CODE_WINDOW = 8,    /* more SENDs open than WELCOME allows */
	CHAT_CODE_SLOW = 9,      /* what was queued did not move */
	CHAT_CODE_INTERNAL = 10, /* the relay's own fault */
	CHAT_CODE_SENDER = 11,   /* an envelope that names another device */
	CHAT_CODE_ENVELOPE = 12, /* an envelope of an unknown version */
	CHAT_CODE_STORE = 13,    /* the relay cannot keep it now */
	CHAT_CODE_REMOVED = 14,  /* by the relay's operator */
	CHAT_CODE_TLS = 15,      /* this port speaks TLS, told in the clear */
	CHAT_CODES
};

/* PRESENCE. */
enum chat_presence {
	CHAT_PRESENCE_JOINED = 1,
	CHAT_PRESENCE_LEFT = 2
};

/* JOIN: what the client wants of the room's history, clause 9. */
enum chat_want {
	CHAT_WANT_NOTHING = 0, /* only what comes from now on */
	CHAT_WANT_AFTER = 1,   /* `from`: a sequence number of `era` */
	CHAT_WANT_SINCE = 2,   /* `from`: the relay's time, ms since 1970 */
	CHAT_WANTS
};

/* HISTORY, clause 9. */
enum chat_history {
	CHAT_HISTORY_NONE = 0,       /* the relay keeps nothing */
	CHAT_HISTORY_BEGINS = 1,     /* what was asked for follows */
	CHAT_HISTORY_LIVE = 2,       /* all was given; now as it comes */
	CHAT_HISTORY_FETCHED = 3,    /* the end of the answer to a FETCH */
	CHAT_HISTORY_UNREADABLE = 4, /* it cannot be read now */
	CHAT_HISTORIES
};

/* Sizes of fields, in bytes. */
#define CHAT_ROOM_ID_BYTES   32
#define CHAT_KEY_BYTES       32 /* Ed25519 public key */
#define CHAT_SIGNATURE_BYTES 64 /* Ed25519 */
#define CHAT_NONCE_BYTES     32
#define CHAT_NAME_MAX        64   /* relay name */
#define CHAT_TEXT_MAX        255  /* text of ERROR and REFUSED */
#define CHAT_EXPORTER_MAX    64   /* TLS exporter in the signed bytes */
#define CHAT_ROSTER_MAX_KEYS 1024 /* of one JOINED frame */
#define CHAT_FETCH_MAX       1000 /* messages of one FETCH */

/* The envelope: what a member seals and the relay hands on unread, clause 6.
 * First its public header. */
#define CHAT_ENVELOPE_VERSION       1
#define CHAT_ENVELOPE_AT_VERSION    0  /* u8 */
#define CHAT_ENVELOPE_AT_SUITE      1  /* u16 */
#define CHAT_ENVELOPE_AT_TYPE       3  /* u8 */
#define CHAT_ENVELOPE_AT_EPOCH      4  /* u32 */
#define CHAT_ENVELOPE_AT_SENDER     8  /* device public key */
#define CHAT_ENVELOPE_AT_CHAIN      40 /* chain id */
#define CHAT_ENVELOPE_AT_GENERATION 72 /* u64 */
#define CHAT_ENVELOPE_AT_IV         80
#define CHAT_ENVELOPE_HEADER_BYTES  96
#define CHAT_CHAIN_ID_BYTES         32
#define CHAT_IV_BYTES               16
/* Then u32 length of the ciphertext, the ciphertext, the tag. */
#define CHAT_TAG_BYTES      32
#define CHAT_CIPHERTEXT_MAX 65536
#define CHAT_ENVELOPE_MIN   (CHAT_ENVELOPE_HEADER_BYTES + 4 + CHAT_TAG_BYTES)
#define CHAT_ENVELOPE_MAX   (CHAT_ENVELOPE_MIN + CHAT_CIPHERTEXT_MAX)

/* A frame's length field: at least the type byte, at most a DELIVER. */
#define CHAT_LENGTH_BYTES 4
#define CHAT_HEADER_BYTES (CHAT_LENGTH_BYTES + 1) /* length and type */
#define CHAT_DELIVER_HEAD 8                       /* before the envelope */
#define CHAT_BODY_MAX     (CHAT_DELIVER_HEAD + CHAT_ENVELOPE_MAX)
#define CHAT_FRAME_MAX    (CHAT_HEADER_BYTES + CHAT_BODY_MAX)

/* Labels, without a NUL; each is signed or hashed behind its length (u8). */
#define CHAT_LABEL_ROOM_ID   "paravox v1 room id"
#define CHAT_LABEL_ADMISSION "paravox v1 admission"
#define CHAT_LABEL_DEVICE    "paravox v1 device admission"

#endif
