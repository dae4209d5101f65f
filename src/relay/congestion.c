/* SPDX-License-Identifier: Apache-2.0 */
/* congestion.c - for whom a room waits (clause 5.5) */

#include "relay/congestion.h"
#include "base/log.h"
#include "relay/clock.h"
#include "relay/conn.h"
#include "relay/relay.h"

/*
 * How it works: a connection is congested (is_congested) from its high-water
 * mark until half of it. Its room waits for it while it moves. One that took
 * nothing for the room's grace is left behind (is_left_behind): its queue goes
 * on to grow, up to the hard bound, and its room goes on too. Once it takes
 * something it is waited for again.
 *
 * A room leaves at most one in RELAY_LEFT_DIVISOR behind: if many stand still
 * at the same time, it is the network or this machine, and to go on would lose
 * them all.
 */

static bool room_may_leave(const struct room *room)
{
	return (uint64_t)RELAY_LEFT_DIVISOR * (room->left_behind + 1) <=
	       room->conn_count;
}

void congestion_enter(struct conn *conn)
{
	if (conn->is_congested)
		room_congest(conn->room);
}

void congestion_leave(struct conn *conn)
{
	if (conn->is_left_behind)
		conn->room->left_behind--;
	else if (conn->is_congested)
		room_relieve(conn->room);
	conn->is_left_behind = false;
}

/* Not to be waited for any more; it may be left behind before. */
static void stop_waiting(struct conn *conn)
{
	if (conn->room)
		congestion_leave(conn);
	conn->look_ms = 0;
}

void congestion_look(struct conn *conn)
{
	struct room *room = conn->room;
	int64_t taken = clock_taken_bytes(conn);
	bool has_moved = taken > conn->looked_bytes;

	conn->looked_bytes = taken;
	conn->look_ms = loop_now_ms(conn->relay->loop) +
			conn->relay->limits.room_grace_ms;
	if (has_moved || !room || !room_may_leave(room))
		return;
	stop_waiting(conn);
	conn->is_left_behind = true;
	room->left_behind++;
	log_debug("client %llu: its room goes on without it",
		  (unsigned long long)conn->number);
}

uint64_t congestion_look_ms(const struct conn *conn)
{
	return conn->look_ms ? conn->look_ms : UINT64_MAX;
}

void congestion_begin(struct conn *conn)
{
	uint64_t now_ms = loop_now_ms(conn->relay->loop);
	bool is_stalled = !list_is_empty(&conn->stalled_link);

	if (conn->is_congested)
		return;
	conn->is_congested = true;
	conn->congested_ms = now_ms;
	if (conn->room)
		room_congest(conn->room);
	conn->looked_bytes =
		is_stalled ? conn->stalled_bytes : clock_taken_bytes(conn);
	conn->look_ms = (is_stalled ? conn->stalled_ms : now_ms) +
			conn->relay->limits.room_grace_ms;
	if (conn->look_ms <= now_ms)
		congestion_look(conn);
	clock_arm(conn);
}

void congestion_end(struct conn *conn)
{
	if (!conn->is_congested)
		return;
	stop_waiting(conn);
	conn->is_congested = false;
}

void congestion_moved(struct conn *conn)
{
	if (!conn->is_left_behind)
		return;
	conn->is_left_behind = false;
	conn->room->left_behind--;
	room_congest(conn->room);
	conn->looked_bytes = clock_taken_bytes(conn);
	conn->look_ms = loop_now_ms(conn->relay->loop) +
			conn->relay->limits.room_grace_ms;
	clock_arm(conn);
}
