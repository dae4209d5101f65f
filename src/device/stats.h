/* SPDX-License-Identifier: Apache-2.0 */
/* stats.h - what the device has done so far, added up for readers */
#ifndef PVX_DEVICE_STATS_H
#define PVX_DEVICE_STATS_H

#include <stdio.h>

#include "device/state.h"

/*
 * How it works: the queues' threads count in the state, without locks; nobody
 * stops them for a reader. Each number is whole and never becomes smaller, also
 * over a worker's death, since the state outlives it; numbers read one after
 * the other may be a few requests apart. A request that a worker died in is
 * counted again when it is done again.
 */
struct stats {
	uint32_t queues;
	uint32_t sessions;                            /* open now */
	uint32_t files;                               /* open now */
	uint64_t workers;                             /* made so far */
	uint64_t deaths;                              /* of workers */
	const struct counters *queue[VCD_MAX_QUEUES]; /* borrowed */
	struct counters_row row[COUNTERS_ROWS_MAX];   /* of all queues */
};

/* `stats` is good for as long as the state is. */
void stats_collect(struct stats *stats, const struct state *state);

/* The number at `offset` of a queue's counters. */
uint64_t stats_counter(const struct stats *stats, uint32_t queue,
		       size_t offset);

/* The counters of a queue that have no further key: names, what they are, and
 * where; the last one has no name. */
struct stats_scalar {
	const char *name;
	const char *help;
	size_t offset; /* in struct counters */
	bool is_gauge;
};
extern const struct stats_scalar stats_scalars[];

/* Names of ops and statuses; algorithms of rows, "none" for the last one, NULL
 * for one that is not in use. */
const char *stats_op_name(unsigned int op);
const char *stats_status_name(unsigned int status);
const char *stats_row_name(unsigned int row);

/* stats_json.c, stats_text.c: one object; Prometheus' text format 0.0.4 */
void stats_write_json(FILE *out, const struct stats *stats);
void stats_write_text(FILE *out, const struct stats *stats);

#endif
