/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - a connection's time limits */
#ifndef PVX_RELAY_CLOCK_H
#define PVX_RELAY_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct conn;

void clock_init(struct conn *conn);

/* Look again what comes next, after a step to another stage. */
void clock_arm(struct conn *conn);

/* After a write: start, go on or stop watching whether the queue moves. */
void clock_watch_progress(struct conn *conn);

/*
 * Bytes that the receiver's side of the network has taken: what the socket
 * still holds does not count, because a large socket buffer may take for a
 * long time what nobody reads, and then nothing while somebody does.
 */
int64_t clock_taken_bytes(const struct conn *conn);

/* A read brought that much: pause the reading if it is over the rate. */
void clock_charge(struct conn *conn, uint64_t frames, size_t bytes);

#endif
