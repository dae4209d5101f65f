/* SPDX-License-Identifier: Apache-2.0 */
/* shorthash.c - keyed hash for tables whose keys strangers choose */

#include "prim/shorthash.h"
#include "base/bytes.h"

#include <sodium.h>

_Static_assert(SHORTHASH_KEY_BYTES == crypto_shorthash_KEYBYTES, "one size");

uint32_t shorthash(const uint8_t key[SHORTHASH_KEY_BYTES], const void *data,
		   size_t bytes)
{
	uint8_t digest[crypto_shorthash_BYTES];

	(void)crypto_shorthash(digest, data, bytes, key); /* always 0 */
	return bytes_get_be32(digest);
}
