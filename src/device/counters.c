/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c - what a queue has done, for whoever wants to know */
#include "device/counters.h"

void counters_time(struct counters_row *row, uint64_t elapsed_ns)
{
	uint64_t elapsed_us = elapsed_ns / 1000;
	unsigned int bucket = 0;

	while (bucket + 1 < COUNTERS_LATENCIES && elapsed_us >> bucket)
		bucket++;
	counters_add(&row->latency[bucket], 1);
	counters_add(&row->timed, 1);
	counters_add(&row->timed_ns, elapsed_ns);
}
