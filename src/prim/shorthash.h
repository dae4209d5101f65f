/* SPDX-License-Identifier: Apache-2.0 */
/* shorthash.h - keyed hash for tables whose keys strangers choose */
#ifndef PVX_PRIM_SHORTHASH_H
#define PVX_PRIM_SHORTHASH_H

#include <stddef.h>
#include <stdint.h>

#define SHORTHASH_KEY_BYTES 16

/* SipHash-2-4, half of it. Who does not know the key cannot choose data
 * that fall into one place of a table. No protection of anything else. */
uint32_t shorthash(const uint8_t key[SHORTHASH_KEY_BYTES], const void *data,
		   size_t bytes);

#endif
