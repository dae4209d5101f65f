/* SPDX-License-Identifier: Apache-2.0 */
/* journal.c - a queue's requests between its rings, kept across deaths */
#include "device/journal.h"

#include <string.h>

#include "base/mutant.h"

/* In the position word: there is a window. */
#define POSITION_IS_SET (UINT64_C(1) << 48)
#define WINDOW_MASK     (VRING_SIZE_MAX - 1)
_Static_assert((VRING_SIZE_MAX & WINDOW_MASK) == 0, "a power of two");

static void position_store(const struct journal *journal)
{
	uint64_t word = POSITION_IS_SET | (uint64_t)journal->next_avail |
			(uint64_t)journal->next_used << 16 |
			(uint64_t)journal->count << 32;

	atomic_store_explicit(&journal->queue->position, word,
			      memory_order_release);
}

void journal_reset(struct journal *journal, struct state_queue *queue,
		   uint32_t start, uint16_t next_avail, uint16_t next_used)
{
	/* No moment at which the old window counts as the new start's. */
	if (queue->start != start)
		journal_forget(queue);
	queue->start = start;
	journal->queue = queue;
	journal->start = start;
	journal->next_avail = next_avail;
	journal->next_used = next_used;
	journal->count = 0;
	position_store(journal);
}

void journal_forget(struct state_queue *queue)
{
	atomic_store(&queue->position, 0);
}

/* The window that is there, of whatever start. */
static bool window_load(struct journal *journal, struct state_queue *queue)
{
	uint64_t word = atomic_load(&queue->position);

	journal->queue = queue;
	journal->start = queue->start;
	journal->next_avail = (uint16_t)word;
	journal->next_used = (uint16_t)(word >> 16);
	journal->count = (uint16_t)(word >> 32);
	return word & POSITION_IS_SET;
}

bool journal_resume(struct journal *journal, struct state_queue *queue,
		    uint32_t start)
{
	return window_load(journal, queue) && journal->start == start;
}

struct state_slot *journal_slot(const struct journal *journal,
				unsigned int index)
{
	return &journal->queue
			->slot[(journal->next_used + index) & WINDOW_MASK];
}

struct state_slot *journal_begin(struct journal *journal, uint16_t head,
				 uint16_t next_avail)
{
	struct state_slot *slot = journal_slot(journal, journal->count);

	memset(slot, 0, sizeof(*slot));
	slot->head = head;
	journal->next_avail = next_avail;
	journal->count++;
	position_store(journal);
	return slot;
}

void journal_settle(struct journal *journal)
{
	journal->next_used = (uint16_t)(journal->next_used + journal->count);
	journal->count = 0;
	position_store(journal);
}

void journal_apply(const struct state *state, const struct state_slot *slot)
{
	struct state_session *session;

	if (slot->has_generation)
		state->head->generation = slot->generation;
	/* It may have ended since, and its place be another's. */
	session = slot->session_id ? state_find_session(state, slot->session_id)
				   : NULL;
	if (!session)
		return;
	if (slot->has_iv)
		memcpy(session->iv, slot->iv, sizeof(session->iv));
	if (slot->has_hash && session->hash_worker == slot->hash_worker_before)
		session->hash_worker = slot->hash_worker;
}

static void end_all(const struct state *state)
{
	state->head->generation = 0;
	for (uint32_t i = 0; i < state_sessions(state); i++)
		if (state->session[i].id)
			state_end_session(&state->session[i]);
	for (uint32_t i = 0; i < state_files(state); i++)
		state_end_file(&state->file[i]);
}

static void end_file(const struct state *state, uint32_t id)
{
	struct state_file *file = state_find_file(state, id);

	for (uint32_t i = 0; i < state_sessions(state); i++)
		if (state->session[i].id && state->session[i].file_id == id)
			state_end_session(&state->session[i]);
	if (file)
		state_end_file(file);
}

/* Whether a worker that is sound can have left it. */
static bool slot_is_sound(const struct state *state,
			  const struct state_slot *slot)
{
	return CHECK(device_kept_made,
		     slot->made_file <= state->limits.max_files &&
			     slot->made_session <=
				     state->limits.max_sessions) &&
	       CHECK(device_kept_result,
		     slot->phase != SLOT_RECORDED ||
			     slot->used_bytes <= state->result_bytes);
}

static bool window_is_sound(const struct state *state,
			    const struct journal *journal)
{
	if (!CHECK(device_kept_window, journal->count <= VRING_SIZE_MAX))
		return false;
	for (unsigned int n = 0; n < journal->count; n++)
		if (!slot_is_sound(state, journal_slot(journal, n)))
			return false;
	return true;
}

/* What was being made is taken back, what was being ended is ended. */
static void slot_repair(const struct state *state, struct state_slot *slot)
{
	struct state_session *session;

	if (slot->made_file)
		state_end_file(&state->file[slot->made_file - 1]);
	if (slot->made_session)
		state_end_session(&state->session[slot->made_session - 1]);
	slot->made_file = 0;
	slot->made_session = 0;
	if (slot->ends_all)
		end_all(state);
	if (slot->ending_file)
		end_file(state, slot->ending_file);
	if (slot->ending_session) {
		session = state_find_session(state, slot->ending_session);
		if (session)
			state_end_session(session);
	}
}

void journal_repair(const struct state *state)
{
	for (unsigned int i = 0; i < state->limits.queues; i++) {
		const struct state_slot *last = NULL;
		struct state_slot *begun = NULL;
		bool has_record = false;
		struct journal journal;

		if (!window_load(&journal, &state->queue[i]))
			continue;
		if (!window_is_sound(state, &journal)) {
			journal_forget(&state->queue[i]);
			state_wipe_result(state, i);
			continue;
		}
		for (unsigned int n = 0; n < journal.count; n++) {
			struct state_slot *slot = journal_slot(&journal, n);

			if (slot->phase == SLOT_COMMITTED)
				last = slot;
			else if (slot->phase == SLOT_BEGUN)
				begun = slot;
			else
				has_record = true;
		}
		/* Its worker may have died before it wiped it. */
		if (!has_record)
			state_wipe_result(state, i);
		/* The others were applied before their successor began. */
		if (last)
			journal_apply(state, last);
		/* It came behind them. */
		if (begun)
			slot_repair(state, begun);
	}
}
