/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - one TLS connection as a function of bytes; private to tls/ */
#ifndef PVX_TLS_SESSION_H
#define PVX_TLS_SESSION_H

#include "tls/context.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <sys/uio.h>

#define TLS_RECORD_BYTES 16384u /* of plaintext, RFC 8446, 5.1 */
#define TLS_SEALED_BYTES (TLS_RECORD_BYTES + 5 + 256) /* the same, 5.2 */
#define TLS_IN_BYTES     65536u                       /* one recv(2) */
/* Records that leave in one send(2); behind them what OpenSSL adds unasked. */
#define TLS_OUT_RECORDS 4u
#define TLS_OUT_BYTES   ((TLS_OUT_RECORDS + 2) * TLS_SEALED_BYTES)
/* Records under one key, far below the 2^24.5 of RFC 8446, 5.5. */
#define TLS_KEY_RECORDS (1u << 22)
/* KeyUpdates that a peer may have sent, besides one for each so many bytes. */
#define TLS_KEY_UPDATES      16u
#define TLS_KEY_UPDATE_BYTES (1u << 20)

/* The buffers belong to the connection whose function runs, and are empty
 * when none does. */
struct tls_context {
	SSL_CTX *ssl;
	bool is_server;
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	size_t *held_bytes;
	size_t own_held_bytes; /* counted here when nobody else counts */
	size_t in_at, in_bytes;
	size_t out_bytes;
	uint8_t in[TLS_IN_BYTES];
	uint8_t out[TLS_OUT_BYTES];
	uint8_t record[TLS_RECORD_BYTES]; /* pieces, put together */
};

struct tls_session {
	struct tls_context *context; /* borrowed */
	SSL *ssl;
	const char *why; /* it failed: static text */
	uint64_t opened_bytes;
	uint32_t sealed_records; /* under the present key */
	uint32_t key_updates;    /* by the peer */
	bool is_open;            /* the handshake is done */
	bool has_ended;          /* the peer said that nothing follows */
};

int tls_session_create(struct tls_session **session,
		       struct tls_context *context);
/* NULL is allowed. */
void tls_session_destroy(struct tls_session *session);

/*
 * Take all of context->in: `to` has room for it and TLS_RECORD_BYTES more.
 * What is to be sent is in context->out afterwards, also when it fails.
 * Returns the number of plaintext bytes, which may be 0; or -EPROTO (`why`).
 */
long tls_session_take(struct tls_session *session, uint8_t *to, size_t room);

/* A client begins: its first message is put into context->out. 0 or -EPROTO. */
int tls_session_begin(struct tls_session *session);

/* Seal up to TLS_OUT_RECORDS records of these pieces into context->out. How
 * many bytes of them are sealed, or -EPROTO. */
long tls_session_seal(struct tls_session *session, const struct iovec *pieces,
		      unsigned int count);

/* The fingerprint of the peer's certificate. 0, or -EPROTO without one. */
int tls_peer_fingerprint(SSL *ssl, uint8_t fingerprint[TLS_FINGERPRINT_BYTES]);

/* close_notify, into context->out. */
void tls_session_finish(struct tls_session *session);

#endif
