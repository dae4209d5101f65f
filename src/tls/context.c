/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - what the TLS connections of one event loop share */

#include "tls/context.h"
#include "base/file.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "prim/sha256.h"
#include "tls/session.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 65536 /* certificates may stand in it, too */

/* RFC 7301: so that a server of another protocol with the same key, or a
 * client of one, is no partner of ours. */
static const uint8_t alpn[] = { 7, 'p', 'a', 'r', 'a', 'v', 'o', 'x' };

static int select_alpn(SSL *ssl, const uint8_t **chosen, uint8_t *chosen_bytes,
		       const uint8_t *offered, unsigned int offered_bytes,
		       void *unused)
{
	uint8_t *found;

	if (SSL_select_next_proto(&found, chosen_bytes, alpn, sizeof(alpn),
				  offered,
				  offered_bytes) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*chosen = found;
	return SSL_TLSEXT_ERR_OK;
}

/* Count KeyUpdates: each costs us more than the peer. */
static void on_message(int is_sent, int version, int type, const void *data,
		       size_t bytes, SSL *ssl, void *unused)
{
	struct tls_session *session = SSL_get_app_data(ssl);
	const uint8_t *message = data;

	if (!is_sent && type == SSL3_RT_HANDSHAKE && bytes &&
	    message[0] == SSL3_MT_KEY_UPDATE)
		session->key_updates++;
}

static SSL_CTX *ctx_create(bool is_server)
{
	static char groups[] = "X25519:P-256"; /* a macro casts const away */
	SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method()
					     : TLS_client_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
					 SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_NO_TICKET |
					 SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_max_cert_list(ctx, 32768);
	SSL_CTX_set_msg_callback(ctx, on_message);
	/* Who a server is, its fingerprint says (transport_fingerprint()). */
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) &&
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) &&
	    SSL_CTX_set_num_tickets(ctx, 0) &&
	    SSL_CTX_set_max_early_data(ctx, 0) &&
	    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:"
					  "TLS_AES_256_GCM_SHA384:"
					  "TLS_CHACHA20_POLY1305_SHA256") &&
	    SSL_CTX_set1_groups_list(ctx, groups) &&
	    !SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn)))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* Whoever reads the key can pose as this relay. Root may own it, and a group
 * of its own may read it, as in /etc/ssl/private. */
static int check_key_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return FILE_IS_NOT_REGULAR;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return FILE_IS_ANOTHERS;
	if (!CHECK(tls_key_file, !(st.st_mode & (S_IWGRP | S_IRWXO))))
		return FILE_IS_OPEN_TO_OTHERS;
	return 0;
}

static long read_key_file(const char *path, char *to, size_t room, int *result)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	ssize_t bytes = 0, got = 0;

	*result = fd < 0 ? -errno : check_key_file(fd);
	while (!*result &&
	       (got = read(fd, to + bytes, room - (size_t)bytes)) > 0)
		bytes += got;
	if (!*result && got < 0)
		*result = -errno;
	if (!*result && bytes == (ssize_t)room)
		*result = FILE_IS_TOO_LARGE;
	if (fd >= 0)
		close(fd);
	return bytes;
}

/* A passphrase is asked of nobody: the key is as good as none. */
static int no_passphrase(char *to, int room, int is_writing, void *unused)
{
	return -1;
}

static EVP_PKEY *load_key(const char *path, char *why, size_t why_room)
{
	char *text = secret_alloc(KEY_FILE_MAX);
	EVP_PKEY *key = NULL;
	BIO *bio = NULL;
	int result = -ENOMEM;
	long bytes = 0;

	if (text)
		bytes = read_key_file(path, text, KEY_FILE_MAX, &result);
	if (!result)
		bio = BIO_new_mem_buf(text, (int)bytes);
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!key)
		snprintf(why, why_room, "%s: %s", path,
			 result ? file_explain(result)
				: "no private key in PEM that opens without a "
				  "passphrase");
	BIO_free(bio);
	secret_free(text);
	return key;
}

static int fingerprint_of(const X509 *certificate,
			  uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	uint8_t *der = NULL;
	int bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	if (bytes <= 0)
		return -EPROTO;
	sha256_bytes(fingerprint, der, (size_t)bytes);
	OPENSSL_free(der);
	return 0;
}

int tls_peer_fingerprint(SSL *ssl, uint8_t fingerprint[TLS_FINGERPRINT_BYTES])
{
	const X509 *certificate = SSL_get0_peer_certificate(ssl);

	return certificate ? fingerprint_of(certificate, fingerprint) : -EPROTO;
}

int tls_context_reload(struct tls_context *context,
		       const char *certificate_path, const char *key_path,
		       char *why, size_t why_room)
{
	uint8_t fingerprint[TLS_FINGERPRINT_BYTES];
	SSL_CTX *ctx = ctx_create(true);
	EVP_PKEY *key = NULL;
	int error = ctx ? 0 : -ENOMEM;

	snprintf(why, why_room, "no memory for TLS");
	if (ctx &&
	    SSL_CTX_use_certificate_chain_file(ctx, certificate_path) != 1) {
		snprintf(why, why_room, "%s: %s", certificate_path,
			 access(certificate_path, R_OK)
				 ? strerror(errno)
				 : "no certificate in PEM that can be used");
		error = -EINVAL;
	}
	if (!error) {
		key = load_key(key_path, why, why_room);
		error = key ? 0 : -EINVAL;
	}
	if (!error && SSL_CTX_use_PrivateKey(ctx, key) != 1) {
		snprintf(why, why_room,
			 "%s: the key is not that of the certificate %s",
			 key_path, certificate_path);
		error = -EINVAL;
	}
	if (!error)
		error = fingerprint_of(SSL_CTX_get0_certificate(ctx),
				       fingerprint);
	ERR_clear_error();
	EVP_PKEY_free(key);
	if (error) {
		SSL_CTX_free(ctx);
		return error;
	}
	SSL_CTX_free(context->ssl);
	context->ssl = ctx;
	memcpy(context->fingerprint, fingerprint, sizeof(fingerprint));
	return 0;
}

static struct tls_context *context_create(bool is_server)
{
	struct tls_context *context = calloc(1, sizeof(*context));

	if (!context)
		return NULL;
	context->is_server = is_server;
	context->held_bytes = &context->own_held_bytes;
	return context;
}

int tls_context_create_server(struct tls_context **context,
			      const char *certificate_path,
			      const char *key_path, size_t *held_bytes,
			      char *why, size_t why_room)
{
	struct tls_context *c = context_create(true);
	int error;

	*context = NULL;
	snprintf(why, why_room, "no memory for TLS");
	if (!c)
		return -ENOMEM;
	if (held_bytes)
		c->held_bytes = held_bytes;
	error = tls_context_reload(c, certificate_path, key_path, why,
				   why_room);
	if (error)
		tls_context_destroy(c);
	else
		*context = c;
	return error;
}

int tls_context_create_client(struct tls_context **context)
{
	struct tls_context *c = context_create(false);

	*context = NULL;
	if (!c)
		return -ENOMEM;
	c->ssl = ctx_create(false);
	if (!c->ssl) {
		free(c);
		return -ENOMEM;
	}
	*context = c;
	return 0;
}

void tls_context_destroy(struct tls_context *context)
{
	if (!context)
		return;
	SSL_CTX_free(context->ssl);
	secret_wipe(context, sizeof(*context)); /* what went through it */
	free(context);
}

const uint8_t *tls_context_fingerprint(const struct tls_context *context)
{
	return context->fingerprint;
}
