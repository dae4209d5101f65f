/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.c - TLS handshakes: so many at a time, so many in a turn */

#include "relay/handshake.h"
#include "base/log.h"
#include "relay/conn.h"
#include "relay/relay.h"
#include "relay/stream.h"

/*
 * How it works: a handshake costs the time of thousands of messages. So who is
 * in one is not read where the others are, but queued, and a few of the queue
 * are served at the end of each turn: the rooms' traffic of the next turn comes
 * between. A handshake has buffers, too; so there is a bound on how many there
 * are, above which nobody is accepted. Whoever then let us wait for long loses
 * his place to the next one, however his bytes trickle: to keep others out one
 * must open as many connections in that time.
 */

static void run_ready(struct loop_work *work)
{
	struct handshakes *h = list_entry(work, struct handshakes, work);

	for (unsigned int i = 0; i < RELAY_HANDSHAKES_PER_TURN; i++) {
		struct list *first = h->ready.next;

		if (list_is_empty(&h->ready))
			return;
		list_remove(first);
		stream_shake(list_entry(first, struct conn, ready_link));
	}
	if (!list_is_empty(&h->ready))
		loop_work_queue(&h->work);
}

void handshakes_init(struct relay *relay)
{
	struct handshakes *h = &relay->handshakes;

	list_init(&h->all);
	list_init(&h->ready);
	loop_work_init(relay->loop, &h->work, run_ready);
}

void handshakes_deinit(struct relay *relay)
{
	loop_work_cancel(&relay->handshakes.work);
}

bool handshakes_have_room(struct relay *relay)
{
	struct handshakes *h = &relay->handshakes;
	struct conn *oldest;

	if (h->count < RELAY_HANDSHAKES_MAX)
		return true;
	oldest = list_entry(h->all.next, struct conn, handshake_link);
	if (loop_now_ms(relay->loop) - oldest->created_ms <
		    RELAY_HANDSHAKE_PATIENCE_MS ||
	    !list_is_empty(&oldest->ready_link))
		return false;
	handshake_end(oldest);
	stream_lose(oldest, "TLS: others want its place");
	return true;
}

void handshake_begin(struct conn *conn)
{
	struct handshakes *h = &conn->relay->handshakes;

	h->count++;
	list_append(&h->all, &conn->handshake_link);
}

void handshake_queue(struct conn *conn)
{
	struct handshakes *h = &conn->relay->handshakes;

	list_append(&h->ready, &conn->ready_link);
	loop_work_queue(&h->work);
}

void handshake_end(struct conn *conn)
{
	if (list_is_empty(&conn->handshake_link))
		return;
	list_remove(&conn->handshake_link);
	list_remove(&conn->ready_link);
	conn->relay->handshakes.count--;
	relay_accept_more(conn->relay);
}
