/* SPDX-License-Identifier: Apache-2.0 */
/* writer.h - what the store's writing thread does: keep, and forget */
#ifndef PVX_STORE_WRITER_H
#define PVX_STORE_WRITER_H

#include "store/age.h"
#include "store/db.h"
#include "store/reserve.h"

#include <time.h>

#define WRITER_ROOMS   1024 /* a power of two */
#define WRITER_DAMAGED 16   /* rooms that are left alone, at most */

/* Used by one thread at a time. */
struct writer {
	struct db db;
	const char *path; /* borrowed */
	struct reserve reserve;
	struct store_limits limits;
	struct db_room rooms[WRITER_ROOMS]; /* as the transaction has them */
	bool is_dirty[WRITER_ROOMS];
	uint16_t dirty[WRITER_ROOMS];
	unsigned int dirty_count;
	/* Rooms in which the file turned out to be damaged: they are refused at
	 * once, and forget nothing, until it is opened again. */
	uint8_t damaged[WRITER_DAMAGED][STORE_ID_BYTES];
	unsigned int damaged_count;
	uint64_t total_bytes; /* of all rooms */
	uint64_t room_count;
	bool is_begun; /* a transaction, before which there were */
	uint64_t bytes_before, rooms_before;
	uint8_t largest[STORE_ID_BYTES];
	uint64_t largest_until; /* bytes down to which it gives; 0: none */
	struct age_clock age;
	int64_t swept_number; /* of the room where the last sweep ended */
	int wal_pages;
	int error;          /* why db is closed */
	uint64_t retry_ms;  /* when to open it again */
	uint64_t sweep_ms;  /* when to sweep next */
	int sweep_error;    /* why the last one could not forget */
	bool is_short;      /* of space on the disk, at the last put */
	uint64_t put_count; /* messages kept by the transaction */
};

/* 0 or -errno as store_open() says. Zeroed is closed. */
int writer_open(struct writer *writer, const char *path,
		const struct store_limits *limits);
void writer_close(struct writer *writer);

/* The room's row, which is changed from now on; made when `put` (may be NULL)
 * says how; then one without messages may go. 0 or -errno: -ENOENT, -EUSERS for
 * a room too many. */
int writer_room(struct writer *writer, const uint8_t *id,
		const struct store_put *put, struct db_room **room);

/* What went wrong in that room is damage in it. Returns `error`. */
int writer_blame(struct writer *writer, const uint8_t *id, int error);
bool writer_is_damaged(const struct writer *writer, const uint8_t *id);

/* Rooms that changed, into the database. 0 or -errno. */
int writer_write_back(struct writer *writer);

/* Begin a transaction, unless one is begun. 0 or -errno. */
int writer_begin(struct writer *writer);

/* Undo the transaction, if there is one. */
void writer_undo(struct writer *writer);

/* End the transaction: all of it, or with an error (of now, or `error`)
 * nothing. */
int writer_end(struct writer *writer, int error);

/* Take a room without messages away. 0 or -errno. */
int writer_room_remove(struct writer *writer, int64_t number,
		       const uint8_t *id);

uint64_t writer_now_ms(clockid_t clock);

/* The time by which messages are too old, in milliseconds. */
uint64_t writer_age_now_ms(struct writer *writer);

/* Keep a list of struct store_put in one transaction; sets their errors. */
void writer_keep(struct writer *writer, struct list *puts);

/* What can wait: move the log into the table, forget what is too old. Returns
 * in how many milliseconds it wants to be called again. */
uint64_t writer_tidy(struct writer *writer);

#endif
