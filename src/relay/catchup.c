/* SPDX-License-Identifier: Apache-2.0 */
/* catchup.c - give a client what was said before it came */

/*
 * How it works (chat-wire.md, clause 9): the store is read in pieces, the next
 * one when the client has taken most of the last, so what is queued for one
 * that catches up is small, and the smaller the more of them there are. Each
 * read ends at what was handed on to the room when it began; what is handed on
 * while it runs is held (the shared chunk, not a copy). If that read was the
 * last, the held chunks follow it and the client is live: no gap, nothing
 * twice. If they became too much they are dropped, for the next read has them.
 */
#include "relay/catchup.h"

#include "base/log.h"
#include "relay/conn.h"
#include "relay/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void say(struct catchup *c, enum chat_history what, uint64_t first,
		uint64_t last)
{
	conn_say(c->conn, &(struct wire_message){
				  .type = CHAT_HISTORY,
				  .history = {
					  .what = what,
					  .era = c->conn->room->history.era,
					  .first = first,
					  .last = last,
				  },
			  });
}

static void catchup_free(struct catchup *c)
{
	list_remove(&c->link);
	outbox_deinit(&c->held);
	chunk_put(c->chunk);
	free(c);
}

void catchup_end(struct conn *conn)
{
	struct catchup *c = conn->catchup;

	if (!c)
		return;
	conn->catchup = NULL;
	conn->relay->history.catching--;
	if (c->is_reading) {
		outbox_deinit(&c->held);
		c->conn = NULL; /* freed when the store has told */
	} else {
		catchup_free(c);
	}
}

/* On the reader's thread: only what belongs to the read is touched. */
static bool take(struct store_read *read, uint64_t sequence,
		 const uint8_t *envelope, size_t bytes)
{
	struct catchup *c = list_entry(read, struct catchup, read);
	const struct wire_message m = {
		.type = CHAT_DELIVER,
		.deliver = {
			.sequence = sequence,
			.envelope = envelope,
			.envelope_bytes = (uint32_t)bytes,
		},
	};
	size_t frame_bytes = CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD + bytes;

	if (!c->chunk)
		c->chunk = chunk_create(&c->chunk_bytes,
					frame_bytes > c->most_bytes
						? frame_bytes
						: c->most_bytes);
	if (!c->chunk) {
		c->is_short = true;
		return false;
	}
	/* What is no envelope is left out: paravoxd check finds it. */
	if (chunk_append(c->chunk, &m) == -EMSGSIZE &&
	    bytes <= CHAT_ENVELOPE_MAX)
		return false;
	if (!c->fetched_first)
		c->fetched_first = sequence;
	c->fetched_last = sequence;
	return true;
}

static void read_told(struct store_read *read);

static void read_next(struct history *h)
{
	while (h->reading < RELAY_READS_MAX && !list_is_empty(&h->readers)) {
		struct catchup *c =
			list_entry(h->readers.next, struct catchup, link);
		size_t share = RELAY_CATCHUP_BYTES / (h->catching + 1);

		list_remove(&c->link);
		c->most_bytes = share < RELAY_CATCHUP_LEAST_BYTES
					? RELAY_CATCHUP_LEAST_BYTES
					: share;
		if (c->most_bytes > RELAY_CATCHUP_MOST_BYTES)
			c->most_bytes = RELAY_CATCHUP_MOST_BYTES;
		if (c->stage == CATCHUP_GIVING)
			c->to = c->conn->room->history.last;
		c->read = (struct store_read){
			.room = c->room_id,
			.how = c->stage == CATCHUP_TIMING ? STORE_FROM_TIME
							  : STORE_FROM_SEQUENCE,
			.from = c->stage == CATCHUP_TIMING ? c->from : c->next,
			.to = c->to,
			.take = take,
			.on_done = read_told,
		};
		list_init(&c->read.link);
		c->is_reading = true;
		h->reading++;
		store_read(c->conn->relay->history.store, &c->read);
	}
}

static void ask(struct catchup *c)
{
	struct history *h = &c->conn->relay->history;

	c->is_waiting = false;
	list_append(&h->readers, &c->link);
	read_next(h);
}

/* Read on when most of what is queued was taken. */
static void ask_when_taken(struct catchup *c)
{
	c->is_waiting = c->conn->outbox.bytes > RELAY_CATCHUP_LOW_BYTES;
	if (!c->is_waiting)
		ask(c);
}

void catchup_go_on(struct conn *conn)
{
	if (conn->catchup->is_waiting)
		ask_when_taken(conn->catchup);
}

static void begin_fetch(struct catchup *c)
{
	const struct room_history *h = &c->conn->room->history;

	c->next = c->fetch_from;
	c->to = c->fetch_from + c->fetch_count - 1;
	if (c->to < c->fetch_from || c->to > h->last)
		c->to = h->last;
	c->fetched_first = c->fetched_last = 0;
	ask_when_taken(c);
}

/* All is given: what was held follows, and then what comes. */
static void go_live(struct catchup *c, enum chat_history what)
{
	const struct room_history *h = &c->conn->room->history;
	struct chunk *chunk;

	while ((chunk = outbox_take(&c->held))) {
		conn_queue(c->conn, chunk);
		chunk_put(chunk);
	}
	c->stage = CATCHUP_LIVE;
	say(c, what, h->first, h->last);
	if (c->fetch_from)
		begin_fetch(c);
	else
		catchup_end(c->conn);
}

static void give(struct catchup *c)
{
	const struct room_history *h = &c->conn->room->history;

	if (c->next > h->last) {
		go_live(c, CHAT_HISTORY_LIVE);
		return;
	}
	c->stage = CATCHUP_GIVING;
	ask_when_taken(c);
}

void catchup_answer(struct catchup *c)
{
	const struct room_history *h = &c->conn->room->history;

	if (!h->is_known) {
		go_live(c, CHAT_HISTORY_UNREADABLE);
		return;
	}
	switch (c->want) {
	case CHAT_WANT_AFTER:
		c->next = c->from + 1;
		if (c->era != h->era || c->from > h->last || c->next < h->first)
			c->next = h->first;
		give(c);
		return;
	case CHAT_WANT_SINCE:
		c->stage = CATCHUP_TIMING;
		ask(c);
		return;
	default:
		go_live(c, CHAT_HISTORY_LIVE);
	}
}

/* The read's chunk, counted from now on as all others are. */
static void queue_chunk(struct catchup *c)
{
	struct relay *relay = c->conn->relay;
	struct chunk *chunk = c->chunk;

	if (!chunk)
		return;
	c->chunk = NULL;
	chunk = chunk_shrink(chunk);
	chunk->held_bytes = &relay->held_bytes;
	relay->held_bytes += c->chunk_bytes;
	c->chunk_bytes = 0;
	if (chunk->used_bytes)
		conn_queue(c->conn, chunk);
	chunk_put(chunk);
}

static void end_fetch(struct catchup *c, enum chat_history what)
{
	uint64_t first = c->fetched_first, last = c->fetched_last;

	if (!first) {
		first = c->fetch_from;
		last = first - 1;
	}
	say(c, what, first, last);
	catchup_end(c->conn);
}

static void fetch_told(struct catchup *c, int error)
{
	if (error)
		end_fetch(c, CHAT_HISTORY_UNREADABLE);
	else if (c->next > c->to)
		end_fetch(c, CHAT_HISTORY_FETCHED);
	else
		ask_when_taken(c);
}

static void piece_told(struct catchup *c)
{
	bool has_all = c->next > c->to && !c->has_missed;

	c->has_missed = false;
	if (has_all || c->next > c->conn->room->history.last) {
		go_live(c, CHAT_HISTORY_LIVE);
		return;
	}
	/* What was held is in the next read. */
	outbox_deinit(&c->held);
	ask_when_taken(c);
}

static void read_told(struct store_read *read)
{
	struct catchup *c = list_entry(read, struct catchup, read);
	struct conn *conn = c->conn;
	struct relay *relay;
	int error = c->is_short ? -ENOMEM : read->error;

	c->is_reading = false;
	if (!conn) {
		/* Its relay is that of nobody any more: see catchup_end(). */
		struct history *h = c->history;

		catchup_free(c);
		h->reading--;
		read_next(h);
		return;
	}
	relay = conn->relay;
	relay->history.reading--;
	c->is_short = false;
	if (!error && read->first > conn->room->history.first)
		conn->room->history.first = read->first;
	if (error)
		log_line(relay_log_level(relay, LOG_LEVEL_ERROR),
			 "client %llu: its past cannot be read: %s",
			 (unsigned long long)conn->number,
			 store_explain(error));
	/* The read knows best what is left of what is wanted. */
	if (!error && c->stage == CATCHUP_GIVING && !c->has_begun) {
		c->has_begun = true;
		say(c, CHAT_HISTORY_BEGINS,
		    read->first > read->from ? read->first : read->from, c->to);
	}
	queue_chunk(c);
	c->next = read->next;
	if (c->stage == CATCHUP_LIVE)
		fetch_told(c, error);
	else if (error)
		go_live(c, CHAT_HISTORY_UNREADABLE);
	else if (c->stage == CATCHUP_TIMING)
		give(c);
	else
		piece_told(c);
	read_next(&relay->history);
	relay_save_memory(relay);
}

static struct catchup *catchup_create(struct conn *conn,
				      enum catchup_stage stage)
{
	struct catchup *c = calloc(1, sizeof(*c));

	if (!c) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no memory");
		return NULL;
	}
	list_init(&c->link);
	list_init(&c->read.link);
	memcpy(c->room_id, conn->room->id, sizeof(c->room_id));
	c->conn = conn;
	c->history = &conn->relay->history;
	c->stage = stage;
	conn->catchup = c;
	conn->relay->history.catching++;
	return c;
}

static void say_none(struct conn *conn)
{
	conn_say(conn, &(struct wire_message){ .type = CHAT_HISTORY });
}

void catchup_begin(struct conn *conn, const struct wire_message *join)
{
	struct catchup *c;

	if (!conn->relay->history.store) {
		say_none(conn);
		return;
	}
	c = catchup_create(conn, CATCHUP_ASKING);
	if (!c)
		return;
	c->want = join->join.want;
	c->era = join->join.era;
	c->from = join->join.from;
	if (conn->room->history.is_known) {
		catchup_answer(c);
		return;
	}
	list_append(&conn->room->history.asking, &c->link);
	history_look(conn->room);
}

void catchup_offer(struct conn *conn, struct chunk *chunk)
{
	struct catchup *c = conn->catchup;

	if (c->stage == CATCHUP_LIVE) {
		conn_queue(conn, chunk);
		return;
	}
	if (c->stage != CATCHUP_GIVING || !c->is_reading || c->has_missed)
		return; /* the next read has it */
	if (c->held.bytes + chunk->used_bytes <= RELAY_CATCHUP_MOST_BYTES &&
	    outbox_push(&c->held, chunk) == 0)
		return;
	c->has_missed = true;
	outbox_deinit(&c->held);
}

void catchup_fetch(struct conn *conn, const struct wire_message *m)
{
	struct catchup *c = conn->catchup;

	if (!conn->relay->history.store) {
		say_none(conn);
		return;
	}
	if (c && c->fetch_from) {
		conn_doom(conn, CHAT_CODE_WINDOW, "a FETCH too many");
		return;
	}
	if (!c)
		c = catchup_create(conn, CATCHUP_LIVE);
	if (!c)
		return;
	c->fetch_from = m->fetch.from;
	c->fetch_count = m->fetch.count;
	if (c->stage != CATCHUP_LIVE)
		return; /* behind LIVE */
	if (conn->room->history.is_known)
		begin_fetch(c);
	else
		end_fetch(c, CHAT_HISTORY_UNREADABLE);
}
