/* SPDX-License-Identifier: Apache-2.0 */
/* provider_afalg.c - the provider on the kernel's AF_ALG sockets */

#include "crypto/afalg_socket.h"

#include <errno.h>
#include <linux/if_alg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "crypto/chain.h"

/*
 * How it works: an algorithm is a socket bound to its kernel name, with the
 * key; accept(2) on it makes a socket for operations. A cipher's operation is
 * one sendmsg with direction, IV and data, and one recvmsg; a hash's parts are
 * sends with MSG_MORE, and accept(2) on a running one copies its state.
 *
 * A socket takes as much as its buffers hold, so long data goes in steps. CBC
 * and its kin are stepped with the IV chained as the core does; a data unit of
 * XTS and an AEAD's message cannot be cut: E2BIG. After a failure the
 * operation's socket may still hold data, so it is replaced.
 *
 * Which algorithms there are depends on the kernel's modules (algif_skcipher,
 * algif_hash, algif_aead and the algorithm's own); has() asks by binding.
 */
#define STEP_BYTES (64 * 1024)  /* a multiple of every block */
#define WHOLE_MAX  (128 * 1024) /* below the default socket buffers */
#define ID_MAX     128
enum has {
	HAS_NOT_ASKED,
	HAS_NOT,
	HAS,
};

struct afalg {
	atomic_uchar has[2][ID_MAX]; /* enum has, by is_mac and id */
};

struct afalg_cipher {
	const struct cryptsess_algorithm *algorithm;
	struct afalg_sockets sockets;
};

struct afalg_hash {
	const struct cryptsess_algorithm *algorithm;
	struct afalg_sockets sockets;
	bool is_running; /* the kernel holds a partial hash */
	bool must_reset;
	/* To see whether a copied state's outer key is ours. */
	uint32_t key_bytes;
	uint8_t key[CRYPTSESS_MAX_MAC_KEY_BYTES];
};

struct afalg_aead {
	const struct cryptsess_algorithm *algorithm;
	struct afalg_sockets sockets;
	uint32_t tag_bytes; /* as set in the kernel; 0: not yet */
};

static int cipher_open(void *provider, void *cipher,
		       const struct cryptsess_algorithm *a, const uint8_t *key,
		       uint32_t key_bytes)
{
	struct afalg_cipher *c = cipher;

	c->algorithm = a;
	return afalg_sockets_open(&c->sockets, a, key, key_bytes);
}

static int cipher_step(struct afalg_cipher *c, const struct cipher_job *job)
{
	struct afalg_request request = {
		.direction = job->direction,
		.iv = job->iv,
		.iv_bytes = c->algorithm->iv_bytes,
		.in = { { scatter_one(&job->src, job->bytes), job->bytes } },
		.out = { { scatter_one(&job->dst, job->bytes), job->bytes } },
	};

	return afalg_request_run(&c->sockets, &request, job->bytes);
}

static int cipher_run(void *cipher, const struct cipher_job *job)
{
	struct afalg_cipher *c = cipher;
	uint8_t *src = scatter_one(&job->src, job->bytes);
	uint8_t *dst = scatter_one(&job->dst, job->bytes);
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES] = { 0 };
	struct chain chain;
	uint32_t bytes;
	int r = 0;

	if (c->algorithm->id == CRYPTSESS_AES_XTS)
		return job->bytes > WHOLE_MAX ? -E2BIG : cipher_step(c, job);
	if (c->algorithm->iv_bytes)
		memcpy(iv, job->iv, c->algorithm->iv_bytes);
	for (uint32_t at = 0; r == 0 && at < job->bytes; at += bytes) {
		struct iovec from = { src + at, STEP_BYTES };
		struct iovec to = { dst + at, STEP_BYTES };
		struct cipher_job step = {
			job->direction, iv, { &from, 1 }, { &to, 1 }, STEP_BYTES
		};

		bytes = job->bytes - at;
		if (bytes < STEP_BYTES)
			from.iov_len = to.iov_len = step.bytes = bytes;
		bytes = step.bytes;
		chain_begin(&chain, c->algorithm, &step);
		r = cipher_step(c, &step);
		if (r == 0)
			chain_end(&chain, c->algorithm, &step, iv);
	}
	secret_wipe(&chain, sizeof(chain));
	return r;
}

static void cipher_close(void *cipher)
{
	struct afalg_cipher *c = cipher;

	afalg_sockets_close(&c->sockets);
}

static int hash_open(void *provider, void *hash,
		     const struct cryptsess_algorithm *a, const uint8_t *key,
		     uint32_t key_bytes)
{
	struct afalg_hash *h = hash;
	int r;

	h->algorithm = a;
	h->key_bytes = key_bytes;
	if (key_bytes)
		memcpy(h->key, key, key_bytes);
	r = afalg_sockets_open(&h->sockets, a, key, key_bytes);
	return r ? r : afalg_operation_renew(&h->sockets);
}

static int hash_reset(void *hash)
{
	struct afalg_hash *h = hash;

	h->must_reset = true;
	return 0;
}

static int hash_send(struct afalg_hash *h, const struct scatter *data,
		     uint32_t bytes, int flags)
{
	const uint8_t *from = bytes ? scatter_one(data, bytes) : NULL;
	int fd = h->sockets.operation_plus_1 - 1;
	ssize_t sent;

	for (uint32_t at = 0; at < bytes; at += (uint32_t)sent) {
		/* Only the very last byte may end the hash. */
		size_t left = bytes - at;
		bool is_last = left <= STEP_BYTES;

		sent = send(fd, from + at, is_last ? left : STEP_BYTES,
			    is_last ? flags : MSG_MORE);
		if (sent < 0 && errno == EINTR)
			sent = 0;
		if (sent < 0)
			return afalg_failure(errno);
	}
	return 0;
}

static int hash_begin(struct afalg_hash *h)
{
	int r = 0;

	if (h->must_reset && h->is_running)
		r = afalg_operation_renew(&h->sockets);
	if (r == 0)
		h->is_running = h->must_reset = false;
	return r;
}

static int hash_update(void *hash, const struct scatter *data, uint32_t bytes)
{
	struct afalg_hash *h = hash;
	int r = h->must_reset ? hash_begin(h) : 0;

	if (r || bytes == 0)
		return r;
	h->is_running = true;
	return hash_send(h, data, bytes, MSG_MORE);
}

/* Without data nothing is sent: receiving alone ends a hash. */
static int hash_final(void *hash, const struct scatter *data, uint32_t bytes,
		      uint8_t *digest)
{
	struct afalg_hash *h = hash;
	uint32_t digest_bytes = h->algorithm->digest_bytes;
	ssize_t got = -1;
	int r = h->must_reset ? hash_begin(h) : 0;

	if (r)
		return r;
	h->is_running = true; /* if what follows fails */
	r = hash_send(h, data, bytes, 0);
	if (r)
		return r;
	do
		got = recv(h->sockets.operation_plus_1 - 1, digest,
			   digest_bytes, 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)digest_bytes)
		return got < 0 ? afalg_failure(errno) : -EIO;
	h->is_running = false;
	return 0;
}

/* The copy's outer hash is keyed as the source: with another key of ours it
 * would be a wrong digest. */
static int hash_copy(void *to, const void *from)
{
	const struct afalg_hash *source = from;
	struct afalg_hash *h = to;
	int fd;

	if (h->key_bytes != source->key_bytes ||
	    !bytes_equal_ct(h->key, source->key, h->key_bytes))
		return -ENOSYS;
	if (source->must_reset || !source->is_running) {
		h->must_reset = true;
		return 0;
	}
	fd = accept4(source->sockets.operation_plus_1 - 1, NULL, NULL,
		     SOCK_CLOEXEC);
	if (fd < 0)
		return afalg_failure(errno);
	afalg_operation_close(&h->sockets);
	h->sockets.operation_plus_1 = fd + 1;
	h->is_running = true;
	h->must_reset = false;
	return 0;
}

static void hash_close(void *hash)
{
	struct afalg_hash *h = hash;

	afalg_sockets_close(&h->sockets);
	secret_wipe(h->key, sizeof(h->key));
}

static int aead_open(void *provider, void *aead,
		     const struct cryptsess_algorithm *a, const uint8_t *key,
		     uint32_t key_bytes)
{
	struct afalg_aead *d = aead;

	d->algorithm = a;
	return afalg_sockets_open(&d->sockets, a, key, key_bytes);
}

/* The tag's size can be set while there is no socket for operations. */
static int aead_set_tag(struct afalg_aead *d, uint32_t tag_bytes)
{
	if (d->tag_bytes == tag_bytes)
		return 0;
	afalg_operation_close(&d->sockets);
	d->tag_bytes = 0;
	if (setsockopt(d->sockets.algorithm_plus_1 - 1, SOL_ALG,
		       ALG_SET_AEAD_AUTHSIZE, NULL, tag_bytes) < 0)
		return afalg_failure(errno);
	d->tag_bytes = tag_bytes;
	return 0;
}

/* The kernel gives the AAD back before the result. */
static int aead_run(void *aead, const struct aead_job *job)
{
	struct afalg_aead *d = aead;
	bool encrypts = job->direction == CRYPTSESS_ENCRYPT;
	size_t with_tag = (size_t)job->text_bytes + job->tag_bytes;
	size_t in_bytes = encrypts ? job->text_bytes : with_tag;
	size_t out_bytes = encrypts ? with_tag : job->text_bytes;
	uint8_t auth[CRYPTSESS_MAX_AAD_BYTES], nothing[1];
	struct afalg_request request = {
		.direction = job->direction,
		.is_aead = true,
		.iv = job->iv,
		.iv_bytes = d->algorithm->iv_bytes,
		.auth_bytes = job->auth_bytes,
		.in = { { scatter_one(&job->auth, job->auth_bytes),
			  job->auth_bytes },
			{ scatter_one(&job->src, in_bytes), in_bytes } },
		.out = { { auth, job->auth_bytes },
			 { scatter_one(&job->dst, out_bytes), out_bytes } },
	};
	int r;

	if (job->auth_bytes + with_tag > WHOLE_MAX)
		return -E2BIG;
	/* Without room to receive into the kernel would not even look; with
	 * room left over it would wait for more. */
	if (job->auth_bytes + out_bytes == 0) {
		request.out[1].iov_base = nothing;
		request.out[1].iov_len = sizeof(nothing);
	}
	r = aead_set_tag(d, job->tag_bytes);
	if (r == 0)
		r = afalg_request_run(&d->sockets, &request,
				      job->auth_bytes + out_bytes);
	return r;
}

static void aead_close(void *aead)
{
	struct afalg_aead *d = aead;

	afalg_sockets_close(&d->sockets);
}

static int afalg_open(void **provider, const char *path, char *why,
		      size_t why_bytes)
{
	struct afalg *p = calloc(1, sizeof(*p));
	int fd;

	if (!p) {
		snprintf(why, why_bytes, "no memory");
		return -ENOMEM;
	}
	fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		snprintf(why, why_bytes,
			 "this kernel gives no AF_ALG sockets: %s",
			 strerror(errno));
		free(p);
		return -ENODEV;
	}
	close(fd);
	*provider = p;
	return 0;
}

static void afalg_close(void *provider)
{
	free(provider);
}

/* As in the other providers only a clear no is a no. */
static bool afalg_has(void *provider, const struct cryptsess_algorithm *a)
{
	struct afalg *p = provider;
	atomic_uchar *known = &p->has[a->is_mac][a->id];
	int fd;

	if (*known != HAS_NOT_ASKED)
		return *known == HAS;
	fd = afalg_algorithm_socket(a);
	if (fd >= 0) {
		close(fd);
		*known = HAS;
	} else if (fd == -ENOENT) {
		*known = HAS_NOT;
	}
	return *known != HAS_NOT;
}

const struct provider provider_afalg = {
	.name = "afalg",
	.description = "the kernel's AF_ALG sockets; deprecated by Linux, "
		       "used only when named",
	.needs_contiguous = true,
	.open = afalg_open,
	.close = afalg_close,
	.has = afalg_has,
	.cipher_bytes = sizeof(struct afalg_cipher),
	.cipher_open = cipher_open,
	.cipher_run = cipher_run,
	.cipher_close = cipher_close,
	.hash_bytes = sizeof(struct afalg_hash),
	.hash_open = hash_open,
	.hash_reset = hash_reset,
	.hash_update = hash_update,
	.hash_final = hash_final,
	.hash_copy = hash_copy,
	.hash_close = hash_close,
	.aead_bytes = sizeof(struct afalg_aead),
	.aead_open = aead_open,
	.aead_run = aead_run,
	.aead_close = aead_close,
};
