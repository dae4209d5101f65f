/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - what this user remembers of rooms, in SQLite */

/*
 * How it works (docs/spec/client-files.md, clause 4): write-ahead log with a
 * sync at every commit. A transaction takes the write lock at its start
 * (BEGIN IMMEDIATE), so reading a row, merging and writing it are one step
 * for all processes. The caller merges all messages of one turn of the loop
 * and commits once: under load the batches grow by themselves.
 */
#include "client/state.h"

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

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_LOAD,
	STATEMENT_GET,
	STATEMENT_PUT,
	STATEMENT_DELETE,
	STATEMENT_VERIFY,
	STATEMENT_IS_VERIFIED,
	STATEMENT_POSITION,
	STATEMENT_SET_POSITION,
	STATEMENT_SERVER,
	STATEMENT_SET_SERVER,
	STATEMENT_ADD_SERVER,
	STATEMENTS
};

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

struct state {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	bool is_in_transaction;
	bool is_new;
};

static int error_of(int result)
{
	switch (result & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_MISMATCH:
		return -EBADMSG;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* Run to the first row or the end. Reset it when its row was read. */
static int step(struct state *state, enum statement s)
{
	return sqlite3_step(state->statements[s]);
}

static int finish(struct state *state, enum statement s, int result)
{
	sqlite3_reset(state->statements[s]);
	sqlite3_clear_bindings(state->statements[s]);
	return error_of(result);
}

static void bind(struct state *state, enum statement s, int place,
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
		return error_of(result) ? error_of(result) : -EIO;
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
	return error_of(result);
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
		error = error_of(
			sqlite3_exec(state->db, schema, NULL, NULL, NULL));
		if (error)
			return error;
	}
	for (int i = 0; i < STATEMENTS; i++) {
		error = error_of(sqlite3_prepare_v3(
			state->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
			&state->statements[i], NULL));
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
	result = error_of(sqlite3_open_v2(
		path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
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
		log_error("no place for the state: %s", file_explain(result));
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

int state_load(struct state *state, const uint8_t room_id[CHAT_ROOM_ID_BYTES],
	       state_row_fn *take, void *owner)
{
	sqlite3_stmt *load = state->statements[STATEMENT_LOAD];
	int result, error = 0;

	bind(state, STATEMENT_LOAD, 1, room_id, CHAT_ROOM_ID_BYTES);
	while ((result = step(state, STATEMENT_LOAD)) == SQLITE_ROW) {
		error = take(owner, sqlite3_column_blob(load, 0),
			     (size_t)sqlite3_column_bytes(load, 0),
			     sqlite3_column_blob(load, 1),
			     (size_t)sqlite3_column_bytes(load, 1));
		if (error)
			break;
	}
	result = finish(state, STATEMENT_LOAD, result);
	return error ? error : result;
}

static int merge_stored(struct state *state, const uint8_t *room_id,
			struct e2ee_row *row)
{
	sqlite3_stmt *get = state->statements[STATEMENT_GET];
	int result, error = 0;

	bind(state, STATEMENT_GET, 1, room_id, CHAT_ROOM_ID_BYTES);
	bind(state, STATEMENT_GET, 2, row->key, E2EE_ROW_KEY_BYTES);
	result = step(state, STATEMENT_GET);
	if (result == SQLITE_ROW)
		error = e2ee_row_merge(row, sqlite3_column_blob(get, 0),
				       (size_t)sqlite3_column_bytes(get, 0));
	result = finish(state, STATEMENT_GET, result);
	return error ? error : result;
}

static int merge_row(struct state *state, const uint8_t *room_id,
		     const struct e2ee_row *changed)
{
	enum statement s = STATEMENT_DELETE;
	struct e2ee_row row = *changed;
	int error = merge_stored(state, room_id, &row);

	if (error)
		return error;
	if (row.value_bytes) {
		s = STATEMENT_PUT;
		bind(state, s, 3, row.value, row.value_bytes);
	}
	bind(state, s, 1, room_id, CHAT_ROOM_ID_BYTES);
	bind(state, s, 2, row.key, E2EE_ROW_KEY_BYTES);
	return finish(state, s, step(state, s));
}

static int begin_once(struct state *state)
{
	int error;

	if (state->is_in_transaction)
		return 0;
	error = finish(state, STATEMENT_BEGIN, step(state, STATEMENT_BEGIN));
	state->is_in_transaction = !error;
	return error;
}

int state_position(struct state *state,
		   const uint8_t room_id[CHAT_ROOM_ID_BYTES], uint64_t *era,
		   uint64_t *sequence)
{
	sqlite3_stmt *get = state->statements[STATEMENT_POSITION];
	int result;

	bind(state, STATEMENT_POSITION, 1, room_id, CHAT_ROOM_ID_BYTES);
	result = step(state, STATEMENT_POSITION);
	if (result == SQLITE_ROW) {
		*era = (uint64_t)sqlite3_column_int64(get, 0);
		*sequence = (uint64_t)sqlite3_column_int64(get, 1);
	}
	return finish(state, STATEMENT_POSITION, result) ? error_of(result)
	       : result == SQLITE_ROW                    ? 0
							 : -ENOENT;
}

int state_set_position(struct state *state,
		       const uint8_t room_id[CHAT_ROOM_ID_BYTES], uint64_t era,
		       uint64_t sequence, bool may_go_back)
{
	enum statement s = STATEMENT_SET_POSITION;
	int error = begin_once(state);

	if (error)
		return error;
	bind(state, s, 1, room_id, CHAT_ROOM_ID_BYTES);
	sqlite3_bind_int64(state->statements[s], 2, (sqlite3_int64)era);
	sqlite3_bind_int64(state->statements[s], 3, (sqlite3_int64)sequence);
	sqlite3_bind_int(state->statements[s], 4, may_go_back);
	return finish(state, s, step(state, s));
}

int state_merge(struct state *state, const uint8_t room_id[CHAT_ROOM_ID_BYTES],
		const struct e2ee_changes *changes)
{
	int error = changes->count ? begin_once(state) : 0;

	for (unsigned int i = 0; i < changes->count && !error; i++)
		error = merge_row(state, room_id, &changes->rows[i]);
	return error;
}

int state_commit(struct state *state)
{
	int error, has_moved = 0;

	if (!state->is_in_transaction)
		return 0;
	/* Nobody will find again what is written to a file without a name. */
	if (sqlite3_file_control(state->db, "main", SQLITE_FCNTL_HAS_MOVED,
				 &has_moved) == SQLITE_OK &&
	    has_moved)
		return -ESTALE;
	error = finish(state, STATEMENT_COMMIT, step(state, STATEMENT_COMMIT));
	state->is_in_transaction = error != 0;
	return error;
}

void state_rollback(struct state *state)
{
	if (state->is_in_transaction)
		sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
	state->is_in_transaction = false;
}

int state_set_verified(struct state *state,
		       const uint8_t identity[SIGN_PUBLIC_BYTES])
{
	bind(state, STATEMENT_VERIFY, 1, identity, SIGN_PUBLIC_BYTES);
	return finish(state, STATEMENT_VERIFY, step(state, STATEMENT_VERIFY));
}

bool state_is_verified(struct state *state,
		       const uint8_t identity[SIGN_PUBLIC_BYTES])
{
	int result;

	bind(state, STATEMENT_IS_VERIFIED, 1, identity, SIGN_PUBLIC_BYTES);
	result = step(state, STATEMENT_IS_VERIFIED);
	finish(state, STATEMENT_IS_VERIFIED, result);
	return result == SQLITE_ROW;
}

int state_server_get(struct state *state, const char *address,
		     uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	sqlite3_stmt *get = state->statements[STATEMENT_SERVER];
	int result, error = -ENOENT;

	bind(state, STATEMENT_SERVER, 1, (const uint8_t *)address,
	     strlen(address));
	result = step(state, STATEMENT_SERVER);
	if (result == SQLITE_ROW) {
		error = -EBADMSG;
		if (sqlite3_column_bytes(get, 0) == TLS_FINGERPRINT_BYTES) {
			memcpy(fingerprint, sqlite3_column_blob(get, 0),
			       TLS_FINGERPRINT_BYTES);
			error = 0;
		}
	}
	result = finish(state, STATEMENT_SERVER, result);
	return result ? result : error;
}

static int server_put(struct state *state, enum statement s,
		      const char *address, const uint8_t *fingerprint)
{
	bind(state, s, 1, (const uint8_t *)address, strlen(address));
	bind(state, s, 2, fingerprint, TLS_FINGERPRINT_BYTES);
	return finish(state, s, step(state, s));
}

int state_server_set(struct state *state, const char *address,
		     const uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	return server_put(state, STATEMENT_SET_SERVER, address, fingerprint);
}

int state_server_add(struct state *state, const char *address,
		     const uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	int error =
		server_put(state, STATEMENT_ADD_SERVER, address, fingerprint);

	return error ? error : sqlite3_changes(state->db) ? 0 : -EEXIST;
}
