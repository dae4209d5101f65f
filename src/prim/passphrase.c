/* SPDX-License-Identifier: Apache-2.0 */
/* passphrase.c - Argon2id (RFC 9106): a key from a passphrase */

#include "prim/passphrase.h"
#include "prim/random.h"

#include <sodium.h>

#include <errno.h>

_Static_assert(PASSPHRASE_SALT_BYTES == crypto_pwhash_argon2id_SALTBYTES,
	       "salt");

int passphrase_params_check(const struct passphrase_params *params)
{
	if (params->passes < PASSPHRASE_MIN_PASSES ||
	    params->passes > PASSPHRASE_MAX_PASSES ||
	    params->memory_kib < PASSPHRASE_MIN_MEMORY_KIB ||
	    params->memory_kib > PASSPHRASE_MAX_MEMORY_KIB)
		return -ERANGE;
	return 0;
}

int passphrase_params_new(struct passphrase_params *params)
{
	params->passes = PASSPHRASE_DEFAULT_PASSES;
	params->memory_kib = PASSPHRASE_DEFAULT_MEMORY_KIB;
	return random_bytes(params->salt, sizeof(params->salt));
}

int passphrase_stretch(struct secret *key, const char *passphrase,
		       size_t passphrase_bytes,
		       const struct passphrase_params *params)
{
	int err = passphrase_params_check(params);

	if (err)
		return err;
	/* Chooses the fastest code for this processor; safe to repeat. */
	if (sodium_init() < 0)
		return -ENOMEM;
	if (crypto_pwhash_argon2id(key->bytes, sizeof(key->bytes), passphrase,
				   passphrase_bytes, params->salt,
				   params->passes,
				   (size_t)params->memory_kib * 1024,
				   crypto_pwhash_argon2id_ALG_ARGON2ID13)) {
		secret_wipe(key, sizeof(*key));
		return -ENOMEM;
	}
	return 0;
}
