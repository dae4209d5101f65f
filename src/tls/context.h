/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - what the TLS connections of one event loop share */
#ifndef PVX_TLS_CONTEXT_H
#define PVX_TLS_CONTEXT_H

#include "tls/certificate.h"

#include <stddef.h>
#include <stdint.h>

/*
 * TLS 1.3 and nothing older; no tickets, no resumption, no early data, no
 * certificate of the client. Used by one thread, as the loop is. Transports
 * (transport.h) that use it must end before it does.
 */
struct tls_context;

/*
 * A server's side: certificate and chain of the PEM file `certificate_path`,
 * the key of `key_path` (may be the same file), which others must not be able
 * to read. Memory that connections hold while their sockets are full is
 * counted in `*held_bytes` (borrowed). On failure `why`, of `why_room` bytes,
 * says what is wrong, to stand alone. -errno.
 */
int tls_context_create_server(struct tls_context **context,
			      const char *certificate_path,
			      const char *key_path, size_t *held_bytes,
			      char *why, size_t why_room);

/* A client's side. It takes any certificate whose key the server has: whoever
 * uses it compares transport_fingerprint() before he sends anything. */
int tls_context_create_client(struct tls_context **context);

/* NULL is allowed. */
void tls_context_destroy(struct tls_context *context);

/*
 * Take certificate and key of these files for connections to come; those that
 * there are keep what they have. When it fails nothing is changed; as
 * tls_context_create_server().
 */
int tls_context_reload(struct tls_context *context,
		       const char *certificate_path, const char *key_path,
		       char *why, size_t why_room);

/* A server's own. */
const uint8_t *tls_context_fingerprint(const struct tls_context *context);

#endif
