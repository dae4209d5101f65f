/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.c - how long to wait before the next try to reach the relay */

#include "client/backoff.h"

uint32_t backoff_next_ms(struct backoff *backoff, uint64_t away_ms,
			 uint32_t random)
{
	uint32_t cap_ms = away_ms < BACKOFF_LONG_AWAY_MS ? BACKOFF_SOON_MS
							 : BACKOFF_LATE_MS;
	uint32_t most_ms = BACKOFF_FIRST_MS;

	for (unsigned int i = 0; i < backoff->failures && most_ms < cap_ms; i++)
		most_ms *= 2;
	if (most_ms > cap_ms)
		most_ms = cap_ms;
	backoff->failures++;
	return most_ms / 2 + random % (most_ms / 2 + 1);
}

void backoff_note(struct backoff *backoff, uint64_t lasted_ms)
{
	if (lasted_ms >= BACKOFF_RESET_MS)
		backoff->failures = 0;
}
