/* SPDX-License-Identifier: Apache-2.0 */
/* drain.h - send everybody away, a few at a time, and stop */
#ifndef PVX_RELAY_DRAIN_H
#define PVX_RELAY_DRAIN_H

#include "loop/loop.h"

#include <stdint.h>

struct relay;

struct relay_drain {
	struct loop_timer timer;
	uint64_t clients; /* when it began */
	uint64_t start_ms, over_ms;
};

/*
 * Take no more clients; say BYE to those that are here evenly over `over_ms`,
 * so that they do not come to another relay all at once; then stop as SIGTERM
 * does. Said again, the new time holds.
 */
void relay_drain(struct relay *relay, uint64_t over_ms);

#endif
