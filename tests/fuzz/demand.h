/* SPDX-License-Identifier: Apache-2.0 */
/* demand.h - what must hold, whatever the input is */
#ifndef PVX_TESTS_FUZZ_DEMAND_H
#define PVX_TESTS_FUZZ_DEMAND_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define demand(condition) demand_at(condition, __FILE__, __LINE__)
static inline void demand_at(bool condition, const char *file, int line)
{
	if (condition)
		return;
	fprintf(stderr, "%s:%d does not hold\n", file, line);
	abort();
}

#endif
