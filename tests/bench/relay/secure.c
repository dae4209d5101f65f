/* SPDX-License-Identifier: Apache-2.0 */
/* secure.c - a client's TLS, straight on libssl: no code of the relay's */

#include "bench/relay/secure.h"

#include <errno.h>
#include <openssl/ssl.h>

#define RECORD_BYTES   16384u
#define RECEIVE_BYTES  65536u /* of sealed bytes, in one recv(2) */
#define EXPORTER_LABEL "EXPORTER-Channel-Binding"

static SSL_CTX *context; /* of all clients, while the program runs */

static int context_make(void)
{
	if (context)
		return 0;
	context = SSL_CTX_new(TLS_client_method());
	if (!context || !SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION))
		return -EPROTO;
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, RECEIVE_BYTES);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	return 0;
}

int secure_open(struct client *c)
{
	/* Ours wants its name; the others do not look. */
	static const unsigned char alpn[] = "\7paravox";
	int error = context_make();

	if (error)
		return error;
	c->tls = SSL_new(context);
	if (!c->tls || !SSL_set_fd(c->tls, c->fd) ||
	    SSL_set_alpn_protos(c->tls, alpn, sizeof(alpn) - 1))
		return -EPROTO;
	SSL_set_connect_state(c->tls);
	return 0;
}

void secure_close(struct client *c)
{
	SSL_free(c->tls);
	c->tls = NULL;
}

static int error_of(const struct client *c, int outcome)
{
	int what = SSL_get_error(c->tls, outcome);

	return what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE
		       ? -EAGAIN
		       : -EPROTO;
}

ssize_t secure_read(struct client *c, uint8_t *to, size_t room)
{
	size_t have = 0;

	while (room - have >= RECORD_BYTES) {
		int n = SSL_read(c->tls, to + have, (int)(room - have));

		if (n > 0)
			have += (size_t)n;
		else if (SSL_get_shutdown(c->tls) & SSL_RECEIVED_SHUTDOWN)
			return (ssize_t)have;
		else if (have && error_of(c, n) == -EAGAIN)
			return (ssize_t)have;
		else
			return error_of(c, n);
	}
	return (ssize_t)have;
}

ssize_t secure_write(struct client *c, const uint8_t *data, size_t bytes)
{
	int n = SSL_write(c->tls, data, (int)bytes);

	return n > 0 ? n : error_of(c, n);
}

int secure_exporter(const struct client *c,
		    uint8_t exporter[SECURE_EXPORTER_BYTES])
{
	return SSL_export_keying_material(
		       c->tls, exporter, SECURE_EXPORTER_BYTES, EXPORTER_LABEL,
		       sizeof(EXPORTER_LABEL) - 1, NULL, 0, 0) == 1
		       ? 0
		       : -EPROTO;
}
