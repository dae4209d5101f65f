/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h - many times, counted in steps of about 3 % */
#ifndef BENCH_RELAY_HISTOGRAM_H
#define BENCH_RELAY_HISTOGRAM_H

#include <stdint.h>

/* Each power of two in that many steps. */
#define HISTOGRAM_STEPS 32u
#define HISTOGRAM_CELLS (60u * HISTOGRAM_STEPS)

/* Zeroed is empty. */
struct histogram {
	uint64_t cells[HISTOGRAM_CELLS];
	uint64_t count;
	uint64_t most_ns;
};

void histogram_add(struct histogram *h, uint64_t ns);

/* The time that a share of all (0 to 1) did not pass; 0 when empty. */
uint64_t histogram_quantile_ns(const struct histogram *h, double share);

#endif
