/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - reading and writing a connection's socket */
#ifndef PVX_RELAY_STREAM_H
#define PVX_RELAY_STREAM_H

struct conn;

/* Watch the socket. 0 or -errno. */
int stream_open(struct conn *conn);

/* Write what is queued, gathered, as far as the socket takes it. Sets is_lost
 * on an error. Harmless while the socket is full. */
void stream_write(struct conn *conn);

/* Read on, if nothing speaks against it any more. */
void stream_resume(struct conn *conn);

#endif
