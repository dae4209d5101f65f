/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - a connection's time limits */

#include "relay/clock.h"
#include "relay/congestion.h"
#include "relay/conn.h"
#include "relay/relay.h"
#include "relay/stream.h"
#include "wire/message.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/*
 * How it works: each connection has one timer, set to the earliest of its
 * limits. What pushes a limit back (a read, a write) only notes the time; the
 * timer then fires early, finds nothing due, and is set again. Each row below
 * says when its limit ends, or NEVER, and what happens then.
 */
#define NEVER UINT64_MAX

static uint64_t later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* A Unix socket counts its bookkeeping too, hence the sign. */
int64_t clock_taken_bytes(const struct conn *conn)
{
	int held = 0;

	(void)ioctl(conn->transport.fd, SIOCOUTQ, &held);
	return (int64_t)conn->transport.sent_bytes - held;
}

void clock_watch_progress(struct conn *conn)
{
	if (!conn_is_sending(conn)) {
		conn->progress_ms = 0;
		return;
	}
	if (conn->progress_ms)
		return;
	conn->progress_ms = loop_now_ms(conn->relay->loop);
	conn->progress_bytes = clock_taken_bytes(conn);
	clock_arm(conn);
}

static uint64_t handshake_ends(const struct conn *conn)
{
	return conn->stage < CONN_JOINED
		       ? conn->created_ms +
				 conn->relay->limits.handshake_timeout_ms
		       : NEVER;
}

static void handshake_ended(struct conn *conn)
{
	conn_doom(conn, CHAT_CODE_TIMEOUT, "handshake");
}

/* Clause 5.9. Also while it is not read: it hears that we live. */
static uint64_t silence_ends(const struct conn *conn)
{
	return conn->stage == CONN_JOINED
		       ? later(conn->is_paused ? 0 : conn->heard_ms,
			       conn->pinged_ms) +
				 conn->relay->limits.ping_interval_ms
		       : NEVER;
}

static void silence_ended(struct conn *conn)
{
	conn->pinged_ms = loop_now_ms(conn->relay->loop);
	conn_say(conn, &(struct wire_message){
			       .type = CHAT_PING,
			       .ping.token = conn->pinged_ms,
		       });
}

static uint64_t patience_ends(const struct conn *conn)
{
	return conn->stage == CONN_JOINED && !conn->is_paused
		       ? conn->heard_ms + conn->relay->limits.idle_timeout_ms
		       : NEVER;
}

/* A PING waits behind what is queued: a client that still takes that cannot
 * have answered yet. (Only then: a stopped client's kernel takes PINGs too.) */
static bool is_still_taking(struct conn *conn)
{
	int64_t taken = clock_taken_bytes(conn);
	bool has_moved = taken > conn->patience_bytes;

	conn->patience_bytes = taken;
	return has_moved && (conn_is_sending(conn) ||
			     (int64_t)conn->transport.sent_bytes > taken);
}

static void patience_ended(struct conn *conn)
{
	if (is_still_taking(conn))
		conn->heard_ms = loop_now_ms(conn->relay->loop);
	else
		conn_doom(conn, CHAT_CODE_TIMEOUT, "silence");
}

/* Clause 5.6. A room that had to lose a member who held it up has less
 * patience with the next one, who may be the same with another key. */
static uint64_t progress_timeout_ms(const struct conn *conn)
{
	uint64_t timeout_ms = conn->relay->limits.progress_timeout_ms;
	const struct room *room = conn->room;

	if (!conn->is_congested || !room || !room->warned_ms ||
	    loop_now_ms(conn->relay->loop) - room->warned_ms > RELAY_WARNED_MS)
		return timeout_ms;
	return timeout_ms / RELAY_WARNED_DIVISOR;
}

static uint64_t progress_ends(const struct conn *conn)
{
	return conn->stage < CONN_CLOSING && conn->progress_ms
		       ? conn->progress_ms + progress_timeout_ms(conn)
		       : NEVER;
}

static void cut_off_slow(struct conn *conn, const char *detail)
{
	if (conn->room && conn->is_congested && !conn->is_left_behind)
		conn->room->warned_ms = loop_now_ms(conn->relay->loop);
	conn_doom(conn, CHAT_CODE_SLOW, detail);
}

static void progress_ended(struct conn *conn)
{
	int64_t taken = clock_taken_bytes(conn);

	if (taken - conn->progress_bytes < RELAY_PROGRESS_MIN_BYTES) {
		cut_off_slow(conn, "no progress");
		return;
	}
	conn->progress_ms = loop_now_ms(conn->relay->loop);
	conn->progress_bytes = taken;
}

static uint64_t room_patience_ends(const struct conn *conn)
{
	return conn->stage == CONN_JOINED && conn->is_congested
		       ? conn->congested_ms +
				 conn->relay->limits.room_patience_ms
		       : NEVER;
}

static void room_patience_ended(struct conn *conn)
{
	cut_off_slow(conn, "held its room up");
}

static uint64_t pause_ends(const struct conn *conn)
{
	return conn->paused_until_ms ? conn->paused_until_ms : NEVER;
}

static void pause_ended(struct conn *conn)
{
	conn->paused_until_ms = 0;
	stream_resume(conn);
}

static uint64_t closing_ends(const struct conn *conn)
{
	return conn->stage >= CONN_CLOSING
		       ? conn->closing_ms + RELAY_CLOSE_TIMEOUT_MS
		       : NEVER;
}

static void closing_ended(struct conn *conn)
{
	conn->is_lost = true;
	loop_work_queue(&conn->work);
}

static const struct {
	uint64_t (*ends)(const struct conn *conn);
	void (*ended)(struct conn *conn);
} limits[] = {
	{ handshake_ends, handshake_ended },
	{ patience_ends, patience_ended },
	{ silence_ends, silence_ended },
	{ progress_ends, progress_ended },
	{ room_patience_ends, room_patience_ended },
	{ congestion_look_ms, congestion_look },
	{ pause_ends, pause_ended },
	{ closing_ends, closing_ended },
};

void clock_arm(struct conn *conn)
{
	uint64_t now_ms = loop_now_ms(conn->relay->loop), next = NEVER;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		uint64_t ends = limits[i].ends(conn);

		if (ends < next)
			next = ends;
	}
	if (next == NEVER)
		loop_timer_disarm(&conn->timer);
	else
		loop_timer_arm(&conn->timer, next > now_ms ? next - now_ms : 0);
}

static void clock_due(struct loop_timer *timer)
{
	struct conn *conn = list_entry(timer, struct conn, timer);
	uint64_t now_ms = loop_now_ms(conn->relay->loop);

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i].ends(conn) <= now_ms)
			limits[i].ended(conn);
	clock_arm(conn);
}

void clock_init(struct conn *conn)
{
	loop_timer_init(conn->relay->loop, &conn->timer, clock_due);
}

void clock_charge(struct conn *conn, uint64_t frames, size_t bytes)
{
	uint64_t now_ms = loop_now_ms(conn->relay->loop);
	uint64_t wait_ms = later(bucket_take(&conn->messages, frames, now_ms),
				 bucket_take(&conn->bytes, bytes, now_ms));

	if (!wait_ms)
		return;
	conn->paused_until_ms = now_ms + wait_ms;
	clock_arm(conn);
}
