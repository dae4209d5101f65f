/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - look a store over that nobody serves, and put it right */

/*
 * How it works: first SQLite looks at its own structures; when an index is
 * wrong all are made anew from the tables. Then each room's messages are
 * walked: their numbers must be in a row, and each must be an envelope of the
 * chain that its row says. When they are not, what is no envelope goes, the
 * rest gets new numbers in the same order, and the room a new era. All repairs
 * are one transaction: it is as it was, or right.
 */
#include "store/check.h"

#include "store/db.h"
#include "store/lock.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_ROOM 256

static const char walk_sql[] =
	"SELECT m.key, c.sender, c.id, m.generation, m.envelope, c.room"
	" FROM message m LEFT JOIN chain c ON c.number = m.chain"
	" WHERE m.key BETWEEN ?1 AND ?2 ORDER BY m.key";
static const char move_sql[] = "UPDATE message SET key = ?2 WHERE key = ?1";
static const char drop_sql[] = "DELETE FROM message WHERE key = ?1";
static const char room_sql[] = "UPDATE room SET era = ?2 WHERE number = ?1";

struct checker {
	struct store_check *check;
	struct db db;
	sqlite3_stmt *walk, *move, *drop, *era;
};

static void tell(struct store_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void tell(struct store_check *check, const char *format, ...)
{
	char line[LINE_ROOM];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	check->tell(line);
}

static int run_with(struct checker *c, sqlite3_stmt *s, int64_t one,
		    int64_t two)
{
	int result;

	sqlite3_bind_int64(s, 1, one);
	if (sqlite3_bind_parameter_count(s) > 1)
		sqlite3_bind_int64(s, 2, two);
	result = sqlite3_step(s);
	sqlite3_reset(s);
	return db_error(&c->db, result);
}

/* SQLite's own look at its structures: how many lines it has to say, up to
 * 10, or -errno. */
static int look_at_structures(struct checker *c, bool is_told)
{
	sqlite3_stmt *s = NULL;
	int result, count = 0;

	result = sqlite3_prepare_v2(c->db.handle, "PRAGMA integrity_check(10)",
				    -1, &s, NULL);
	while (result == SQLITE_OK || result == SQLITE_ROW) {
		const char *line;

		result = sqlite3_step(s);
		if (result != SQLITE_ROW)
			break;
		line = (const char *)sqlite3_column_text(s, 0);
		if (!line || strcmp(line, "ok") == 0)
			continue;
		count++;
		if (is_told)
			tell(c->check, "the database: %s", line);
	}
	sqlite3_finalize(s);
	return result == SQLITE_DONE ? count : db_error(&c->db, result);
}

static int check_structures(struct checker *c)
{
	int left = look_at_structures(c, true);

	if (left <= 0)
		return left;
	c->check->faults += (uint64_t)left;
	if (!c->check->repairs)
		return 0;
	if (sqlite3_exec(c->db.handle, "REINDEX", NULL, NULL, NULL) !=
	    SQLITE_OK)
		return 0;
	if (look_at_structures(c, false) == 0) {
		c->check->repaired += (uint64_t)left;
		tell(c->check, "its indexes were made anew");
	}
	return 0;
}

static bool row_is_good(struct checker *c, const struct db_room *room)
{
	sqlite3_stmt *s = c->walk;
	struct store_message m = {
		.sender = sqlite3_column_blob(s, 1),
		.chain = sqlite3_column_blob(s, 2),
		.generation = (uint64_t)sqlite3_column_int64(s, 3),
		.envelope = sqlite3_column_blob(s, 4),
		.bytes = (size_t)sqlite3_column_bytes(s, 4),
	};

	return sqlite3_column_bytes(s, 1) == STORE_ID_BYTES &&
	       sqlite3_column_bytes(s, 2) == STORE_ID_BYTES &&
	       sqlite3_column_int64(s, 5) == room->number &&
	       c->check->is_envelope(&m);
}

/* What a walk over a room finds. */
struct found {
	uint64_t first, last, count, bytes;
	uint64_t holes, bad;
};

/* With `next` (NULL: only look) it drops what is bad and numbers the rest
 * from there. */
static int walk_room(struct checker *c, const struct db_room *room,
		     struct found *found, uint64_t next)
{
	int result, error = 0;

	memset(found, 0, sizeof(*found));
	sqlite3_bind_int64(c->walk, 1, db_key(room->number, 0));
	sqlite3_bind_int64(c->walk, 2, db_key(room->number, DB_SEQUENCE_MAX));
	while (!error && (result = sqlite3_step(c->walk)) == SQLITE_ROW) {
		int64_t key = sqlite3_column_int64(c->walk, 0);
		uint64_t sequence = (uint64_t)key & DB_SEQUENCE_MAX;
		size_t bytes = (size_t)sqlite3_column_bytes(c->walk, 4);

		if (!row_is_good(c, room)) {
			found->bad++;
			if (next)
				error = run_with(c, c->drop, key, 0);
			continue;
		}
		if (found->count && sequence != found->last + 1)
			found->holes++;
		if (!found->count)
			found->first = sequence;
		found->last = sequence;
		found->count++;
		found->bytes += bytes + STORE_ROW_BYTES;
		if (next && next != sequence)
			error = run_with(c, c->move, key,
					 db_key(room->number, next));
		next += next != 0;
	}
	sqlite3_reset(c->walk);
	return error ? error : db_error(&c->db, result);
}

/* Its numbers anew, in a row from 1, and an era of their own. */
static int number_anew(struct checker *c, const struct db_room *room,
		       struct found *found)
{
	uint64_t era = 0;
	int error = walk_room(c, room, found, 1);

	while (!era || era == room->era)
		sqlite3_randomness(sizeof(era), &era);
	if (!error)
		error = run_with(c, c->era, room->number, (int64_t)era);
	c->check->lost += found->bad;
	found->first = 1;
	found->last = found->count;
	return error;
}

static int write_room(struct checker *c, const struct db_room *room,
		      const struct found *found)
{
	db_bind(&c->db, DB_ROOM_UPDATE, 1, (uint64_t)room->number);
	db_bind(&c->db, DB_ROOM_UPDATE, 2, found->first);
	db_bind(&c->db, DB_ROOM_UPDATE, 3, found->last);
	db_bind(&c->db, DB_ROOM_UPDATE, 4, found->bytes);
	db_bind(&c->db, DB_ROOM_UPDATE, 5, room->time_ms);
	return db_run(&c->db, DB_ROOM_UPDATE);
}

static int check_room(struct checker *c, const struct db_room *room)
{
	struct store_check *check = c->check;
	struct found found;
	bool needs_numbers, has_row;
	int error = walk_room(c, room, &found, 0);

	if (error)
		return error;
	check->messages += found.count;
	if (!found.count) { /* its numbers go on where they were */
		found.first = room->last + 1;
		found.last = room->last;
	}
	needs_numbers = found.bad || found.holes || found.last != room->last;
	has_row = found.first == room->first && found.bytes == room->bytes;
	if (found.bad)
		tell(check,
		     "room %" PRId64 ": %" PRIu64 " rows are no messages",
		     room->number, found.bad);
	if (found.holes || found.last != room->last)
		tell(check, "room %" PRId64 ": its numbers are not in a row",
		     room->number);
	if (!needs_numbers && !has_row)
		tell(check, "room %" PRId64 ": it is counted wrongly",
		     room->number);
	if (!needs_numbers && has_row)
		return 0;
	check->faults++;
	if (!check->repairs)
		return 0;
	if (needs_numbers)
		error = number_anew(c, room, &found);
	if (!error)
		error = write_room(c, room, &found);
	check->repaired += !error;
	return error;
}

static int check_rooms(struct checker *c)
{
	struct db_room room = { 0 };
	int outcome = 1, error = 0;

	while (outcome == 1 && !error) {
		db_bind(&c->db, DB_ROOM_NEXT, 1, (uint64_t)room.number);
		outcome = db_step(&c->db, DB_ROOM_NEXT);
		if (outcome == 1)
			db_room_take(&c->db, &room, DB_ROOM_NEXT);
		db_reset(&c->db, DB_ROOM_NEXT);
		if (outcome != 1)
			return outcome;
		c->check->rooms++;
		error = check_room(c, &room);
	}
	return error;
}

/* Rows that belong to nothing. */
static int check_strays(struct checker *c)
{
	static const struct {
		const char *what, *from;
	} strays[] = {
		{ "messages of no room", "FROM message WHERE (key >> 40) NOT IN"
					 " (SELECT number FROM room)" },
		{ "chains without messages", "FROM chain WHERE number NOT IN"
					     " (SELECT chain FROM message)" },
	};
	int error = 0;

	for (int i = 0; i < 2 && !error; i++) {
		char sql[LINE_ROOM];
		sqlite3_stmt *s = NULL;
		int64_t count = 0;

		snprintf(sql, sizeof(sql), "SELECT count(*) %s",
			 strays[i].from);
		error = db_error(&c->db, sqlite3_prepare_v2(c->db.handle, sql,
							    -1, &s, NULL));
		if (!error && sqlite3_step(s) == SQLITE_ROW)
			count = sqlite3_column_int64(s, 0);
		sqlite3_finalize(s);
		if (error || !count)
			continue;
		tell(c->check, "%" PRId64 " %s", count, strays[i].what);
		c->check->faults++;
		if (!c->check->repairs)
			continue;
		snprintf(sql, sizeof(sql), "DELETE %s", strays[i].from);
		error = db_error(&c->db, sqlite3_exec(c->db.handle, sql, NULL,
						      NULL, NULL));
		c->check->repaired += !error;
	}
	return error;
}

static int prepare(struct checker *c)
{
	const struct {
		sqlite3_stmt **to;
		const char *sql;
	} all[] = { { &c->walk, walk_sql },
		    { &c->move, move_sql },
		    { &c->drop, drop_sql },
		    { &c->era, room_sql } };
	int error = 0;

	for (int i = 0; i < 4 && !error; i++)
		error = db_error(&c->db,
				 sqlite3_prepare_v2(c->db.handle, all[i].sql,
						    -1, all[i].to, NULL));
	return error;
}

static int check_all(struct checker *c)
{
	int error = check_structures(c);

	if (!error)
		error = prepare(c);
	if (!error)
		error = db_begin(&c->db);
	if (!error)
		error = check_rooms(c);
	if (!error)
		error = check_strays(c);
	if (!error)
		error = db_commit(&c->db);
	db_rollback(&c->db);
	return error;
}

int store_check(struct store_check *check, const char *folder)
{
	struct checker c = { .check = check };
	char path[PATH_MAX];
	int error, lock_fd;

	if (snprintf(path, sizeof(path), "%s/history.sqlite", folder) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	if (access(path, F_OK))
		return -errno;
	lock_fd = store_lock(folder);
	if (lock_fd < 0)
		return lock_fd;
	error = db_open(&c.db, path, true);
	if (!error)
		error = check_all(&c);
	sqlite3_finalize(c.walk);
	sqlite3_finalize(c.move);
	sqlite3_finalize(c.drop);
	sqlite3_finalize(c.era);
	db_close(&c.db);
	close(lock_fd);
	return error;
}
