/* SPDX-License-Identifier: Apache-2.0 */
/* openssl_cipher.c - block and stream modes of the openssl provider */

#include <errno.h>
#include <string.h>

#include "crypto/provider_openssl.h"

/*
 * How it works: the key schedule is made once for each direction; an operation
 * sets the IV alone. NULL has no context. XTS has ECB contexts, see
 * openssl_xts.c.
 */
static int make_context(EVP_CIPHER_CTX **ctx, const EVP_CIPHER *evp,
			const uint8_t *key, uint32_t key_bytes, int encrypts)
{
	*ctx = EVP_CIPHER_CTX_new();
	if (!*ctx)
		return -ENOMEM;
	/* Blowfish: the length comes first, then the key. */
	if (!EVP_CipherInit_ex(*ctx, evp, NULL, NULL, NULL, encrypts) ||
	    (EVP_CIPHER_get_key_length(evp) != (int)key_bytes &&
	     !EVP_CIPHER_CTX_set_key_length(*ctx, (int)key_bytes)) ||
	    !EVP_CIPHER_CTX_set_padding(*ctx, 0) ||
	    !EVP_CipherInit_ex(*ctx, NULL, NULL, key, NULL, encrypts)) {
		EVP_CIPHER_CTX_free(*ctx); /* wipes */
		*ctx = NULL;
		return openssl_failure();
	}
	return 0;
}

/* The context of a direction. */
static int get_context(struct openssl_cipher *c, uint16_t direction,
		       EVP_CIPHER_CTX **ctx)
{
	int r = 0;

	if (!c->ctx[direction])
		r = make_context(&c->ctx[direction], c->evp, c->key,
				 c->key_bytes, direction == CRYPTSESS_ENCRYPT);
	*ctx = c->ctx[direction];
	return r;
}

int openssl_cipher_open(void *provider, void *cipher,
			const struct cryptsess_algorithm *a, const uint8_t *key,
			uint32_t key_bytes)
{
	struct openssl_cipher *c = cipher;
	EVP_CIPHER_CTX *ctx;
	int r;

	c->algorithm = a;
	if (a->id == CRYPTSESS_NULL)
		return 0;
	c->evp = openssl_cipher(provider, a, key_bytes);
	if (!c->evp)
		return -EINVAL;
	c->key_bytes = key_bytes;
	if (a->id == CRYPTSESS_AES_XTS) {
		c->key_bytes = key_bytes / 2;
		r = make_context(&c->tweak_ctx, c->evp, key + c->key_bytes,
				 c->key_bytes, 1);
		if (r)
			return r;
	}
	memcpy(c->key, key, c->key_bytes);
	return get_context(c, CRYPTSESS_ENCRYPT, &ctx);
}

static int run_null(const struct cipher_job *job)
{
	struct walk walk;
	struct step step;

	walk_init(&walk, &job->src, &job->dst, job->bytes, 1);
	while (walk_next(&walk, &step))
		if (step.src != step.dst)
			memcpy(step.dst, step.src, step.bytes);
	return 0;
}

int openssl_cipher_run(void *cipher, const struct cipher_job *job)
{
	struct openssl_cipher *c = cipher;
	EVP_CIPHER_CTX *ctx;
	struct walk walk;
	struct step step;
	int out, r;

	if (c->algorithm->id == CRYPTSESS_NULL)
		return run_null(job);
	r = get_context(c, job->direction, &ctx);
	if (r)
		return r;
	if (c->tweak_ctx)
		return openssl_xts_run(ctx, c->tweak_ctx, job);
	/* -1: the direction stays as it is. */
	if (!EVP_CipherInit_ex(ctx, NULL, NULL, NULL, job->iv, -1))
		return openssl_failure();
	walk_init(&walk, &job->src, &job->dst, job->bytes,
		  c->algorithm->block_bytes);
	while (r == 0 && walk_next(&walk, &step))
		if (!EVP_CipherUpdate(ctx, step.dst, &out, step.src,
				      (int)step.bytes) ||
		    (size_t)out != step.bytes)
			r = openssl_failure();
	return r;
}

void openssl_cipher_close(void *cipher)
{
	struct openssl_cipher *c = cipher;

	EVP_CIPHER_CTX_free(c->ctx[CRYPTSESS_ENCRYPT]);
	EVP_CIPHER_CTX_free(c->ctx[CRYPTSESS_DECRYPT]);
	EVP_CIPHER_CTX_free(c->tweak_ctx);
	memset(c, 0, sizeof(*c)); /* the core wipes */
}
