/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c - many times, counted in steps of about 3 % */

#include "bench/relay/histogram.h"

/* Below HISTOGRAM_STEPS each number has a cell of its own; above, the leading
 * bit chooses a row and the five bits behind it the cell. */
static unsigned int cell_of(uint64_t ns)
{
	unsigned int bit, row;

	if (ns < HISTOGRAM_STEPS)
		return (unsigned int)ns;
	bit = 63u - (unsigned int)__builtin_clzll(ns);
	row = bit - 4;
	return row * HISTOGRAM_STEPS +
	       (unsigned int)(ns >> (bit - 5)) % HISTOGRAM_STEPS;
}

/* The largest time of a cell. */
static uint64_t cell_ns(unsigned int cell)
{
	unsigned int row = cell / HISTOGRAM_STEPS;
	uint64_t step = cell % HISTOGRAM_STEPS;

	if (!row)
		return step;
	return ((HISTOGRAM_STEPS + step + 1) << (row - 1)) - 1;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	h->cells[cell_of(ns)]++;
	h->count++;
	if (ns > h->most_ns)
		h->most_ns = ns;
}

uint64_t histogram_quantile_ns(const struct histogram *h, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)h->count), seen = 0;

	for (unsigned int i = 0; i < HISTOGRAM_CELLS; i++) {
		seen += h->cells[i];
		if (seen > wanted || (seen && seen == h->count))
			return cell_ns(i) < h->most_ns ? cell_ns(i)
						       : h->most_ns;
	}
	return 0;
}
