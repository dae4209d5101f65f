/* SPDX-License-Identifier: Apache-2.0 */
/* throttle.c - keep a device to so many operations and bytes a second */
#include "device/throttle.h"

#include <string.h>

#define SECOND_NS UINT64_C(1000000000)
#define BURST_NS  (SECOND_NS / 10)

void throttle_init(struct throttle *throttle, uint64_t bytes_per_s,
		   uint64_t ops_per_s)
{
	memset(throttle, 0, sizeof(*throttle));
	throttle->bytes_per_s = bytes_per_s;
	throttle->ops_per_s = ops_per_s;
	pthread_mutex_init(&throttle->lock, NULL);
}

uint64_t throttle_delay_ns(struct throttle *throttle, uint64_t now_ns)
{
	uint64_t spent_ns;

	pthread_mutex_lock(&throttle->lock);
	spent_ns = throttle->bytes_spent_ns > throttle->ops_spent_ns
			   ? throttle->bytes_spent_ns
			   : throttle->ops_spent_ns;
	pthread_mutex_unlock(&throttle->lock);
	return spent_ns > now_ns + BURST_NS ? spent_ns - now_ns - BURST_NS : 0;
}

static void spend(uint64_t *spent_ns, uint64_t now_ns, uint64_t amount,
		  uint64_t rate)
{
	if (!rate)
		return;
	if (*spent_ns < now_ns)
		*spent_ns = now_ns;
	/* amount is below 2^32, so the product fits. */
	*spent_ns += amount * SECOND_NS / rate;
}

void throttle_spend(struct throttle *throttle, uint64_t now_ns, uint32_t bytes)
{
	pthread_mutex_lock(&throttle->lock);
	spend(&throttle->bytes_spent_ns, now_ns, bytes, throttle->bytes_per_s);
	spend(&throttle->ops_spent_ns, now_ns, 1, throttle->ops_per_s);
	pthread_mutex_unlock(&throttle->lock);
}
