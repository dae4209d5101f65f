/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.h - token bucket that may go into debt */
#ifndef PVX_RELAY_BUCKET_H
#define PVX_RELAY_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A sender is judged after what it sent was read, so the bucket lets it take
 * more than there is, and tells how long to wait until the debt is paid: the
 * mean rate holds, and nothing that was read must be kept.
 */
struct bucket {
	uint64_t rate; /* tokens per second; 0: no limit */
	uint64_t burst;
	int64_t level_milli; /* thousandths of tokens */
	uint64_t at_ms;
};

/* Full. */
void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst,
		 uint64_t now_ms);
/* Take; returns how many milliseconds to wait before taking more. */
uint64_t bucket_take(struct bucket *b, uint64_t tokens, uint64_t now_ms);

/* Whether nothing was taken for long enough. */
bool bucket_is_full(const struct bucket *b, uint64_t now_ms);

#endif
