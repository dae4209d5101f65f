/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - the bytes of one connection: as they are, or under TLS 1.3 */
#ifndef PVX_TLS_TRANSPORT_H
#define PVX_TLS_TRANSPORT_H

#include "tls/context.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define TLS_EXPORTER_BYTES 32
/* What transport_read() may ask for at least. */
#define TRANSPORT_READ_MIN (128u << 10)

struct tls_session;

/* Zeroed is none. Nothing here waits. */
struct transport {
	int fd;       /* borrowed; its watch is the owner's */
	bool is_full; /* wait until the socket can be written */
	uint8_t head_bytes;
	struct tls_context *context; /* borrowed; NULL: plain */
	struct tls_session *session; /* NULL: plain, or nothing came yet */
	uint8_t *pending;            /* sealed, and not taken by the socket */
	size_t pending_at, pending_bytes;
	uint64_t sent_bytes;     /* that the socket took */
	uint64_t received_bytes; /* that came from it */
	const char *why;         /* after -EPROTO: static text, for people */
	uint8_t head[4];         /* the first bytes that came, as they were */
};

/* `context` NULL: plain. */
void transport_init(struct transport *t, int fd, struct tls_context *context);
/* Does not close the descriptor. Zeroed and ended ones are left alone. */
void transport_deinit(struct transport *t);

/* A client under TLS says its first word. 0 or -errno. */
int transport_begin(struct transport *t);

/* Whether bytes of the owner can pass: always, or after the handshake. */
bool transport_is_open(const struct transport *t);

/*
 * Read at most `room` bytes, which must be TRANSPORT_READ_MIN or more. Their
 * number; 0 at the end of the stream; -EAGAIN when none are there (of a
 * handshake there may have been); -EPROTO when TLS fails (`why`), told to the
 * peer; -EPROTONOSUPPORT when the first bytes are no TLS (`head`); or -errno.
 * Nothing that was received stays behind unread, but for one case:
 */
long transport_read(struct transport *t, uint8_t *to, size_t room);
/* the end came in the same read as the bytes before it: read again, now. */
bool transport_has_ended(const struct transport *t);

/*
 * Write as much of the pieces as the socket takes, under TLS in records as
 * large as they fill. How many bytes went (they need not be given again);
 * -EAGAIN for none; -EPROTO or -errno when the stream is broken. Call it again
 * unless is_full is set: then when the socket can be written, with new pieces
 * or, while transport_is_pending(), none.
 */
long transport_write(struct transport *t, const struct iovec *pieces,
		     unsigned int count);
/* Whether bytes that transport_write() took wait for the socket. */
static inline bool transport_is_pending(const struct transport *t)
{
	return t->pending_bytes > t->pending_at;
}

/* Nothing follows: TLS says so, and the socket is shut down for writing. What
 * is pending must be gone. */
void transport_finish(struct transport *t);

/* No TLS came (-EPROTONOSUPPORT): go on in the clear, to say what is wrong. */
void transport_strip(struct transport *t);

/*
 * What ties something signed to this connection (RFC 9266, tls-exporter): the
 * same on both sides and on no other connection. 0, -ENOTCONN when plain or
 * not open, -EPROTO.
 */
int transport_exporter(const struct transport *t,
		       uint8_t exporter[TLS_EXPORTER_BYTES]);

/* The server's, as tls/certificate.h says. Under TLS, once it is open; 0,
 * -ENOTCONN, -EPROTO. */
int transport_fingerprint(const struct transport *t,
			  uint8_t fingerprint[TLS_FINGERPRINT_BYTES]);

#endif
