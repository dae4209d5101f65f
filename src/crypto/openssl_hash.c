/* SPDX-License-Identifier: Apache-2.0 */
/* openssl_hash.c - hashes and HMACs of the openssl provider */

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/provider_openssl.h"

/*
 * How it works: HMAC (RFC 2104) over EVP_MD, so that a copied state takes the
 * inner hash only and leaves the outer key with its owner (clause H1). The
 * hashes of both key blocks are made once; an operation copies them.
 */
#define HASH_BLOCK_MAX 128

/* A context that has hashed one block of the key xor `pad`. */
static int make_padded(EVP_MD_CTX **ctx, const EVP_MD *md, const uint8_t *block,
		       uint8_t pad)
{
	size_t bytes = (size_t)EVP_MD_get_block_size(md);
	uint8_t padded[HASH_BLOCK_MAX];
	int ok;

	*ctx = EVP_MD_CTX_new();
	if (!*ctx)
		return -ENOMEM;
	for (size_t i = 0; i < bytes; i++)
		padded[i] = block[i] ^ pad;
	ok = EVP_DigestInit_ex2(*ctx, md, NULL) &&
	     EVP_DigestUpdate(*ctx, padded, bytes);
	secret_wipe(padded, sizeof(padded));
	return ok ? 0 : openssl_failure();
}

static int make_keyed(struct openssl_hash *h, const EVP_MD *md,
		      const uint8_t *key, uint32_t key_bytes)
{
	uint8_t block[HASH_BLOCK_MAX] = { 0 };
	int r = 0;

	if (EVP_MD_get_block_size(md) > HASH_BLOCK_MAX)
		return -EINVAL;
	if (key_bytes > (uint32_t)EVP_MD_get_block_size(md)) {
		if (!EVP_DigestInit_ex2(h->running, md, NULL) ||
		    !EVP_DigestUpdate(h->running, key, key_bytes) ||
		    !EVP_DigestFinal_ex(h->running, block, NULL))
			r = openssl_failure();
	} else if (key_bytes) {
		memcpy(block, key, key_bytes);
	}
	if (r == 0)
		r = make_padded(&h->inner, md, block, 0x36);
	if (r == 0)
		r = make_padded(&h->outer, md, block, 0x5c);
	secret_wipe(block, sizeof(block));
	return r;
}

int openssl_hash_open(void *provider, void *hash,
		      const struct cryptsess_algorithm *a, const uint8_t *key,
		      uint32_t key_bytes)
{
	const EVP_MD *md = openssl_md(provider, a);
	struct openssl_hash *h = hash;

	if (!md)
		return -EINVAL;
	h->must_reset = true;
	h->running = EVP_MD_CTX_new();
	if (!h->running)
		return -ENOMEM;
	if (a->is_keyed)
		return make_keyed(h, md, key, key_bytes);
	/* A copy of a fresh state is quicker made than a fresh state. */
	h->inner = EVP_MD_CTX_new();
	if (!h->inner)
		return -ENOMEM;
	return EVP_DigestInit_ex2(h->inner, md, NULL) &&
			       EVP_MD_CTX_copy_ex(h->running, h->inner)
		       ? 0
		       : openssl_failure();
}

int openssl_hash_reset(void *hash)
{
	struct openssl_hash *h = hash;

	h->must_reset = true;
	return 0;
}

static bool begin(struct openssl_hash *h)
{
	if (!h->must_reset)
		return true;
	h->must_reset = false;
	return EVP_MD_CTX_copy_ex(h->running, h->inner);
}

static bool update(struct openssl_hash *h, const struct scatter *data,
		   uint32_t bytes)
{
	uint32_t left = bytes;

	for (unsigned int i = 0; i < data->count && left; i++) {
		size_t some = data->pieces[i].iov_len;

		if (some > left)
			some = left;
		if (some && !EVP_DigestUpdate(h->running,
					      data->pieces[i].iov_base, some))
			return false;
		left -= (uint32_t)some;
	}
	return true;
}

int openssl_hash_update(void *hash, const struct scatter *data, uint32_t bytes)
{
	struct openssl_hash *h = hash;

	return begin(h) && update(h, data, bytes) ? 0 : openssl_failure();
}

int openssl_hash_final(void *hash, const struct scatter *data, uint32_t bytes,
		       uint8_t *digest)
{
	struct openssl_hash *h = hash;
	unsigned int length;

	if (!begin(h) || !update(h, data, bytes) ||
	    !EVP_DigestFinal_ex(h->running, digest, &length))
		return openssl_failure();
	if (h->outer && (!EVP_MD_CTX_copy_ex(h->running, h->outer) ||
			 !EVP_DigestUpdate(h->running, digest, length) ||
			 !EVP_DigestFinal_ex(h->running, digest, NULL)))
		return openssl_failure();
	return 0;
}

int openssl_hash_copy(void *to, const void *from)
{
	const struct openssl_hash *f = from;
	struct openssl_hash *t = to;

	t->must_reset = f->must_reset;
	return EVP_MD_CTX_copy_ex(t->running, f->running) ? 0
							  : openssl_failure();
}

void openssl_hash_close(void *hash)
{
	struct openssl_hash *h = hash;

	EVP_MD_CTX_free(h->running); /* wipes */
	EVP_MD_CTX_free(h->inner);
	EVP_MD_CTX_free(h->outer);
	memset(h, 0, sizeof(*h));
}
