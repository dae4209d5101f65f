/* SPDX-License-Identifier: Apache-2.0 */
/* reader.c - what the store's reading thread does */

#include "store/reader.h"

#include <errno.h>
#include <string.h>

/* The first message of that time or later. Times never go back in a room; one
 * that was forgotten meanwhile is older. */
static int find_time(struct db *db, const struct db_room *room,
		     struct store_read *read)
{
	uint64_t low = room->first, high = room->last + 1;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		bool is_before = true;
		int outcome;

		db_bind(db, DB_MESSAGE_TIME, 1,
			(uint64_t)db_key(room->number, middle));
		outcome = db_step(db, DB_MESSAGE_TIME);
		if (outcome == 1)
			is_before =
				db_column(db, DB_MESSAGE_TIME, 0) < read->from;
		db_reset(db, DB_MESSAGE_TIME);
		if (outcome < 0)
			return outcome;
		if (is_before)
			low = middle + 1;
		else
			high = middle;
	}
	read->next = low;
	return 0;
}

/* There is no more up to `to`, even if the owner knows of more: the file may be
 * another than that which it was. So it is not asked for again. */
static void read_end(struct store_read *read, uint64_t next)
{
	read->next = next;
	if (read->how == STORE_FROM_SEQUENCE && read->to >= next &&
	    read->to != UINT64_MAX)
		read->next = read->to + 1;
}

static int read_messages(struct db *db, const struct db_room *room,
			 struct store_read *read)
{
	uint64_t from = read->from, to = read->to;
	sqlite3_stmt *s = db->statements[DB_MESSAGES];
	int outcome = 0;

	if (from < room->first)
		from = room->first;
	if (to > room->last)
		to = room->last;
	read->next = from;
	if (from > to) {
		read_end(read, from);
		return 0;
	}
	db_bind(db, DB_MESSAGES, 1, (uint64_t)db_key(room->number, from));
	db_bind(db, DB_MESSAGES, 2, (uint64_t)db_key(room->number, to));
	while ((outcome = db_step(db, DB_MESSAGES)) == 1) {
		uint64_t sequence =
			db_column(db, DB_MESSAGES, 0) & DB_SEQUENCE_MAX;

		/* In this order, as SQLite asks. */
		const uint8_t *envelope = sqlite3_column_blob(s, 1);
		size_t bytes = (size_t)sqlite3_column_bytes(s, 1);

		read->next = sequence;
		if (!read->take(read, sequence, envelope, bytes))
			break;
		read->next = sequence + 1;
	}
	db_reset(db, DB_MESSAGES);
	if (outcome == 0)
		read_end(read, to + 1);
	return outcome < 0 ? outcome : 0;
}

static int reader_find(struct reader *r, struct store_read *read)
{
	struct db_room room;
	int error;

	error = db_room_find(&r->db, &room, read->room);
	if (error)
		return error;
	read->era = room.era;
	read->first = room.first;
	read->last = room.last;
	read->next = room.first;
	if (read->how == STORE_FROM_TIME)
		return find_time(&r->db, &room, read);
	if (read->how == STORE_FROM_SEQUENCE)
		return read_messages(&r->db, &room, read);
	return 0;
}

/* In one transaction: the number of a room that goes may be given to another
 * one, whose messages would be read here. */
static int reader_look(struct reader *r, struct store_read *read)
{
	int error = 0;

	if (r->db.handle && db_has_moved(&r->db))
		reader_close(r);
	if (!r->db.handle)
		error = db_open(&r->db, r->path, false);
	if (!error)
		error = db_run(&r->db, DB_LOOK);
	if (!error)
		error = reader_find(r, read);
	db_rollback(&r->db);
	/* Nothing was said there yet; or the file is gone, which the next put
	 * makes anew. */
	if (error == -ENOENT) {
		read->first = 1;
		read_end(read, 1);
		return 0;
	}
	return error;
}

void reader_serve(struct reader *r, struct store_read *read)
{
	read->era = read->first = read->last = read->next = 0;
	read->error = reader_look(r, read);
	/* A fresh connection may find what this one cannot. */
	if (read->error && read->error != -ENOMEM)
		reader_close(r);
}

void reader_close(struct reader *r)
{
	db_close(&r->db);
}
