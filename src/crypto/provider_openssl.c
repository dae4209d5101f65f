/* SPDX-License-Identifier: Apache-2.0 */
/* provider_openssl.c - the provider on libcrypto, in this process */

#include "crypto/provider_openssl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/provider.h>

#include "base/bytes.h"

/*
 * How it works: a library context of our own, so that neither openssl.cnf nor
 * the program's use of libcrypto changes what we have, with the default and,
 * for DES and Blowfish, the legacy provider. What has been fetched stays: a
 * session then costs no search by name. Failures leave nothing in the
 * thread's error queue.
 */
enum {
	NAMES = 3 /* key lengths of one algorithm */
};

/* libcrypto's name for each key length, or for the hash; NULL: it has none. */
static const struct name {
	uint32_t id;
	bool is_mac;
	bool is_any_length; /* one name for all key lengths */
	const char *names[NAMES];
} names[] = {
/* clang-format off */
#define LENGTHS(ID, FAMILY, MODE)                         \
	{ CRYPTSESS_##ID, false, false,                   \
	  { FAMILY "-128-" MODE, FAMILY "-192-" MODE,     \
	    FAMILY "-256-" MODE } }
#define HASH_AND_HMAC(ID)                                 \
	{ CRYPTSESS_##ID, true, true, { #ID } },          \
	{ CRYPTSESS_HMAC_##ID, true, true, { #ID } }
	LENGTHS(AES_CBC, "AES", "CBC"),
	LENGTHS(AES_CTR, "AES", "CTR"),
	LENGTHS(AES_ECB, "AES", "ECB"),
	LENGTHS(AES_CFB, "AES", "CFB"),
	LENGTHS(AES_OFB, "AES", "OFB"),
	LENGTHS(AES_GCM, "AES", "GCM"),
	LENGTHS(AES_CCM, "AES", "CCM"),
	LENGTHS(CAMELLIA_CBC, "CAMELLIA", "CBC"),
	{ CRYPTSESS_AES_XTS, false, false,
	  { "AES-128-XTS", NULL, "AES-256-XTS" } },
	{ CRYPTSESS_3DES_CBC, false, true, { "DES-EDE3-CBC" } },
	{ CRYPTSESS_DES_CBC, false, true, { "DES-CBC" } },
	{ CRYPTSESS_BLOWFISH_CBC, false, true, { "BF-CBC" } },
	HASH_AND_HMAC(MD5),
	HASH_AND_HMAC(SHA1),
	HASH_AND_HMAC(RIPEMD160),
	HASH_AND_HMAC(SHA224),
	HASH_AND_HMAC(SHA256),
	HASH_AND_HMAC(SHA384),
	HASH_AND_HMAC(SHA512),
	/* clang-format on */
};

struct openssl {
	OSSL_LIB_CTX *library;
	OSSL_PROVIDER *base;
	OSSL_PROVIDER *legacy; /* NULL: no DES, no Blowfish here */
	pthread_mutex_t lock;  /* guards what is below */
	EVP_CIPHER *ciphers[ARRAY_SIZE(names)][NAMES];
	EVP_MD *mds[ARRAY_SIZE(names)];
};

int openssl_failure(void)
{
	unsigned long code = ERR_peek_last_error();

	ERR_clear_error();
	return ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE ? -ENOMEM : -EIO;
}

static size_t find(const struct cryptsess_algorithm *a)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(names) &&
	       (names[i].id != a->id || names[i].is_mac != a->is_mac))
		i++;
	return i;
}

const EVP_CIPHER *openssl_cipher(struct openssl *o,
				 const struct cryptsess_algorithm *a,
				 uint32_t key_bytes)
{
	size_t i = find(a), k = 0;
	EVP_CIPHER *cipher;

	if (i == ARRAY_SIZE(names))
		return NULL;
	if (!names[i].is_any_length)
		k = (key_bytes - a->key_min_bytes) / a->key_step_bytes;
	pthread_mutex_lock(&o->lock);
	if (!o->ciphers[i][k] && names[i].names[k]) {
		o->ciphers[i][k] =
			EVP_CIPHER_fetch(o->library, names[i].names[k], NULL);
		ERR_clear_error();
	}
	cipher = o->ciphers[i][k];
	pthread_mutex_unlock(&o->lock);
	return cipher;
}

const EVP_MD *openssl_md(struct openssl *o, const struct cryptsess_algorithm *a)
{
	size_t i = find(a);
	EVP_MD *md;

	if (i == ARRAY_SIZE(names))
		return NULL;
	pthread_mutex_lock(&o->lock);
	if (!o->mds[i]) {
		o->mds[i] = EVP_MD_fetch(o->library, names[i].names[0], NULL);
		ERR_clear_error();
	}
	md = o->mds[i];
	pthread_mutex_unlock(&o->lock);
	return md;
}

static void provider_close(void *provider)
{
	struct openssl *o = provider;

	if (!o)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		EVP_MD_free(o->mds[i]);
		for (size_t k = 0; k < NAMES; k++)
			EVP_CIPHER_free(o->ciphers[i][k]);
	}
	if (o->legacy)
		OSSL_PROVIDER_unload(o->legacy);
	if (o->base)
		OSSL_PROVIDER_unload(o->base);
	OSSL_LIB_CTX_free(o->library);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

static int provider_open(void **provider, const char *path, char *why,
			 size_t why_bytes)
{
	struct openssl *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	pthread_mutex_init(&o->lock, NULL);
	/* libcrypto reads openssl.cnf for others with whatever is used first:
	 * now, when files may still be opened. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
	o->library = OSSL_LIB_CTX_new();
	if (o->library)
		o->base = OSSL_PROVIDER_load(o->library, "default");
	if (!o->base) {
		snprintf(why, why_bytes,
			 "libcrypto cannot load its default provider");
		provider_close(o);
		ERR_clear_error();
		return -ENODEV;
	}
	o->legacy = OSSL_PROVIDER_load(o->library, "legacy");
	ERR_clear_error();
	*provider = o;
	return 0;
}

static bool provider_has(void *provider, const struct cryptsess_algorithm *a)
{
	if (a->is_mac)
		return openssl_md(provider, a) != NULL;
	return a->id == CRYPTSESS_NULL ||
	       openssl_cipher(provider, a, a->key_min_bytes) != NULL;
}

const struct provider provider_openssl = {
	.name = "openssl",
	.description = "libcrypto, in this process",
	.has_cheap_copy = true,
	.open = provider_open,
	.close = provider_close,
	.has = provider_has,
	.cipher_bytes = sizeof(struct openssl_cipher),
	.cipher_open = openssl_cipher_open,
	.cipher_run = openssl_cipher_run,
	.cipher_close = openssl_cipher_close,
	.hash_bytes = sizeof(struct openssl_hash),
	.hash_open = openssl_hash_open,
	.hash_reset = openssl_hash_reset,
	.hash_update = openssl_hash_update,
	.hash_final = openssl_hash_final,
	.hash_copy = openssl_hash_copy,
	.hash_close = openssl_hash_close,
	.aead_bytes = sizeof(struct openssl_aead),
	.aead_open = openssl_aead_open,
	.aead_run = openssl_aead_run,
	.aead_close = openssl_aead_close,
};
