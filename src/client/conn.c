/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - one connection to the relay: reach it, frames in, frames out */

/*
 * How it works: the addresses of the server are tried one after the other,
 * each for CONN_CONNECT_MS. What is sent gathers in `out` and is written by
 * the watch when the socket takes it. What breaks the connection is only noted
 * and the descriptor closed; on_broken is called by deferred work, so that no
 * handler finds its connection gone in the middle. One timer serves the three
 * phases: connecting, handshake, silence.
 */
#include "client/conn.h"

#include "client/text.h"
#include "e2ee/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PONG_BYTES (CHAT_HEADER_BYTES + 8)

static void try_next_address(struct conn *conn);

static struct conn *conn_of_watch(struct loop_watch *watch)
{
	return list_entry(watch, struct conn, watch);
}

static void close_socket(struct conn *conn)
{
	int fd = conn->watch.fd;

	if (!conn->watch.loop)
		return;
	loop_watch_remove(&conn->watch);
	transport_deinit(&conn->transport);
	close(fd);
}

void conn_break(struct conn *conn, const char *format, ...)
{
	va_list args;

	if (!conn->loop)
		return;
	if (list_is_empty(&conn->broken_work.link)) {
		va_start(args, format);
		vsnprintf(conn->why, sizeof(conn->why), format, args);
		va_end(args);
		loop_work_queue(&conn->broken_work);
	}
	close_socket(conn);
	if (conn->query)
		address_query_cancel(conn->query);
	conn->query = NULL;
	loop_timer_disarm(&conn->timer);
}

static void run_broken(struct loop_work *work)
{
	struct conn *conn = list_entry(work, struct conn, broken_work);
	const struct conn_handler *handler = conn->handler;

	conn_close(conn);
	handler->on_broken(conn, conn->why);
}

static void on_timer(struct loop_timer *timer)
{
	struct conn *conn = list_entry(timer, struct conn, timer);
	uint64_t quiet_ms = loop_now_ms(conn->loop) - conn->heard_ms;
	uint64_t ping_ms =
		(uint64_t)conn->ping_interval_ms * CONN_QUIET_INTERVALS;
	uint64_t gone_ms =
		(uint64_t)conn->ping_interval_ms * CONN_GONE_INTERVALS;
	struct wire_message ping = { .type = CHAT_PING };

	if (conn->query) {
		conn_break(conn, "its name takes too long to resolve");
	} else if (conn->is_connecting) {
		close_socket(conn);
		conn->is_shaking = false;
		snprintf(conn->why, sizeof(conn->why), "it does not answer");
		try_next_address(conn);
	} else if (!conn->ping_interval_ms) {
		conn_break(conn, "the relay did not finish the handshake");
	} else if (quiet_ms >= gone_ms) {
		conn_break(conn, "nothing was heard from the relay for %u s",
			   (unsigned int)(quiet_ms / 1000));
	} else {
		if (quiet_ms >= ping_ms && !conn->has_pinged) {
			conn->has_pinged = true;
			conn_send(conn, &ping);
		}
		loop_timer_arm(&conn->timer,
			       (quiet_ms < ping_ms ? ping_ms : gone_ms) -
				       quiet_ms);
	}
}

void conn_joined(struct conn *conn, uint32_t ping_interval_ms)
{
	if (ping_interval_ms < CONN_PING_MIN_MS)
		ping_interval_ms = CONN_PING_MIN_MS;
	if (ping_interval_ms > CONN_PING_MAX_MS)
		ping_interval_ms = CONN_PING_MAX_MS;
	conn->ping_interval_ms = ping_interval_ms;
	loop_timer_arm(&conn->timer,
		       (uint64_t)ping_interval_ms * CONN_QUIET_INTERVALS);
}

/* Give the assembler the memory that it asked for, what it has kept. */
static int grow_room(struct conn *conn)
{
	uint8_t *room = realloc(conn->in_room, conn->in.wanted_bytes);

	if (!room)
		return -ENOMEM;
	conn->in_room = room;
	conn->in.room = room;
	conn->in.room_bytes = conn->in.wanted_bytes;
	return 0;
}

static void take_frame(struct conn *conn, const uint8_t *frame, size_t bytes)
{
	struct wire_message m, pong = { .type = CHAT_PONG };
	int error;

	error = wire_decode(&m, frame, bytes, WIRE_SIDE_RELAY, conn->state);
	if (error) {
		conn_break(conn, "the relay broke the protocol (%s frame, %s)",
			   wire_type_name(bytes > CHAT_LENGTH_BYTES
						  ? frame[CHAT_LENGTH_BYTES]
						  : 0),
			   error == -EILSEQ ? "at the wrong time"
					    : "malformed");
		return;
	}
	if (m.type == CHAT_PING) {
		pong.pong.token = m.ping.token;
		conn->pongs_bytes = conn_unsent_bytes(conn)
					    ? conn->pongs_bytes + PONG_BYTES
					    : PONG_BYTES;
		if (conn->pongs_bytes > CONN_UNREAD_PONG_BYTES)
			conn_break(conn, "the relay pings and does not read");
		else
			conn_send(conn, &pong);
	} else if (m.type != CHAT_PONG) {
		conn->handler->on_message(conn, &m);
	}
}

static void take_bytes(struct conn *conn, const uint8_t *data, size_t bytes)
{
	const uint8_t *frame;
	long found;

	conn->heard_ms = loop_now_ms(conn->loop);
	conn->has_pinged = false;
	while (conn->watch.loop) {
		conn->in.max_bytes =
			wire_max_frame_bytes(WIRE_SIDE_RELAY, conn->state);
		found = wire_frame_next(&conn->in, &data, &bytes, &frame);
		if (found == 0)
			return;
		if (found == -ENOBUFS) {
			if (grow_room(conn))
				conn_break(conn, "memory is exhausted");
		} else if (found < 0) {
			conn_break(conn, "what answers there is no relay of "
					 "Paravox, or a broken one");
		} else {
			take_frame(conn, frame, (size_t)found);
		}
	}
}

static void break_for_error(struct conn *conn, long error)
{
	if (error == -EPROTO)
		conn_break(conn, "TLS: %s", conn->transport.why);
	else if (error == -EPROTONOSUPPORT)
		conn_break(conn,
			   "it speaks no TLS there; when that is right, "
			   "write " LINK_PLAIN_PREFIX " before the address");
	else
		conn_break(conn, "%s", strerror((int)-error));
}

static void read_some(struct conn *conn)
{
	long got;

	got = transport_read(&conn->transport, conn->read_room,
			     CONN_READ_BYTES);
	if (got > 0)
		take_bytes(conn, conn->read_room, (size_t)got);
	if (got == 0 || transport_has_ended(&conn->transport))
		conn_break(conn, "the relay closed the connection");
	else if (got < 0 && got != -EAGAIN)
		break_for_error(conn, got);
}

size_t conn_unsent_bytes(const struct conn *conn)
{
	return conn->out_bytes - conn->out_sent;
}

/* What is queued, as far as the socket takes it. 0 or -errno. */
static long write_some(struct conn *conn)
{
	struct transport *t = &conn->transport;
	long put = 0;

	while (conn_unsent_bytes(conn) || transport_is_pending(t)) {
		const struct iovec rest = { conn->out + conn->out_sent,
					    conn_unsent_bytes(conn) };

		put = transport_write(t, &rest, 1);
		if (put < 0)
			break;
		conn->out_sent += (size_t)put;
		if (t->is_full)
			break;
	}
	return put < 0 && put != -EAGAIN ? put : 0;
}

void conn_flush(struct conn *conn)
{
	long error;

	if (!conn_is_open(conn))
		return;
	error = write_some(conn);
	if (error) {
		break_for_error(conn, error);
		return;
	}
	if (!conn_unsent_bytes(conn))
		conn->out_sent = conn->out_bytes = 0;
	loop_watch_set(&conn->watch,
		       LOOP_READ | (conn->transport.is_full ? LOOP_WRITE : 0));
}

/* Bytes of ours can pass. */
static void finish_open(struct conn *conn)
{
	conn->is_connecting = conn->is_shaking = false;
	conn->heard_ms = loop_now_ms(conn->loop);
	conn->opened_ms = conn->heard_ms;
	loop_watch_set(&conn->watch, LOOP_READ);
	conn->handler->on_open(conn);
}

static void watch_handshake(struct conn *conn)
{
	loop_watch_set(&conn->watch,
		       LOOP_READ | (conn->transport.is_full ? LOOP_WRITE : 0));
}

static void shake(struct conn *conn, unsigned int events)
{
	struct transport *t = &conn->transport;
	long got = -EAGAIN;

	if (events & LOOP_WRITE)
		got = transport_write(t, NULL, 0);
	if (got >= 0 || got == -EAGAIN)
		got = transport_read(t, conn->read_room, CONN_READ_BYTES);
	if (got == 0)
		conn_break(conn, "the relay closed the connection");
	else if (got < 0 && got != -EAGAIN)
		break_for_error(conn, got);
	else if (!transport_is_open(t))
		watch_handshake(conn);
	else
		finish_open(conn);
	/* An honest relay waits for us, and this one does not. */
	if (got > 0 && conn_is_open(conn))
		take_bytes(conn, conn->read_room, (size_t)got);
}

/* connect(2) came to an end, one way or the other. */
static void finish_connect(struct conn *conn)
{
	socklen_t bytes = sizeof(int);
	int error = 0, on = 1;

	if (getsockopt(conn->watch.fd, SOL_SOCKET, SO_ERROR, &error, &bytes) <
	    0)
		error = errno;
	if (error) {
		close_socket(conn);
		snprintf(conn->why, sizeof(conn->why), "%s", strerror(error));
		try_next_address(conn);
		return;
	}
	/* Not there on a local socket, and no loss there. */
	(void)setsockopt(conn->watch.fd, IPPROTO_TCP, TCP_NODELAY, &on,
			 sizeof(on));
	transport_init(&conn->transport, conn->watch.fd, conn->tls);
	loop_timer_arm(&conn->timer, CONN_HANDSHAKE_MS);
	if (!conn->tls) {
		finish_open(conn);
		return;
	}
	conn->is_shaking = true;
	error = transport_begin(&conn->transport);
	if (error)
		break_for_error(conn, error);
	else
		watch_handshake(conn);
}

static void on_ready(struct loop_watch *watch, unsigned int events)
{
	struct conn *conn = conn_of_watch(watch);

	if (conn->is_shaking) {
		shake(conn, events);
		return;
	}
	if (conn->is_connecting) {
		finish_connect(conn);
		return;
	}
	/* A relay that says why it closes must be heard before a write fails
	 * on the same connection. */
	if (events & (LOOP_READ | LOOP_HANGUP))
		read_some(conn);
	if (events & LOOP_WRITE)
		conn_flush(conn);
}

/* One address: 0 when the connect has begun. */
static int begin_connect(struct conn *conn, unsigned int i)
{
	const struct sockaddr *address =
		(const struct sockaddr *)&conn->addresses.list[i];
	const int receive_bytes = CONN_RECEIVE_BYTES;
	int fd, error;

	fd = socket(address->sa_family,
		    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
			 sizeof(receive_bytes));
	error = connect(fd, address, conn->addresses.bytes[i]) < 0 ? -errno : 0;
	if (!error || error == -EINPROGRESS)
		error = loop_watch_add(conn->loop, &conn->watch, fd, LOOP_WRITE,
				       on_ready);
	if (error)
		close(fd);
	return error;
}

static void try_next_address(struct conn *conn)
{
	while (conn->next_address < conn->addresses.count) {
		int error = begin_connect(conn, conn->next_address++);

		if (!error) {
			loop_timer_arm(&conn->timer, CONN_CONNECT_MS);
			return;
		}
		snprintf(conn->why, sizeof(conn->why), "%s", strerror(-error));
	}
	loop_timer_disarm(&conn->timer);
	loop_work_queue(&conn->broken_work);
}

static void on_resolved(void *owner, int result,
			const struct address_list *addresses)
{
	struct conn *conn = owner;

	conn->query = NULL;
	conn->addresses = *addresses;
	snprintf(conn->why, sizeof(conn->why), "%s",
		 result == -ENOENT ? "its name has no address"
				   : strerror(-result));
	try_next_address(conn);
}

int conn_open(struct conn *conn, struct loop *loop, const char *server,
	      struct tls_context *tls, const struct conn_handler *handler)
{
	int error;

	memset(conn, 0, sizeof(*conn));
	conn->read_room = malloc(CONN_READ_BYTES);
	if (!conn->read_room)
		return -ENOMEM;
	conn->loop = loop;
	conn->handler = handler;
	conn->tls = tls;
	conn->is_connecting = true;
	wire_assembler_init(&conn->in, CHAT_FRAME_MAX);
	loop_timer_init(loop, &conn->timer, on_timer);
	loop_work_init(loop, &conn->broken_work, run_broken);
	error = address_parse(&conn->addresses, server);
	if (error == -EAGAIN) {
		error = address_query_begin(&conn->query, loop, server,
					    on_resolved, conn);
		if (!error) {
			loop_timer_arm(&conn->timer, CONN_RESOLVE_MS);
			return 0;
		}
	}
	snprintf(conn->why, sizeof(conn->why), "%s", strerror(-error));
	try_next_address(conn);
	return 0;
}

void conn_close(struct conn *conn)
{
	if (!conn->loop)
		return;
	close_socket(conn);
	if (conn->query)
		address_query_cancel(conn->query);
	conn->query = NULL;
	loop_timer_disarm(&conn->timer);
	loop_work_cancel(&conn->broken_work);
	free(conn->in_room);
	free(conn->read_room);
	free(conn->out);
	conn->in_room = conn->read_room = conn->out = NULL;
	conn->out_bytes = conn->out_sent = conn->out_room = 0;
	conn->loop = NULL;
}

static int reserve(struct conn *conn, size_t bytes)
{
	size_t room = conn->out_room ? conn->out_room : 4096;
	uint8_t *grown;

	if (conn->out_sent) {
		memmove(conn->out, conn->out + conn->out_sent,
			conn_unsent_bytes(conn));
		conn->out_bytes -= conn->out_sent;
		conn->out_sent = 0;
	}
	while (room < conn->out_bytes + bytes)
		room *= 2;
	if (room == conn->out_room)
		return 0;
	grown = realloc(conn->out, room);
	if (!grown)
		return -ENOMEM;
	conn->out = grown;
	conn->out_room = room;
	return 0;
}

int conn_send(struct conn *conn, const struct wire_message *m)
{
	size_t most = CHAT_HEADER_BYTES + 512;
	long bytes;
	int error;

	if (!conn_is_open(conn))
		return -ENOTCONN;
	if (m->type == CHAT_SEND)
		most = CHAT_HEADER_BYTES + m->send.envelope_bytes;
	error = reserve(conn, most);
	if (error)
		return error;
	bytes = wire_encode(m, conn->out + conn->out_bytes,
			    conn->out_room - conn->out_bytes);
	if (bytes < 0)
		return (int)bytes;
	conn->out_bytes += (size_t)bytes;
	return loop_watch_set(&conn->watch, LOOP_READ | LOOP_WRITE);
}
