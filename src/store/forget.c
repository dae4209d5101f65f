/* SPDX-License-Identifier: Apache-2.0 */
/* forget.c - what the store may not keep any longer */

/*
 * How it works: whoever makes a room large makes it forget. Each put takes away
 * at most twice of what it brings, and some, in its own transaction: so nothing
 * is ever long. Age, and bounds that were lowered, are looked after in small
 * steps in between, room by room.
 */
#include "store/forget.h"

#include <errno.h>
#include <string.h>

#define FORGET_STEP    64 /* messages at a time */
#define SWEEP_ROOMS    256
#define SWEEP_STEPS    256
#define NEED_STEPS     1   /* each writes what it forgets, at least */
#define NEED_SWEEPS    256 /* of them, at a time */
#define TOTAL_MESSAGES 16  /* a step, above the bound of all */
#define TOTAL_STEPS    16
#define SWEEP_MIN_MS   100
#define SWEEP_MAX_MS   60000
#define SWEEP_AGAIN_MS 10 /* it was not done */

static int run_between(struct writer *w, enum db_statement s, int64_t first_key,
		       int64_t last_key)
{
	db_bind(&w->db, s, 1, (uint64_t)first_key);
	db_bind(&w->db, s, 2, (uint64_t)last_key);
	return db_run(&w->db, s);
}

/* Forget the room's oldest `count` messages. */
static int room_forget(struct writer *w, struct db_room *room, uint64_t count)
{
	int64_t first_key = db_key(room->number, room->first);
	int64_t last_key = db_key(room->number, room->first + count - 1);
	uint64_t bytes;
	int outcome;

	if (writer_is_damaged(w, room->id))
		return -EBADMSG;
	db_bind(&w->db, DB_BYTES, 1, (uint64_t)first_key);
	db_bind(&w->db, DB_BYTES, 2, (uint64_t)last_key);
	outcome = db_step(&w->db, DB_BYTES);
	bytes = db_column(&w->db, DB_BYTES, 0) +
		db_column(&w->db, DB_BYTES, 1) * STORE_ROW_BYTES;
	db_reset(&w->db, DB_BYTES);
	if (outcome >= 0)
		outcome = run_between(w, DB_CHAINS_FORGET, first_key, last_key);
	if (!outcome)
		outcome =
			run_between(w, DB_MESSAGES_FORGET, first_key, last_key);
	room->first += count;
	bytes = bytes < room->bytes ? bytes : room->bytes;
	room->bytes -= bytes;
	w->total_bytes -= bytes < w->total_bytes ? bytes : w->total_bytes;
	return writer_blame(w, room->id, outcome);
}

/* How many messages the room has above its bounds, in steps. */
static uint64_t room_excess(const struct writer *w, const struct db_room *room)
{
	uint64_t count = room->last + 1 - room->first;

	if (count <= 1)
		return 0; /* the newest one stays */
	if (w->limits.room_messages && count > w->limits.room_messages)
		return count - w->limits.room_messages;
	if (w->limits.room_bytes && room->bytes > w->limits.room_bytes)
		return count > FORGET_STEP ? FORGET_STEP / 4 : 1;
	return 0;
}

int forget_excess(struct writer *w, struct db_room *room, uint64_t most)
{
	uint64_t excess;
	int error = 0;

	while (!error && most && (excess = room_excess(w, room))) {
		if (excess > most)
			excess = most;
		if (excess > FORGET_STEP)
			excess = FORGET_STEP;
		error = room_forget(w, room, excess);
		most -= excess;
	}
	return error;
}

/* Which room is the largest, by what the transaction has come to. 1: there is
 * one; 0 or -errno. */
static int find_largest(struct writer *w)
{
	struct db_room largest;
	int outcome = writer_write_back(w);

	if (outcome)
		return outcome;
	do {
		outcome = db_step(&w->db, DB_ROOM_LARGEST);
		if (outcome == 1)
			db_room_take(&w->db, &largest, DB_ROOM_LARGEST);
	} while (outcome == 1 && writer_is_damaged(w, largest.id));
	db_reset(&w->db, DB_ROOM_LARGEST);
	if (outcome != 1)
		return outcome;
	memcpy(w->largest, largest.id, STORE_ID_BYTES);
	w->largest_until = largest.bytes * 3 / 4 + 1;
	return 1;
}

/* Its last message too: who makes a room for each message would otherwise be
 * above the bound. */
static int largest_give(struct writer *w, uint64_t *most)
{
	struct db_room *room;
	int error = writer_room(w, w->largest, NULL, &room);

	while (!error && *most && room->first <= room->last &&
	       w->total_bytes > w->limits.total_bytes &&
	       room->bytes >= w->largest_until) {
		uint64_t count = room->last - room->first;

		if (!count)
			count = 1;
		if (count > FORGET_STEP / 4)
			count = FORGET_STEP / 4;
		if (count > *most)
			count = *most;
		error = room_forget(w, room, count);
		*most -= count;
	}
	if (!error && *most)
		w->largest_until = 0;
	return error == -ENOENT ? 0 : writer_blame(w, w->largest, error);
}

int forget_total(struct writer *w, uint64_t most)
{
	int outcome = 1;

	while (outcome == 1 && most && w->limits.total_bytes &&
	       w->total_bytes > w->limits.total_bytes) {
		uint64_t before = most;

		if (!w->largest_until)
			outcome = find_largest(w);
		if (outcome == 1)
			outcome = largest_give(w, &most);
		if (!outcome && most < before)
			outcome = 1;
	}
	return outcome < 0 ? outcome : 0;
}

/* Whether the room's oldest `count` messages have to go, by the clock. */
static int room_is_aged(struct writer *w, const struct db_room *room,
			uint64_t count, uint64_t time_ms)
{
	uint64_t said_ms = UINT64_MAX;
	int outcome;

	if (!w->limits.age_ms || room->first + count > room->last + 1)
		return 0;
	db_bind(&w->db, DB_MESSAGE_TIME, 1,
		(uint64_t)db_key(room->number, room->first + count - 1));
	outcome = db_step(&w->db, DB_MESSAGE_TIME);
	if (outcome == 1)
		said_ms = db_column(&w->db, DB_MESSAGE_TIME, 0);
	db_reset(&w->db, DB_MESSAGE_TIME);
	if (outcome < 0)
		return outcome;
	return said_ms < time_ms && time_ms - said_ms > w->limits.age_ms;
}

/* Whether nothing was said there for so long that its numbers need not go on
 * either: its last message is gone for as long as it was kept. */
static bool room_is_left(const struct writer *w, const struct db_room *room,
			 uint64_t time_ms)
{
	return w->limits.age_ms && room->first > room->last &&
	       room->time_ms < time_ms &&
	       (time_ms - room->time_ms) / 2 > w->limits.age_ms;
}

/* Forget what is too old or too much in one room; `steps` are left. */
static int room_sweep(struct writer *w, const struct db_room *found,
		      uint64_t time_ms, unsigned int *steps)
{
	struct db_room *room;
	int outcome;

	if (writer_is_damaged(w, found->id))
		return 0;
	if (room_is_left(w, found, time_ms)) {
		--*steps;
		outcome = writer_begin(w);
		return outcome ? outcome
			       : writer_room_remove(w, found->number,
						    found->id);
	}
	outcome =
		writer_blame(w, found->id, room_is_aged(w, found, 1, time_ms));
	if (outcome < 0 || (!outcome && !room_excess(w, found)))
		return outcome;
	outcome = writer_begin(w);
	if (!outcome)
		outcome = writer_room(w, found->id, NULL, &room);
	while (!outcome && *steps) {
		--*steps;
		if (room_excess(w, room)) {
			outcome = forget_excess(w, room, FORGET_STEP);
			continue;
		}
		outcome = room_is_aged(w, room, FORGET_STEP, time_ms);
		if (outcome == 1) {
			outcome = room_forget(w, room, FORGET_STEP);
			continue;
		}
		if (!outcome)
			outcome = room_is_aged(w, room, 1, time_ms);
		if (outcome != 1)
			break;
		outcome = room_forget(w, room, 1);
	}
	return writer_blame(w, found->id, outcome);
}

/* In how many milliseconds to sweep again. */
static uint64_t sweep_interval(const struct writer *w)
{
	uint64_t wait_ms = w->limits.age_ms / 16;

	if (wait_ms < SWEEP_MIN_MS)
		return SWEEP_MIN_MS;
	if (!w->limits.age_ms || wait_ms > SWEEP_MAX_MS)
		return SWEEP_MAX_MS;
	return wait_ms;
}

/* What was lowered since, if the rooms themselves had no more than they may. */
static int sweep_total(struct writer *w, unsigned int *steps)
{
	uint64_t most = *steps < TOTAL_STEPS ? *steps : TOTAL_STEPS;
	int error;

	if (!*steps || !w->limits.total_bytes ||
	    w->total_bytes <= w->limits.total_bytes)
		return 0;
	error = writer_begin(w);
	if (!error)
		error = forget_total(w, most * TOTAL_MESSAGES);
	if (!error && w->total_bytes > w->limits.total_bytes)
		*steps = 0; /* and again */
	return error;
}

static uint64_t sweep(struct writer *w, unsigned int steps)
{
	uint64_t time_ms = writer_age_now_ms(w);
	int64_t number_before = w->swept_number;
	unsigned int damaged_before = w->damaged_count, rooms = 0;
	int outcome = 1, error = 0;

	while (outcome == 1 && steps && rooms++ < SWEEP_ROOMS) {
		struct db_room room = { 0 };

		db_bind(&w->db, DB_ROOM_NEXT, 1, (uint64_t)w->swept_number);
		outcome = db_step(&w->db, DB_ROOM_NEXT);
		if (outcome == 1)
			db_room_take(&w->db, &room, DB_ROOM_NEXT);
		db_reset(&w->db, DB_ROOM_NEXT);
		if (outcome == 1)
			error = room_sweep(w, &room, time_ms, &steps);
		/* One that was not done with is the first of the next time;
		 * one that is broken does not keep the others waiting. */
		if (outcome == 1 && (steps || error < 0))
			w->swept_number = room.number;
		if (outcome == 0)
			w->swept_number = 0;
		if (error < 0)
			outcome = error;
	}
	if (outcome == 0)
		outcome = sweep_total(w, &steps);
	w->sweep_error = outcome < 0 ? outcome : 0;
	if (outcome < 0)
		writer_undo(w);
	if (w->damaged_count > damaged_before) {
		/* The others that were swept with it, again. */
		w->swept_number = number_before;
		return SWEEP_AGAIN_MS;
	}
	if (w->is_begun)
		w->sweep_error = writer_end(w, 0);
	/* All of them at least once in that time, however many there are. */
	return w->sweep_error || (steps && outcome <= 0) ? sweep_interval(w)
							 : SWEEP_AGAIN_MS;
}

uint64_t forget_aged(struct writer *w)
{
	return sweep(w, SWEEP_STEPS);
}

void forget_in_need(struct writer *w)
{
	uint64_t wait_ms = SWEEP_AGAIN_MS;

	for (int i = 0; i < NEED_SWEEPS && wait_ms == SWEEP_AGAIN_MS; i++) {
		wait_ms = sweep(w, NEED_STEPS);
		/* What was taken for the log serves the next step. */
		(void)sqlite3_wal_checkpoint_v2(w->db.handle, NULL,
						SQLITE_CHECKPOINT_TRUNCATE,
						NULL, NULL);
	}
}
