/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - one client's connection, from accept(2) to close(2) */

#include "relay/conn.h"
#include "base/log.h"
#include "relay/clock.h"
#include "relay/congestion.h"
#include "relay/handshake.h"
#include "relay/relay.h"
#include "relay/stream.h"
#include "wire/message.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * How it works: a connection is owned by relay.conns and freed in one place,
 * conn_destroy(). Most of what can go wrong with it is noticed while a room's
 * connections are walked (a write fails, a queue overflows), where none may
 * leave; so it is only doomed then, and `work`, which runs at the end of the
 * turn, does the rest: the ACK that is due, one gathered write of all that
 * the turn queued, the step to CLOSING, the end. stream.c reads and writes,
 * clock.c watches the time limits, dispatch.c knows the messages.
 */
#define TO(s) (1u << CONN_##s)
static const unsigned int may_move[CONN_STAGES] = {
	[CONN_OPENED] = TO(GREETED) | TO(CLOSING),
	[CONN_GREETED] = TO(JOINED) | TO(CLOSING),
	[CONN_JOINED] = TO(CLOSING),
	[CONN_CLOSING] = TO(LINGERING),
	[CONN_LINGERING] = 0,
};

/* How far the stream is, as wire/ counts it. */
static const enum wire_state wire_states[CONN_STAGES] = {
	[CONN_OPENED] = WIRE_STATE_OPENED,
	[CONN_GREETED] = WIRE_STATE_GREETED,
	[CONN_JOINED] = WIRE_STATE_JOINED,
};

void conn_move(struct conn *conn, enum conn_stage stage)
{
	if (!(may_move[conn->stage] & 1u << stage))
		abort(); /* our own fault, not the peer's */
	conn->stage = stage;
	conn->assembler.max_bytes =
		wire_max_frame_bytes(WIRE_SIDE_CLIENT, wire_states[stage]);
	clock_arm(conn); /* each stage has limits of its own */
}

enum wire_state conn_wire_state(const struct conn *conn)
{
	return wire_states[conn->stage];
}

void conn_doom(struct conn *conn, unsigned int code, const char *detail)
{
	if (conn->is_doomed || conn->stage >= CONN_CLOSING)
		return;
	conn->is_doomed = true;
	conn->code = (uint16_t)code;
	conn->relay->counters.ends[code]++;
	loop_work_queue(&conn->work);
	if (code && code != CHAT_CODE_FULL)
		log_line(relay_log_level(conn->relay, LOG_LEVEL_INFO),
			 "client %llu: %s%s%s",
			 (unsigned long long)conn->number, wire_code_text(code),
			 detail ? ": " : "", detail ? detail : "");
	else
		log_debug("client %llu: leaves%s%s",
			  (unsigned long long)conn->number, detail ? ": " : "",
			  detail ? detail : "");
}

void conn_dismiss(struct conn *conn)
{
	conn->is_dismissed = true;
	conn_doom(conn, 0, "the relay stops");
}

/* After more was queued: write when it is much, and end what is too much. */
static void conn_bound(struct conn *conn)
{
	const struct relay *relay = conn->relay;

	if (conn->outbox.bytes < relay->flush_bytes)
		return;
	stream_write(conn);
	if (conn->outbox.bytes > relay->limits.hard_bound_bytes)
		conn_doom(conn, CHAT_CODE_SLOW, "hard bound");
	if (conn->outbox.bytes > relay->limits.high_water_bytes)
		congestion_begin(conn);
}

void conn_queue(struct conn *conn, struct chunk *chunk)
{
	if (conn->is_doomed || conn->stage >= CONN_CLOSING)
		return;
	if (outbox_push(&conn->outbox, chunk)) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no memory");
		return;
	}
	loop_work_queue(&conn->work);
	conn_bound(conn);
}

void conn_hand(struct conn *conn, struct chunk *chunk)
{
	if (conn->is_doomed)
		return;
	if (!stream_is_free(conn))
		conn_queue(conn, chunk);
	else if (!stream_write_chunk(conn, chunk))
		conn_bound(conn);
}

void conn_say(struct conn *conn, const struct wire_message *m)
{
	struct chunk *chunk = chunk_of(&conn->relay->held_bytes, m);

	if (!chunk) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no memory");
		return;
	}
	conn_queue(conn, chunk);
	chunk_put(chunk);
}

/* Clause 5.3. */
static void conn_acknowledge(struct conn *conn)
{
	conn->is_ack_due = false;
	conn->acked = conn->done;
	conn->open_bytes = history_open_bytes(conn);
	conn_say(conn, &(struct wire_message){
			       .type = CHAT_ACK,
			       .ack.up_to = conn->acked,
		       });
}

void conn_done(struct conn *conn, uint64_t up_to)
{
	if (up_to > conn->done)
		conn->done = up_to;
	if (conn->acked == conn->done || !conn->room)
		return;
	/* Clause 5.5: not while somebody is behind. */
	if (conn->room->congested) {
		list_remove(&conn->waiting_link);
		list_append(&conn->room->waiting, &conn->waiting_link);
		return;
	}
	conn->is_ack_due = true;
	loop_work_queue(&conn->work);
}

void conn_resume(struct conn *conn)
{
	conn_done(conn, conn->done);
	stream_resume(conn);
}

/* Who is leaving, or was never taken, is no client: his place is free. */
static void conn_uncount(struct conn *conn)
{
	if (conn->is_client)
		conn->relay->client_count--;
	conn->is_client = false;
	address_put(conn->relay, conn->address);
	conn->address = NULL;
}

/* Clause 4.8: a last word behind what is queued, and then no more. */
static void conn_begin_closing(struct conn *conn)
{
	struct wire_message last = { .type = CHAT_BYE };
	struct chunk *chunk = NULL;

	/* Without TLS nothing can be said yet; who is too many shall know. */
	if (!transport_is_open(&conn->transport) &&
	    conn->code != CHAT_CODE_FULL) {
		conn->is_lost = true;
		return;
	}
	room_leave(conn);
	if (conn->code) {
		last.type = CHAT_ERROR;
		last.error.code = conn->code;
		last.error.text = wire_code_text(conn->code);
		last.error.text_bytes = (uint8_t)strlen(last.error.text);
	}
	/* What did not move will not; but a frame begun must end. */
	if (conn->code == CHAT_CODE_SLOW)
		outbox_truncate(&conn->outbox);
	if (conn->code || conn->is_dismissed)
		chunk = chunk_of(&conn->relay->held_bytes, &last);
	if (chunk)
		(void)outbox_push(&conn->outbox, chunk);
	chunk_put(chunk);
	conn->closing_ms = loop_now_ms(conn->relay->loop);
	conn_uncount(conn);
	conn_move(conn, CONN_CLOSING);
	stream_resume(conn); /* to discard */
}

static void conn_work(struct loop_work *work)
{
	struct conn *conn = list_entry(work, struct conn, work);

	if (conn->is_lost) {
		conn_destroy(conn);
		return;
	}
	if (conn->is_ack_due && !conn->is_doomed) {
		conn_acknowledge(conn);
		/* It is written below, and not in a turn of its own. */
		if (!conn->is_doomed)
			loop_work_cancel(work);
	}
	if (transport_has_ended(&conn->transport) && !conn->has_ended)
		stream_end(conn);
	if (conn->is_doomed && conn->stage < CONN_CLOSING)
		conn_begin_closing(conn);
	if (conn_is_sending(conn))
		stream_write(conn);
	if (conn->is_lost) {
		conn_destroy(conn);
		return;
	}
	if (conn->stage < CONN_CLOSING || conn_is_sending(conn))
		return;
	if (conn->has_ended) {
		conn_destroy(conn); /* nothing unread: no reset */
	} else if (conn->stage == CONN_CLOSING) {
		transport_finish(&conn->transport);
		conn_move(conn, CONN_LINGERING);
	}
}

static void conn_set_socket(int fd)
{
	const int on = 1, notsent_bytes = RELAY_NOTSENT_BYTES;

	/* Not for Unix sockets, which refuse them: nothing is lost. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &notsent_bytes,
			 sizeof(notsent_bytes));
}

int conn_create(struct relay *relay, int fd, struct tls_context *context,
		struct address *address, bool is_refused)
{
	struct conn *conn = aligned_alloc(_Alignof(struct conn), sizeof(*conn));
	const struct relay_limits *limits = &relay->limits;
	uint64_t now_ms = loop_now_ms(relay->loop);
	int error;

	if (!conn) {
		close(fd);
		address_put(relay, address);
		return -ENOMEM;
	}
	*conn = (struct conn){ .relay = relay };
	transport_init(&conn->transport, fd, context);
	conn->address = address;
	conn->number = ++relay->last_number;
	conn->created_ms = now_ms;
	conn->heard_ms = now_ms;
	conn->pinged_ms = now_ms;
	list_init(&conn->handshake_link);
	list_init(&conn->ready_link);
	list_init(&conn->room_link);
	list_init(&conn->waiting_link);
	list_init(&conn->puts);
	list_init(&conn->full_link);
	list_init(&conn->stalled_link);
	loop_work_init(relay->loop, &conn->work, conn_work);
	clock_init(conn);
	wire_assembler_init(
		&conn->assembler,
		wire_max_frame_bytes(WIRE_SIDE_CLIENT, WIRE_STATE_OPENED));
	bucket_init(&conn->messages, limits->rate_messages,
		    limits->burst_messages, now_ms);
	bucket_init(&conn->bytes, limits->rate_bytes, limits->burst_bytes,
		    now_ms);
	conn_set_socket(fd);
	error = stream_open(conn);
	if (error) {
		close(fd);
		address_put(relay, address);
		free(conn);
		return error;
	}
	list_append(&relay->conns, &conn->link);
	relay->conn_count++;
	if (context)
		handshake_begin(conn);
	conn->is_client = !is_refused;
	if (conn->is_client)
		relay->client_count++;
	clock_arm(conn);
	if (is_refused)
		conn_doom(conn, CHAT_CODE_FULL, NULL);
	return 0;
}

void conn_destroy(struct conn *conn)
{
	struct relay *relay = conn->relay;

	conn_uncount(conn);
	handshake_end(conn);
	room_leave(conn);
	loop_watch_remove(&conn->watch);
	loop_timer_disarm(&conn->timer);
	list_remove(&conn->stalled_link);
	list_remove(&conn->full_link);
	loop_work_cancel(&conn->work);
	outbox_deinit(&conn->outbox);
	chunk_put(conn->batch);
	free(conn->assembler.room);
	close(conn->transport.fd);
	transport_deinit(&conn->transport);
	list_remove(&conn->link);
	free(conn);
	relay_conn_gone(relay);
}
