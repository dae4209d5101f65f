/* SPDX-License-Identifier: Apache-2.0 */
/* look.h - whether to look at a ring for a while before sleeping */
#ifndef PVX_DEVICE_LOOK_H
#define PVX_DEVICE_LOOK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How it works: to be woken costs the driver a kick, both sides a switch, and
 * the request the time of all that; looking for as long as a wake-up takes
 * costs at most twice the best choice. It is worth it when the next request
 * comes soon and the driver has a CPU to make it on. So: a thread looks as
 * long as looks find something. After one that did not it sleeps, and tries
 * again when its sleeps have been short ones for some time: the longer, the
 * more tries have failed in a row.
 */
struct look {
	uint64_t limit_ns;     /* of one look; 0: never */
	bool is_on;            /* look before the next sleep */
	uint32_t short_sleeps; /* since it was turned off */
	uint32_t patience;     /* of those, before the next try */
};

void look_init(struct look *look, uint64_t limit_ns);

/* How long to look before this sleep; 0: not at all. */
uint64_t look_ns(const struct look *look);

/* What came of it. */
void look_ended(struct look *look, bool has_found);

/* A sleep ended for a kick, after so long. */
void look_slept(struct look *look, uint64_t slept_ns);

#endif
