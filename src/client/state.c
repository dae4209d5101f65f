/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - what this user remembers of rooms, in SQLite */

/*
 * How it works (docs/spec/client-files.md, clause 4): write-ahead log with a
 * sync at every commit. A transaction takes the write lock at its start
 * (BEGIN IMMEDIATE), so reading a row, merging and writing it are one step
 * for all processes. The caller merges all messages of one turn of the loop
 * and commits once: under load the batches grow by themselves.
 */
#include "client/state_private.h"

#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCHEMA_VERSION "3"
#define OPEN_TRIES     50

static const char *const sql[STATEMENTS] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_LOAD] = "SELECT key, value FROM row WHERE room = ?1",
	[STATEMENT_GET] = "SELECT value FROM row WHERE room = ?1 AND key = ?2",
	[STATEMENT_PUT] = ("INSERT INTO row VALUES (?1, ?2, ?3)"
			   " ON CONFLICT DO UPDATE SET value = excluded.value"),
	[STATEMENT_DELETE] = "DELETE FROM row WHERE room = ?1 AND key = ?2",
	[STATEMENT_VERIFY] = "INSERT OR IGNORE INTO verified VALUES (?1)",
	[STATEMENT_IS_VERIFIED] = "SELECT 1 FROM verified WHERE identity = ?1",
	[STATEMENT_POSITION] = ("SELECT era, sequence FROM position"
				" WHERE room = ?1"),
	[STATEMENT_SET_POSITION] =
		("INSERT INTO position VALUES (?1, ?2, ?3)"
		 " ON CONFLICT DO UPDATE SET era = excluded.era,"
		 " sequence = CASE WHEN era = excluded.era AND NOT ?4"
		 " THEN max(sequence, excluded.sequence)"
		 " ELSE excluded.sequence END"),
	[STATEMENT_SERVER] =
		"SELECT fingerprint FROM server WHERE address = ?1",
	[STATEMENT_SET_SERVER] = ("INSERT INTO server VALUES (?1, ?2)"
				  " ON CONFLICT DO UPDATE SET fingerprint = "
				  "excluded.fingerprint"),
	[STATEMENT_ADD_SERVER] = ("INSERT INTO server VALUES (?1, ?2)"
				  " ON CONFLICT DO NOTHING"),
};

static const char schema[] =
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS row ("
	" room BLOB NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,"
	" PRIMARY KEY (room, key)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS verified ("
	" identity BLOB PRIMARY KEY NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS position ("
	" room BLOB PRIMARY KEY NOT NULL, era INTEGER NOT NULL,"
	" sequence INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS server ("
	" address BLOB PRIMARY KEY NOT NULL,"
	" fingerprint BLOB NOT NULL) WITHOUT ROWID;"
	"PRAGMA user_version = " SCHEMA_VERSION ";"
	"COMMIT;";

int state_step(struct state *state, enum statement s)
{
	return sqlite3_step(state->statements[s]);
}

int state_finish(struct state *state, enum statement s, int result)
{
	int error = sql_error(state->db, result);

	sqlite3_reset(state->statements[s]);
	sqlite3_clear_bindings(state->statements[s]);
	return error;
}

void state_bind(struct state *state, enum statement s, int place,
		const uint8_t *data, size_t bytes)
{
	sqlite3_bind_blob(state->statements[s], place, data, (int)bytes,
			  SQLITE_STATIC);
}

static int has_this_version(struct state *state)
{
	sqlite3_stmt *query = NULL;
	int result, version = -1;

	result = sqlite3_prepare_v2(state->db, "PRAGMA user_version", -1,
				    &query, NULL);
	if (result == SQLITE_OK) {
		result = sqlite3_step(query);
		if (result == SQLITE_ROW)
			version = sqlite3_column_int(query, 0);
	}
	sqlite3_finalize(query);
	if (result != SQLITE_ROW)
		return result == SQLITE_DONE ? -EIO
					     : sql_error(state->db, result);
	return version <= atoi(SCHEMA_VERSION) ? version : -EBADMSG;
}

/* Two processes that open a new file at once can meet here in a way that the
 * busy timeout does not cover: try again. */
static int prepare_file(struct state *state)
{
	int keep = 1, result = SQLITE_OK;

	sqlite3_busy_timeout(state->db, STATE_BUSY_MS);
	for (int i = 0; i < OPEN_TRIES; i++) {
		result = sqlite3_exec(state->db,
				      "PRAGMA journal_mode = WAL;"
				      "PRAGMA synchronous = FULL;",
				      NULL, NULL, NULL);
		if (result != SQLITE_BUSY && result != SQLITE_LOCKED)
			break;
		usleep(20000);
	}
	/* Leave the log in place: making it anew races with other openers. */
	if (result == SQLITE_OK)
		result = sqlite3_file_control(state->db, "main",
					      SQLITE_FCNTL_PERSIST_WAL, &keep);
	return sql_error(state->db, result);
}

static int prepare(struct state *state)
{
	int version, error = prepare_file(state);

	if (error)
		return error;
	version = has_this_version(state);
	if (version < 0)
		return version;
	if (version < atoi(SCHEMA_VERSION)) {
		error = sql_error(state->db, sqlite3_exec(state->db, schema,
							  NULL, NULL, NULL));
		if (error)
			return error;
	}
	for (int i = 0; i < STATEMENTS; i++) {
		error = sql_error(state->db,
				  sqlite3_prepare_v3(state->db, sql[i], -1,
						     SQLITE_PREPARE_PERSISTENT,
						     &state->statements[i],
						     NULL));
		if (error)
			return error;
	}
	return 0;
}

/* Make the file before SQLite does, so that its mode is never another one,
 * and judge it when it is there. */
static int check_file(const char *path, bool *is_new)
{
	size_t bytes;
	uint8_t first;
	int fd, result;

	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		  0600);
	*is_new = fd >= 0;
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != EEXIST)
		return -errno;
	result = file_read_private(path, &first, 1, &bytes);
	return result == FILE_IS_TOO_LARGE ? 0 : result;
}

int state_open(struct state **state, const char *path)
{
	struct state *s;
	bool is_new;
	int result = check_file(path, &is_new);

	*state = NULL;
	if (result)
		return result;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->is_new = is_new;
	/* Not SQLITE_OPEN_NOFOLLOW: it refuses a link in the folders' names
	 * as well, and check_file() has judged the last one. */
	result = sql_error(NULL, sqlite3_open_v2(path, &s->db,
						 SQLITE_OPEN_READWRITE |
							 SQLITE_OPEN_NOMUTEX,
						 NULL));
	if (!result)
		result = prepare(s);
	if (result) {
		state_close(s);
		return result;
	}
	*state = s;
	return 0;
}

int state_open_own(struct state **state)
{
	char path[PATH_MAX];
	int result;

	result = file_own_path(path, sizeof(path), "XDG_STATE_HOME",
			       ".local/state", "paravox/state.sqlite");
	if (result) {
		log_error("no place for the state: %s: %s", path,
			  file_explain(result));
		return result > 0 ? -EACCES : result;
	}
	result = state_open(state, path);
	if (result)
		log_error("%s: %s", path,
			  result > 0 ? file_explain(result)
				     : state_explain(result));
	return result > 0 ? -EACCES : result;
}

bool state_is_new(const struct state *state)
{
	return state->is_new;
}

const char *state_explain(int error)
{
	switch (error) {
	case -EBADMSG:
		return "the state is damaged, or of a newer version";
	case -ESTALE:
		return "the file of the state was moved or deleted";
	case -EBUSY:
		return "another process holds the state";
	case -EROFS:
		return "the state cannot be written to";
	case -ELOOP:
		return file_explain(error);
	default:
		return strerror(-error);
	}
}

void state_close(struct state *state)
{
	if (!state)
		return;
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(state->statements[i]);
	sqlite3_close(state->db);
	free(state);
}
