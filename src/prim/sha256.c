/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.c - SHA-256 (FIPS 180-4) */

#include "prim/sha256.h"
#include "base/secret.h"

#include <sodium.h>

void sha256_parts(uint8_t digest[SHA256_BYTES], const struct iovec *parts,
		  unsigned int count)
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	for (unsigned int i = 0; i < count; i++)
		crypto_hash_sha256_update(&state, parts[i].iov_base,
					  parts[i].iov_len);
	crypto_hash_sha256_final(&state, digest);
	secret_wipe(&state, sizeof(state));
}

void sha256_bytes(uint8_t digest[SHA256_BYTES], const void *data, size_t bytes)
{
	crypto_hash_sha256(digest, data, bytes);
}
