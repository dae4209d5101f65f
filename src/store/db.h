/* SPDX-License-Identifier: Apache-2.0 */
/* db.h - a connection to the store's database, with its statements */
#ifndef PVX_STORE_DB_H
#define PVX_STORE_DB_H

#include "store/store.h"

#include <sqlite3.h>

/*
 * A message's key: the number of its room and its sequence in it, so that the
 * table itself is in the order of reading and needs no second index.
 */
#define DB_SEQUENCE_BITS 40
#define DB_SEQUENCE_MAX  ((UINT64_C(1) << DB_SEQUENCE_BITS) - 1)
#define DB_ROOM_MAX      ((int64_t)STORE_ROOMS_MAX)
static inline int64_t db_key(int64_t room, uint64_t sequence)
{
	return (int64_t)((uint64_t)room << DB_SEQUENCE_BITS | sequence);
}

enum db_statement {
	DB_BEGIN,
	DB_LOOK, /* begin to read one state of it all */
	DB_COMMIT,
	DB_ROOM_FIND,
	DB_ROOM_ADD,
	DB_ROOM_UPDATE,
	DB_ROOM_NEXT,     /* behind a number */
	DB_ROOM_LARGEST,  /* by its bytes */
	DB_ROOM_EMPTY,    /* one without messages */
	DB_ROOM_RENUMBER, /* one whose number is too high, by its id */
	DB_ROOM_REMOVE,
	DB_CHAIN_FIND,
	DB_CHAIN_ADD,
	DB_MESSAGE_ADD,
	DB_MESSAGES, /* between two keys */
	DB_MESSAGE_TIME,
	DB_BYTES,         /* of messages between two keys */
	DB_CHAINS_FORGET, /* those with no message behind the second key */
	DB_MESSAGES_FORGET,
	DB_STATEMENTS
};

struct db {
	sqlite3 *handle; /* NULL: not open */
	sqlite3_stmt *statements[DB_STATEMENTS];
};

/* A row of the table room. */
struct db_room {
	uint8_t id[STORE_ID_BYTES];
	int64_t number; /* 0: none */
	uint64_t era;
	uint64_t first;
	uint64_t last;
	uint64_t bytes;
	uint64_t time_ms; /* of its newest message */
};

/*
 * Open the database at `path`; `is_writer` also makes the file and its tables.
 * 0 or -errno as store_open() says. Zeroed is closed.
 */
int db_open(struct db *db, const char *path, bool is_writer);
void db_close(struct db *db);

/* What a result of SQLite means; `db` (may be NULL) knows more about it. */
int db_error(const struct db *db, int result);

/* Bind to the `place`-th parameter, from 1. */
void db_bind(struct db *db, enum db_statement s, int place, uint64_t value);
/* The bytes are borrowed until the statement is reset. */
void db_bind_bytes(struct db *db, enum db_statement s, int place,
		   const void *data, size_t bytes);
/* Run to the next row: 1; the end: 0; or -errno. */
int db_step(struct db *db, enum db_statement s);
uint64_t db_column(struct db *db, enum db_statement s, int column);
/* Ready for its next use. */
void db_reset(struct db *db, enum db_statement s);
/* Step and reset. 0 or -errno. */
int db_run(struct db *db, enum db_statement s);

/* The room's row. 0, -ENOENT, or another -errno. */
int db_room_find(struct db *db, struct db_room *room, const uint8_t *id);
/* The same from a statement that stands at such a row. */
void db_room_take(struct db *db, struct db_room *room, enum db_statement s);

int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);

/* Whether the file has lost its name: nobody will find what is written. */
bool db_has_moved(struct db *db);

#endif
