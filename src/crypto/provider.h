/* SPDX-License-Identifier: Apache-2.0 */
/* provider.h - what a provider of crypto primitives fills in */
#ifndef PVX_CRYPTO_PROVIDER_H
#define PVX_CRYPTO_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/scatter.h"
#include "cryptsess.h"

/*
 * How it works: the core (session.c, crypt.c, authcrypt.c, tls.c, srtp.c) has
 * every rule of docs/spec/cryptsess.md; a provider has primitives. It is one
 * const struct, a row of the table in provider.c, whose order is the
 * preference.
 *
 * What the core has done before it calls: the algorithm is one that has()
 * admitted; the key's length is legal; lengths are multiples of the block;
 * direction is 0 or 1; the lists hold the bytes asked for (and may be longer);
 * source and destination do not overlap, or byte by byte at the same place;
 * with needs_contiguous every list is one piece (scatter_one() gives it).
 *
 * States (cipher, hash, aead) are the core's memory: zeroed before open,
 * wiped after close, in locked pages. close is called after open alone, also
 * after one that failed, so it must be safe on a zeroed state.
 *
 * Return values: 0 or -errno. -ENODEV when the device behind is gone, -E2BIG
 * for more than it takes in one request, which touches nothing; -EBADMSG for a
 * wrong tag and for nothing else. Another failed run may leave anything in the
 * destination; where that could be plaintext of an AEAD the core zeroes it.
 *
 * Threads: open, has, *_open and *_close may be called from several at once;
 * one state is used by one thread at a time.
 */
struct cipher_job {
	uint16_t direction;
	const uint8_t *iv; /* iv_bytes; the core itself works out the chained
			    * IV (clause E2), so none is returned */
	struct scatter src;
	struct scatter dst;
	uint32_t bytes; /* above 0; in OFB whole blocks */
};

/* GCM and CCM. The tag lies directly behind the ciphertext: in `dst` when
 * encrypting, in `src` when decrypting. The IV is not chained. */
struct aead_job {
	uint16_t direction;
	const uint8_t *iv; /* iv_bytes; CCM: the Linux layout, checked */
	struct scatter auth;
	uint32_t auth_bytes;
	struct scatter src;
	struct scatter dst;
	uint32_t text_bytes; /* without the tag; may be 0 */
	uint32_t tag_bytes;  /* legal for the algorithm */
};

struct provider {
	const char *name;
	const char *description; /* one line, for people */
	bool takes_path;         /* "NAME:PATH" is allowed */
	bool needs_contiguous;   /* lists of one piece only */
	/* hash_copy costs about as much as a hash block; the TLS form then
	 * computes its MAC in constant time (clause T5). */
	bool has_cheap_copy;

	/* `path` is NULL without one. On failure says why, for people, and
	 * returns -ENODEV; *provider is passed to the other calls. */
	int (*open)(void **provider, const char *path, char *why,
		    size_t why_bytes);
	void (*close)(void *provider);
	bool (*has)(void *provider, const struct cryptsess_algorithm *a);

	size_t cipher_bytes; /* of a cipher's state */
	int (*cipher_open)(void *provider, void *cipher,
			   const struct cryptsess_algorithm *a,
			   const uint8_t *key, uint32_t key_bytes);
	int (*cipher_run)(void *cipher, const struct cipher_job *job);
	void (*cipher_close)(void *cipher);

	/*
	 * Hashes and HMACs. A state begins, and begins again after reset, with
	 * nothing hashed; reset must not wait for a device (note it and do it
	 * with the next call). final hashes its data first, so reset and final
	 * are a one-shot digest: one CIOCCRYPT with flags 0. After final only
	 * reset, copy onto it and close are called. `bytes` may be 0.
	 */
	size_t hash_bytes; /* of a hash's state */
	int (*hash_open)(void *provider, void *hash,
			 const struct cryptsess_algorithm *a,
			 const uint8_t *key, uint32_t key_bytes);
	int (*hash_reset)(void *hash);
	int (*hash_update)(void *hash, const struct scatter *data,
			   uint32_t bytes);
	int (*hash_final)(void *hash, const struct scatter *data,
			  uint32_t bytes, uint8_t *digest);
	/* The running state of `from`, of the same algorithm; `to` keeps its
	 * key for the outer hash. NULL, or -ENOSYS: cannot. */
	int (*hash_copy)(void *to, const void *from);
	void (*hash_close)(void *hash);

	size_t aead_bytes; /* of an AEAD's state */
	int (*aead_open)(void *provider, void *aead,
			 const struct cryptsess_algorithm *a,
			 const uint8_t *key, uint32_t key_bytes);
	int (*aead_run)(void *aead, const struct aead_job *job);
	void (*aead_close)(void *aead);
};

extern const struct provider provider_openssl;
extern const struct provider provider_cryptodev;
extern const struct provider provider_afalg;

/* An open provider. */
struct cryptsess_provider {
	const struct provider *ops;
	void *state; /* the provider's own */
	char *name;  /* as it was opened by */
};

#endif
