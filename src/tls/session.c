/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one TLS connection as a function of bytes */

#include "tls/session.h"
#include "base/bytes.h"

#include <errno.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/*
 * How it works: OpenSSL never sees the socket. A BIO of ours hands it the
 * bytes of context->in and gathers what it wants to send in context->out, so
 * one recv(2) feeds it many records and one send(2) takes many. All of `in` is
 * consumed before a function returns (OpenSSL keeps the beginning of a record
 * that is not whole), and nothing of it but a connection's state stays: an
 * idle connection has no buffers.
 */
static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int bio_read(BIO *bio, char *to, int room)
{
	struct tls_context *c = BIO_get_data(bio);
	size_t bytes = c->in_bytes - c->in_at;

	BIO_clear_retry_flags(bio);
	if (!bytes) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (bytes > (size_t)room)
		bytes = (size_t)room;
	memcpy(to, c->in + c->in_at, bytes);
	c->in_at += bytes;
	return (int)bytes;
}

/* Does not fit only when a peer makes OpenSSL talk without end. */
static int bio_write(BIO *bio, const char *from, int bytes)
{
	struct tls_context *c = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	if ((size_t)bytes > sizeof(c->out) - c->out_bytes)
		return -1;
	memcpy(c->out + c->out_bytes, from, (size_t)bytes);
	c->out_bytes += (size_t)bytes;
	return bytes;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

static void make_method(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK,
				     "bytes of a transport");

	if (m && BIO_meth_set_read(m, bio_read) &&
	    BIO_meth_set_write(m, bio_write) &&
	    BIO_meth_set_ctrl(m, bio_control) &&
	    BIO_meth_set_create(m, bio_create))
		method = m;
	else
		BIO_meth_free(m);
}

int tls_session_create(struct tls_session **session,
		       struct tls_context *context)
{
	struct tls_session *s = calloc(1, sizeof(*s));
	BIO *bio = NULL;

	*session = NULL;
	pthread_once(&method_once, make_method);
	if (s)
		s->ssl = SSL_new(context->ssl);
	if (s && s->ssl && method)
		bio = BIO_new(method);
	if (!bio) {
		tls_session_destroy(s);
		return -ENOMEM;
	}
	s->context = context;
	BIO_set_data(bio, context);
	SSL_set_bio(s->ssl, bio, bio);
	SSL_set_app_data(s->ssl, s);
	if (context->is_server)
		SSL_set_accept_state(s->ssl);
	else
		SSL_set_connect_state(s->ssl);
	*session = s;
	return 0;
}

void tls_session_destroy(struct tls_session *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	free(s);
}

/* A function of OpenSSL's returned `result`. 0: it wants more bytes. */
static int session_judge(struct tls_session *s, int result)
{
	int error = SSL_get_error(s->ssl, result);
	unsigned long reason;

	if (error == SSL_ERROR_WANT_READ)
		return 0;
	if (error == SSL_ERROR_ZERO_RETURN) {
		s->has_ended = true;
		return 0;
	}
	reason = ERR_peek_error();
	s->why = reason ? ERR_reason_error_string(reason) : NULL;
	if (!s->why)
		s->why = "TLS failed";
	return -EPROTO;
}

static int session_check_alpn(struct tls_session *s)
{
	const uint8_t *protocol;
	unsigned int bytes;

	SSL_get0_alpn_selected(s->ssl, &protocol, &bytes);
	if (bytes || s->context->is_server)
		return 0;
	s->why = "it speaks TLS, but no Paravox beneath";
	return -EPROTO;
}

/* A step of the handshake. 0, is_open set or more bytes awaited; -EPROTO. */
static int session_shake(struct tls_session *s)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(s->ssl);
	if (result != 1)
		return session_judge(s, result);
	s->is_open = true;
	return session_check_alpn(s);
}

int tls_session_begin(struct tls_session *s)
{
	return session_shake(s);
}

static bool has_too_many_key_updates(const struct tls_session *s)
{
	return s->key_updates >
	       TLS_KEY_UPDATES + s->opened_bytes / TLS_KEY_UPDATE_BYTES;
}

long tls_session_take(struct tls_session *s, uint8_t *to, size_t room)
{
	size_t opened = 0, got;
	int result, error = 0;

	if (!s->is_open)
		error = session_shake(s);
	while (!error && s->is_open && !s->has_ended && opened < room) {
		ERR_clear_error();
		result = SSL_read_ex(s->ssl, to + opened, room - opened, &got);
		if (result != 1) {
			error = session_judge(s, result);
			break;
		}
		opened += got;
		s->opened_bytes += got;
	}
	if (!error && has_too_many_key_updates(s)) {
		s->why = "too many key updates";
		error = -EPROTO;
	}
	s->context->in_at = s->context->in_bytes = 0;
	return error ? error : (long)opened;
}

/* Where the next record's bytes are. */
struct cut {
	const struct iovec *piece;
	unsigned int count;
	size_t at; /* of the first piece */
};

/*
 * The next TLS_RECORD_BYTES of the pieces, or what is left: in place when one
 * piece has them, else put together in context->record.
 */
static size_t cut_record(struct cut *cut, struct tls_context *c,
			 const uint8_t **record)
{
	size_t gathered = 0;

	*record = c->record;
	while (cut->count && gathered < TLS_RECORD_BYTES) {
		const uint8_t *from = (uint8_t *)cut->piece->iov_base + cut->at;
		size_t left = cut->piece->iov_len - cut->at;
		size_t bytes = TLS_RECORD_BYTES - gathered;
		bool is_all = !gathered &&
			      (left >= TLS_RECORD_BYTES || cut->count == 1);

		if (bytes > left)
			bytes = left;
		if (is_all)
			*record = from;
		else
			memcpy(c->record + gathered, from, bytes);
		gathered += bytes;
		cut->at += bytes;
		if (cut->at == cut->piece->iov_len) {
			cut->piece++;
			cut->count--;
			cut->at = 0;
		}
	}
	return gathered;
}

static int session_seal_record(struct tls_session *s, const uint8_t *record,
			       size_t bytes)
{
	size_t put;
	int result;

	ERR_clear_error();
	if (++s->sealed_records > TLS_KEY_RECORDS) {
		s->sealed_records = 0;
		(void)SSL_key_update(s->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
	}
	result = SSL_write_ex(s->ssl, record, bytes, &put);
	if (result == 1 && put == bytes)
		return 0;
	(void)session_judge(s, result);
	return -EPROTO;
}

long tls_session_seal(struct tls_session *s, const struct iovec *pieces,
		      unsigned int count)
{
	struct cut cut = { .piece = pieces, .count = count };
	long sealed = 0;

	for (unsigned int i = 0; i < TLS_OUT_RECORDS; i++) {
		const uint8_t *record;
		size_t bytes = cut_record(&cut, s->context, &record);

		if (!bytes)
			break;
		if (session_seal_record(s, record, bytes))
			return -EPROTO;
		sealed += (long)bytes;
	}
	return sealed;
}

void tls_session_finish(struct tls_session *s)
{
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
}
