/* SPDX-License-Identifier: Apache-2.0 */
/* stats_text.c - statistics in Prometheus' text format */
#include "device/stats.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/metric.h"

#define PREFIX "vhost_user_cryptodev_"

static void family(FILE *out, const char *name, const char *type,
		   const char *help)
{
	metric_family(out, PREFIX, name, type, help);
}

static void write_device(FILE *out, const struct stats *stats)
{
	family(out, "workers_total", "counter", "Worker processes made");
	fprintf(out, PREFIX "workers_total %" PRIu64 "\n", stats->workers);
	family(out, "worker_deaths_total", "counter", "Workers that died");
	fprintf(out, PREFIX "worker_deaths_total %" PRIu64 "\n", stats->deaths);
	family(out, "files", "gauge", "Open files of guests");
	fprintf(out, PREFIX "files %" PRIu32 "\n", stats->files);
	family(out, "sessions", "gauge", "Open sessions");
	fprintf(out, PREFIX "sessions %" PRIu32 "\n", stats->sessions);
}

static void write_scalars(FILE *out, const struct stats *stats)
{
	for (const struct stats_scalar *s = stats_scalars; s->name; s++) {
		const char *suffix = s->is_gauge ? "" : "_total";
		char name[64];

		snprintf(name, sizeof(name), "queue_%s%s", s->name, suffix);
		family(out, name, s->is_gauge ? "gauge" : "counter", s->help);
		for (uint32_t i = 0; i < stats->queues; i++)
			fprintf(out, PREFIX "%s{queue=\"%u\"} %" PRIu64 "\n",
				name, i, stats_counter(stats, i, s->offset));
	}
}

static void write_requests(FILE *out, const struct stats *stats)
{
	family(out, "requests_total", "counter", "Requests executed, by op");
	for (uint32_t i = 0; i < stats->queues; i++)
		for (unsigned int k = 0; k < VCD_OPS; k++)
			fprintf(out,
				PREFIX "requests_total{queue=\"%u\",op=\"%s\"} "
				       "%" PRIu64 "\n",
				i, stats_op_name(k),
				stats_counter(
					stats, i,
					offsetof(struct counters, requests) +
						k * sizeof(uint64_t)));
	family(out, "answers_total", "counter", "Answers, by status");
	for (uint32_t i = 0; i < stats->queues; i++)
		for (unsigned int k = 0; k < VCD_STATUSES; k++)
			fprintf(out,
				PREFIX
				"answers_total{queue=\"%u\",status=\"%s\"} "
				"%" PRIu64 "\n",
				i, stats_status_name(k),
				stats_counter(
					stats, i,
					offsetof(struct counters, statuses) +
						k * sizeof(uint64_t)));
}

static void write_rows(FILE *out, const struct stats *stats)
{
	static const struct {
		const char *name;
		const char *help;
		size_t offset; /* in struct counters_row */
	} columns[] = {
		{ "algorithm_requests_total", "Operations",
		  offsetof(struct counters_row, requests) },
		{ "algorithm_bytes_total", "Payload of operations that were OK",
		  offsetof(struct counters_row, bytes) },
		{ "algorithm_failures_total", "Operations that were not OK",
		  offsetof(struct counters_row, failures) },
		{ "algorithm_sessions_total", "Sessions opened",
		  offsetof(struct counters_row, sessions) },
	};

	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		family(out, columns[i].name, "counter", columns[i].help);
		for (unsigned int k = 0; k < COUNTERS_ROWS_MAX; k++) {
			const char *row = (const char *)&stats->row[k];
			const uint64_t *number =
				(const void *)(row + columns[i].offset);

			if (stats_row_name(k))
				fprintf(out,
					PREFIX "%s{algorithm=\"%s\"} "
					       "%" PRIu64 "\n",
					columns[i].name, stats_row_name(k),
					*number);
		}
	}
}

/* Rows that were never timed are left out: 26 lines each. */
static void write_latency(FILE *out, const struct counters_row *row,
			  const char *name)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i + 1 < COUNTERS_LATENCIES; i++) {
		sum += row->latency[i];
		fprintf(out,
			PREFIX "latency_seconds_bucket{algorithm=\"%s\","
			       "le=\"%g\"} %" PRIu64 "\n",
			name, (double)(UINT64_C(1) << i) / 1e6, sum);
	}
	sum += row->latency[COUNTERS_LATENCIES - 1];
	fprintf(out,
		PREFIX "latency_seconds_bucket{algorithm=\"%s\",le=\"+Inf\"} "
		       "%" PRIu64 "\n",
		name, sum);
	fprintf(out, PREFIX "latency_seconds_sum{algorithm=\"%s\"} %.9f\n",
		name, (double)row->timed_ns / 1e9);
	/* Not row->timed: it must be the last bucket's number. */
	fprintf(out,
		PREFIX "latency_seconds_count{algorithm=\"%s\"} %" PRIu64 "\n",
		name, sum);
}

void stats_write_text(FILE *out, const struct stats *stats)
{
	write_device(out, stats);
	write_scalars(out, stats);
	write_requests(out, stats);
	write_rows(out, stats);
	family(out, "latency_seconds", "histogram",
	       "Time that operations take, of one in 16");
	_Static_assert(COUNTERS_TIMED == 16, "the line above says so");
	for (unsigned int i = 0; i < COUNTERS_ROWS_MAX; i++)
		if (stats_row_name(i) && stats->row[i].timed)
			write_latency(out, &stats->row[i], stats_row_name(i));
}
