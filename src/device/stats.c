/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - what the device has done so far, added up for readers */
#include "device/stats.h"

#include <stddef.h>
#include <string.h>

#include "base/bytes.h"
#include "cryptsess.h"

#define AT(field) offsetof(struct counters, field)

const struct stats_scalar stats_scalars[] = {
	{ "unanswerable", "Requests without room for a status",
	  AT(unanswerable), false },
	{ "wakeups", "Sleeps of the queue's thread that ended", AT(wakeups),
	  false },
	{ "looks", "Times that the thread looked before sleeping", AT(looks),
	  false },
	{ "finds", "Looks that found a request", AT(finds), false },
	{ "batches", "Publications of answers", AT(batches), false },
	{ "batch_depth", "Sum of the queue's depths when batches began",
	  AT(depths), false },
	{ "calls", "Signals to the driver", AT(calls), false },
	{ "throttled", "Times that the throttle held the queue", AT(throttled),
	  false },
	{ "resumed", "Requests that a dead worker left", AT(resumed), false },
	{ "depth", "Requests that were available when last looked at",
	  AT(depth), true },
	{ .name = NULL },
};

static uint64_t load(const uint64_t *number)
{
	return __atomic_load_n(number, __ATOMIC_RELAXED);
}

uint64_t stats_counter(const struct stats *stats, uint32_t queue, size_t offset)
{
	return load((const void *)((const char *)stats->queue[queue] + offset));
}

static void row_add(struct counters_row *sum, const struct counters_row *row)
{
	sum->requests += load(&row->requests);
	sum->bytes += load(&row->bytes);
	sum->failures += load(&row->failures);
	sum->sessions += load(&row->sessions);
	sum->timed += load(&row->timed);
	sum->timed_ns += load(&row->timed_ns);
	for (unsigned int i = 0; i < COUNTERS_LATENCIES; i++)
		sum->latency[i] += load(&row->latency[i]);
}

void stats_collect(struct stats *stats, const struct state *state)
{
	uint32_t files = state_files(state);
	uint32_t sessions = state_sessions(state);

	memset(stats, 0, sizeof(*stats));
	stats->queues = state->limits.queues;
	stats->workers = state->workers;
	stats->deaths = state->deaths;
	for (uint32_t i = 0; i < files; i++)
		stats->files += __atomic_load_n(&state->file[i].id,
						__ATOMIC_RELAXED) != 0;
	for (uint32_t i = 0; i < sessions; i++)
		stats->sessions += __atomic_load_n(&state->session[i].id,
						   __ATOMIC_RELAXED) != 0;
	for (uint32_t i = 0; i < stats->queues; i++) {
		stats->queue[i] = &state->queue[i].counters;
		for (unsigned int k = 0; k < COUNTERS_ROWS_MAX; k++)
			row_add(&stats->row[k], &stats->queue[i]->row[k]);
	}
}

const char *stats_op_name(unsigned int op)
{
	static const char *const names[VCD_OPS] = {
		[0] = "unknown",
		[VCD_OP_HELLO] = "hello",
		[VCD_OP_PING] = "ping",
		[VCD_OP_OPEN] = "open",
		[VCD_OP_CLOSE] = "close",
		[VCD_OP_SESSION_OPEN] = "session_open",
		[VCD_OP_SESSION_CLOSE] = "session_close",
		[VCD_OP_SESSION_INFO] = "session_info",
		[VCD_OP_CRYPT] = "crypt",
		[VCD_OP_AUTHCRYPT] = "authcrypt",
		[VCD_OP_HASH_COPY] = "hash_copy",
	};

	return names[op];
}

const char *stats_status_name(unsigned int status)
{
	static const char *const names[VCD_STATUSES] = {
		[VCD_STATUS_OK] = "ok",
		[VCD_STATUS_INVALID] = "invalid",
		[VCD_STATUS_FAULT] = "fault",
		[VCD_STATUS_BAD_MESSAGE] = "bad_message",
		[VCD_STATUS_NO_MEMORY] = "no_memory",
		[VCD_STATUS_NO_SPACE] = "no_space",
		[VCD_STATUS_TOO_BIG] = "too_big",
		[VCD_STATUS_OVERFLOW] = "overflow",
		[VCD_STATUS_NO_ENTRY] = "no_entry",
		[VCD_STATUS_DEADLOCK] = "deadlock",
		[VCD_STATUS_NOT_POSSIBLE] = "not_possible",
		[VCD_STATUS_BUSY] = "busy",
		[VCD_STATUS_IO] = "io",
		[VCD_STATUS_NO_DEVICE] = "no_device",
		[VCD_STATUS_LOST] = "lost",
		[VCD_STATUS_KILLS] = "kills",
		[VCD_STATUS_EXPIRED] = "expired",
		[VCD_STATUS_MALFORMED] = "malformed",
		[VCD_STATUS_UNSUPPORTED] = "unsupported",
		[VCD_STATUS_WRONG_QUEUE] = "wrong_queue",
	};

	return names[status];
}

const char *stats_row_name(unsigned int row)
{
	const struct cryptsess_algorithm *a;

	if (row == COUNTERS_ROWS_MAX - 1)
		return "none";
	a = cryptsess_algorithm_at(row);
	return a ? a->name : NULL;
}
