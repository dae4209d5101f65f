/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - the bytes of one connection: as they are, or under TLS 1.3 */

#include "tls/transport.h"
#include "base/secret.h"
#include "tls/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/*
 * How it works: sealed bytes that the socket does not take at once are kept
 * (`pending`, counted in the context), and nothing more is sealed before they
 * are gone: so each connection holds at most TLS_OUT_BYTES of them, and the
 * pressure of a slow receiver goes back to the owner as it does in the clear.
 * A server makes the session when the first bytes come, if they look like TLS.
 */
_Static_assert(TRANSPORT_READ_MIN >= TLS_IN_BYTES + TLS_RECORD_BYTES,
	       "what one recv(2) brings fits, and a record begun before it");

/* Of a TLS record: handshake or alert, and the version's first byte. */
#define RECORD_ALERT     21
#define RECORD_HANDSHAKE 22
#define RECORD_MAJOR     3

#define EXPORTER_LABEL "EXPORTER-Channel-Binding" /* RFC 9266, 2 */

void transport_init(struct transport *t, int fd, struct tls_context *context)
{
	*t = (struct transport){ .fd = fd, .context = context };
}

static void transport_drop_pending(struct transport *t)
{
	if (!t->pending)
		return;
	*t->context->held_bytes -= t->pending_bytes;
	free(t->pending);
	t->pending = NULL;
	t->pending_at = t->pending_bytes = 0;
}

void transport_deinit(struct transport *t)
{
	transport_drop_pending(t);
	tls_session_destroy(t->session);
	*t = (struct transport){ .fd = -1 };
}

/* How much the socket takes; 0 when it is full (is_full is set), or -errno. */
static ssize_t socket_send(struct transport *t, const struct iovec *pieces,
			   unsigned int count)
{
	struct msghdr m = {
		.msg_iov = (struct iovec *)(uintptr_t)pieces,
		.msg_iovlen = count,
	};
	ssize_t put;

	/* One piece is what an idle relay has: send(2) saves the kernel a
	 * look at two structures, 60 of 1,000 ns. */
	do
		put = count == 1
			      ? send(t->fd, pieces[0].iov_base,
				     pieces[0].iov_len,
				     MSG_NOSIGNAL | MSG_DONTWAIT)
			      : sendmsg(t->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (put < 0 && errno == EINTR);
	if (put < 0 && errno != EAGAIN)
		return -errno;
	if (put < 0) {
		t->is_full = true;
		return 0;
	}
	t->sent_bytes += (uint64_t)put;
	return put;
}

/* What is pending; 0, -EAGAIN when some is left, -errno. */
static int send_pending(struct transport *t)
{
	t->is_full = false;
	while (transport_is_pending(t) && !t->is_full) {
		const struct iovec rest = { t->pending + t->pending_at,
					    t->pending_bytes - t->pending_at };
		ssize_t put = socket_send(t, &rest, 1);

		if (put < 0)
			return (int)put;
		t->pending_at += (size_t)put;
	}
	if (transport_is_pending(t))
		return -EAGAIN;
	transport_drop_pending(t);
	return 0;
}

/* Keep what the socket did not take, behind what is kept already. */
static int keep_pending(struct transport *t, const uint8_t *data, size_t bytes)
{
	size_t left = t->pending_bytes - t->pending_at;
	uint8_t *kept = malloc(left + bytes);

	if (!kept)
		return -ENOMEM;
	if (left)
		memcpy(kept, t->pending + t->pending_at, left);
	memcpy(kept + left, data, bytes);
	transport_drop_pending(t);
	t->pending = kept;
	t->pending_bytes = left + bytes;
	*t->context->held_bytes += t->pending_bytes;
	return 0;
}

/* Send what the session has put into context->out. 0 or -errno. */
static int send_out(struct transport *t)
{
	struct tls_context *c = t->context;
	size_t at = 0, bytes = c->out_bytes;

	c->out_bytes = 0;
	if (!bytes)
		return 0;
	if (!transport_is_pending(t)) {
		const struct iovec all = { c->out, bytes };
		ssize_t put = socket_send(t, &all, 1);

		if (put < 0)
			return (int)put;
		at = (size_t)put;
	}
	if (at == bytes)
		return 0;
	t->is_full = true;
	/* A peer that makes TLS answer must read the answers. */
	if (t->pending_bytes - t->pending_at > TLS_OUT_BYTES)
		return -ENOBUFS;
	return keep_pending(t, c->out + at, bytes - at);
}

int transport_begin(struct transport *t)
{
	int error = 0;

	if (!t->context)
		return 0;
	if (!t->session)
		error = tls_session_create(&t->session, t->context);
	if (!error)
		error = tls_session_begin(t->session);
	return error ? error : send_out(t);
}

bool transport_is_open(const struct transport *t)
{
	return !t->context || (t->session && t->session->is_open);
}

/* Whether the first bytes can be those of a peer that speaks TLS. */
static bool head_is_tls(const struct transport *t)
{
	uint8_t type = t->head[0];

	return (type == RECORD_HANDSHAKE ||
		(type == RECORD_ALERT && !t->context->is_server)) &&
	       (t->head_bytes < 2 || t->head[1] == RECORD_MAJOR);
}

static void note_head(struct transport *t, const uint8_t *data, size_t bytes)
{
	while (bytes-- && t->head_bytes < sizeof(t->head))
		t->head[t->head_bytes++] = *data++;
}

static ssize_t socket_receive(struct transport *t, uint8_t *to, size_t room)
{
	ssize_t got = recv(t->fd, to, room, MSG_DONTWAIT);

	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	t->received_bytes += (uint64_t)got;
	if (t->head_bytes < sizeof(t->head))
		note_head(t, to, (size_t)got);
	return got;
}

/* The bytes of context->in. */
static long read_sealed(struct transport *t, uint8_t *to, size_t room)
{
	long opened;
	int error;

	if (!t->session && !head_is_tls(t))
		return -EPROTONOSUPPORT;
	if (!t->session) {
		error = tls_session_create(&t->session, t->context);
		if (error)
			return error;
	}
	/* A client has begun: what it hears first is looked at here. */
	if (!t->session->is_open && !head_is_tls(t))
		return -EPROTONOSUPPORT;
	opened = tls_session_take(t->session, to, room);
	t->why = t->session->why;
	error = send_out(t);
	if (opened < 0 || error)
		return opened < 0 ? opened : error;
	if (!opened)
		return t->session->has_ended ? 0 : -EAGAIN;
	return opened;
}

long transport_read(struct transport *t, uint8_t *to, size_t room)
{
	struct tls_context *c = t->context;
	ssize_t got;

	if (!c)
		return socket_receive(t, to, room);
	if (transport_has_ended(t))
		return 0;
	got = socket_receive(t, c->in, sizeof(c->in));
	if (got <= 0)
		return got;
	c->in_at = 0;
	c->in_bytes = (size_t)got;
	return read_sealed(t, to, room);
}

bool transport_has_ended(const struct transport *t)
{
	return t->session && t->session->has_ended;
}

static long write_plain(struct transport *t, const struct iovec *pieces,
			unsigned int count)
{
	size_t wanted = 0;
	ssize_t put;

	t->is_full = false;
	for (unsigned int i = 0; i < count; i++)
		wanted += pieces[i].iov_len;
	if (!wanted)
		return 0;
	put = socket_send(t, pieces, count);
	if (put >= 0 && (size_t)put < wanted)
		t->is_full = true;
	return put ? put : -EAGAIN;
}

long transport_write(struct transport *t, const struct iovec *pieces,
		     unsigned int count)
{
	long sealed;
	int error;

	if (!t->context)
		return write_plain(t, pieces, count);
	error = send_pending(t);
	if (error)
		return error;
	if (!transport_is_open(t))
		return -EAGAIN;
	sealed = tls_session_seal(t->session, pieces, count);
	t->why = t->session->why;
	if (sealed < 0)
		return sealed;
	error = send_out(t);
	return error ? error : sealed;
}

void transport_finish(struct transport *t)
{
	if (t->session && t->session->is_open) {
		tls_session_finish(t->session);
		(void)send_out(t);
	}
	(void)shutdown(t->fd, SHUT_WR);
}

void transport_strip(struct transport *t)
{
	transport_drop_pending(t);
	tls_session_destroy(t->session);
	t->session = NULL;
	t->context = NULL;
	t->is_full = false;
}

int transport_exporter(const struct transport *t,
		       uint8_t exporter[TLS_EXPORTER_BYTES])
{
	if (!t->context || !transport_is_open(t))
		return -ENOTCONN;
	return SSL_export_keying_material(t->session->ssl, exporter,
					  TLS_EXPORTER_BYTES, EXPORTER_LABEL,
					  sizeof(EXPORTER_LABEL) - 1, NULL, 0,
					  0) == 1
		       ? 0
		       : -EPROTO;
}

int transport_fingerprint(const struct transport *t,
			  uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	if (!t->context || !transport_is_open(t))
		return -ENOTCONN;
	if (t->context->is_server) {
		memcpy(fingerprint, t->context->fingerprint,
		       TLS_FINGERPRINT_BYTES);
		return 0;
	}
	return tls_peer_fingerprint(t->session->ssl, fingerprint);
}
