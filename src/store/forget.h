/* SPDX-License-Identifier: Apache-2.0 */
/* forget.h - what the store may not keep any longer */
#ifndef PVX_STORE_FORGET_H
#define PVX_STORE_FORGET_H

#include "store/writer.h"

/* In the writer's transaction: forget at most `most` of the room's oldest
 * messages, if it has too many. 0 or -errno. */
int forget_excess(struct writer *writer, struct db_room *room, uint64_t most);

/* All rooms together are too large: the largest one gives, until it has a
 * quarter less; then the largest is looked for again. 0 or -errno. */
int forget_total(struct writer *writer, uint64_t most);

/* A few rooms, in a transaction of its own if anything has to go. Returns in
 * how many milliseconds it wants to go on. */
uint64_t forget_aged(struct writer *writer);

/* The same on a disk that is full, in small steps that need little of it. */
void forget_in_need(struct writer *writer);

#endif
