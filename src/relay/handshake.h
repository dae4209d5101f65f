/* SPDX-License-Identifier: Apache-2.0 */
/* handshake.h - TLS handshakes: so many at a time, so many in a turn */
#ifndef PVX_RELAY_HANDSHAKE_H
#define PVX_RELAY_HANDSHAKE_H

#include "loop/loop.h"

#include <stdbool.h>

struct conn;
struct relay;

struct handshakes {
	struct list all;   /* conn.handshake_link, oldest first */
	struct list ready; /* conn.ready_link: those that wait for us */
	unsigned int count;
	struct loop_work work;
};

void handshakes_init(struct relay *relay);
void handshakes_deinit(struct relay *relay);

/* Whether one more may begin. To make room the oldest one is cut off, if it had
 * RELAY_HANDSHAKE_PATIENCE_MS. */
bool handshakes_have_room(struct relay *relay);

/* A connection under TLS begins. */
void handshake_begin(struct conn *conn);
/* Its socket can be read: it takes its turn. */
void handshake_queue(struct conn *conn);
/* It is done, or given up. Without a handshake: nothing. */
void handshake_end(struct conn *conn);

#endif
