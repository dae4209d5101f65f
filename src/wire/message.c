/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - the messages of the stream: table, decode, encode */

#include "wire/message.h"
#include "base/bytes.h"
#include "base/cursor.h"
#include "base/mutant.h"

#include <errno.h>
#include <string.h>

/*
 * How it works: the table says who may send a type, when, and how long its
 * body may be; a function per layout reads and writes the body through the
 * cursors. Decode is strict: what is accepted encodes to the same bytes, which
 * the fuzz target demands.
 */

#define C     WIRE_SIDE_CLIENT
#define R     WIRE_SIDE_RELAY
#define IN(s) (1u << WIRE_STATE_##s)
#define LIVE  (IN(GREETED) | IN(JOINING) | IN(JOINED))
#define ANY   (IN(OPENED) | LIVE)
#define JOIN_BYTES                                                            \
	(CHAT_ROOM_ID_BYTES + 2 * CHAT_KEY_BYTES + 2 * CHAT_SIGNATURE_BYTES + \
	 1 + 8 + 8)
#define WELCOME_BYTES (2 + CHAT_NONCE_BYTES + 4 * 4 + 1)

/* Clause 3: one row per message. */
static const struct wire_type types[CHAT_TYPES] = {
	[CHAT_HELLO] = { "HELLO", C, IN(OPENED), 8, 8 },
	[CHAT_WELCOME] = { "WELCOME", R, IN(OPENED), WELCOME_BYTES + 1,
			   WELCOME_BYTES + CHAT_NAME_MAX },
	[CHAT_JOIN] = { "JOIN", C, IN(GREETED), JOIN_BYTES, JOIN_BYTES },
	[CHAT_JOINED] = { "JOINED", R, IN(JOINING), 4 + CHAT_KEY_BYTES,
			  4 + CHAT_ROSTER_MAX_KEYS *CHAT_KEY_BYTES },
	[CHAT_SEND] = { "SEND", C, IN(JOINED), CHAT_ENVELOPE_MIN,
			CHAT_ENVELOPE_MAX },
	[CHAT_DELIVER] = { "DELIVER", R, IN(JOINED),
			   CHAT_DELIVER_HEAD + CHAT_ENVELOPE_MIN,
			   CHAT_DELIVER_HEAD + CHAT_ENVELOPE_MAX },
	[CHAT_ACK] = { "ACK", R, IN(JOINED), 8, 8 },
	[CHAT_REFUSED] = { "REFUSED", R, IN(JOINED), 11, 11 + CHAT_TEXT_MAX },
	[CHAT_PRESENCE] = { "PRESENCE", R, IN(JOINED), 1 + CHAT_KEY_BYTES,
			    1 + CHAT_KEY_BYTES },
	[CHAT_PING] = { "PING", C | R, LIVE, 8, 8 },
	[CHAT_PONG] = { "PONG", C | R, LIVE, 8, 8 },
	[CHAT_ERROR] = { "ERROR", R, ANY, 3, 3 + CHAT_TEXT_MAX },
	[CHAT_BYE] = { "BYE", C | R, ANY, 0, 0 },
	[CHAT_HISTORY] = { "HISTORY", R, IN(JOINED), 25, 25 },
	[CHAT_FETCH] = { "FETCH", C, IN(JOINED), 10, 10 },
};

static const char *const code_texts[CHAT_CODES] = {
	[CHAT_CODE_PROTOCOL] = "a frame that the specification forbids",
	[CHAT_CODE_TOO_LARGE] = "a frame is longer than allowed",
	[CHAT_CODE_VERSION] = "no protocol version in common",
	[CHAT_CODE_STATE] = "a message at the wrong time",
	[CHAT_CODE_ADMISSION] = "not admitted to the room",
	[CHAT_CODE_FULL] = "the relay takes no more clients",
	[CHAT_CODE_TIMEOUT] = "no answer in time",
	[CHAT_CODE_WINDOW] = "more messages sent than the window allows",
	[CHAT_CODE_SLOW] = "what was queued did not move for too long",
	[CHAT_CODE_INTERNAL] = "the relay cannot go on with this connection",
	[CHAT_CODE_SENDER] = "the envelope names another sender",
	[CHAT_CODE_ENVELOPE] = "an envelope of an unknown version",
	[CHAT_CODE_STORE] = "the relay cannot keep messages now",
	[CHAT_CODE_REMOVED] = "the relay's operator does not want this device",
	[CHAT_CODE_TLS] = "this port of the relay speaks TLS only",
};

const struct wire_type *wire_type(unsigned int type)
{
	return type < CHAT_TYPES && types[type].name ? &types[type] : NULL;
}

const char *wire_type_name(unsigned int type)
{
	return wire_type(type) ? types[type].name : "?";
}

const char *wire_code_text(unsigned int code)
{
	return code < CHAT_CODES && code_texts[code] ? code_texts[code]
						     : "unknown code";
}

size_t wire_max_frame_bytes(enum wire_side from, enum wire_state state)
{
	size_t most = 0;

	for (unsigned int i = 0; i < CHAT_TYPES; i++)
		if (types[i].sides & from && types[i].states & 1u << state &&
		    types[i].max_body_bytes > most)
			most = types[i].max_body_bytes;
	return CHAT_HEADER_BYTES + most;
}

/* Clause 2.5: texts are printable ASCII, so that they can be shown as is. */
static bool text_is_printable(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return true;
}

static const char *read_text(struct reader *r, uint8_t *bytes)
{
	const char *text;

	*bytes = reader_u8(r);
	text = (const char *)reader_bytes(r, *bytes);
	if (text && !text_is_printable(text, *bytes))
		r->has_failed = true;
	return text;
}

static void write_text(struct writer *w, const char *text, uint8_t bytes)
{
	writer_u8(w, bytes);
	writer_bytes(w, text, bytes);
}

static void read_welcome(struct reader *r, struct wire_message *m)
{
	m->welcome.version = reader_u16(r);
	m->welcome.nonce = reader_bytes(r, CHAT_NONCE_BYTES);
	m->welcome.max_envelope_bytes = reader_u32(r);
	m->welcome.window_messages = reader_u32(r);
	m->welcome.window_bytes = reader_u32(r);
	m->welcome.ping_interval_ms = reader_u32(r);
	m->welcome.name = read_text(r, &m->welcome.name_bytes);
}

static void write_welcome(struct writer *w, const struct wire_message *m)
{
	writer_u16(w, m->welcome.version);
	writer_bytes(w, m->welcome.nonce, CHAT_NONCE_BYTES);
	writer_u32(w, m->welcome.max_envelope_bytes);
	writer_u32(w, m->welcome.window_messages);
	writer_u32(w, m->welcome.window_bytes);
	writer_u32(w, m->welcome.ping_interval_ms);
	write_text(w, m->welcome.name, m->welcome.name_bytes);
}

static void read_join(struct reader *r, struct wire_message *m)
{
	m->join.room_id = reader_bytes(r, CHAT_ROOM_ID_BYTES);
	m->join.admission_key = reader_bytes(r, CHAT_KEY_BYTES);
	m->join.device_key = reader_bytes(r, CHAT_KEY_BYTES);
	m->join.admission_signature = reader_bytes(r, CHAT_SIGNATURE_BYTES);
	m->join.device_signature = reader_bytes(r, CHAT_SIGNATURE_BYTES);
	m->join.want = (enum chat_want)reader_u8(r);
	m->join.era = reader_u64(r);
	m->join.from = reader_u64(r);
	/* Clause 9.2: what a want does not use is zero. */
	if (m->join.want >= CHAT_WANTS ||
	    (m->join.want != CHAT_WANT_AFTER && m->join.era) ||
	    (m->join.want == CHAT_WANT_NOTHING && m->join.from))
		r->has_failed = true;
}

static void write_join(struct writer *w, const struct wire_message *m)
{
	writer_bytes(w, m->join.room_id, CHAT_ROOM_ID_BYTES);
	writer_bytes(w, m->join.admission_key, CHAT_KEY_BYTES);
	writer_bytes(w, m->join.device_key, CHAT_KEY_BYTES);
	writer_bytes(w, m->join.admission_signature, CHAT_SIGNATURE_BYTES);
	writer_bytes(w, m->join.device_signature, CHAT_SIGNATURE_BYTES);
	writer_u8(w, (uint8_t)m->join.want);
	writer_u64(w, m->join.era);
	writer_u64(w, m->join.from);
}

static void read_joined(struct reader *r, struct wire_message *m)
{
	m->joined.keys_after = reader_u32(r);
	if (reader_left(r) % CHAT_KEY_BYTES)
		r->has_failed = true;
	m->joined.count = (uint32_t)(reader_left(r) / CHAT_KEY_BYTES);
	m->joined.keys = reader_bytes(r, reader_left(r));
}

static void write_joined(struct writer *w, const struct wire_message *m)
{
	writer_u32(w, m->joined.keys_after);
	writer_bytes(w, m->joined.keys,
		     (size_t)m->joined.count * CHAT_KEY_BYTES);
}

static void read_send(struct reader *r, struct wire_message *m)
{
	m->send.envelope_bytes = (uint32_t)reader_left(r);
	m->send.envelope = reader_bytes(r, reader_left(r));
}

static void write_send(struct writer *w, const struct wire_message *m)
{
	writer_bytes(w, m->send.envelope, m->send.envelope_bytes);
}

static void read_deliver(struct reader *r, struct wire_message *m)
{
	m->deliver.sequence = reader_u64(r);
	m->deliver.envelope_bytes = (uint32_t)reader_left(r);
	m->deliver.envelope = reader_bytes(r, reader_left(r));
}

static void write_deliver(struct writer *w, const struct wire_message *m)
{
	writer_u64(w, m->deliver.sequence);
	writer_bytes(w, m->deliver.envelope, m->deliver.envelope_bytes);
}

static void read_hello(struct reader *r, struct wire_message *m)
{
	m->hello.magic = reader_u32(r);
	m->hello.version_min = reader_u16(r);
	m->hello.version_max = reader_u16(r);
	if (m->hello.version_min > m->hello.version_max)
		r->has_failed = true;
}

static void write_hello(struct writer *w, const struct wire_message *m)
{
	writer_u32(w, m->hello.magic);
	writer_u16(w, m->hello.version_min);
	writer_u16(w, m->hello.version_max);
}

/* ACK, PING and PONG: a single u64, which the union keeps in one place. */
_Static_assert(offsetof(struct wire_message, ack.up_to) ==
			       offsetof(struct wire_message, ping.token) &&
		       offsetof(struct wire_message, ack.up_to) ==
			       offsetof(struct wire_message, pong.token),
	       "one layout");

static void read_u64(struct reader *r, struct wire_message *m)
{
	m->ack.up_to = reader_u64(r);
}

static void write_u64(struct writer *w, const struct wire_message *m)
{
	writer_u64(w, m->ack.up_to);
}

static void read_refused(struct reader *r, struct wire_message *m)
{
	m->refused.index = reader_u64(r);
	m->refused.code = reader_u16(r);
	m->refused.text = read_text(r, &m->refused.text_bytes);
}

static void write_refused(struct writer *w, const struct wire_message *m)
{
	writer_u64(w, m->refused.index);
	writer_u16(w, m->refused.code);
	write_text(w, m->refused.text, m->refused.text_bytes);
}

static void read_presence(struct reader *r, struct wire_message *m)
{
	uint8_t what = reader_u8(r);

	if (what != CHAT_PRESENCE_JOINED && what != CHAT_PRESENCE_LEFT)
		r->has_failed = true;
	m->presence.what = (enum chat_presence)what;
	m->presence.device_key = reader_bytes(r, CHAT_KEY_BYTES);
}

static void write_presence(struct writer *w, const struct wire_message *m)
{
	writer_u8(w, (uint8_t)m->presence.what);
	writer_bytes(w, m->presence.device_key, CHAT_KEY_BYTES);
}

static void read_history(struct reader *r, struct wire_message *m)
{
	m->history.what = (enum chat_history)reader_u8(r);
	m->history.era = reader_u64(r);
	m->history.first = reader_u64(r);
	m->history.last = reader_u64(r);
	if (m->history.what >= CHAT_HISTORIES)
		r->has_failed = true;
}

static void write_history(struct writer *w, const struct wire_message *m)
{
	writer_u8(w, (uint8_t)m->history.what);
	writer_u64(w, m->history.era);
	writer_u64(w, m->history.first);
	writer_u64(w, m->history.last);
}

static void read_fetch(struct reader *r, struct wire_message *m)
{
	m->fetch.from = reader_u64(r);
	m->fetch.count = reader_u16(r);
	if (!m->fetch.from || !m->fetch.count ||
	    m->fetch.count > CHAT_FETCH_MAX)
		r->has_failed = true;
}

static void write_fetch(struct writer *w, const struct wire_message *m)
{
	writer_u64(w, m->fetch.from);
	writer_u16(w, m->fetch.count);
}

static void read_error(struct reader *r, struct wire_message *m)
{
	m->error.code = reader_u16(r);
	m->error.text = read_text(r, &m->error.text_bytes);
}

static void write_error(struct writer *w, const struct wire_message *m)
{
	writer_u16(w, m->error.code);
	write_text(w, m->error.text, m->error.text_bytes);
}

static void read_nothing(struct reader *r, struct wire_message *m)
{
}

static void write_nothing(struct writer *w, const struct wire_message *m)
{
}

static const struct {
	void (*read)(struct reader *r, struct wire_message *m);
	void (*write)(struct writer *w, const struct wire_message *m);
} layouts[CHAT_TYPES] = {
	[CHAT_HELLO] = { read_hello, write_hello },
	[CHAT_WELCOME] = { read_welcome, write_welcome },
	[CHAT_JOIN] = { read_join, write_join },
	[CHAT_JOINED] = { read_joined, write_joined },
	[CHAT_SEND] = { read_send, write_send },
	[CHAT_DELIVER] = { read_deliver, write_deliver },
	[CHAT_ACK] = { read_u64, write_u64 },
	[CHAT_REFUSED] = { read_refused, write_refused },
	[CHAT_PRESENCE] = { read_presence, write_presence },
	[CHAT_PING] = { read_u64, write_u64 },
	[CHAT_PONG] = { read_u64, write_u64 },
	[CHAT_ERROR] = { read_error, write_error },
	[CHAT_BYE] = { read_nothing, write_nothing },
	[CHAT_HISTORY] = { read_history, write_history },
	[CHAT_FETCH] = { read_fetch, write_fetch },
};

int wire_decode(struct wire_message *m, const uint8_t *frame, size_t bytes,
		enum wire_side from, enum wire_state state)
{
	const struct wire_type *row;
	struct reader r;
	uint32_t length;
	uint8_t type;

	memset(m, 0, sizeof(*m));
	reader_init(&r, frame, bytes);
	length = reader_u32(&r);
	type = reader_u8(&r);
	if (r.has_failed || length != bytes - CHAT_LENGTH_BYTES)
		return -EBADMSG;
	row = wire_type(type);
	if (!row || !(row->sides & from))
		return -EPROTO;
	if (!CHECK(message_state, row->states & 1u << state))
		return -EILSEQ;
	if (reader_left(&r) < row->min_body_bytes ||
	    reader_left(&r) > row->max_body_bytes)
		return -EBADMSG;
	m->type = (enum chat_type)type;
	layouts[type].read(&r, m);
	return reader_finish(&r);
}

long wire_encode(const struct wire_message *m, void *room, size_t room_bytes)
{
	const struct wire_type *row = wire_type((unsigned int)m->type);
	struct wire_message again = { 0 };
	struct reader r;
	struct writer w;
	size_t body;

	if (!row)
		return -EINVAL;
	writer_init(&w, room, room_bytes);
	writer_u32(&w, 0);
	writer_u8(&w, (uint8_t)m->type);
	layouts[m->type].write(&w, m);
	if (w.has_failed)
		return -EMSGSIZE;
	body = writer_used(&w) - CHAT_HEADER_BYTES;
	if (body > row->max_body_bytes)
		return -EMSGSIZE;
	if (body < row->min_body_bytes)
		return -EINVAL;
	bytes_put_be32(room, (uint32_t)body + 1);
	/* Only what decode accepts leaves us. */
	reader_init(&r, (uint8_t *)room + CHAT_HEADER_BYTES, body);
	layouts[m->type].read(&r, &again);
	if (reader_finish(&r))
		return -EINVAL;
	return (long)writer_used(&w);
}
