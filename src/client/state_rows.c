/* SPDX-License-Identifier: Apache-2.0 */
/* state_rows.c - what is remembered of a room, in transactions */

#include "client/state_private.h"

#include <errno.h>

int state_load(struct state *state, const uint8_t room_id[CHAT_ROOM_ID_BYTES],
	       state_row_fn *take, void *owner)
{
	sqlite3_stmt *load = state->statements[STATEMENT_LOAD];
	int result, error = 0;

	state_bind(state, STATEMENT_LOAD, 1, room_id, CHAT_ROOM_ID_BYTES);
	while ((result = state_step(state, STATEMENT_LOAD)) == SQLITE_ROW) {
		error = take(owner, sqlite3_column_blob(load, 0),
			     (size_t)sqlite3_column_bytes(load, 0),
			     sqlite3_column_blob(load, 1),
			     (size_t)sqlite3_column_bytes(load, 1));
		if (error)
			break;
	}
	result = state_finish(state, STATEMENT_LOAD, result);
	return error ? error : result;
}

static int merge_stored(struct state *state, const uint8_t *room_id,
			struct e2ee_row *row)
{
	sqlite3_stmt *get = state->statements[STATEMENT_GET];
	int result, error = 0;

	state_bind(state, STATEMENT_GET, 1, room_id, CHAT_ROOM_ID_BYTES);
	state_bind(state, STATEMENT_GET, 2, row->key, E2EE_ROW_KEY_BYTES);
	result = state_step(state, STATEMENT_GET);
	if (result == SQLITE_ROW)
		error = e2ee_row_merge(row, sqlite3_column_blob(get, 0),
				       (size_t)sqlite3_column_bytes(get, 0));
	result = state_finish(state, STATEMENT_GET, result);
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
		state_bind(state, s, 3, row.value, row.value_bytes);
	}
	state_bind(state, s, 1, room_id, CHAT_ROOM_ID_BYTES);
	state_bind(state, s, 2, row.key, E2EE_ROW_KEY_BYTES);
	return state_finish(state, s, state_step(state, s));
}

static int begin_once(struct state *state)
{
	int error;

	if (state->is_in_transaction)
		return 0;
	error = state_finish(state, STATEMENT_BEGIN,
			     state_step(state, STATEMENT_BEGIN));
	state->is_in_transaction = !error;
	return error;
}

int state_position(struct state *state,
		   const uint8_t room_id[CHAT_ROOM_ID_BYTES], uint64_t *era,
		   uint64_t *sequence)
{
	sqlite3_stmt *get = state->statements[STATEMENT_POSITION];
	int result, error;

	state_bind(state, STATEMENT_POSITION, 1, room_id, CHAT_ROOM_ID_BYTES);
	result = state_step(state, STATEMENT_POSITION);
	if (result == SQLITE_ROW) {
		*era = (uint64_t)sqlite3_column_int64(get, 0);
		*sequence = (uint64_t)sqlite3_column_int64(get, 1);
	}
	error = state_finish(state, STATEMENT_POSITION, result);
	if (error)
		return error;
	return result == SQLITE_ROW ? 0 : -ENOENT;
}

int state_set_position(struct state *state,
		       const uint8_t room_id[CHAT_ROOM_ID_BYTES], uint64_t era,
		       uint64_t sequence, bool may_go_back)
{
	enum statement s = STATEMENT_SET_POSITION;
	int error = begin_once(state);

	if (error)
		return error;
	state_bind(state, s, 1, room_id, CHAT_ROOM_ID_BYTES);
	sqlite3_bind_int64(state->statements[s], 2, (sqlite3_int64)era);
	sqlite3_bind_int64(state->statements[s], 3, (sqlite3_int64)sequence);
	sqlite3_bind_int(state->statements[s], 4, may_go_back);
	return state_finish(state, s, state_step(state, s));
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
	error = state_finish(state, STATEMENT_COMMIT,
			     state_step(state, STATEMENT_COMMIT));
	state->is_in_transaction = error != 0;
	return error;
}

void state_rollback(struct state *state)
{
	if (state->is_in_transaction)
		sqlite3_exec(state->db, "ROLLBACK", NULL, NULL, NULL);
	state->is_in_transaction = false;
}
