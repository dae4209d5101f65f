/* SPDX-License-Identifier: Apache-2.0 */
/* look.c - whether to look at a ring for a while before sleeping */
#include "device/look.h"

#define PATIENCE_LEAST 1u
#define PATIENCE_MOST  4096u

void look_init(struct look *look, uint64_t limit_ns)
{
	*look = (struct look){ .limit_ns = limit_ns,
			       .patience = PATIENCE_LEAST };
}

uint64_t look_ns(const struct look *look)
{
	return look->is_on ? look->limit_ns : 0;
}

void look_ended(struct look *look, bool has_found)
{
	look->is_on = has_found;
	look->short_sleeps = 0;
	if (has_found)
		look->patience = PATIENCE_LEAST;
	else if (look->patience < PATIENCE_MOST)
		look->patience *= 2;
}

void look_slept(struct look *look, uint64_t slept_ns)
{
	/* Half of a short sleep is the way back from it. */
	if (!look->limit_ns || slept_ns >= 2 * look->limit_ns)
		return;
	if (++look->short_sleeps >= look->patience)
		look->is_on = true;
}
