/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - a queue's requests between its rings, kept across deaths */
#ifndef PVX_DEVICE_JOURNAL_H
#define PVX_DEVICE_JOURNAL_H

#include "device/state.h"

/*
 * How it works (vcd 9.2): a queue's thread takes heads in the ring's order and
 * finishes one before the next, so the requests that the driver has not seen
 * again are a window of slots: committed ones, and at its end at most one that
 * is begun or recorded. The moments of a request, each one store:
 *
 *   begun      the position word counts its slot; from here on it is answered
 *              by whatever worker there is
 *   recorded   only when its buffers overlap: the answer is complete in the
 *              queue's result, and guest memory has not been written
 *   committed  the answer is complete in guest memory; the slot also says what
 *              changes in the session, which journal_apply() may do twice
 *   settled    the position word counts it no more: the used ring has it.
 *              used.idx in guest memory may be ahead of that, and what was
 *              published is then published again, the same bytes in the same
 *              places
 */
struct journal {
	struct state_queue *queue; /* borrowed */
	uint32_t start;            /* which start of the ring it is of */
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t count; /* slots in the window */
};

/* Moments at which a test may end the worker. */
enum journal_moment {
	MOMENT_TAKEN,     /* off the ring, not yet begun */
	MOMENT_BEGUN,     /* not yet executed */
	MOMENT_MADE,      /* an entry of a table is half made */
	MOMENT_ENDED,     /* an entry of a table is half ended */
	MOMENT_EXECUTED,  /* the answer is written, and not committed */
	MOMENT_RECORDED,  /* not yet copied to guest memory */
	MOMENT_COPIED,    /* not yet committed */
	MOMENT_COMMITTED, /* not yet applied to the session */
	MOMENT_APPLIED,
	MOMENT_RETURNED,  /* in the used ring, used.idx is old */
	MOMENT_PUBLISHED, /* not yet settled */
	MOMENT_SETTLED,   /* not yet called */
	MOMENTS
};

/* Begin with an empty window, of that start of the ring. */
void journal_reset(struct journal *journal, struct state_queue *queue,
		   uint32_t start, uint16_t next_avail, uint16_t next_used);
/* Go on with the window that is there; whether there is one of that start. */
bool journal_resume(struct journal *journal, struct state_queue *queue,
		    uint32_t start);
/* There is none any more. */
void journal_forget(struct state_queue *queue);

/* Slot `index` of the window, from 0, the oldest. */
struct state_slot *journal_slot(const struct journal *journal,
				unsigned int index);

/* Put a head that was taken behind the others; the ring's next_avail is now
 * that (a head that is taken again does not move it). */
struct state_slot *journal_begin(struct journal *journal, uint16_t head,
				 uint16_t next_avail);

/* The whole window has been published: an empty one. */
void journal_settle(struct journal *journal);

/* Do to the session and the device what a committed slot says. */
void journal_apply(const struct state *state, const struct state_slot *slot);

/*
 * After a worker's death, before any queue runs: finish what the last commits
 * left to apply, take back entries that were being made, and end those that
 * were being ended. A guest may have taken that worker over: a window that
 * cannot be is forgotten.
 */
void journal_repair(const struct state *state);

#endif
