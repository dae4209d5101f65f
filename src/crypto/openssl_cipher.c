/* SPDX-License-Identifier: Apache-2.0 */
/* openssl_cipher.c - block and stream modes of the openssl provider */

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/bytes.h"
#include "crypto/provider_openssl.h"

/*
 * How it works: the key schedule is made once for each direction, when it is
 * first used; encrypting, that is at open, which so finds bad keys. An
 * operation sets the IV alone. NULL has no context.
 *
 * XTS has two ways. libcrypto's own is fast, but wants a data unit in one
 * piece, and knows neither 48-byte keys nor equal halves; openssl_xts.c takes
 * all of that, and is the faster one for short units, too.
 */
#define XTS_SHORT_BYTES 512         /* measured: where the two are even */
#define XTS_UNIT_MAX    (16u << 20) /* libcrypto's limit */

static int make_context(EVP_CIPHER_CTX **ctx, const EVP_CIPHER *evp,
			const uint8_t *key, uint32_t key_bytes, int encrypts)
{
	/* Not EVP_CIPHER_CTX_set_padding(): libcrypto would set it again with
	 * each IV, which costs as much as 64 bytes of AES. */
	unsigned int pads = 0;
	const OSSL_PARAM no_padding[] = {
		OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_PADDING, &pads),
		OSSL_PARAM_construct_end(),
	};

	*ctx = EVP_CIPHER_CTX_new();
	if (!*ctx)
		return -ENOMEM;
	/* Blowfish: the length comes first, then the key. */
	if (!EVP_CipherInit_ex(*ctx, evp, NULL, NULL, NULL, encrypts) ||
	    (EVP_CIPHER_get_key_length(evp) != (int)key_bytes &&
	     !EVP_CIPHER_CTX_set_key_length(*ctx, (int)key_bytes)) ||
	    !EVP_CIPHER_CTX_set_params(*ctx, no_padding) ||
	    !EVP_CipherInit_ex(*ctx, NULL, NULL, key, NULL, encrypts)) {
		EVP_CIPHER_CTX_free(*ctx); /* wipes */
		*ctx = NULL;
		return openssl_failure();
	}
	return 0;
}

/* The context of a direction, in one of the pairs. */
static int get_context(const struct openssl_cipher *c, EVP_CIPHER_CTX **pair,
		       const EVP_CIPHER *evp, uint32_t key_bytes,
		       uint16_t direction)
{
	if (pair[direction])
		return 0;
	return make_context(&pair[direction], evp, c->key, key_bytes,
			    direction == CRYPTSESS_ENCRYPT);
}

/* Both ways' contexts for encryption. */
static int open_xts(struct openssl *o, struct openssl_cipher *c)
{
	uint32_t half = c->key_bytes / 2;
	int r;

	c->ecb = openssl_cipher(o, cryptsess_cipher_by_id(CRYPTSESS_AES_ECB),
				half);
	if (!c->ecb)
		return -EINVAL;
	if (bytes_equal_ct(c->key, c->key + half, half))
		c->evp = NULL;
	r = make_context(&c->tweak_ctx, c->ecb, c->key + half, half, 1);
	return r ? r
		 : get_context(c, c->ecb_ctx, c->ecb, half, CRYPTSESS_ENCRYPT);
}

int openssl_cipher_open(void *provider, void *cipher,
			const struct cryptsess_algorithm *a, const uint8_t *key,
			uint32_t key_bytes)
{
	struct openssl_cipher *c = cipher;

	c->algorithm = a;
	if (a->id == CRYPTSESS_NULL)
		return 0;
	c->evp = openssl_cipher(provider, a, key_bytes);
	c->key_bytes = key_bytes;
	memcpy(c->key, key, key_bytes);
	if (a->id == CRYPTSESS_AES_XTS)
		return open_xts(provider, c);
	if (!c->evp)
		return -EINVAL;
	return get_context(c, c->ctx, c->evp, key_bytes, CRYPTSESS_ENCRYPT);
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

static int run_evp(struct openssl_cipher *c, const struct cipher_job *job)
{
	EVP_CIPHER_CTX *ctx;
	struct walk walk;
	struct step step;
	int out, r;

	r = get_context(c, c->ctx, c->evp, c->key_bytes, job->direction);
	if (r)
		return r;
	ctx = c->ctx[job->direction];
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

static int run_xts(struct openssl_cipher *c, const struct cipher_job *job)
{
	int r;

	if (c->evp && job->bytes > XTS_SHORT_BYTES &&
	    job->bytes <= XTS_UNIT_MAX && scatter_one(&job->src, job->bytes) &&
	    scatter_one(&job->dst, job->bytes))
		return run_evp(c, job);
	r = get_context(c, c->ecb_ctx, c->ecb, c->key_bytes / 2,
			job->direction);
	return r ? r
		 : openssl_xts_run(c->ecb_ctx[job->direction], c->tweak_ctx,
				   job);
}

int openssl_cipher_run(void *cipher, const struct cipher_job *job)
{
	struct openssl_cipher *c = cipher;

	if (c->algorithm->id == CRYPTSESS_NULL)
		return run_null(job);
	return c->tweak_ctx ? run_xts(c, job) : run_evp(c, job);
}

void openssl_cipher_close(void *cipher)
{
	struct openssl_cipher *c = cipher;

	for (int i = 0; i < 2; i++) {
		EVP_CIPHER_CTX_free(c->ctx[i]); /* wipes */
		EVP_CIPHER_CTX_free(c->ecb_ctx[i]);
	}
	EVP_CIPHER_CTX_free(c->tweak_ctx);
	memset(c, 0, sizeof(*c)); /* the core wipes */
}
