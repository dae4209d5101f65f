/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.c - token bucket that may go into debt */

#include "relay/bucket.h"

/* Options bound rate and burst to 2^32, so that nothing here overflows
 * within the time that fills the bucket. */
void bucket_init(struct bucket *b, uint64_t rate, uint64_t burst,
		 uint64_t now_ms)
{
	*b = (struct bucket){
		.rate = rate,
		.burst = burst,
		.level_milli = (int64_t)burst * 1000,
		.at_ms = now_ms,
	};
}

uint64_t bucket_take(struct bucket *b, uint64_t tokens, uint64_t now_ms)
{
	int64_t full_milli = (int64_t)b->burst * 1000;
	uint64_t missing_milli, passed_ms = now_ms - b->at_ms;

	if (!b->rate)
		return 0;
	b->at_ms = now_ms;
	/* One token a second is a thousandth of one a millisecond. */
	missing_milli = (uint64_t)(full_milli - b->level_milli);
	if (passed_ms >= missing_milli / b->rate + 1)
		b->level_milli = full_milli;
	else
		b->level_milli += (int64_t)(passed_ms * b->rate);
	b->level_milli -= (int64_t)tokens * 1000;
	if (b->level_milli >= 0)
		return 0;
	return (uint64_t)-b->level_milli / b->rate + 1;
}

bool bucket_is_full(const struct bucket *b, uint64_t now_ms)
{
	struct bucket later = *b;

	return !b->rate || (!bucket_take(&later, 0, now_ms) &&
			    later.level_milli == (int64_t)b->burst * 1000);
}
