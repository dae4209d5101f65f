/* SPDX-License-Identifier: Apache-2.0 */
/* age.h - the time by which messages are too old */
#ifndef PVX_STORE_AGE_H
#define PVX_STORE_AGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How it works: what a wrong clock has forgotten does not come back when the
 * clock is set right. So a clock that jumped ahead of the time that went by
 * since the last look is doubted for a day, in which messages age by that time
 * alone. A clock that was set back is believed at once: nothing is lost. At
 * the start there is only the clock.
 */
#define AGE_JUMP_MS  (UINT64_C(5) * 60 * 1000)       /* not doubted */
#define AGE_DOUBT_MS (UINT64_C(24) * 60 * 60 * 1000) /* then it is believed */

/* All zeros before the first look. */
struct age_clock {
	bool is_set;
	bool is_doubted;
	uint64_t wall_ms; /* the time that was believed last ... */
	uint64_t boot_ms; /* ... and when that was */
	uint64_t doubt_boot_ms;
};

/* The time to judge by, when CLOCK_REALTIME and CLOCK_BOOTTIME say these, in
 * milliseconds. Logs when it begins to doubt. */
uint64_t age_now_ms(struct age_clock *clock, uint64_t wall_ms,
		    uint64_t boot_ms);

#endif
