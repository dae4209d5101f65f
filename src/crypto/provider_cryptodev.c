/* SPDX-License-Identifier: Apache-2.0 */
/* provider_cryptodev.c - the provider on a node with the cryptodev ioctls */

#include "crypto/provider.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/cryptodev.h"
#include "base/log.h"
#include "base/secret.h"

/*
 * How it works: one open file for all sessions; each state is one session of
 * the node. Every operation gives its IV, so nothing depends on what the node
 * leaves behind (clause E2). Only three ioctls serve ciphers and hashes:
 * CIOCGSESSION, CIOCCRYPT, CIOCFSESSION; AEADs add CIOCAUTHCRYPT, and copies
 * of a hash CIOCCPHASH. Nothing is asked when the node is opened: whether it
 * has an algorithm is found out by a session that is closed again, once for
 * each. The node takes plain pointers; the core gives us whole pieces.
 *
 * When the node is gone that is logged, once, with its path, and every call
 * fails with -ENODEV.
 */
#define DEFAULT_PATH "/dev/crypto"
#define AEAD_TAG_MAX 16
#define ID_MAX       128 /* above every algorithm id */

enum has {
	HAS_NOT_ASKED,
	HAS_NOT,
	HAS,
};

struct node {
	int fd;
	char *path;
	atomic_bool is_gone;
	/* enum has, by is_mac and id. Two threads that both ask get the same
	 * answer. */
	atomic_uchar has[2][ID_MAX];
};

struct cryptodev_cipher {
	struct node *node; /* borrowed */
	uint32_t ses;      /* 0: none */
};

struct cryptodev_hash {
	struct node *node;
	uint32_t ses;
	bool must_reset; /* the next operation starts afresh */
};

/* Keeps the key: where a node's tag size can only shrink (clause A6 of the
 * reference) a longer tag needs a new session. */
struct cryptodev_aead {
	struct node *node;
	uint32_t ses;
	uint32_t tag_bytes; /* of the last operation */
	const struct cryptsess_algorithm *algorithm;
	uint32_t key_bytes;
	uint8_t key[CRYPTSESS_MAX_KEY_BYTES];
};

static uint8_t *user_pointer(const void *p)
{
	return (uint8_t *)(uintptr_t)p;
}

/* What the node's errno means to our callers; others are passed on. */
static int meaning(int error)
{
	static const struct {
		int error;
		int means;
	} rows[] = { { ENXIO, ENODEV },     { ENOENT, ENODEV },
		     { EIO, ENODEV },       { ENOTTY, ENODEV },
		     { EBADF, ENODEV },     { ENOSPC, ENOMEM },
		     { ETIMEDOUT, ENODEV }, { EMSGSIZE, E2BIG } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].error == error)
			return rows[i].means;
	return error;
}

static int call(struct node *node, unsigned long request, void *argument)
{
	int error;

	do {
		if (ioctl(node->fd, request, argument) >= 0)
			return 0;
		error = errno;
	} while (error == EINTR);
	if (meaning(error) == ENODEV && !atomic_exchange(&node->is_gone, true))
		log_error("crypto device %s is gone or broken (%s); nothing "
			  "else is used in its place",
			  node->path, strerror(error));
	return -meaning(error);
}

static int session_open(struct node *node, const struct cryptsess_algorithm *a,
			const uint8_t *key, uint32_t key_bytes, uint32_t *ses)
{
	struct session_op op = { 0 };
	int r;

	if (a->is_mac) {
		op.mac = a->id;
		op.mackey = user_pointer(key);
		op.mackeylen = key_bytes;
	} else {
		op.cipher = a->id;
		op.key = user_pointer(key);
		op.keylen = key_bytes;
	}
	r = call(node, CIOCGSESSION, &op);
	if (r == 0)
		*ses = op.ses;
	return r;
}

static void session_close(struct node *node, uint32_t *ses)
{
	if (*ses)
		call(node, CIOCFSESSION, ses);
	*ses = 0;
}

static void cryptodev_close(void *provider)
{
	struct node *node = provider;

	if (!node)
		return;
	if (node->fd >= 0)
		close(node->fd);
	free(node->path);
	free(node);
}

static int node_fd(const char *path, char *why, size_t why_bytes)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		snprintf(why, why_bytes,
			 "cannot open %s: %s; load a cryptodev module, or name "
			 "another node with cryptodev:PATH",
			 path, strerror(errno));
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode))
		return fd;
	snprintf(why, why_bytes, "%s is not a character device", path);
	close(fd);
	return -1;
}

static int cryptodev_open(void **provider, const char *path, char *why,
			  size_t why_bytes)
{
	struct node *node = calloc(1, sizeof(*node));

	if (node)
		node->path = strdup(path ? path : DEFAULT_PATH);
	if (!node || !node->path) {
		snprintf(why, why_bytes, "no memory");
		free(node);
		return -ENOMEM;
	}
	node->fd = node_fd(node->path, why, why_bytes);
	if (node->fd < 0) {
		cryptodev_close(node);
		return -ENODEV;
	}
	*provider = node;
	return 0;
}

/* Only -EINVAL says that there is no such algorithm (clause S4). After any
 * other failure the caller's own session will meet it again and tell it. */
static bool cryptodev_has(void *provider, const struct cryptsess_algorithm *a)
{
	struct node *node = provider;
	uint8_t key[CRYPTSESS_MAX_KEY_BYTES];
	atomic_uchar *known = &node->has[a->is_mac][a->id];
	uint32_t ses;
	int r;

	if (*known != HAS_NOT_ASKED)
		return *known == HAS;
	/* A key with different halves, for XTS. */
	for (unsigned int i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i + 1);
	r = session_open(node, a, key, a->key_min_bytes, &ses);
	if (r == 0) {
		session_close(node, &ses);
		*known = HAS;
	} else if (r == -EINVAL) {
		*known = HAS_NOT;
	}
	return *known != HAS_NOT;
}

static int cipher_open(void *provider, void *cipher,
		       const struct cryptsess_algorithm *a, const uint8_t *key,
		       uint32_t key_bytes)
{
	struct cryptodev_cipher *c = cipher;

	c->node = provider;
	return session_open(c->node, a, key, key_bytes, &c->ses);
}

static int cipher_run(void *cipher, const struct cipher_job *job)
{
	struct cryptodev_cipher *c = cipher;
	struct crypt_op op = {
		.ses = c->ses,
		.op = job->direction,
		.len = job->bytes,
		.src = scatter_one(&job->src, job->bytes),
		.dst = scatter_one(&job->dst, job->bytes),
		.iv = user_pointer(job->iv),
	};

	return call(c->node, CIOCCRYPT, &op);
}

static void cipher_close(void *cipher)
{
	struct cryptodev_cipher *c = cipher;

	session_close(c->node, &c->ses);
}

static int hash_open(void *provider, void *hash,
		     const struct cryptsess_algorithm *a, const uint8_t *key,
		     uint32_t key_bytes)
{
	struct cryptodev_hash *h = hash;

	h->node = provider;
	h->must_reset = true;
	return session_open(h->node, a, key, key_bytes, &h->ses);
}

static int hash_reset(void *hash)
{
	struct cryptodev_hash *h = hash;

	h->must_reset = true;
	return 0;
}

static int hash_run(struct cryptodev_hash *h, uint16_t flags,
		    const struct scatter *data, uint32_t bytes, uint8_t *digest)
{
	struct crypt_op op = {
		.ses = h->ses,
		.op = COP_ENCRYPT,
		.flags = flags,
		.len = bytes,
		.src = bytes ? scatter_one(data, bytes) : NULL,
		.mac = digest,
	};
	int r = call(h->node, CIOCCRYPT, &op);

	if (r == 0)
		h->must_reset = false;
	return r;
}

static int hash_update(void *hash, const struct scatter *data, uint32_t bytes)
{
	struct cryptodev_hash *h = hash;
	uint16_t reset = h->must_reset ? COP_FLAG_RESET : 0;

	/* An empty UPDATE would finish (clause E8). */
	if (bytes == 0)
		return 0;
	return hash_run(h, COP_FLAG_UPDATE | reset, data, bytes, NULL);
}

/* Flags 0 are reset and digest in one (clauses E8, E9). */
static int hash_final(void *hash, const struct scatter *data, uint32_t bytes,
		      uint8_t *digest)
{
	struct cryptodev_hash *h = hash;

	return hash_run(h, h->must_reset ? COP_FLAG_NONE : COP_FLAG_FINAL, data,
			bytes, digest);
}

static int hash_copy(void *to, const void *from)
{
	const struct cryptodev_hash *source = from;
	struct cryptodev_hash *h = to;
	struct cphash_op op = { .dst_ses = h->ses, .src_ses = source->ses };
	int r;

	/* Different open files see different sessions (clause P1). */
	if (h->node != source->node)
		return -EINVAL;
	/* Nothing hashed yet: there is no state that could be copied. */
	r = source->must_reset ? 0 : call(h->node, CIOCCPHASH, &op);
	if (r == 0)
		h->must_reset = source->must_reset;
	return r;
}

static void hash_close(void *hash)
{
	struct cryptodev_hash *h = hash;

	session_close(h->node, &h->ses);
}

static int aead_open(void *provider, void *aead,
		     const struct cryptsess_algorithm *a, const uint8_t *key,
		     uint32_t key_bytes)
{
	struct cryptodev_aead *d = aead;

	d->node = provider;
	d->algorithm = a;
	d->tag_bytes = AEAD_TAG_MAX;
	d->key_bytes = key_bytes;
	memcpy(d->key, key, key_bytes);
	return session_open(d->node, a, key, key_bytes, &d->ses);
}

static int aead_tag_fit(struct cryptodev_aead *d, uint32_t tag_bytes)
{
	uint32_t ses;
	int r;

	if (tag_bytes > d->tag_bytes) {
		r = session_open(d->node, d->algorithm, d->key, d->key_bytes,
				 &ses);
		if (r)
			return r;
		session_close(d->node, &d->ses);
		d->ses = ses;
	}
	d->tag_bytes = tag_bytes;
	return 0;
}

static int aead_run(void *aead, const struct aead_job *job)
{
	struct cryptodev_aead *d = aead;
	bool encrypts = job->direction == CRYPTSESS_ENCRYPT;
	uint32_t with_tag = job->text_bytes + job->tag_bytes;
	uint32_t src_bytes = encrypts ? job->text_bytes : with_tag;
	uint32_t dst_bytes = encrypts ? with_tag : job->text_bytes;
	uint8_t nothing[1];
	struct crypt_auth_op op = {
		.op = job->direction,
		.len = src_bytes,
		.auth_len = job->auth_bytes,
		.auth_src = job->auth_bytes
				    ? scatter_one(&job->auth, job->auth_bytes)
				    : NULL,
		/* A node may want a pointer even where nothing is read. */
		.src = src_bytes ? scatter_one(&job->src, src_bytes) : nothing,
		.dst = dst_bytes ? scatter_one(&job->dst, dst_bytes) : nothing,
		.tag_len = job->tag_bytes,
		.iv = user_pointer(job->iv),
		.iv_len = d->algorithm->iv_bytes,
	};
	int r = aead_tag_fit(d, job->tag_bytes);

	if (r)
		return r;
	op.ses = d->ses;
	r = call(d->node, CIOCAUTHCRYPT, &op);
	/* A node with other ideas of the lengths has written something else. */
	if (r == 0 && (op.len != dst_bytes || op.tag_len != job->tag_bytes))
		return -EIO;
	return r;
}

static void aead_close(void *aead)
{
	struct cryptodev_aead *d = aead;

	session_close(d->node, &d->ses);
	secret_wipe(d->key, sizeof(d->key));
}

const struct provider provider_cryptodev = {
	.name = "cryptodev",
	.description = "a device with the cryptodev ioctls; " DEFAULT_PATH
		       " unless a PATH is given",
	.takes_path = true,
	.needs_contiguous = true,
	.open = cryptodev_open,
	.close = cryptodev_close,
	.has = cryptodev_has,
	.cipher_bytes = sizeof(struct cryptodev_cipher),
	.cipher_open = cipher_open,
	.cipher_run = cipher_run,
	.cipher_close = cipher_close,
	.hash_bytes = sizeof(struct cryptodev_hash),
	.hash_open = hash_open,
	.hash_reset = hash_reset,
	.hash_update = hash_update,
	.hash_final = hash_final,
	.hash_copy = hash_copy,
	.hash_close = hash_close,
	.aead_bytes = sizeof(struct cryptodev_aead),
	.aead_open = aead_open,
	.aead_run = aead_run,
	.aead_close = aead_close,
};
