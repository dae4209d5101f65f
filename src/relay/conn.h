/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - one client's connection, from accept(2) to close(2) */
#ifndef PVX_RELAY_CONN_H
#define PVX_RELAY_CONN_H

#include "abi/chat_wire.h"
#include "loop/loop.h"
#include "relay/bucket.h"
#include "relay/outbox.h"
#include "relay/room.h"
#include "tls/transport.h"
#include "wire/frame.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a connection is; conn.c has the table of legal moves. */
enum conn_stage {
	CONN_OPENED,    /* waits for HELLO */
	CONN_GREETED,   /* waits for JOIN */
	CONN_JOINED,    /* is in a room */
	CONN_CLOSING,   /* sends what is queued; reads and discards */
	CONN_LINGERING, /* has sent all and shut down; reads and discards */
	CONN_STAGES
};

/* Of a processor's cache. */
#define CONN_LINE_BYTES 64

struct conn {
	/* What a delivery touches is in two cache lines, and in two more when
	 * it must be queued: when a quiet room's message comes, nothing of its
	 * connections is in the nearest cache. */
	_Alignas(CONN_LINE_BYTES) struct list room_link; /* room.conns */
	enum conn_stage stage;
	uint16_t code;     /* ERROR to send, or 0: BYE when is_dismissed */
	bool is_doomed;    /* to be closed at the end of the turn */
	bool is_lost;      /* the stream is broken: nothing can be sent */
	bool has_ended;    /* the peer will send no more */
	bool is_dismissed; /* the relay stops */
	bool is_ack_due;
	bool is_paused;      /* not watched for reading */
	bool is_congested;   /* above the high-water mark, until half of it */
	bool is_left_behind; /* its room does not wait for it */
	bool is_client;      /* counts against max_clients */
	struct outbox outbox;
	_Alignas(CONN_LINE_BYTES) struct transport transport;
	struct relay *relay;   /* borrowed */
	struct loop_work work; /* at the end of the turn: ACK, write, end */
	struct loop_watch watch;
	struct list stalled_link; /* relay.stalled, while the socket is full */
	struct catchup *catchup;  /* NULL: it has all of the past */
	uint64_t progress_ms;    /* the queue was last seen to move; 0: empty */
	struct loop_timer timer; /* of whichever time limit comes next */

	struct list link;           /* relay.conns */
	uint64_t number;            /* what the log calls it */
	struct list handshake_link; /* relay.handshakes.all, while in one */
	struct list ready_link;     /* relay.handshakes.ready */
	struct address *address;    /* counts it too; NULL: nobody does */

	/* Receiving. */
	struct wire_assembler assembler; /* owns its room */
	struct bucket messages, bytes;
	uint64_t paused_until_ms; /* by the rate limit; 0: no */
	uint8_t nonce[CHAT_NONCE_BYTES];
	uint64_t discarded_bytes; /* since CLOSING */

	/* In a room. */
	struct room *room; /* NULL: in none */
	struct member *member;
	struct list waiting_link; /* room.waiting */
	struct chunk *batch;      /* DELIVERs of the read that runs */
	uint64_t sends;           /* SENDs taken or refused */
	uint64_t done;            /* of them, handed on or refused */
	uint64_t acked;           /* of them, covered by an ACK */
	uint64_t open_bytes;      /* of envelopes not covered by an ACK */
	struct list puts;         /* batches that are not on the disk yet */
	struct list full_link;    /* history.full */

	/* Sending. */
	int64_t stalled_bytes; /* taken by the network when looked at last */
	uint64_t stalled_ms;   /* since when it was not seen to move */
	int64_t looked_bytes;  /* taken when congestion.c looked last */
	uint64_t look_ms;      /* when it looks next; 0: never */

	/* Times, in loop_now_ms(). */
	uint64_t created_ms;
	uint64_t heard_ms;      /* something was read */
	uint64_t pinged_ms;     /* a PING was queued */
	int64_t progress_bytes; /* taken by the network at progress_ms */
	int64_t patience_bytes; /* taken when patience last ended */
	uint64_t congested_ms;  /* since then its room waits for it */
	uint64_t closing_ms;
};

/* Takes the descriptor and what it counts on (may be NULL) over: both are given
 * back also when this fails. 0 or -errno. `context`: TLS, or NULL.
 * `is_refused`: only told FULL. */
int conn_create(struct relay *relay, int fd, struct tls_context *context,
		struct address *address, bool is_refused);

/* Whether something waits for the socket, in the queue or under TLS. */
static inline bool conn_is_sending(const struct conn *conn)
{
	return conn->outbox.count || transport_is_pending(&conn->transport);
}

/* At once, without a word. Not while connections of its room are walked. */
void conn_destroy(struct conn *conn);

/* Queue frames; takes a reference of its own. Cuts the connection off at its
 * hard bound or without memory, which takes effect at the end of the turn. */
void conn_queue(struct conn *conn, struct chunk *chunk);
/* The same for one in a room, but what the socket takes of it is written at
 * once, if nothing is queued before it. */
void conn_hand(struct conn *conn, struct chunk *chunk);
/* Queue one message. */
void conn_say(struct conn *conn, const struct wire_message *m);

/*
 * End it at the end of the turn: with ERROR(code), or without when code is 0;
 * `detail` (may be NULL) is for the log. The first reason counts.
 */
void conn_doom(struct conn *conn, unsigned int code, const char *detail);

/* The relay stops: BYE, then the end. */
void conn_dismiss(struct conn *conn);

/* Its SENDs up to that one are done: ACK, unless its room is congested. */
void conn_done(struct conn *conn, uint64_t up_to);

/* Its room is no longer congested: ACK and read on. */
void conn_resume(struct conn *conn);

/* Step to another stage; the move must be legal. */
void conn_move(struct conn *conn, enum conn_stage stage);
/* How far the stream is, as wire/ counts it. Before CLOSING only. */
enum wire_state conn_wire_state(const struct conn *conn);

/* dispatch.c: one frame of the client, in stage OPENED to JOINED. `left_bytes`
 * were read behind it. */
void conn_dispatch(struct conn *conn, const uint8_t *frame, size_t bytes,
		   size_t left_bytes);
/* dispatch.c: hand the read's DELIVERs on, and see to the ACK. */
void conn_end_batch(struct conn *conn);

#endif
