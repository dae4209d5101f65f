/* SPDX-License-Identifier: Apache-2.0 */
/* since.h - from where on a user wants to see the past */
#ifndef PVX_CLIENT_SINCE_H
#define PVX_CLIENT_SINCE_H

#include "abi/chat_wire.h"

#include <stdint.h>

struct since {
	enum chat_want want;
	uint64_t from; /* AFTER: a sequence number; SINCE: ms since 1970 */
};

/*
 * Read "N" (what comes behind message N; 0: all), "Ns", "Nm", "Nh", "Nd" (so
 * long before `now_ms`), "YYYY-MM-DD" or "YYYY-MM-DDTHH:MM:SSZ" (UTC). 0, or
 * -EINVAL.
 */
int since_parse(struct since *since, const char *text, uint64_t now_ms);

#endif
