/* SPDX-License-Identifier: Apache-2.0 */
/* writer.c - what the store's writing thread does: keep, and forget */

/*
 * How it works: all that waits is one transaction, with one sync. Rows of
 * rooms are held in a table of which a place belongs to the rooms with the
 * same first bytes; those that changed are written back before the commit.
 *
 * A transaction that fails is undone and everything in it refused. The next
 * one tries again; the connection stays open, because what a failed sync left
 * in the log is written over by the next transaction, but would be found by a
 * connection that is opened anew. Only when the file is damaged or gone it is.
 */
#include "store/writer.h"

#include "base/mutant.h"
#include "store/forget.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define WRITER_RETRY_MS  1000
#define WRITER_LOG_PAGES 2000  /* move them into the table */
#define WRITER_LOG_MAX   32000 /* wait for readers, to begin it anew */
#define WRITER_SPARE     16    /* forgotten beside twice what was put */

uint64_t writer_now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t writer_age_now_ms(struct writer *w)
{
	return age_now_ms(&w->age, writer_now_ms(CLOCK_REALTIME),
			  writer_now_ms(CLOCK_BOOTTIME));
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

bool writer_is_damaged(const struct writer *w, const uint8_t *id)
{
	for (unsigned int i = 0; i < w->damaged_count; i++)
		if (memcmp(w->damaged[i], id, STORE_ID_BYTES) == 0)
			return true;
	return false;
}

int writer_blame(struct writer *w, const uint8_t *id, int error)
{
	if (error != -EBADMSG || w->damaged_count == WRITER_DAMAGED ||
	    writer_is_damaged(w, id))
		return error;
	memcpy(w->damaged[w->damaged_count++], id, STORE_ID_BYTES);
	return error;
}

static int count_bytes(struct writer *w)
{
	struct db_room room;
	int64_t number = 0;
	int outcome;

	w->total_bytes = w->room_count = 0;
	do {
		db_bind(&w->db, DB_ROOM_NEXT, 1, (uint64_t)number);
		outcome = db_step(&w->db, DB_ROOM_NEXT);
		if (outcome == 1) {
			db_room_take(&w->db, &room, DB_ROOM_NEXT);
			number = room.number;
			w->total_bytes += room.bytes;
			w->room_count++;
		}
		db_reset(&w->db, DB_ROOM_NEXT);
	} while (outcome == 1);
	return outcome;
}

static int writer_reopen(struct writer *w)
{
	forget_rooms(w);
	w->damaged_count = 0;
	w->retry_ms = writer_now_ms(CLOCK_MONOTONIC) + WRITER_RETRY_MS;
	w->error = db_open(&w->db, w->path, true);
	if (w->error)
		return w->error;
	sqlite3_wal_hook(w->db.handle, on_log, w);
	w->error = count_bytes(w);
	if (w->error)
		db_close(&w->db);
	else
		reserve_open(&w->reserve, w->path);
	return w->error;
}

int writer_open(struct writer *w, const char *path,
		const struct store_limits *limits)
{
	memset(w, 0, sizeof(*w));
	w->path = path;
	w->limits = *limits;
	(void)writer_age_now_ms(w);
	return writer_reopen(w);
}

void writer_close(struct writer *w)
{
	db_close(&w->db);
	reserve_close(&w->reserve);
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
	return writer_blame(w, room->id, db_run(&w->db, DB_ROOM_UPDATE));
}

int writer_write_back(struct writer *w)
{
	int error = 0;

	for (unsigned int i = 0; i < w->dirty_count && !error; i++)
		if (w->is_dirty[w->dirty[i]])
			error = write_back(w, w->dirty[i]);
	w->dirty_count = 0;
	return error;
}

static unsigned int room_place(const uint8_t *id)
{
	return (id[0] << 8 | id[1]) & (WRITER_ROOMS - 1);
}

int writer_room_remove(struct writer *w, int64_t number, const uint8_t *id)
{
	unsigned int place = room_place(id);
	int error;

	db_bind(&w->db, DB_ROOM_REMOVE, 1, (uint64_t)number);
	error = db_run(&w->db, DB_ROOM_REMOVE);
	if (error)
		return writer_blame(w, id, error);
	w->room_count--;
	if (w->rooms[place].number == number) {
		w->rooms[place].number = 0;
		w->is_dirty[place] = false;
	}
	return 0;
}

/* Place for one more room, if one has no messages: its numbers begin again. */
static int room_make_place(struct writer *w)
{
	struct db_room empty;
	int outcome = writer_write_back(w);

	if (outcome)
		return outcome;
	outcome = db_step(&w->db, DB_ROOM_EMPTY);
	if (outcome == 1)
		db_room_take(&w->db, &empty, DB_ROOM_EMPTY);
	db_reset(&w->db, DB_ROOM_EMPTY);
	if (outcome != 1)
		return outcome ? outcome : -EUSERS;
	return writer_room_remove(w, empty.number, empty.id);
}

/* Its number is above those that a key has bits for: it gets one that is free
 * again. */
static int room_renumber(struct writer *w, struct db_room *room)
{
	int outcome;

	db_bind_bytes(&w->db, DB_ROOM_RENUMBER, 1, room->id, STORE_ID_BYTES);
	outcome = db_step(&w->db, DB_ROOM_RENUMBER);
	if (outcome == 1)
		room->number = (int64_t)db_column(&w->db, DB_ROOM_RENUMBER, 0);
	db_reset(&w->db, DB_ROOM_RENUMBER);
	return outcome == 1 ? 0 : outcome;
}

static int room_add(struct writer *w, struct db_room *room,
		    const struct store_put *put)
{
	uint64_t most = w->limits.rooms ? w->limits.rooms : STORE_ROOMS_MAX;
	int error = w->room_count < most ? 0 : room_make_place(w);

	if (error)
		return error;
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
	if (!error && room->number > DB_ROOM_MAX)
		error = room_renumber(w, room);
	w->room_count += !error;
	return error;
}

int writer_room(struct writer *w, const uint8_t *id,
		const struct store_put *put, struct db_room **room)
{
	unsigned int place = room_place(id);
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
		/* Another room's keys would be its keys. */
		if (!error && r->number > DB_ROOM_MAX)
			error = -EUSERS;
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
			error = writer_write_back(w);
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

static int put_keep(struct writer *w, struct store_put *put, uint64_t time_ms)
{
	const struct store_message *before = NULL;
	struct db_room *room;
	uint64_t chain = 0;
	int error = writer_room(w, put->room, put, &room);

	if (error)
		return error;
	if (room->last + put->count > DB_SEQUENCE_MAX)
		return -EOVERFLOW;
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
		error = forget_excess(w, room, 2 * put->count + WRITER_SPARE);
	return error;
}

/* Whether there is an open file that can be found under its name. */
static int writer_ready(struct writer *w)
{
	if (w->db.handle && db_has_moved(&w->db))
		db_close(&w->db);
	if (w->db.handle)
		return 0;
	if (w->error && writer_now_ms(CLOCK_MONOTONIC) < w->retry_ms)
		return w->error;
	return writer_reopen(w);
}

int writer_begin(struct writer *w)
{
	int error = w->is_begun ? 0 : db_begin(&w->db);

	if (error || w->is_begun)
		return error;
	w->is_begun = true;
	w->bytes_before = w->total_bytes;
	w->rooms_before = w->room_count;
	return 0;
}

void writer_undo(struct writer *w)
{
	db_rollback(&w->db);
	forget_rooms(w);
	if (w->is_begun) {
		w->total_bytes = w->bytes_before;
		w->room_count = w->rooms_before;
	}
	w->is_begun = false;
}

int writer_end(struct writer *w, int error)
{
	if (!error)
		error = writer_write_back(w);
	if (!error)
		error = db_commit(&w->db);
	if (error)
		writer_undo(w);
	w->is_begun = false;
	return error;
}

/* What only its own room is to blame for is only its own error. */
static int keep_all(struct writer *w, struct list *puts, uint64_t time_ms)
{
	list_for_each (link, puts) {
		struct store_put *put =
			list_entry(link, struct store_put, link);
		bool is_damaged = writer_is_damaged(w, put->room);
		int error = is_damaged ? -EBADMSG : put_keep(w, put, time_ms);

		put->error = 0;
		if (error == -EUSERS || error == -EOVERFLOW || is_damaged)
			put->error = error;
		else if (error)
			return writer_blame(w, put->room, error);
	}
	return 0;
}

/* One transaction, and its end. */
static int keep_once(struct writer *w, struct list *puts, uint64_t time_ms)
{
	int error;

	w->put_count = 0;
	error = writer_begin(w);
	if (!error)
		error = keep_all(w, puts, time_ms);
	if (!error)
		error = forget_total(w, 2 * w->put_count + WRITER_SPARE);
	return writer_end(w, error);
}

/* A room that is damaged stops nobody else: without it, again. */
static int keep_most(struct writer *w, struct list *puts, uint64_t time_ms)
{
	unsigned int damaged_before;
	int error;

	do {
		damaged_before = w->damaged_count;
		error = keep_once(w, puts, time_ms);
	} while (error == -EBADMSG && w->damaged_count > damaged_before);
	if (error == -EBADMSG) {
		db_close(&w->db);
		w->error = error;
		w->retry_ms = writer_now_ms(CLOCK_MONOTONIC) + WRITER_RETRY_MS;
	}
	return error;
}

static bool is_full(int error)
{
	return error == -ENOSPC || error == -EDQUOT;
}

void writer_keep(struct writer *w, struct list *puts)
{
	uint64_t time_ms = writer_now_ms(CLOCK_REALTIME);
	int error = writer_ready(w);

	if (!error)
		error = keep_most(w, puts, time_ms);
	if (is_full(error) && !w->is_short)
		w->sweep_ms = 0; /* what may go must go now */
	w->is_short = is_full(error);
	list_for_each (link, puts) {
		struct store_put *put =
			list_entry(link, struct store_put, link);

		if (error)
			put->error = error;
	}
}

uint64_t writer_tidy(struct writer *w)
{
	uint64_t now = writer_now_ms(CLOCK_MONOTONIC);

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
		uint64_t wait_ms = forget_aged(w);

		if (is_full(w->sweep_error) && reserve_give(&w->reserve))
			forget_in_need(w);
		else
			reserve_take(&w->reserve);
		w->sweep_ms = writer_now_ms(CLOCK_MONOTONIC) + wait_ms;
		return wait_ms;
	}
	return w->sweep_ms - now;
}
