/* SPDX-License-Identifier: Apache-2.0 */
/* room.c - who is in a room, and handing on to them */

#include "relay/conn.h"
#include "base/mutant.h"
#include "relay/chunk.h"
#include "relay/congestion.h"
#include "relay/relay.h"
#include "wire/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * How it works: rooms are in a hash table by their id, members of a room in
 * one by device key. Who connects chooses ids and keys, so the hash has a key
 * that he does not know; the whole of them decides (CHECK room_separation):
 * two rooms with one hash are still two rooms.
 *
 * A room is congested while it waits for any of its connections, see
 * congestion.c. Who sends then is put on the list `waiting`, without
 * ACK and unread (clause 5.5); resume_work lets them go on once nobody is
 * above the mark.
 */
#undef HASH_KEYCMP
#define HASH_KEYCMP(a, b, bytes) \
	(CHECK(room_separation, memcmp(a, b, bytes) == 0) ? 0 : 1)

static void room_resume(struct loop_work *work)
{
	struct room *room = list_entry(work, struct room, resume_work);

	while (!room->congested && !list_is_empty(&room->waiting)) {
		struct list *first = room->waiting.next;

		list_remove(first);
		conn_resume(list_entry(first, struct conn, waiting_link));
	}
}

void room_congest(struct room *room)
{
	room->congested++;
}

void room_relieve(struct room *room)
{
	if (--room->congested == 0)
		loop_work_queue(&room->resume_work);
}

static uint32_t room_hash(const struct relay *relay, const uint8_t *id)
{
	return shorthash(relay->hash_key, id, CHAT_ROOM_ID_BYTES);
}

static struct room *room_find(struct relay *relay, const uint8_t *id)
{
	struct room *room = NULL;

	HASH_FIND_BYHASHVALUE(hh, relay->rooms, id, CHAT_ROOM_ID_BYTES,
			      room_hash(relay, id), room);
	return room;
}

static struct room *room_create(struct relay *relay, const uint8_t *id)
{
	struct room *room = calloc(1, sizeof(*room));

	if (!room)
		return NULL;
	memcpy(room->id, id, CHAT_ROOM_ID_BYTES);
	room->relay = relay;
	list_init(&room->conns);
	list_init(&room->waiting);
	history_room_init(room);
	loop_work_init(relay->loop, &room->resume_work, room_resume);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, relay->rooms, room->id,
				    CHAT_ROOM_ID_BYTES, room_hash(relay, id),
				    room);
	if (room_find(relay, id) != room) {
		free(room);
		return NULL;
	}
	return room;
}

void room_destroy_if_empty(struct room *room)
{
	if (!list_is_empty(&room->conns) || history_room_is_busy(room))
		return;
	loop_work_cancel(&room->resume_work);
	HASH_DEL(room->relay->rooms, room);
	free(room);
}

static uint32_t member_hash(const struct room *room, const uint8_t *key)
{
	return shorthash(room->relay->hash_key, key, CHAT_KEY_BYTES);
}

static struct member *member_find(struct room *room, const uint8_t *key)
{
	struct member *member = NULL;

	HASH_FIND_BYHASHVALUE(hh, room->members, key, CHAT_KEY_BYTES,
			      member_hash(room, key), member);
	return member;
}

/* The member of that key, counted once more; NULL without memory. */
static struct member *member_get(struct room *room, const uint8_t *key,
				 bool *is_new)
{
	struct member *member = member_find(room, key);

	*is_new = !member;
	if (!member) {
		member = calloc(1, sizeof(*member));
		if (!member)
			return NULL;
		memcpy(member->device_key, key, CHAT_KEY_BYTES);
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, room->members,
					    member->device_key, CHAT_KEY_BYTES,
					    member_hash(room, key), member);
		if (member_find(room, key) != member) {
			free(member);
			return NULL;
		}
	}
	member->conn_count++;
	return member;
}

/* Whether it has left. */
static bool member_is_gone(const struct member *member)
{
	return !member->conn_count && !member->puts;
}

static void member_remove(struct room *room, struct member *member)
{
	HASH_DEL(room->members, member);
	free(member);
}

/* Clause 5.8. Lost when there is no memory: presence is no promise. */
static void tell_presence(struct room *room, const struct conn *except,
			  enum chat_presence what, const uint8_t *key)
{
	const struct wire_message m = {
		.type = CHAT_PRESENCE,
		.presence = { .what = what, .device_key = key },
	};
	struct chunk *chunk = chunk_of(&room->relay->held_bytes, &m);

	if (!chunk)
		return;
	room_deliver(room, except, chunk);
	chunk_put(chunk);
}

/* Clause 4.5: all keys, in as many JOINED frames as it takes. */
static struct chunk *roster_of(struct room *room)
{
	uint32_t left = HASH_COUNT(room->members);
	uint32_t frames = left / CHAT_ROSTER_MAX_KEYS + 1;
	struct member *member = room->members;
	uint8_t *keys = malloc((size_t)CHAT_ROSTER_MAX_KEYS * CHAT_KEY_BYTES);
	struct chunk *chunk;

	chunk = chunk_create(&room->relay->held_bytes,
			     (size_t)left * CHAT_KEY_BYTES +
				     (size_t)frames * (CHAT_HEADER_BYTES + 4));
	while (chunk && keys && left) {
		struct wire_message m = { .type = CHAT_JOINED };

		while (member && m.joined.count < CHAT_ROSTER_MAX_KEYS) {
			memcpy(keys + (size_t)m.joined.count * CHAT_KEY_BYTES,
			       member->device_key, CHAT_KEY_BYTES);
			m.joined.count++;
			member = member->hh.next;
		}
		left -= m.joined.count;
		m.joined.keys_after = left;
		m.joined.keys = keys;
		if (chunk_append(chunk, &m))
			break;
	}
	free(keys);
	if (chunk && left) {
		chunk_put(chunk);
		return NULL;
	}
	return chunk;
}

/* `room` is NULL for one that would be made. */
static bool room_may_enter(const struct relay *relay, const struct room *room)
{
	const struct relay_limits *limits = &relay->limits;

	if (!room)
		return !limits->max_rooms ||
		       HASH_COUNT(relay->rooms) < limits->max_rooms;
	return !limits->max_room_clients ||
	       room->conn_count < limits->max_room_clients;
}

int room_enter(struct relay *relay, struct conn *conn,
	       const uint8_t id[CHAT_ROOM_ID_BYTES],
	       const uint8_t device_key[CHAT_KEY_BYTES])
{
	struct room *room = room_find(relay, id);
	struct member *member;
	struct chunk *roster;
	bool is_new;

	if (!CHECK(room_limits, room_may_enter(relay, room)))
		return -EUSERS;
	if (!room)
		room = room_create(relay, id);
	if (!room)
		return -ENOMEM;
	member = member_get(room, device_key, &is_new);
	roster = member ? roster_of(room) : NULL;
	if (!roster) {
		if (member) {
			member->conn_count--;
			if (member_is_gone(member))
				member_remove(room, member);
		}
		room_destroy_if_empty(room);
		return -ENOMEM;
	}
	conn->room = room;
	conn->member = member;
	list_append(&room->conns, &conn->room_link);
	room->conn_count++;
	congestion_enter(conn); /* by what came before JOIN */
	conn_queue(conn, roster);
	chunk_put(roster);
	if (is_new)
		tell_presence(room, conn, CHAT_PRESENCE_JOINED, device_key);
	return 0;
}

/* Clause 5.8: the last that is heard of it. */
static void member_leave(struct room *room, struct member *member)
{
	uint8_t key[CHAT_KEY_BYTES];

	if (!member_is_gone(member))
		return;
	memcpy(key, member->device_key, sizeof(key));
	member_remove(room, member);
	if (!room->relay->is_stopping)
		tell_presence(room, NULL, CHAT_PRESENCE_LEFT, key);
}

void room_member_told(struct room *room, struct member *member)
{
	member->puts--;
	member_leave(room, member);
}

void room_leave(struct conn *conn)
{
	struct room *room = conn->room;

	if (!room)
		return;
	list_remove(&conn->room_link);
	room->conn_count--;
	list_remove(&conn->waiting_link);
	history_leave(conn);
	congestion_leave(conn);
	conn->room = NULL;
	conn->member->conn_count--;
	member_leave(room, conn->member);
	conn->member = NULL;
	room_destroy_if_empty(room);
}

void room_deliver(struct room *room, const struct conn *except,
		  struct chunk *chunk)
{
	list_for_each (link, &room->conns) {
		struct conn *conn = list_entry(link, struct conn, room_link);

		if (conn != except)
			conn_queue(conn, chunk);
	}
}

/* While the kernel sends to one, have what is needed of the next brought into
 * the cache: in a room that was quiet none of it is there. */
static void conn_prefetch(const struct room *room, struct list *link)
{
	const struct conn *conn;

	if (link == &room->conns)
		return;
	conn = list_entry(link, struct conn, room_link);
	__builtin_prefetch(&conn->room_link);
	__builtin_prefetch(&conn->transport);
}

void room_hand(struct room *room, const struct conn *except,
	       struct chunk *chunk)
{
	list_for_each (link, &room->conns) {
		struct conn *conn = list_entry(link, struct conn, room_link);

		conn_prefetch(room, link->next);
		if (conn != except)
			conn_hand(conn, chunk);
	}
}
