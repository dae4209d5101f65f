/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.h - how long to wait before the next try to reach the relay */
#ifndef PVX_CLIENT_BACKOFF_H
#define PVX_CLIENT_BACKOFF_H

#include <stdint.h>

/*
 * The first retry comes within BACKOFF_FIRST_MS, so that a restart of the
 * relay is hardly seen; then the wait doubles up to BACKOFF_SOON_MS, which is
 * shorter than others hold their messages back for us (CHAT_HOLD_MS). Only
 * when the relay has been away for BACKOFF_LONG_AWAY_MS, it grows up to
 * BACKOFF_LATE_MS. Each is drawn from its upper half, so that a room full of
 * clients does not come back at one instant.
 */
#define BACKOFF_FIRST_MS     100
#define BACKOFF_SOON_MS      2000
#define BACKOFF_LATE_MS      30000
#define BACKOFF_LONG_AWAY_MS 300000
/* A connection that lasted so long was a good one: start again at the
 * first. */
#define BACKOFF_RESET_MS 1000

struct backoff {
	unsigned int failures; /* since the last good connection */
};

/* Milliseconds until the next try, when the relay has been away for
 * `away_ms`; counts a failure. `random` is any random number. */
uint32_t backoff_next_ms(struct backoff *backoff, uint64_t away_ms,
			 uint32_t random);

/* The connection lasted `lasted_ms`. */
void backoff_note(struct backoff *backoff, uint64_t lasted_ms);

#endif
