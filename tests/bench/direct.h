/* SPDX-License-Identifier: Apache-2.0 */
/* direct.h - the same operations without a device between, as the limit */
#ifndef PVX_TESTS_DIRECT_H
#define PVX_TESTS_DIRECT_H

#include <stddef.h>
#include <stdint.h>

#include "cryptsess.h"

/* What is measured. The device's session, and libcrypto's names. */
struct bench_algorithm {
	const char *name;
	uint32_t cipher; /* enum cryptsess_cipher, or 0 */
	uint32_t mac;
	uint32_t key_bytes;
	uint32_t iv_bytes;
	uint32_t extra_bytes; /* behind the destination: tag or digest */
	const char *evp;      /* of a cipher, or of a hash */
};

extern const struct bench_algorithm bench_algorithms[];
extern const unsigned int bench_algorithm_count;
extern const uint8_t bench_key[64];
extern const uint8_t bench_iv[16];

/* Warm contexts for one algorithm. */
struct direct {
	const struct bench_algorithm *algorithm;
	void *evp; /* EVP_CIPHER_CTX, EVP_MD_CTX or EVP_MAC_CTX */
	void *method;
	struct cryptsess *session;
};

int direct_open(struct direct *direct, const struct bench_algorithm *algorithm,
		struct cryptsess_provider *provider);
void direct_close(struct direct *direct);

/* One operation; `dst` has room for what the device writes: ciphertext and
 * tag, or the digest alone. 0 or -EIO. */
int direct_libcrypto(struct direct *direct, const uint8_t *src, uint8_t *dst,
		     uint32_t bytes);
int direct_cryptsess(struct direct *direct, const uint8_t *src, uint8_t *dst,
		     uint32_t bytes);

#endif
