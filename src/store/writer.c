/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c - what the store's writing thread does: keep, and forget */

/*
 * How it works: all that waits is one transaction, with one sync. Rows of
 * rooms are held in a table of which a place belongs to the rooms with the
 * same first bytes; those that changed are written back before the commit.
 * Whoever makes a room large makes it forget: each put takes away at most
 * twice of what it brings, so nothing is ever long. Age is looked after in
 * small steps in between.
 *
 * A transaction that fails is undone and everything in it refused. The next
 * one tries again; the connection stays open, because what a failed sync left
 * in the log is written over by the next transaction, but would be found by a
 * connection that is opened anew. Only when the file is damaged or gone it is.
 */
#include "store/writer.h"

#include "base/mutant.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define WRITER_RETRY_MS      1000
#define WRITER_LOG_PAGES     2000  /* move them into the table */
#define WRITER_LOG_MAX       32000 /* wait for readers, to begin it anew */
#define WRITER_SPARE         16    /* forgotten beside twice what was put */
#define WRITER_STEP          64    /* messages that are forgotten at a time */
#define WRITER_SWEEP_ROOMS   256
#define WRITER_SWEEP_STEPS   256
#define WRITER_SWEEP_MIN_MS  100
#define WRITER_SWEEP_MAX_MS  60000
#define WRITER_SWEEP_SOON_MS 10

static uint64_t now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int on_log(void *owner, sqlite3 *handle, const char *name, int pages)
{
	((struct writer *)owner)->wal_pages = pages;
	return SQLITE_OK;
}

/* Nothing of the last transaction holds. */
static void forget_rooms(struct writer *w)
{
	memset(w->rooms, 0, sizeof(w->rooms));
	memset(w->is_dirty, 0, sizeof(w->is_dirty));
	w->dirty_count = 0;
	w->largest_until = 0;
}

static int count_bytes(struct writer *w)
{
	struct db_room room;
	int64_t number = 0;
	int outcome;

	w->total_bytes = 0;
	do {
		db_bind(&w->db, DB_ROOM_NEXT, 1, (uint64_t)number);
		outcome = db_step(&w->db, DB_ROOM_NEXT);
		if (outcome == 1) {
			db_room_take(&w->db, &room, DB_ROOM_NEXT);
			number = room.number;
			w->total_bytes += room.bytes;
		}
		db_reset(&w->db, DB_ROOM_NEXT);
	} while (outcome == 1);
	return outcome;
}

static int writer_reopen(struct writer *w)
{
	forget_rooms(w);
	w->retry_ms = now_ms(CLOCK_MONOTONIC) + WRITER_RETRY_MS;
	w->error = db_open(&w->db, w->path, true);
	if (w->error)
		return w->error;
	sqlite3_wal_hook(w->db.handle, on_log, w);
	w->error = count_bytes(w);
	if (w->error)
		db_close(&w->db);
	return w->error;
}

int writer_open(struct writer *w, const char *path,
		const struct store_limits *limits)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
	w->limits = *limits;
	return writer_reopen(w);
}

void writer_close(struct writer *w)
{
	db_close(&w->db);
}

static int write_back(struct writer *w, unsigned int place)
{
	const struct db_room *room = &w->rooms[place];

	w->is_dirty[place] = false;
	db_bind(&w->db, DB_ROOM_UPDATE, 1, (uint64_t)room->number);
	db_bind(&w->db, DB_ROOM_UPDATE, 2, room->first);
	db_bind(&w->db, DB_ROOM_UPDATE, 3, room->last);
	db_bind(&w->db, DB_ROOM_UPDATE, 4, room->bytes);
	db_bind(&w->db, DB_ROOM_UPDATE, 5, room->time_ms);
	return db_run(&w->db, DB_ROOM_UPDATE);
}

static int write_back_all(struct writer *w)
{
	int error = 0;

	for (unsigned int i = 0; i < w->dirty_count && !error; i++)
		if (w->is_dirty[w->dirty[i]])
			error = write_back(w, w->dirty[i]);
	w->dirty_count = 0;
	return error;
}

static int room_add(struct writer *w, struct db_room *room,
		    const struct store_put *put)
{
	int error;

	memset(room, 0, sizeof(*room));
	memcpy(room->id, put->room, STORE_ID_BYTES);
	room->era = put->era;
	room->last = put->last;
	room->first = put->last + 1;
	db_bind_bytes(&w->db, DB_ROOM_ADD, 1, room->id, STORE_ID_BYTES);
	db_bind(&w->db, DB_ROOM_ADD, 2, room->era);
	db_bind(&w->db, DB_ROOM_ADD, 3, room->first);
	db_bind(&w->db, DB_ROOM_ADD, 4, room->last);
	error = db_run(&w->db, DB_ROOM_ADD);
	room->number = sqlite3_last_insert_rowid(w->db.handle);
	return error;
}

/* The room's row, which is changed from now on; made when `put` (may be NULL)
 * says how. 0 or -errno, -ENOENT too. */
static int room_get(struct writer *w, const uint8_t *id,
		    const struct store_put *put, struct db_room **room)
{
	unsigned int place = (id[0] << 8 | id[1]) & (WRITER_ROOMS - 1);
	struct db_room *r = &w->rooms[place];
	int error = 0;

	*room = r;
	if (!r->number || memcmp(r->id, id, STORE_ID_BYTES) != 0) {
		if (w->is_dirty[place])
			error = write_back(w, place);
		if (error)
			return error;
		error = db_room_find(&w->db, r, id);
		if (error == -ENOENT && put)
			error = room_add(w, r, put);
		if (error) {
			r->number = 0;
			return error;
		}
	}
	if (!w->is_dirty[place]) {
		w->is_dirty[place] = true;
		/* Written back and dirty again it may be listed twice; then
		 * the list could be full. */
		if (w->dirty_count == WRITER_ROOMS)
			error = write_back_all(w);
		w->is_dirty[place] = true;
		w->dirty[w->dirty_count++] = (uint16_t)place;
	}
	return error;
}

static int chain_find(struct writer *w, const struct db_room *room,
		      const struct store_message *m, uint64_t *number)
{
	enum db_statement s = DB_CHAIN_FIND;
	int outcome;

	for (int again = 0; again < 2; again++) {
		db_bind(&w->db, s, 1, (uint64_t)room->number);
		db_bind_bytes(&w->db, s, 2, m->sender, STORE_ID_BYTES);
		db_bind_bytes(&w->db, s, 3, m->chain, STORE_ID_BYTES);
		outcome = db_step(&w->db, s);
		if (outcome == 1)
			*number = db_column(&w->db, s, 0);
		db_reset(&w->db, s);
		if (outcome == 0 && s == DB_CHAIN_ADD)
			*number = (uint64_t)sqlite3_last_insert_rowid(
				w->db.handle);
		if (outcome)
			break;
		s = DB_CHAIN_ADD;
	}
	return outcome < 0 ? outcome : 0;
}

static int message_add(struct writer *w, struct db_room *room, uint64_t chain,
		       struct store_message *m)
{
	enum db_statement s = DB_MESSAGE_ADD;
	uint64_t sequence = room->last + 1;
	int error;

	if (sequence > DB_SEQUENCE_MAX)
		return -EOVERFLOW;
	db_bind(&w->db, s, 1, (uint64_t)db_key(room->number, sequence));
	db_bind(&w->db, s, 2, chain);
	db_bind(&w->db, s, 3, m->generation);
	db_bind(&w->db, s, 4, room->time_ms);
	db_bind_bytes(&w->db, s, 5, m->envelope, m->bytes);
	error = db_run(&w->db, s);
	m->sequence = 0;
	if (error || !CHECK(store_once, sqlite3_changes(w->db.handle) == 1))
		return error;
	m->sequence = sequence;
	room->last = sequence;
	room->bytes += m->bytes + STORE_ROW_BYTES;
	w->total_bytes += m->bytes + STORE_ROW_BYTES;
	w->put_count++;
	return 0;
}

static int run_between(struct writer *w, enum db_statement s, int64_t first_key,
		       int64_t last_key)
{
	db_bind(&w->db, s, 1, (uint64_t)first_key);
	db_bind(&w->db, s, 2, (uint64_t)last_key);
	return db_run(&w->db, s);
}

/* Forget the room's oldest `count` messages. */
static int room_forget(struct writer *w, struct db_room *room, uint64_t count)
{
	int64_t first_key = db_key(room->number, room->first);
	int64_t last_key = db_key(room->number, room->first + count - 1);
	uint64_t bytes;
	int outcome;

	db_bind(&w->db, DB_BYTES, 1, (uint64_t)first_key);
	db_bind(&w->db, DB_BYTES, 2, (uint64_t)last_key);
	outcome = db_step(&w->db, DB_BYTES);
	bytes = db_column(&w->db, DB_BYTES, 0) +
		db_column(&w->db, DB_BYTES, 1) * STORE_ROW_BYTES;
	db_reset(&w->db, DB_BYTES);
	if (outcome >= 0)
		outcome = run_between(w, DB_CHAINS_FORGET, first_key, last_key);
	if (!outcome)
		outcome =
			run_between(w, DB_MESSAGES_FORGET, first_key, last_key);
	room->first += count;
	bytes = bytes < room->bytes ? bytes : room->bytes;
	room->bytes -= bytes;
	w->total_bytes -= bytes < w->total_bytes ? bytes : w->total_bytes;
	return outcome;
}

/* How many messages the room has above its bounds, in steps. */
static uint64_t room_excess(const struct writer *w, const struct db_room *room)
{
	uint64_t count = room->last + 1 - room->first;

	if (count <= 1)
		return 0; /* the newest one stays */
	if (w->limits.room_messages && count > w->limits.room_messages)
		return count - w->limits.room_messages;
	if (w->limits.room_bytes && room->bytes > w->limits.room_bytes)
		return count > WRITER_STEP ? WRITER_STEP / 4 : 1;
	return 0;
}

static int room_bound(struct writer *w, struct db_room *room, uint64_t most)
{
	uint64_t excess;
	int error = 0;

	while (!error && most && (excess = room_excess(w, room))) {
		if (excess > most)
			excess = most;
		if (excess > WRITER_STEP)
			excess = WRITER_STEP;
		error = room_forget(w, room, excess);
		most -= excess;
	}
	return error;
}

/* All rooms together are too large: the largest one gives, until it has a
 * quarter less; then the largest is looked for again. */
static int total_bound(struct writer *w, uint64_t most)
{
	struct db_room *room;
	int outcome;

	if (!w->limits.total_bytes || w->total_bytes <= w->limits.total_bytes)
		return 0;
	if (!w->largest_until) {
		struct db_room largest;

		outcome = db_step(&w->db, DB_ROOM_LARGEST);
		if (outcome == 1)
			db_room_take(&w->db, &largest, DB_ROOM_LARGEST);
		db_reset(&w->db, DB_ROOM_LARGEST);
		if (outcome != 1)
			return outcome;
		memcpy(w->largest, largest.id, STORE_ID_BYTES);
		w->largest_until = largest.bytes * 3 / 4 + 1;
	}
	outcome = room_get(w, w->largest, NULL, &room);
	while (!outcome && most && room->first < room->last &&
	       w->total_bytes > w->limits.total_bytes &&
	       room->bytes >= w->largest_until) {
		uint64_t count = room->last - room->first;

		if (count > WRITER_STEP / 4)
			count = WRITER_STEP / 4;
		if (count > most)
			count = most;
		outcome = room_forget(w, room, count);
		most -= count;
	}
	if (!outcome && most)
		w->largest_until = 0;
	return outcome == -ENOENT ? 0 : outcome;
}

static int put_keep(struct writer *w, struct store_put *put, uint64_t time_ms)
{
	const struct store_message *before = NULL;
	struct db_room *room;
	uint64_t chain = 0;
	int error = room_get(w, put->room, put, &room);

	if (error)
		return error;
	put->era = room->era;
	/* A clock that is set back makes no room's times go back. */
	if (room->time_ms < time_ms)
		room->time_ms = time_ms;
	for (size_t i = 0; i < put->count && !error; i++) {
		struct store_message *m = &put->messages[i];

		if (!before ||
		    memcmp(before->chain, m->chain, STORE_ID_BYTES) != 0 ||
		    memcmp(before->sender, m->sender, STORE_ID_BYTES) != 0)
			error = chain_find(w, room, m, &chain);
		before = m;
		if (!error)
			error = message_add(w, room, chain, m);
	}
	if (!error)
		error = room_bound(w, room, 2 * put->count + WRITER_SPARE);
	return error;
}

/* Whether there is an open file that can be found under its name. */
static int writer_ready(struct writer *w)
{
	if (w->db.handle && db_has_moved(&w->db))
		db_close(&w->db);
	if (w->db.handle)
		return 0;
	if (w->error && now_ms(CLOCK_MONOTONIC) < w->retry_ms)
		return w->error;
	return writer_reopen(w);
}

/* The end of a transaction: all of it, or nothing. */
static int writer_end(struct writer *w, int error, uint64_t bytes_before)
{
	if (!error)
		error = write_back_all(w);
	if (!error)
		error = db_commit(&w->db);
	if (!error)
		return 0;
	db_rollback(&w->db);
	forget_rooms(w);
	w->total_bytes = bytes_before;
	if (error == -EBADMSG) {
		db_close(&w->db);
		w->error = error;
		w->retry_ms = now_ms(CLOCK_MONOTONIC) + WRITER_RETRY_MS;
	}
	return error;
}

void writer_keep(struct writer *w, struct list *puts)
{
	uint64_t bytes_before, time_ms = now_ms(CLOCK_REALTIME);
	int error = writer_ready(w);

	bytes_before = w->total_bytes;
	w->put_count = 0;
	if (!error) {
		error = db_begin(&w->db);
		list_for_each (link, puts) {
			if (error)
				break;
			error = put_keep(
				w, list_entry(link, struct store_put, link),
				time_ms);
		}
		if (!error)
			error = total_bound(w, 2 * w->put_count + WRITER_SPARE);
		error = writer_end(w, error, bytes_before);
	}
	list_for_each (link, puts)
		list_entry(link, struct store_put, link)->error = error;
}

/* Whether the room's oldest `count` messages have to go, by the clock. */
static int room_is_aged(struct writer *w, const struct db_room *room,
			uint64_t count, uint64_t time_ms)
{
	uint64_t said_ms = UINT64_MAX;
	int outcome;

	if (!w->limits.age_ms || room->first + count > room->last + 1)
		return 0;
	db_bind(&w->db, DB_MESSAGE_TIME, 1,
		(uint64_t)db_key(room->number, room->first + count - 1));
	outcome = db_step(&w->db, DB_MESSAGE_TIME);
	if (outcome == 1)
		said_ms = db_column(&w->db, DB_MESSAGE_TIME, 0);
	db_reset(&w->db, DB_MESSAGE_TIME);
	if (outcome < 0)
		return outcome;
	return said_ms < time_ms && time_ms - said_ms > w->limits.age_ms;
}

/* Forget what is too old or too much in one room; `steps` are left. */
static int room_sweep(struct writer *w, const struct db_room *found,
		      uint64_t time_ms, unsigned int *steps)
{
	struct db_room *room;
	int outcome = room_is_aged(w, found, 1, time_ms);

	if (outcome < 0 || (!outcome && !room_excess(w, found)))
		return outcome;
	outcome = sqlite3_get_autocommit(w->db.handle) ? db_begin(&w->db) : 0;
	if (!outcome)
		outcome = room_get(w, found->id, NULL, &room);
	while (!outcome && *steps) {
		--*steps;
		if (room_excess(w, room)) {
			outcome = room_bound(w, room, WRITER_STEP);
			continue;
		}
		outcome = room_is_aged(w, room, WRITER_STEP, time_ms);
		if (outcome == 1) {
			outcome = room_forget(w, room, WRITER_STEP);
			continue;
		}
		if (!outcome)
			outcome = room_is_aged(w, room, 1, time_ms);
		if (outcome != 1)
			break;
		outcome = room_forget(w, room, 1);
	}
	return outcome;
}

static uint64_t sweep(struct writer *w)
{
	uint64_t time_ms = now_ms(CLOCK_REALTIME), wait_ms;
	uint64_t bytes_before = w->total_bytes;
	unsigned int steps = WRITER_SWEEP_STEPS, rooms = 0;
	int outcome = 1;

	wait_ms = w->limits.age_ms / 16;
	if (wait_ms < WRITER_SWEEP_MIN_MS)
		wait_ms = WRITER_SWEEP_MIN_MS;
	if (!w->limits.age_ms || wait_ms > WRITER_SWEEP_MAX_MS)
		wait_ms = WRITER_SWEEP_MAX_MS;
	while (outcome == 1 && steps && rooms++ < WRITER_SWEEP_ROOMS) {
		struct db_room room = { 0 };

		db_bind(&w->db, DB_ROOM_NEXT, 1, (uint64_t)w->swept_number);
		outcome = db_step(&w->db, DB_ROOM_NEXT);
		if (outcome == 1)
			db_room_take(&w->db, &room, DB_ROOM_NEXT);
		db_reset(&w->db, DB_ROOM_NEXT);
		if (outcome == 1 && room_sweep(w, &room, time_ms, &steps) < 0)
			break;
		/* One that was not done with is the first of the next time. */
		if (outcome == 1 && steps)
			w->swept_number = room.number;
		if (outcome == 0)
			w->swept_number = 0;
	}
	if (!sqlite3_get_autocommit(w->db.handle))
		(void)writer_end(w, outcome < 0 ? outcome : 0, bytes_before);
	return steps ? wait_ms : WRITER_SWEEP_SOON_MS;
}

uint64_t writer_tidy(struct writer *w)
{
	uint64_t now = now_ms(CLOCK_MONOTONIC);

	if (!w->db.handle)
		return WRITER_RETRY_MS;
	if (w->wal_pages >= WRITER_LOG_PAGES) {
		int how = w->wal_pages < WRITER_LOG_MAX
				  ? SQLITE_CHECKPOINT_PASSIVE
				  : SQLITE_CHECKPOINT_RESTART;

		/* What fails here is tried again after the next commit. */
		(void)sqlite3_wal_checkpoint_v2(w->db.handle, NULL, how, NULL,
						NULL);
		w->wal_pages = 0;
	}
	if (now >= w->sweep_ms) {
		uint64_t wait_ms = sweep(w);

		w->sweep_ms = now_ms(CLOCK_MONOTONIC) + wait_ms;
		return wait_ms;
	}
	return w->sweep_ms - now;
}
