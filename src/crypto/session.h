/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - what a session holds, and the steps that its forms share */
#ifndef PVX_CRYPTO_SESSION_H
#define PVX_CRYPTO_SESSION_H

#include "crypto/provider.h"

enum hash_phase {
	HASH_FRESH,    /* nothing hashed yet */
	HASH_RUNNING,  /* a multi-part hash is under way */
	HASH_FINISHED, /* the next operation starts afresh (clause E10) */
};

/*
 * One block of locked memory; the provider's states lie behind the struct.
 * `cipher` is also set for an AEAD, whose state is `aead`; a mac beside an AEAD
 * is checked and forgotten (clause S7).
 */
struct cryptsess {
	struct cryptsess_provider *provider; /* borrowed; outlives us */
	const struct provider *ops;
	const struct cryptsess_algorithm *cipher; /* NULL: none */
	const struct cryptsess_algorithm *mac;    /* NULL: none */
	void *cipher_state;
	void *aead_state;
	void *hash_state;
	void *spare_hash; /* for the TLS form's copies; NULL: has none */
	enum hash_phase hash_phase;
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES]; /* the chained IV */
};

/*
 * Run the cipher over the first `bytes` bytes, from the session's IV, and chain
 * it. src and dst may be equal, not overlap otherwise. 0 bytes is no work.
 */
int session_cipher(struct cryptsess *s, uint16_t direction,
		   const struct scatter *src, const struct scatter *dst,
		   uint32_t bytes);

/* Begin the hash again when flags or phase ask for it (clauses E9, E10). */
int session_hash_begin(struct cryptsess *s, bool must_reset);
int session_hash_update(struct cryptsess *s, const struct scatter *data,
			uint32_t bytes);
int session_hash_final(struct cryptsess *s, const struct scatter *data,
		       uint32_t bytes, uint8_t *digest);

/* The forms of CIOCAUTHCRYPT. The caller has checked clause A1; op->tag_bytes
 * is not 0 unless there is no tag. They take op->iv with their first byte of
 * data, so a request that is refused leaves the session's IV alone. */
int session_aead(struct cryptsess *s, struct cryptsess_authcrypt *op);
int session_tls(struct cryptsess *s, struct cryptsess_authcrypt *op);
int session_srtp(struct cryptsess *s, struct cryptsess_authcrypt *op);

#endif
