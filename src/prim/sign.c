/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c - Ed25519 signatures (RFC 8032), strict */

/*
 * libsodium and not OpenSSL: OpenSSL 3.0 accepts public keys and R of small
 * order, with which one signature holds for every message.
 */
#include "prim/sign.h"

#include <sodium.h>

_Static_assert(SIGN_PUBLIC_BYTES == crypto_sign_ed25519_PUBLICKEYBYTES,
	       "public key");
_Static_assert(SIGN_BYTES == crypto_sign_ed25519_BYTES, "signature");
_Static_assert(sizeof(((struct sign_key *)0)->secret) ==
		       crypto_sign_ed25519_SECRETKEYBYTES,
	       "secret key");
_Static_assert(SECRET_BYTES == crypto_sign_ed25519_SEEDBYTES, "seed");

void sign_key_from_seed(struct sign_key *key, const struct secret *seed)
{
	/* Always 0: there is no seed without a key. */
	crypto_sign_ed25519_seed_keypair(key->public_key, key->secret,
					 seed->bytes);
}

void sign_make(uint8_t signature[SIGN_BYTES], const struct sign_key *key,
	       const void *message, size_t message_bytes)
{
	crypto_sign_ed25519_detached(signature, NULL, message, message_bytes,
				     key->secret);
}

bool sign_is_valid(const uint8_t signature[SIGN_BYTES],
		   const uint8_t public_key[SIGN_PUBLIC_BYTES],
		   const void *message, size_t message_bytes)
{
	return crypto_sign_ed25519_verify_detached(
		       signature, message, message_bytes, public_key) == 0;
}

bool sign_public_is_acceptable(const uint8_t public_key[SIGN_PUBLIC_BYTES])
{
	return crypto_core_ed25519_is_valid_point(public_key) == 1;
}
