/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - reading and writing a connection's socket */
#ifndef PVX_RELAY_STREAM_H
#define PVX_RELAY_STREAM_H

#include <stdbool.h>

struct chunk;
struct conn;

/* Watch the socket. 0 or -errno. */
int stream_open(struct conn *conn);

/* Write what is queued, gathered, as far as the socket takes it. Sets is_lost
 * on an error. Harmless while the socket is full. */
void stream_write(struct conn *conn);

/* Whether nothing is queued and the socket is not known to be full. */
bool stream_is_free(const struct conn *conn);
/* Write the chunk at once: only when stream_is_free(). Whether all of it went,
 * which touches little; if not, the rest is queued, or is_lost set. */
bool stream_write_chunk(struct conn *conn, struct chunk *chunk);

/* A step of the TLS handshake, which it is now its turn to make. */
void stream_shake(struct conn *conn);

/* It is broken: the end, without a word. `detail` is for the log. */
void stream_lose(struct conn *conn, const char *detail);

/* The peer will send no more. */
void stream_end(struct conn *conn);

/* Read on, if nothing speaks against it any more. */
void stream_resume(struct conn *conn);

#endif
