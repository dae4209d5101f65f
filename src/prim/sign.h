/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h - Ed25519 signatures (RFC 8032), strict */
#ifndef PVX_PRIM_SIGN_H
#define PVX_PRIM_SIGN_H

#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGN_PUBLIC_BYTES 32
#define SIGN_BYTES        64

/* A key pair. Lives in memory of secret_alloc(); dies in secret_wipe(). */
struct sign_key {
	uint8_t public_key[SIGN_PUBLIC_BYTES];
	uint8_t secret[64]; /* seed, then the public key again */
};

/* The key pair of a seed (RFC 8032, 5.1.5). */
void sign_key_from_seed(struct sign_key *key, const struct secret *seed);

/* Sign; deterministic, so it needs no randomness and cannot fail. */
void sign_make(uint8_t signature[SIGN_BYTES], const struct sign_key *key,
	       const void *message, size_t message_bytes);

/*
 * Whether the signature is valid. Refused are also: an S that is not below
 * the group order, a public key that is not canonical or not on the curve,
 * and a public key or R of small order. So a signature has one form only
 * (SUF-CMA) and binds one message (checklist 7).
 */
bool sign_is_valid(const uint8_t signature[SIGN_BYTES],
		   const uint8_t public_key[SIGN_PUBLIC_BYTES],
		   const void *message, size_t message_bytes);

/* Whether a public key is canonical, on the curve and in the prime-order
 * subgroup: to be asked once, where a key is imported. */
bool sign_public_is_acceptable(const uint8_t public_key[SIGN_PUBLIC_BYTES]);

#endif
