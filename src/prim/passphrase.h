/* SPDX-License-Identifier: Apache-2.0 */
/* passphrase.h - Argon2id (RFC 9106): a key from a passphrase */
#ifndef PVX_PRIM_PASSPHRASE_H
#define PVX_PRIM_PASSPHRASE_H

#include "base/secret.h"

#include <stddef.h>
#include <stdint.h>

#define PASSPHRASE_SALT_BYTES 16

/*
 * Bounds of the cost. The lower ones keep a link from asking for a cheap key
 * (RFC 9106's second option in passes and memory; libsodium has one lane),
 * the upper ones keep it from stopping the machine.
 */
#define PASSPHRASE_MIN_PASSES         3u
#define PASSPHRASE_MAX_PASSES         16u
#define PASSPHRASE_DEFAULT_PASSES     3u
#define PASSPHRASE_MIN_MEMORY_KIB     (64u * 1024)
#define PASSPHRASE_MAX_MEMORY_KIB     (1024u * 1024)
#define PASSPHRASE_DEFAULT_MEMORY_KIB (256u * 1024)

struct passphrase_params {
	uint8_t salt[PASSPHRASE_SALT_BYTES];
	uint32_t passes;
	uint32_t memory_kib;
};

/* 0, or -ERANGE when a cost is outside of its bounds. */
int passphrase_params_check(const struct passphrase_params *params);

/* The default cost and a new random salt. 0, or -errno of random_bytes(). */
int passphrase_params_new(struct passphrase_params *params);

/*
 * Argon2id version 1.3 with one lane. 0; -ERANGE as above; -ENOMEM when the
 * memory is not to be had. Takes a good part of a second.
 */
int passphrase_stretch(struct secret *key, const char *passphrase,
		       size_t passphrase_bytes,
		       const struct passphrase_params *params);

#endif
