/* SPDX-License-Identifier: Apache-2.0 */
/* state_private.h - what the files of the state share */
#ifndef PVX_CLIENT_STATE_PRIVATE_H
#define PVX_CLIENT_STATE_PRIVATE_H

#include "client/state.h"
#include "sql/error.h"

#include <sqlite3.h>

/* state.c has their texts. */
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

struct state {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
	bool is_in_transaction;
	bool is_new;
};

/* Run to the first row or the end: a result of SQLite. Finish it when its row
 * was read. */
int state_step(struct state *state, enum statement s);
/* Ready for its next use. What `result` of the last step means: 0 or -errno. */
int state_finish(struct state *state, enum statement s, int result);
/* The bytes are borrowed until the statement is finished. */
void state_bind(struct state *state, enum statement s, int place,
		const uint8_t *data, size_t bytes);

#endif
