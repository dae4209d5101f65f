/* SPDX-License-Identifier: Apache-2.0 */
/* provider_openssl.h - what the files of the openssl provider share */
#ifndef PVX_CRYPTO_PROVIDER_OPENSSL_H
#define PVX_CRYPTO_PROVIDER_OPENSSL_H

#include <openssl/evp.h>

#include "crypto/provider.h"

struct openssl;

/* The fetched implementation, kept by the provider: EVP_CIPHER of an algorithm
 * and key length, EVP_MD of a hash or an HMAC's hash. NULL: libcrypto has
 * none. Thread-safe. */
const EVP_CIPHER *openssl_cipher(struct openssl *o,
				 const struct cryptsess_algorithm *a,
				 uint32_t key_bytes);
const EVP_MD *openssl_md(struct openssl *o,
			 const struct cryptsess_algorithm *a);

/* libcrypto said no where it can only be out of memory or broken. */
int openssl_failure(void);

/* openssl_cipher.c: all block and stream modes, NULL, and XTS */
struct openssl_cipher {
	const struct cryptsess_algorithm *algorithm;
	const EVP_CIPHER *evp;  /* XTS: NULL for keys it refuses */
	const EVP_CIPHER *ecb;  /* XTS */
	EVP_CIPHER_CTX *ctx[2]; /* by direction; made when first used */
	EVP_CIPHER_CTX *ecb_ctx[2];
	EVP_CIPHER_CTX *tweak_ctx; /* XTS: the second key, encrypting */
	uint32_t key_bytes;
	uint8_t key[CRYPTSESS_MAX_KEY_BYTES];
};

int openssl_cipher_open(void *provider, void *cipher,
			const struct cryptsess_algorithm *a, const uint8_t *key,
			uint32_t key_bytes);
int openssl_cipher_run(void *cipher, const struct cipher_job *job);
void openssl_cipher_close(void *cipher);

/* openssl_xts.c: a data unit in any pieces, over ECB with the two halves of
 * the key */
int openssl_xts_run(EVP_CIPHER_CTX *ecb, EVP_CIPHER_CTX *tweak_ecb,
		    const struct cipher_job *job);

/* openssl_hash.c */
struct openssl_hash {
	EVP_MD_CTX *running;
	EVP_MD_CTX *inner; /* after the key block, or the empty hash */
	EVP_MD_CTX *outer; /* HMAC: after its key block; NULL: plain hash */
	bool must_reset;
};

int openssl_hash_open(void *provider, void *hash,
		      const struct cryptsess_algorithm *a, const uint8_t *key,
		      uint32_t key_bytes);
int openssl_hash_reset(void *hash);
int openssl_hash_update(void *hash, const struct scatter *data, uint32_t bytes);
int openssl_hash_final(void *hash, const struct scatter *data, uint32_t bytes,
		       uint8_t *digest);
int openssl_hash_copy(void *to, const void *from);
void openssl_hash_close(void *hash);

/* openssl_aead.c */
struct openssl_aead {
	const struct cryptsess_algorithm *algorithm;
	const EVP_CIPHER *evp;
	EVP_CIPHER_CTX *ctx[2]; /* by direction; decrypt when first used */
	/* CCM: what the context was keyed for; others need a new schedule */
	uint32_t nonce_bytes[2];
	uint32_t tag_bytes[2];
	uint32_t key_bytes;
	uint8_t key[CRYPTSESS_MAX_KEY_BYTES];
};

int openssl_aead_open(void *provider, void *aead,
		      const struct cryptsess_algorithm *a, const uint8_t *key,
		      uint32_t key_bytes);
int openssl_aead_run(void *aead, const struct aead_job *job);
void openssl_aead_close(void *aead);

#endif
