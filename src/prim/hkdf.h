/* SPDX-License-Identifier: Apache-2.0 */
/* hkdf.h - HMAC-SHA-256 and HKDF-SHA-256 (RFC 2104, RFC 5869) */
#ifndef PVX_PRIM_HKDF_H
#define PVX_PRIM_HKDF_H

#include "base/secret.h"

#include <stddef.h>
#include <stdint.h>

#define HKDF_MAX_OUT_BYTES (255 * SECRET_BYTES)

/*
 * Extract (RFC 5869, 2.2): a pseudorandom key from input key material. A salt
 * of 0 bytes (NULL) is the RFC's string of zeros.
 */
void hkdf_extract(struct secret *prk, const void *salt, size_t salt_bytes,
		  const void *material, size_t material_bytes);

/*
 * Expand (RFC 5869, 2.3): `out_bytes` bytes, at most HKDF_MAX_OUT_BYTES. 0, or
 * -EINVAL above that.
 */
int hkdf_expand(void *out, size_t out_bytes, const struct secret *prk,
		const void *info, size_t info_bytes);

/*
 * Expand to one 256-bit key. The info is `label`, a NUL, and the context, so
 * that no label is the beginning of another's info.
 */
void hkdf_derive(struct secret *out, const struct secret *prk,
		 const char *label, const void *context, size_t context_bytes);

#endif
