/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - one connection to the relay: reach it, frames in, frames out */
#ifndef PVX_CLIENT_CONN_H
#define PVX_CLIENT_CONN_H

#include "client/address.h"

#include "loop/loop.h"
#include "tls/transport.h"
#include "wire/frame.h"
#include "wire/message.h"

#include <stdbool.h>

#define CONN_CONNECT_MS   5000  /* for one address */
#define CONN_RESOLVE_MS   10000 /* for the addresses of a name */
#define CONN_HANDSHAKE_MS 10000 /* from connected to joined */
/* Nothing heard for so many of the relay's ping intervals: a ping of our own;
 * for so many: gone. The interval is taken within these bounds. */
#define CONN_QUIET_INTERVALS 2
#define CONN_GONE_INTERVALS  3
#define CONN_PING_MIN_MS     1000
#define CONN_PING_MAX_MS     600000
/* Bytes read in one turn of the loop, at most. */
#define CONN_UNREAD_PONG_BYTES 65536 /* a relay that pings must read, too */
#define CONN_READ_BYTES        (256u * 1024)
/* What the kernel may keep for us to read. A busy client learns that its relay
 * is gone when it has read all of it: that must not take CHAT_HOLD_MS. */
#define CONN_RECEIVE_BYTES (256 * 1024)

struct conn;

struct conn_handler {
	/* The stream is open and empty. Under TLS nothing was said of whose
	 * key it is: transport_fingerprint() tells. */
	void (*on_open)(struct conn *conn);
	/* A message, valid until return; not PING and PONG, which end here.
	 * May close the connection. */
	void (*on_message)(struct conn *conn, const struct wire_message *m);
	/* It could not be opened or broke; `why` is a sentence's end for
	 * people, clean text. Not called by conn_close(). */
	void (*on_broken)(struct conn *conn, const char *why);
};

/* Zeroed is closed. */
struct conn {
	struct loop *loop;
	const struct conn_handler *handler;
	enum wire_state state; /* moved on by the owner */
	struct address_list addresses;
	unsigned int next_address;
	struct address_query *query; /* NULL: the addresses are known */
	struct loop_watch watch;
	struct tls_context *tls; /* borrowed; NULL: plain */
	struct transport transport;
	struct loop_timer timer;
	struct loop_work broken_work;
	struct wire_assembler in;
	uint8_t *in_room;
	uint8_t *read_room;
	uint8_t *out;
	size_t out_sent;
	size_t out_bytes;
	size_t out_room;
	size_t pongs_bytes; /* of PONGs since nothing was unsent */
	uint32_t ping_interval_ms;
	uint64_t heard_ms; /* when something came last */
	uint64_t opened_ms;
	bool is_connecting; /* no bytes of ours can pass yet */
	bool is_shaking;    /* connected, and TLS is not open yet */
	bool has_pinged;    /* since something was heard */
	char why[160];
};

/*
 * Begin to connect: each address of the server in turn until one answers;
 * under TLS of `tls`, or in the clear when that is NULL. Never calls back
 * before it returns. 0, or -ENOMEM.
 */
int conn_open(struct conn *conn, struct loop *loop, const char *server,
	      struct tls_context *tls, const struct conn_handler *handler);
/* Close without a word to the owner. Zeroed and closed ones are left alone. */
void conn_close(struct conn *conn);
static inline bool conn_is_open(const struct conn *conn)
{
	return conn->loop && !conn->is_connecting && conn->watch.loop;
}

/*
 * Queue one message; it leaves with the others of this turn. 0, or -errno of
 * wire_encode(), -ENOMEM. What breaks while writing is told by on_broken.
 */
int conn_send(struct conn *conn, const struct wire_message *m);
/* Bytes queued that the kernel has not taken. */
size_t conn_unsent_bytes(const struct conn *conn);
/* Write what is queued now, as far as the kernel takes it. */
void conn_flush(struct conn *conn);

/* The handshake is done: from now on the relay is watched for silence. */
void conn_joined(struct conn *conn, uint32_t ping_interval_ms);

/* Break it from within a handler: on_broken follows in the loop. */
void conn_break(struct conn *conn, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
