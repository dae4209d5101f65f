/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - keep a room's messages before they are handed on */

/*
 * How it works (chat-wire.md, clause 9): the chunk of a read, which without
 * history would be queued to all receivers at once, is first put into the
 * store: the store is given pointers into it. When it is on the disk, the
 * numbers that the store gave are written into the frames, and the chunk goes
 * its usual way; ACK follows. So what is stored and what is delivered are the
 * same bytes, and the order of the store is the order of the room.
 *
 * Before the first put of a room its numbers are looked up, because a catch-up
 * must know where the past ends and what is handed on begins: it ends at
 * `last`, always, since only this thread moves it.
 */
#include "relay/history.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/mutant.h"
#include "prim/random.h"
#include "relay/catchup.h"
#include "relay/conn.h"
#include "relay/options.h"
#include "relay/relay.h"
#include "relay/state.h"
#include "relay/stream.h"
#include "wire/envelope.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>

/* No error of the store's. */
#define ERROR_TOO_MANY_ROOMS (-EAGAIN)

struct history_put {
	struct store_put put;
	struct list conn_link; /* conn.puts */
	struct conn *conn;     /* NULL: it left */
	struct member *leaver; /* then, whose it was */
	bool is_local;         /* it came from this machine */
	struct room *room;
	struct chunk *chunk;
	uint64_t first_send; /* index of the first message's SEND */
	uint64_t up_to;      /* done with it: refused ones behind it, too */
	struct store_message messages[];
};

static struct history_put *put_of(struct list *link)
{
	return list_entry(link, struct history_put, put.link);
}

static void on_told(struct loop_watch *watch, unsigned int events)
{
	struct relay *relay = list_entry(watch, struct relay, history.watch);

	store_serve(relay->history.store);
}

int history_open(struct relay *relay, const struct relay_options *options)
{
	const struct relay_limits *l = &options->limits;
	const struct store_limits limits = {
		.age_ms = l->history_age_s * 1000,
		.room_messages = l->history_room_messages,
		.room_bytes = l->history_room_bytes,
		.total_bytes = l->history_bytes,
		.rooms = l->history_rooms,
	};
	struct history *h = &relay->history;
	char folder[PATH_MAX];
	int error;

	list_init(&h->full);
	list_init(&h->readers);
	if (options->has_no_history)
		return 0;
	error = relay_state_path(folder, sizeof(folder), options->state,
				 "history.sqlite");
	if (error)
		return error;
	*strrchr(folder, '/') = '\0';
	error = store_open(&h->store, folder, &limits);
	if (error) {
		log_error("no history in %s: %s", folder, store_explain(error));
		log_info("--no-history relays without one");
		return error;
	}
	error = loop_watch_add(relay->loop, &h->watch, store_fd(h->store),
			       LOOP_READ, on_told);
	if (error)
		log_error("no history: %s", strerror(-error));
	return error;
}

void history_close(struct relay *relay)
{
	loop_watch_remove(&relay->history.watch);
	store_close(relay->history.store);
	relay->history.store = NULL;
}

void history_room_init(struct room *room)
{
	list_init(&room->history.early);
	list_init(&room->history.asking);
	list_init(&room->history.look.link);
}

bool history_room_is_busy(const struct room *room)
{
	return room->history.puts || room->history.is_looking;
}

bool history_is_full(const struct relay *relay)
{
	return relay->history.queued_bytes > RELAY_STORE_BYTES;
}

/* Those who waited for the disk may send again. */
static void history_calm(struct relay *relay, size_t bytes)
{
	struct history *h = &relay->history;

	h->queued_bytes -= bytes;
	if (h->queued_bytes > RELAY_STORE_BYTES / 2)
		return;
	while (!list_is_empty(&h->full)) {
		struct list *first = h->full.next;

		list_remove(first);
		stream_resume(list_entry(first, struct conn, full_link));
	}
}

/* Once when it begins to fail, and once when it is well again. */
static void note_error(struct relay *relay, int error)
{
	int before = relay->history.error;

	relay->history.error = error;
	if (error && error != before && error != -ESHUTDOWN)
		log_line(relay_log_level(relay, LOG_LEVEL_ERROR),
			 "messages are refused: %s", store_explain(error));
	else if (!error && before)
		log_info("messages are kept again");
}

/* Whether the room, which the store does not know yet, may be put there. Who
 * has left before that was clear cannot be asked who he was. */
static int room_begin(struct room *room, const struct history_put *p)
{
	struct relay *relay = room->relay;
	bool may_begin =
		room->history.is_begun || p->is_local ||
		!relay->limits.rate_rooms ||
		(p->conn && address_begin_room(relay, p->conn->address));

	if (!may_begin)
		return ERROR_TOO_MANY_ROOMS;
	room->history.is_begun = true;
	return 0;
}

/* Clause 9.8. */
static void refuse_all(const struct history_put *p, int error)
{
	const char *text = error == ERROR_TOO_MANY_ROOMS
				   ? "your network began too many rooms"
				   : store_explain(error);

	for (size_t i = 0; i < p->put.count && p->conn; i++)
		conn_say(p->conn, &(struct wire_message){
					  .type = CHAT_REFUSED,
					  .refused = {
						  .index = p->first_send + i,
						  .code = CHAT_CODE_STORE,
						  .text = text,
						  .text_bytes = (uint8_t)
							  strlen(text),
					  },
				  });
}

/* Write the numbers into the frames; those of messages that were kept before
 * (clause 9.7) are taken out. Returns how many are left. */
static size_t number_frames(struct history_put *p)
{
	uint8_t *to = p->chunk->bytes;
	size_t count = 0;

	for (size_t i = 0; i < p->put.count; i++) {
		const struct store_message *m = &p->messages[i];
		uint8_t *frame = (uint8_t *)(uintptr_t)m->envelope -
				 CHAT_DELIVER_HEAD - CHAT_HEADER_BYTES;
		size_t bytes = CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD + m->bytes;

		if (!m->sequence)
			continue;
		bytes_put_be64(frame + CHAT_HEADER_BYTES, m->sequence);
		if (frame != to)
			memmove(to, frame, bytes);
		to += bytes;
		p->room->history.last = m->sequence;
		count++;
	}
	p->chunk->used_bytes = (uint32_t)(to - p->chunk->bytes);
	return count;
}

static void hand_on(struct history_put *p)
{
	p->room->history.era = p->put.era;
	if (!number_frames(p))
		return;
	list_for_each (link, &p->room->conns) {
		struct conn *conn = list_entry(link, struct conn, room_link);

		if (conn == p->conn)
			continue;
		if (conn->catchup)
			catchup_offer(conn, p->chunk);
		else
			conn_queue(conn, p->chunk);
	}
}

/* It is on the disk, or cannot be. */
static void put_told(struct store_put *put)
{
	struct history_put *p = list_entry(put, struct history_put, put);
	struct room *room = p->room;
	struct relay *relay = room->relay;
	size_t bytes = p->chunk->room_bytes;

	if (put->error != ERROR_TOO_MANY_ROOMS)
		note_error(relay, put->error);
	if (put->error) {
		relay->counters.refused[CHAT_CODE_STORE] += put->count;
		refuse_all(p, put->error);
	} else
		hand_on(p);
	if (p->conn) {
		list_remove(&p->conn_link);
		conn_done(p->conn, p->up_to);
	}
	if (p->leaver)
		room_member_told(room, p->leaver);
	chunk_put(p->chunk);
	free(p);
	room->history.puts--;
	room_destroy_if_empty(room);
	history_calm(relay, bytes);
}

static void look_told(struct store_read *look)
{
	struct room *room = list_entry(look, struct room, history.look);
	struct room_history *h = &room->history;
	struct store *store = room->relay->history.store;
	int error = look->error;
	bool is_last;

	h->is_looking = false;
	h->era = look->era;
	h->first = look->first;
	h->last = look->last;
	if (!look->error && !h->era &&
	    (random_bytes(&h->era, sizeof(h->era)) || !h->era))
		h->era = 1;
	h->is_known = !look->error;
	h->is_begun = look->era != 0;
	if (look->error && look->error != -ESHUTDOWN)
		log_line(relay_log_level(room->relay, LOG_LEVEL_ERROR),
			 "a history cannot be read: %s",
			 store_explain(look->error));
	while (!list_is_empty(&h->asking)) {
		struct list *first = h->asking.next;

		list_remove(first);
		catchup_answer(list_entry(first, struct catchup, link));
	}
	is_last = list_is_empty(&h->early);
	/* The last that is told may end the room, and `look` with it. */
	while (!is_last) {
		struct history_put *p = put_of(h->early.next);

		list_remove(&p->put.link);
		is_last = list_is_empty(&h->early);
		p->put.era = h->era;
		p->put.last = h->last;
		p->put.error = error ? error : room_begin(room, p);
		if (!p->put.error) {
			store_put(store, &p->put);
			continue;
		}
		put_told(&p->put);
		if (is_last)
			return;
	}
	room_destroy_if_empty(room);
}

void history_look(struct room *room)
{
	struct room_history *h = &room->history;

	if (h->is_looking)
		return;
	h->is_looking = true;
	h->look.room = room->id;
	h->look.how = STORE_FROM_NOWHERE;
	h->look.on_done = look_told;
	store_read(room->relay->history.store, &h->look);
}

/* The messages of a chunk of DELIVERs. */
static size_t find_messages(const struct chunk *chunk,
			    struct store_message *messages)
{
	const uint8_t *frame = chunk->bytes;
	const uint8_t *end = frame + chunk->used_bytes;
	size_t count = 0;

	while (frame < end) {
		size_t bytes = CHAT_LENGTH_BYTES + bytes_get_be32(frame);
		const uint8_t *envelope =
			frame + CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD;
		struct wire_envelope_header header;

		if (messages) {
			struct store_message *m = &messages[count];

			m->envelope = envelope;
			m->bytes = (size_t)(frame + bytes - envelope);
			/* It was decoded before. */
			(void)wire_envelope_header_decode(&header, envelope,
							  m->bytes);
			m->sender = header.sender;
			m->chain = header.chain;
			m->generation = header.generation;
		}
		frame += bytes;
		count++;
	}
	return count;
}

static struct history_put *put_create(struct conn *conn)
{
	size_t count = find_messages(conn->batch, NULL);
	struct history_put *p =
		calloc(1, sizeof(*p) + count * sizeof(struct store_message));

	if (!p)
		return NULL;
	list_init(&p->put.link);
	p->put.room = conn->room->id;
	p->put.era = conn->room->history.era;
	p->put.last = conn->room->history.last;
	p->put.messages = p->messages;
	p->put.count = count;
	p->put.on_done = put_told;
	p->conn = conn;
	p->is_local = !conn->address;
	p->room = conn->room;
	p->chunk = conn->batch;
	p->first_send = conn->sends - count + 1;
	p->up_to = conn->sends;
	(void)find_messages(p->chunk, p->messages);
	return p;
}

/* Not kept: to everybody, as soon as it is sure that no more comes with it. */
static void batch_relay(struct conn *conn, bool is_last)
{
	if (is_last && !loop_has_more(conn->relay->loop))
		room_hand(conn->room, conn, conn->batch);
	else
		room_deliver(conn->room, conn, conn->batch);
	chunk_put(conn->batch);
	conn->batch = NULL;
}

void history_take_batch(struct conn *conn, bool is_last)
{
	struct history *h = &conn->relay->history;
	struct room *room = conn->room;
	struct history_put *p;

	conn->batch = chunk_shrink(conn->batch);
	if (!h->store) {
		batch_relay(conn, is_last);
		return;
	}
	p = put_create(conn);
	if (!p) {
		conn_doom(conn, CHAT_CODE_INTERNAL, "no memory");
		return; /* the batch goes with the connection */
	}
	conn->batch = NULL;
	list_append(&conn->puts, &p->conn_link);
	room->history.puts++;
	h->queued_bytes += p->chunk->room_bytes;
	if (room->history.is_known) {
		p->put.error = room_begin(room, p);
		if (p->put.error)
			put_told(&p->put);
		else
			store_put(h->store, &p->put);
		return;
	}
	list_append(&room->history.early, &p->put.link);
	history_look(room);
}

uint64_t history_done(struct conn *conn)
{
	if (CHECK(ack_after_commit, list_is_empty(&conn->puts)))
		return conn->sends;
	list_entry(conn->puts.prev, struct history_put, conn_link)->up_to =
		conn->sends;
	return conn->done;
}

size_t history_open_bytes(const struct conn *conn)
{
	size_t bytes = 0;

	list_for_each (link, &conn->puts) {
		const struct history_put *p =
			list_entry(link, struct history_put, conn_link);

		bytes += p->chunk->used_bytes -
			 p->put.count * (CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD);
	}
	return bytes;
}

void history_leave(struct conn *conn)
{
	list_for_each_safe (link, &conn->puts) {
		struct history_put *p =
			list_entry(link, struct history_put, conn_link);

		list_remove(link);
		p->conn = NULL;
		p->leaver = conn->member;
		conn->member->puts++;
	}
	catchup_end(conn);
}
