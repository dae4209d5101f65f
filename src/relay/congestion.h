/* SPDX-License-Identifier: Apache-2.0 */
/* congestion.h - for whom a room waits (clause 5.5) */
#ifndef PVX_RELAY_CONGESTION_H
#define PVX_RELAY_CONGESTION_H

#include <stdint.h>

struct conn;

/* It has more than its high-water mark queued; less than half of it again.
 * Twice is harmless. */
void congestion_begin(struct conn *conn);
void congestion_end(struct conn *conn);

/* Its socket took something. */
void congestion_moved(struct conn *conn);

/* It is in its room now; it leaves, conn->room is still there. */
void congestion_enter(struct conn *conn);
void congestion_leave(struct conn *conn);

/* clock.c: when to look whether it moves (UINT64_MAX: never), and look. */
uint64_t congestion_look_ms(const struct conn *conn);
void congestion_look(struct conn *conn);

#endif
