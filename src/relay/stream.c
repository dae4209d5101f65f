/* SPDX-License-Identifier: Apache-2.0 */
/* stream.c - reading and writing a connection's socket */

#include "relay/stream.h"
#include "base/log.h"
#include "relay/catchup.h"
#include "relay/clock.h"
#include "relay/congestion.h"
#include "relay/conn.h"
#include "relay/handshake.h"
#include "relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * How it works: one read per turn and connection, into the relay's buffer;
 * frames that are whole there are served in place, and only the rest of a
 * read is kept, in room of exactly the frame's size. All of a read is served
 * before reading stops, so whoever is over a limit is over it by one read.
 *
 * Reading stops (is_paused) while the connection's room is congested, while
 * its own queue is above the mark, and while it owes to the rate limit. That
 * is noticed when the socket next becomes readable, so the silent cost
 * nothing; whatever ends calls stream_resume().
 */

/* First bytes of those who speak another protocol to us (clause 2.3 refuses
 * them all as too large): a line in the log that helps. */
static const struct {
	const char *bytes;
	const char *detail;
} strangers[] = {
	{ "\x16\x03", "that is TLS, and this port is plain" },
	{ "GET ", "that is HTTP" },
	{ "POST", "that is HTTP" },
	{ "HEAD", "that is HTTP" },
	{ "OPTI", "that is HTTP" },
	{ "CONN", "that is HTTP" },
	{ "PRI ", "that is HTTP" },
	{ "SSH-", "that is SSH" },
};

static const char *stranger_detail(const struct conn *conn)
{
	const uint8_t *head = transport_is_open(&conn->transport)
				      ? conn->assembler.head
				      : conn->transport.head;

	if (conn->stage != CONN_OPENED)
		return NULL;
	for (size_t i = 0; i < sizeof(strangers) / sizeof(strangers[0]); i++)
		if (memcmp(head, strangers[i].bytes,
			   strlen(strangers[i].bytes)) == 0)
			return strangers[i].detail;
	return NULL;
}

static bool stream_may_read(const struct conn *conn)
{
	return conn->stage >= CONN_CLOSING ||
	       (!conn->is_congested && !conn->paused_until_ms &&
		!(conn->room &&
		  (conn->room->congested || history_is_full(conn->relay))));
}

static void stream_watch(struct conn *conn)
{
	unsigned int events = 0;

	if (!conn->is_paused && !conn->has_ended &&
	    list_is_empty(&conn->ready_link))
		events |= LOOP_READ;
	if (conn->transport.is_full)
		events |= LOOP_WRITE;
	if (conn->watch.loop && loop_watch_set(&conn->watch, events)) {
		conn->is_lost = true;
		loop_work_queue(&conn->work);
	}
}

/* Who cannot read because of his room is woken up by his room; because of the
 * disk, by the history. */
static void stream_wait_for_room(struct conn *conn)
{
	if (conn->room && history_is_full(conn->relay)) {
		list_remove(&conn->full_link);
		list_append(&conn->relay->history.full, &conn->full_link);
	}
	if (!conn->room || !conn->room->congested)
		return;
	list_remove(&conn->waiting_link);
	list_append(&conn->room->waiting, &conn->waiting_link);
}

void stream_resume(struct conn *conn)
{
	if (!conn->is_paused)
		return;
	if (!stream_may_read(conn)) {
		stream_wait_for_room(conn);
		return;
	}
	conn->is_paused = false;
	/* The time that it was not listened to is no silence. */
	conn->heard_ms = loop_now_ms(conn->relay->loop);
	stream_watch(conn);
}

static void stream_pause(struct conn *conn)
{
	conn->is_paused = true;
	stream_wait_for_room(conn);
	stream_watch(conn);
}

void stream_lose(struct conn *conn, const char *detail)
{
	conn_doom(conn, 0, detail);
	conn->is_lost = true;
	loop_work_queue(&conn->work);
}

/* What a transport's error means, for the log. */
static const char *stream_detail(const struct conn *conn, long error)
{
	return error == -EPROTO ? conn->transport.why : strerror((int)-error);
}

static void stream_calm(struct conn *conn)
{
	if (!conn->is_congested ||
	    conn->outbox.bytes > conn->relay->limits.high_water_bytes / 2)
		return;
	congestion_end(conn);
	stream_resume(conn);
}

/* Keep relay.stalled: whose socket is full, in order of the last write. */
static void stream_note_stall(struct conn *conn, bool has_moved)
{
	bool is_listed = !list_is_empty(&conn->stalled_link);

	if (is_listed && (has_moved || !conn->transport.is_full)) {
		list_remove(&conn->stalled_link);
		is_listed = false;
	}
	if (!conn->transport.is_full || is_listed)
		return;
	conn->stalled_bytes = clock_taken_bytes(conn);
	conn->stalled_ms = loop_now_ms(conn->relay->loop);
	list_append(&conn->relay->stalled, &conn->stalled_link);
}

/* One transport_write(). Whether there is reason for another. */
static bool stream_write_some(struct conn *conn)
{
	struct transport *t = &conn->transport;
	uint64_t before_bytes = t->sent_bytes;
	struct iovec pieces[RELAY_IOVECS];
	unsigned int count;
	long n;

	count = outbox_gather(&conn->outbox, pieces, RELAY_IOVECS);
	n = transport_write(t, pieces, count);
	if (n < 0 && n != -EAGAIN) {
		stream_lose(conn, stream_detail(conn, n));
		return false;
	}
	if (n > 0)
		outbox_consume(&conn->outbox, (size_t)n);
	conn->relay->counters.written_bytes += t->sent_bytes - before_bytes;
	stream_note_stall(conn, t->sent_bytes > before_bytes);
	if (t->sent_bytes > before_bytes)
		congestion_moved(conn);
	return n != -EAGAIN && !t->is_full && conn->outbox.count;
}

void stream_write(struct conn *conn)
{
	if (!conn->transport.is_full && !conn->is_lost && conn_is_sending(conn))
		while (stream_write_some(conn))
			;
	clock_watch_progress(conn);
	stream_calm(conn);
	if (conn->catchup)
		catchup_go_on(conn);
	stream_watch(conn);
}

bool stream_is_free(const struct conn *conn)
{
	return !conn_is_sending(conn) && !conn->transport.is_full;
}

bool stream_write_chunk(struct conn *conn, struct chunk *chunk)
{
	const struct iovec piece = { chunk->bytes, chunk->used_bytes };
	struct transport *t = &conn->transport;
	uint64_t before_bytes = t->sent_bytes;
	long n = transport_write(t, &piece, 1);

	conn->relay->counters.written_bytes += t->sent_bytes - before_bytes;
	if (n == (long)piece.iov_len && stream_is_free(conn))
		return true;
	if (n < 0 && n != -EAGAIN) {
		stream_lose(conn, stream_detail(conn, n));
		return false;
	}
	/* A frame that is begun must end. */
	if (outbox_push(&conn->outbox, chunk)) {
		stream_lose(conn, "no memory");
		return false;
	}
	if (n > 0)
		outbox_consume(&conn->outbox, (size_t)n);
	stream_note_stall(conn, t->sent_bytes > before_bytes);
	stream_write(conn);
	return false;
}

/* Room for the frame that the assembler has begun. */
static int stream_grow(struct wire_assembler *a)
{
	uint8_t *room = realloc(a->room, a->wanted_bytes);

	if (!room)
		return -ENOMEM;
	a->room = room;
	a->room_bytes = a->wanted_bytes;
	return 0;
}

/* What the assembler says when the stream has no meaning, clause 8. */
static unsigned int stream_code(long error)
{
	switch (error) {
	case -EMSGSIZE:
		return CHAT_CODE_TOO_LARGE;
	case -ENOMEM:
		return CHAT_CODE_INTERNAL;
	default:
		return CHAT_CODE_PROTOCOL;
	}
}

/* `read_bytes` came from the socket for it, TLS and all. */
static void stream_feed(struct conn *conn, const uint8_t *data, size_t bytes,
			size_t read_bytes)
{
	struct wire_assembler *a = &conn->assembler;
	const uint8_t *frame;
	uint64_t frames = 0;
	long found;

	while (!conn->is_doomed &&
	       (found = wire_frame_next(a, &data, &bytes, &frame)) != 0) {
		if (found == -ENOBUFS)
			found = stream_grow(a);
		if (found < 0)
			conn_doom(conn, stream_code(found),
				  stranger_detail(conn));
		if (found <= 0)
			continue;
		frames++;
		conn_dispatch(conn, frame, (size_t)found, bytes);
	}
	conn_end_batch(conn);
	if (!wire_frame_is_begun(a) && a->room_bytes > RELAY_KEEP_BYTES) {
		free(a->room);
		a->room = NULL;
		a->room_bytes = 0;
	}
	clock_charge(conn, frames, read_bytes);
	relay_save_memory(conn->relay);
}

void stream_end(struct conn *conn)
{
	conn->has_ended = true;
	conn_doom(conn, 0,
		  wire_frame_is_begun(&conn->assembler) ? "within a frame"
							: NULL);
	loop_work_queue(&conn->work);
	stream_watch(conn);
}

/* The port is for TLS: say so in the clear, as far as he understands us. */
static void stream_refuse_plain(struct conn *conn)
{
	const char *detail = stranger_detail(conn);

	handshake_end(conn);
	transport_strip(&conn->transport);
	conn_doom(conn, CHAT_CODE_TLS,
		  detail ? detail : "that is not TLS, and this port is");
}

static void stream_discard(struct conn *conn, size_t bytes)
{
	conn->discarded_bytes += bytes;
	if (conn->discarded_bytes > RELAY_DISCARD_BYTES)
		stream_lose(conn, "does not stop to send");
}

/* The peer's TLS is not ours: an operator may want to know. */
static void stream_fail(struct conn *conn)
{
	log_line(relay_log_level(conn->relay, LOG_LEVEL_INFO),
		 "client %llu: TLS: %s", (unsigned long long)conn->number,
		 conn->transport.why);
	stream_lose(conn, conn->transport.why);
}

/* What transport_read() said, if it was no bytes. */
static void stream_take_no_bytes(struct conn *conn, long result,
				 size_t read_bytes)
{
	if (result == 0)
		stream_end(conn);
	else if (result == -EPROTONOSUPPORT)
		stream_refuse_plain(conn);
	else if (result == -EPROTO)
		stream_fail(conn);
	else if (result != -EAGAIN)
		stream_lose(conn, strerror((int)-result));
	else if (read_bytes)
		clock_charge(conn, 0, read_bytes);
}

static void stream_read(struct conn *conn)
{
	struct transport *t = &conn->transport;
	struct relay *relay = conn->relay;
	uint64_t before_bytes = t->received_bytes;
	size_t read_bytes;
	long n;

	n = transport_read(t, relay->read_buffer, sizeof(relay->read_buffer));
	read_bytes = (size_t)(t->received_bytes - before_bytes);
	relay->counters.read_bytes += read_bytes;
	if (read_bytes || n == 0)
		conn->heard_ms = loop_now_ms(relay->loop);
	if (transport_is_open(t))
		handshake_end(conn);
	if (n <= 0)
		stream_take_no_bytes(conn, n, read_bytes);
	else if (conn->stage < CONN_CLOSING)
		stream_feed(conn, relay->read_buffer, (size_t)n, read_bytes);
	else
		stream_discard(conn, read_bytes);
	if (n > 0 && transport_has_ended(t))
		loop_work_queue(&conn->work); /* to see it, after the ACK */
}

void stream_shake(struct conn *conn)
{
	stream_read(conn);
	if (conn->is_lost)
		return;
	if (conn_is_sending(conn)) /* it may be possible now */
		loop_work_queue(&conn->work);
	stream_watch(conn);
}

static void stream_ready(struct loop_watch *watch, unsigned int events)
{
	struct conn *conn = list_entry(watch, struct conn, watch);

	if (events & LOOP_WRITE) {
		conn->transport.is_full = false;
		stream_write(conn);
		loop_work_queue(&conn->work);
	}
	if (conn->is_lost)
		return;
	/* A hang-up is told again and again: it is the end unless the last
	 * bytes can be read now. What is not read was never acknowledged. */
	if (events & LOOP_HANGUP && (!(events & LOOP_READ) || conn->has_ended ||
				     !stream_may_read(conn))) {
		stream_lose(conn, "hung up");
		return;
	}
	if (!(events & LOOP_READ) || conn->has_ended)
		return;
	if (!list_is_empty(&conn->handshake_link)) {
		handshake_queue(conn);
		stream_watch(conn);
	} else if (stream_may_read(conn)) {
		stream_read(conn);
		stream_watch(conn); /* TLS may have answered */
	} else {
		stream_pause(conn);
	}
}

int stream_open(struct conn *conn)
{
	return loop_watch_add(conn->relay->loop, &conn->watch,
			      conn->transport.fd, LOOP_READ, stream_ready);
}
