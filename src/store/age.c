/* SPDX-License-Identifier: Apache-2.0 */
/* age.c - the time by which messages are too old */
#include "store/age.h"

#include <inttypes.h>

#include "base/log.h"

/* Whether to judge by another time than what the clock says. */
static bool is_doubtful(struct age_clock *c, uint64_t ahead_ms,
			uint64_t boot_ms)
{
	if (ahead_ms <= AGE_JUMP_MS) {
		c->is_doubted = false;
		return false;
	}
	if (!c->is_doubted) {
		log_warning("the clock jumped ahead by %" PRIu64
			    " s: for a day, nothing is forgotten for its age "
			    "because of that; set the clock if it is wrong",
			    ahead_ms / 1000);
		c->is_doubted = true;
		c->doubt_boot_ms = boot_ms;
	}
	return boot_ms - c->doubt_boot_ms < AGE_DOUBT_MS;
}

uint64_t age_now_ms(struct age_clock *c, uint64_t wall_ms, uint64_t boot_ms)
{
	uint64_t expected_ms = c->wall_ms + (boot_ms - c->boot_ms);

	if (c->is_set && wall_ms > expected_ms &&
	    is_doubtful(c, wall_ms - expected_ms, boot_ms))
		return expected_ms;
	*c = (struct age_clock){ .is_set = true,
				 .wall_ms = wall_ms,
				 .boot_ms = boot_ms };
	return wall_ms;
}
