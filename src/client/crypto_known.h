/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_known.h - a published answer for each algorithm */
#ifndef PVX_CLIENT_CRYPTO_KNOWN_H
#define PVX_CLIENT_CRYPTO_KNOWN_H

/* In hexadecimal; "" for what the algorithm does not use. The output of an
 * AEAD is the ciphertext with its tag, that of a mac the digest. */
struct crypto_known {
	const char *algorithm;
	const char *key;
	const char *iv;
	const char *aad;
	const char *input;
	const char *output;
};

/* Ended by a row without an algorithm. */
extern const struct crypto_known crypto_known[];

#endif
