/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - a connection to the store's database, with its statements */

/*
 * How it works: a write-ahead log with a sync at every commit
 * (synchronous=FULL). SQLite's own checkpoints are off, because an error of
 * one would look like an error of the commit before it: writer.c makes them.
 * Numbers of 64 bits without a sign are kept as the signed ones of the same
 * bits.
 */
#include "store/db.h"

#include "base/mutant.h"
#include "sql/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DB_APPLICATION "1347835987" /* "PVXS" */
#define DB_VERSION     1
#define DB_BUSY_MS     5000
#define DB_CACHE_KIB   "16384"
#define DB_LOG_BYTES   "67108864" /* of the log's file, once it is moved */

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE room ("
	" number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE,"
	" era INTEGER NOT NULL, first INTEGER NOT NULL,"
	" last INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" time_ms INTEGER NOT NULL);"
	"CREATE INDEX room_bytes ON room (bytes);"
	"CREATE TABLE chain ("
	" number INTEGER PRIMARY KEY, room INTEGER NOT NULL,"
	" sender BLOB NOT NULL, id BLOB NOT NULL,"
	" UNIQUE (room, sender, id));"
	"CREATE TABLE message ("
	" key INTEGER PRIMARY KEY, chain INTEGER NOT NULL,"
	" generation INTEGER NOT NULL, time_ms INTEGER NOT NULL,"
	" envelope BLOB NOT NULL, UNIQUE (chain, generation));"
	"PRAGMA application_id = " DB_APPLICATION ";"
	"PRAGMA user_version = 1;"
	"COMMIT;";

#define ROOM_COLUMNS "id, number, era, first, last, bytes, time_ms"

static const char *const sql[DB_STATEMENTS] = {
	[DB_BEGIN] = "BEGIN IMMEDIATE",
	[DB_LOOK] = "BEGIN",
	[DB_COMMIT] = "COMMIT",
	[DB_ROOM_FIND] = "SELECT " ROOM_COLUMNS " FROM room WHERE id = ?1",
	[DB_ROOM_ADD] = ("INSERT INTO room (id, era, first, last, bytes,"
			 " time_ms) VALUES (?1, ?2, ?3, ?4, 0, 0)"),
	[DB_ROOM_UPDATE] = ("UPDATE room SET first = ?2, last = ?3, bytes = ?4,"
			    " time_ms = ?5 WHERE number = ?1"),
	[DB_ROOM_NEXT] = ("SELECT " ROOM_COLUMNS " FROM room"
			  " WHERE number > ?1 ORDER BY number LIMIT 1"),
	[DB_ROOM_LARGEST] = ("SELECT " ROOM_COLUMNS " FROM room"
			     " ORDER BY bytes DESC"),
	[DB_ROOM_EMPTY] = ("SELECT " ROOM_COLUMNS " FROM room"
			   " WHERE bytes = 0 LIMIT 1"),
	[DB_ROOM_RENUMBER] =
		("UPDATE room SET number = (SELECT min(n) FROM"
		 " (SELECT 1 AS n UNION ALL SELECT number + 1 FROM room) AS "
		 "free"
		 " WHERE NOT EXISTS"
		 "  (SELECT 1 FROM room taken WHERE taken.number = n))"
		 " WHERE id = ?1 RETURNING number"),
	[DB_ROOM_REMOVE] = "DELETE FROM room WHERE number = ?1",
	[DB_CHAIN_FIND] = ("SELECT number FROM chain"
			   " WHERE room = ?1 AND sender = ?2 AND id = ?3"),
	[DB_CHAIN_ADD] = ("INSERT INTO chain (room, sender, id)"
			  " VALUES (?1, ?2, ?3)"),
	[DB_MESSAGE_ADD] = ("INSERT INTO message VALUES (?1, ?2, ?3, ?4, ?5)"
			    " ON CONFLICT (chain, generation) DO NOTHING"),
	[DB_MESSAGES] = ("SELECT key, envelope FROM message"
			 " WHERE key BETWEEN ?1 AND ?2 ORDER BY key"),
	[DB_MESSAGE_TIME] = "SELECT time_ms FROM message WHERE key = ?1",
	[DB_BYTES] = ("SELECT sum(length(envelope)), count(*) FROM message"
		      " WHERE key BETWEEN ?1 AND ?2"),
	[DB_CHAINS_FORGET] = ("DELETE FROM chain WHERE number IN"
			      " (SELECT DISTINCT chain FROM message"
			      "  WHERE key BETWEEN ?1 AND ?2)"
			      " AND NOT EXISTS (SELECT 1 FROM message m"
			      "  WHERE m.chain = chain.number AND m.key > ?2)"),
	[DB_MESSAGES_FORGET] = ("DELETE FROM message"
				" WHERE key BETWEEN ?1 AND ?2"),
};

int db_error(const struct db *db, int result)
{
	return sql_error(db ? db->handle : NULL, result);
}

void db_bind(struct db *db, enum db_statement s, int place, uint64_t value)
{
	sqlite3_bind_int64(db->statements[s], place, (sqlite3_int64)value);
}

void db_bind_bytes(struct db *db, enum db_statement s, int place,
		   const void *data, size_t bytes)
{
	sqlite3_bind_blob64(db->statements[s], place, data, bytes,
			    SQLITE_STATIC);
}

int db_step(struct db *db, enum db_statement s)
{
	int result = sqlite3_step(db->statements[s]);

	return result == SQLITE_ROW ? 1 : db_error(db, result);
}

uint64_t db_column(struct db *db, enum db_statement s, int column)
{
	return (uint64_t)sqlite3_column_int64(db->statements[s], column);
}

void db_reset(struct db *db, enum db_statement s)
{
	sqlite3_reset(db->statements[s]);
}

int db_run(struct db *db, enum db_statement s)
{
	int outcome = db_step(db, s);

	db_reset(db, s);
	return outcome < 0 ? outcome : 0;
}

void db_room_take(struct db *db, struct db_room *room, enum db_statement s)
{
	sqlite3_stmt *statement = db->statements[s];

	memset(room, 0, sizeof(*room));
	if (sqlite3_column_bytes(statement, 0) == STORE_ID_BYTES)
		memcpy(room->id, sqlite3_column_blob(statement, 0),
		       STORE_ID_BYTES);
	room->number = (int64_t)db_column(db, s, 1);
	room->era = db_column(db, s, 2);
	room->first = db_column(db, s, 3);
	room->last = db_column(db, s, 4);
	room->bytes = db_column(db, s, 5);
	room->time_ms = db_column(db, s, 6);
}

int db_room_find(struct db *db, struct db_room *room, const uint8_t *id)
{
	int outcome;

	db_bind_bytes(db, DB_ROOM_FIND, 1, id, STORE_ID_BYTES);
	outcome = db_step(db, DB_ROOM_FIND);
	if (outcome == 1)
		db_room_take(db, room, DB_ROOM_FIND);
	db_reset(db, DB_ROOM_FIND);
	if (outcome < 0)
		return outcome;
	return outcome ? 0 : -ENOENT;
}

int db_begin(struct db *db)
{
	return db_run(db, DB_BEGIN);
}

int db_commit(struct db *db)
{
	return db_run(db, DB_COMMIT);
}

void db_rollback(struct db *db)
{
	if (db->handle && !sqlite3_get_autocommit(db->handle))
		sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_has_moved(struct db *db)
{
	int has_moved = 0;

	return sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_HAS_MOVED,
				    &has_moved) == SQLITE_OK &&
	       has_moved;
}

/* A number that a pragma tells. */
static int pragma_number(struct db *db, const char *text, int64_t *number)
{
	sqlite3_stmt *query = NULL;
	int result;

	result = sqlite3_prepare_v2(db->handle, text, -1, &query, NULL);
	if (result == SQLITE_OK)
		result = sqlite3_step(query);
	if (result == SQLITE_ROW)
		*number = sqlite3_column_int64(query, 0);
	sqlite3_finalize(query);
	return db_error(db, result);
}

/* Whose database it is, and which version; an empty one is made ours. */
static int db_judge(struct db *db, bool is_writer)
{
	int64_t application = 0, version = 0, pages = 0;
	int error;

	error = pragma_number(db, "PRAGMA application_id", &application);
	if (!error)
		error = pragma_number(db, "PRAGMA user_version", &version);
	if (!error)
		error = pragma_number(db, "PRAGMA page_count", &pages);
	if (error)
		return error;
	if (version == 0 && application == 0 && pages <= 1 && is_writer)
		return db_error(
			db, sqlite3_exec(db->handle, schema, NULL, NULL, NULL));
	if (application != atoi(DB_APPLICATION))
		return -EBADMSG;
	return version > DB_VERSION ? -ENOTSUP : 0;
}

static int db_prepare(struct db *db, bool is_writer)
{
	int keep = 1, error;

	sqlite3_extended_result_codes(db->handle, 1);
	sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	error = db_error(db, sqlite3_exec(db->handle,
					  "PRAGMA journal_mode = WAL;"
					  "PRAGMA synchronous = FULL;"
					  "PRAGMA wal_autocheckpoint = 0;"
					  "PRAGMA journal_size_limit ="
					  " " DB_LOG_BYTES ";"
					  "PRAGMA cache_size = -" DB_CACHE_KIB,
					  NULL, NULL, NULL));
	/* The power-loss test shows that it can fail. */
	if (!error && CHECK(store_unsynced, false))
		error = db_error(db, sqlite3_exec(db->handle,
						  "PRAGMA synchronous = OFF",
						  NULL, NULL, NULL));
	if (!error)
		error = db_judge(db, is_writer);
	if (!error)
		error = db_error(db, sqlite3_file_control(
					     db->handle, "main",
					     SQLITE_FCNTL_PERSIST_WAL, &keep));
	for (int i = 0; i < DB_STATEMENTS && !error; i++)
		error = db_error(db,
				 sqlite3_prepare_v3(db->handle, sql[i], -1,
						    SQLITE_PREPARE_PERSISTENT,
						    &db->statements[i], NULL));
	return error;
}

/* Make the file before SQLite does: its name must be on the disk as well. */
static int db_make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int folder_fd = -1, error = 0;
	char *folder;

	if (fd < 0)
		return -errno;
	close(fd);
	folder = strdup(path);
	if (!folder)
		return -ENOMEM;
	*strrchr(folder, '/') = '\0';
	folder_fd = open(*folder ? folder : "/",
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0 || fsync(folder_fd))
		error = -errno;
	if (folder_fd >= 0)
		close(folder_fd);
	free(folder);
	return error;
}

int db_open(struct db *db, const char *path, bool is_writer)
{
	int error = is_writer ? db_make_file(path) : 0;

	memset(db, 0, sizeof(*db));
	if (error)
		return error;
	error = db_error(
		db, sqlite3_open_v2(path, &db->handle,
				    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
				    NULL));
	if (!error)
		error = db_prepare(db, is_writer);
	if (error)
		db_close(db);
	return error;
}

void db_close(struct db *db)
{
	for (int i = 0; i < DB_STATEMENTS; i++)
		sqlite3_finalize(db->statements[i]);
	sqlite3_close(db->handle);
	memset(db, 0, sizeof(*db));
}
