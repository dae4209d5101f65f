/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.c - how long to wait before the next try to reach the relay */

#include "client/backoff.h"

uint32_t backoff_next_ms(struct backoff *backoff, uint32_t random)
{
	uint32_t most_ms = BACKOFF_FIRST_MS;

	for (unsigned int i = 0; i < backoff->failures; i++) {
		most_ms *= 2;
		if (most_ms >= BACKOFF_MAX_MS) {
			most_ms = BACKOFF_MAX_MS;
			break;
		}
	}
	backoff->failures++;
	return most_ms / 2 + random % (most_ms / 2 + 1);
}

void backoff_note(struct backoff *backoff, uint64_t lasted_ms)
{
	if (lasted_ms >= BACKOFF_RESET_MS)
		backoff->failures = 0;
}
