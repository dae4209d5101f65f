/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c - what the relay does with each message of a client */

#include "base/log.h"
#include "base/mutant.h"
#include "prim/random.h"
#include "relay/admission.h"
#include "relay/catchup.h"
#include "relay/conn.h"
#include "relay/relay.h"
#include "wire/envelope.h"

#include <errno.h>
#include <string.h>

/*
 * How it works: the DELIVERs of all SENDs of one read are encoded behind each
 * other into one chunk, the batch. At the end of the read each receiver gets a
 * reference to it: the work per receiver is the same for one message and for a
 * thousand, and what one sender wrote in one go is one piece of a gathered
 * write; or a write of its own, when nothing else is ready in this turn.
 */

static void take_hello(struct conn *conn, const struct wire_message *m,
		       size_t left_bytes)
{
	const struct relay *relay = conn->relay;

	if (m->hello.magic != CHAT_MAGIC) {
		conn_doom(conn, CHAT_CODE_PROTOCOL, "HELLO without magic");
		return;
	}
	if (m->hello.version_min > CHAT_VERSION ||
	    m->hello.version_max < CHAT_VERSION) {
		conn_doom(conn, CHAT_CODE_VERSION, NULL);
		return;
	}
	if (random_bytes(conn->nonce, sizeof(conn->nonce))) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no randomness");
		return;
	}
	conn_move(conn, CONN_GREETED);
	conn_say(conn,
		 &(struct wire_message){
			 .type = CHAT_WELCOME,
			 .welcome = {
				 .version = CHAT_VERSION,
				 .nonce = conn->nonce,
				 .max_envelope_bytes = CHAT_ENVELOPE_MAX,
				 .window_messages = (uint32_t)
					 relay->limits.window_messages,
				 .window_bytes = (uint32_t)
					 relay->limits.window_bytes,
				 .ping_interval_ms = (uint32_t)
					 relay->limits.ping_interval_ms,
				 .name = relay->name,
				 .name_bytes = (uint8_t)strlen(relay->name),
			 },
		 });
}

static void take_join(struct conn *conn, const struct wire_message *m,
		      size_t left_bytes)
{
	uint8_t exporter[TLS_EXPORTER_BYTES];
	struct wire_admission about = {
		.version = CHAT_VERSION,
		.name = conn->relay->name,
		.name_bytes = (uint8_t)strlen(conn->relay->name),
		.nonce = conn->nonce,
	};
	struct relay_counters *counters = &conn->relay->counters;
	const char *fault;
	int error = transport_exporter(&conn->transport, exporter);

	if (!error) {
		about.exporter = exporter;
		about.exporter_bytes = sizeof(exporter);
	} else if (error != -ENOTCONN) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no TLS exporter");
		return;
	}
	fault = admission_fault(m, &about);
	if (fault) {
		conn_doom(conn, CHAT_CODE_ADMISSION, fault);
		return;
	}
	/* Behind the proof: nobody learns whether another's key is banned. */
	if (!CHECK(device_ban,
		   !bans_has(&conn->relay->bans, m->join.device_key))) {
		counters->refused_banned++;
		conn_doom(conn, CHAT_CODE_REMOVED, "banned");
		return;
	}
	conn_move(conn, CONN_JOINED);
	error = room_enter(conn->relay, conn, m->join.room_id,
			   m->join.device_key);
	counters->joins += !error;
	counters->refused_room += error == -EUSERS;
	if (error) {
		conn_doom(conn,
			  error == -EUSERS ? CHAT_CODE_FULL
					   : CHAT_CODE_INTERNAL,
			  error == -EUSERS ? "room limits" : "no memory");
		return;
	}
	catchup_begin(conn, m);
}

static void refuse_send(struct conn *conn, enum chat_code code)
{
	const char *text = wire_code_text(code);

	/* The SENDs of a batch are in a row. */
	if (conn->batch)
		history_take_batch(conn, false);
	conn->relay->counters.refused[code]++;
	log_debug("client %llu: message refused: %s",
		  (unsigned long long)conn->number, text);
	conn_say(conn, &(struct wire_message){
			       .type = CHAT_REFUSED,
			       .refused = {
				       .index = conn->sends,
				       .code = (uint16_t)code,
				       .text = text,
				       .text_bytes = (uint8_t)strlen(text),
			       },
		       });
}

/* Room for the DELIVERs of this SEND and of all that may follow in the read:
 * each is as long as its SEND and CHAT_DELIVER_HEAD more. */
static struct chunk *batch_create(struct relay *relay, size_t envelope_bytes,
				  size_t left_bytes)
{
	size_t more = left_bytes / (CHAT_HEADER_BYTES + CHAT_ENVELOPE_MIN);

	return chunk_create(&relay->held_bytes,
			    CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD +
				    envelope_bytes + left_bytes +
				    more * CHAT_DELIVER_HEAD);
}

static void take_send(struct conn *conn, const struct wire_message *m,
		      size_t left_bytes)
{
	const struct relay_limits *limits = &conn->relay->limits;
	struct relay_counters *counters = &conn->relay->counters;
	struct wire_envelope_header h;
	struct wire_message deliver = { .type = CHAT_DELIVER };

	if (!CHECK(sender_window,
		   conn->sends - conn->acked < limits->window_messages &&
			   conn->open_bytes + m->send.envelope_bytes <=
				   limits->window_bytes)) {
		conn_doom(conn, CHAT_CODE_WINDOW, NULL);
		return;
	}
	conn->sends++;
	conn->open_bytes += m->send.envelope_bytes;
	if (wire_envelope_header_decode(&h, m->send.envelope,
					m->send.envelope_bytes) ||
	    h.version != CHAT_ENVELOPE_VERSION) {
		refuse_send(conn, CHAT_CODE_ENVELOPE);
		return;
	}
	if (!CHECK(sender_binding, memcmp(h.sender, conn->member->device_key,
					  CHAT_KEY_BYTES) == 0)) {
		refuse_send(conn, CHAT_CODE_SENDER);
		return;
	}
	if (!conn->batch)
		conn->batch = batch_create(conn->relay, m->send.envelope_bytes,
					   left_bytes);
	deliver.deliver.envelope = m->send.envelope;
	deliver.deliver.envelope_bytes = m->send.envelope_bytes;
	if (!conn->batch || chunk_append(conn->batch, &deliver)) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no memory");
		return;
	}
	counters->messages++;
	counters->message_bytes += m->send.envelope_bytes;
	counters->deliveries += conn->room->conn_count - 1;
}

void conn_end_batch(struct conn *conn)
{
	if (!conn->room)
		return;
	if (conn->batch)
		history_take_batch(conn, true);
	conn_done(conn, history_done(conn));
}

static void take_fetch(struct conn *conn, const struct wire_message *m,
		       size_t left_bytes)
{
	catchup_fetch(conn, m);
}

static void take_ping(struct conn *conn, const struct wire_message *m,
		      size_t left_bytes)
{
	conn_say(conn, &(struct wire_message){
			       .type = CHAT_PONG,
			       .pong.token = m->ping.token,
		       });
}

static void take_pong(struct conn *conn, const struct wire_message *m,
		      size_t left_bytes)
{
	/* That something was read is all that counts. */
}

static void take_bye(struct conn *conn, const struct wire_message *m,
		     size_t left_bytes)
{
	conn_doom(conn, 0, NULL);
}

static void (*const takers[CHAT_TYPES])(struct conn *conn,
					const struct wire_message *m,
					size_t left_bytes) = {
	[CHAT_HELLO] = take_hello, [CHAT_JOIN] = take_join,
	[CHAT_SEND] = take_send,   [CHAT_PING] = take_ping,
	[CHAT_PONG] = take_pong,   [CHAT_BYE] = take_bye,
	[CHAT_FETCH] = take_fetch,
};

void conn_dispatch(struct conn *conn, const uint8_t *frame, size_t bytes,
		   size_t left_bytes)
{
	unsigned int type = frame[CHAT_LENGTH_BYTES];
	struct wire_message m;
	int error;

	error = wire_decode(&m, frame, bytes, WIRE_SIDE_CLIENT,
			    conn_wire_state(conn));
	if (error)
		conn_doom(conn,
			  error == -EILSEQ ? CHAT_CODE_STATE
					   : CHAT_CODE_PROTOCOL,
			  wire_type_name(type));
	else
		takers[type](conn, &m, left_bytes);
}
