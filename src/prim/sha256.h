/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - SHA-256 (FIPS 180-4) */
#ifndef PVX_PRIM_SHA256_H
#define PVX_PRIM_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define SHA256_BYTES 32

/* The digest of the parts, one behind the other. `digest` may be one of the
 * parts. The state is wiped. */
void sha256_parts(uint8_t digest[SHA256_BYTES], const struct iovec *parts,
		  unsigned int count);

/* The digest of one string. */
void sha256_bytes(uint8_t digest[SHA256_BYTES], const void *data, size_t bytes);

#endif
