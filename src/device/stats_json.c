/* SPDX-License-Identifier: Apache-2.0 */
/* stats_json.c - statistics as one JSON object */
#include "device/stats.h"

#include <inttypes.h>

/* "name":number, behind a comma unless it is the first of its object. */
static void put(FILE *out, bool *is_first, const char *name, uint64_t number)
{
	fprintf(out, "%s\"%s\":%" PRIu64, *is_first ? "" : ",", name, number);
	*is_first = false;
}

static void write_queue(FILE *out, const struct stats *stats, uint32_t queue)
{
	const struct counters *c = stats->queue[queue];
	bool is_first = true;

	fputs("{", out);
	for (const struct stats_scalar *s = stats_scalars; s->name; s++)
		put(out, &is_first, s->name,
		    stats_counter(stats, queue, s->offset));
	fputs(",\"requests\":{", out);
	is_first = true;
	for (unsigned int i = 0; i < VCD_OPS; i++)
		put(out, &is_first, stats_op_name(i),
		    __atomic_load_n(&c->requests[i], __ATOMIC_RELAXED));
	fputs("},\"answers\":{", out);
	is_first = true;
	for (unsigned int i = 0; i < VCD_STATUSES; i++)
		put(out, &is_first, stats_status_name(i),
		    __atomic_load_n(&c->statuses[i], __ATOMIC_RELAXED));
	fputs("}}", out);
}

static void write_row(FILE *out, const struct counters_row *row)
{
	bool is_first = true;

	fputs("{", out);
	put(out, &is_first, "requests", row->requests);
	put(out, &is_first, "bytes", row->bytes);
	put(out, &is_first, "failures", row->failures);
	put(out, &is_first, "sessions", row->sessions);
	put(out, &is_first, "timed", row->timed);
	put(out, &is_first, "timed_ns", row->timed_ns);
	fputs(",\"latency_us\":[", out);
	for (unsigned int i = 0; i < COUNTERS_LATENCIES; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", row->latency[i]);
	fputs("]}", out);
}

void stats_write_json(FILE *out, const struct stats *stats)
{
	bool is_first = true;

	fputs("{", out);
	put(out, &is_first, "workers", stats->workers);
	put(out, &is_first, "worker_deaths", stats->deaths);
	put(out, &is_first, "files", stats->files);
	put(out, &is_first, "sessions", stats->sessions);
	put(out, &is_first, "timed_one_in", COUNTERS_TIMED);
	fputs(",\"queues\":[", out);
	for (uint32_t i = 0; i < stats->queues; i++) {
		if (i)
			fputs(",", out);
		write_queue(out, stats, i);
	}
	fputs("],\"algorithms\":{", out);
	is_first = true;
	for (unsigned int i = 0; i < COUNTERS_ROWS_MAX; i++) {
		if (!stats_row_name(i))
			continue;
		fprintf(out, "%s\"%s\":", is_first ? "" : ",",
			stats_row_name(i));
		is_first = false;
		write_row(out, &stats->row[i]);
	}
	fputs("}}\n", out);
}
