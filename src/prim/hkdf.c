/* SPDX-License-Identifier: Apache-2.0 */
/* hkdf.c - HMAC-SHA-256 and HKDF-SHA-256 (RFC 2104, RFC 5869) */

/*
 * Over libsodium's HMAC and not OpenSSL's EVP_KDF: the state is on the stack,
 * so nothing is allocated per message and no secret is left on the heap. The
 * unit test compares the two.
 */
#include "prim/hkdf.h"

#include <sodium.h>

#include <errno.h>
#include <string.h>

_Static_assert(SECRET_BYTES == crypto_auth_hmacsha256_BYTES, "digest");

void hkdf_extract(struct secret *prk, const void *salt, size_t salt_bytes,
		  const void *material, size_t material_bytes)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, salt, salt_bytes);
	crypto_auth_hmacsha256_update(&state, material, material_bytes);
	crypto_auth_hmacsha256_final(&state, prk->bytes);
	secret_wipe(&state, sizeof(state));
}

/* T(i) = HMAC(PRK, T(i-1) || info || i); the info comes in two parts. */
static void expand_block(struct secret *t, const struct secret *prk,
			 uint8_t counter, const void *first, size_t first_bytes,
			 const void *second, size_t second_bytes)
{
	crypto_auth_hmacsha256_state state;

	crypto_auth_hmacsha256_init(&state, prk->bytes, sizeof(prk->bytes));
	if (counter > 1)
		crypto_auth_hmacsha256_update(&state, t->bytes,
					      sizeof(t->bytes));
	crypto_auth_hmacsha256_update(&state, first, first_bytes);
	crypto_auth_hmacsha256_update(&state, second, second_bytes);
	crypto_auth_hmacsha256_update(&state, &counter, 1);
	crypto_auth_hmacsha256_final(&state, t->bytes);
	secret_wipe(&state, sizeof(state));
}

int hkdf_expand(void *out, size_t out_bytes, const struct secret *prk,
		const void *info, size_t info_bytes)
{
	uint8_t *at = out;
	struct secret t;

	if (out_bytes > HKDF_MAX_OUT_BYTES)
		return -EINVAL;
	for (unsigned int i = 1; out_bytes; i++) {
		size_t piece = out_bytes < sizeof(t) ? out_bytes : sizeof(t);

		expand_block(&t, prk, (uint8_t)i, info, info_bytes, NULL, 0);
		memcpy(at, t.bytes, piece);
		at += piece;
		out_bytes -= piece;
	}
	secret_wipe(&t, sizeof(t));
	return 0;
}

void hkdf_derive(struct secret *out, const struct secret *prk,
		 const char *label, const void *context, size_t context_bytes)
{
	expand_block(out, prk, 1, label, strlen(label) + 1, context,
		     context_bytes);
}
