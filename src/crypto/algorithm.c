/* SPDX-License-Identifier: Apache-2.0 */
/* algorithm.c - the one table of ciphers, macs and hashes */

#include <string.h>

#include "base/bytes.h"
#include "cryptsess.h"

/* Clauses S2, S3, S5 and S11. */
#define CIPHER(ID, NAME, KERNEL, BLOCK, IV, MIN, MAX, STEP)               \
	.id = CRYPTSESS_##ID, .name = (NAME), .kernel_name = (KERNEL),    \
	.block_bytes = (BLOCK), .iv_bytes = (IV), .key_min_bytes = (MIN), \
	.key_max_bytes = (MAX), .key_step_bytes = (STEP)
#define HASH(ID, NAME, KERNEL, DIGEST)                                 \
	.id = CRYPTSESS_##ID, .name = (NAME), .kernel_name = (KERNEL), \
	.digest_bytes = (DIGEST), .is_mac = true
/* Keys of any length up to the limit: RFC 2104 hashes long ones first. */
#define HMAC(ID, NAME, KERNEL, DIGEST)                        \
	HASH(ID, NAME, KERNEL, DIGEST),                       \
		.is_keyed = true,                             \
		.key_max_bytes = CRYPTSESS_MAX_MAC_KEY_BYTES, \
		.key_step_bytes = 1

/* clang-format off */
static const struct cryptsess_algorithm algorithms[] = {
	{ CIPHER(AES_CBC, "aes-cbc", "cbc(aes)", 16, 16, 16, 32, 8) },
	{ CIPHER(AES_CTR, "aes-ctr", "ctr(aes)", 1, 16, 16, 32, 8),
	  .is_stream = true },
	{ CIPHER(AES_ECB, "aes-ecb", "ecb(aes)", 16, 0, 16, 32, 8) },
	{ CIPHER(AES_XTS, "aes-xts", "xts(aes)", 16, 16, 32, 64, 16) },
	{ CIPHER(AES_CFB, "aes-cfb", "cfb(aes)", 1, 16, 16, 32, 8) },
	{ CIPHER(AES_OFB, "aes-ofb", "ofb(aes)", 1, 16, 16, 32, 8) },
	{ CIPHER(AES_GCM, "aes-gcm", "gcm(aes)", 1, 12, 16, 32, 8),
	  .is_stream = true, .is_aead = true, .digest_bytes = 16 },
	{ CIPHER(AES_CCM, "aes-ccm", "ccm(aes)", 1, 16, 16, 32, 8),
	  .is_stream = true, .is_aead = true, .digest_bytes = 16 },
	{ CIPHER(3DES_CBC, "3des-cbc", "cbc(des3_ede)", 8, 8, 24, 24, 1) },
	{ CIPHER(DES_CBC, "des-cbc", "cbc(des)", 8, 8, 8, 8, 1) },
	{ CIPHER(BLOWFISH_CBC, "blowfish-cbc", "cbc(blowfish)", 8, 8, 4, 56, 1) },
	{ CIPHER(CAMELLIA_CBC, "camellia-cbc", "cbc(camellia)", 16, 16, 16, 32,
		 8) },
	{ CIPHER(NULL, "null", "ecb(cipher_null)", 1, 0, 0, 0, 1),
	  .is_stream = true },
	{ HASH(MD5, "md5", "md5", 16) },
	{ HASH(SHA1, "sha1", "sha1", 20) },
	{ HASH(RIPEMD160, "ripemd160", "rmd160", 20) },
	{ HASH(SHA224, "sha224", "sha224", 28) },
	{ HASH(SHA256, "sha256", "sha256", 32) },
	{ HASH(SHA384, "sha384", "sha384", 48) },
	{ HASH(SHA512, "sha512", "sha512", 64) },
	{ HMAC(HMAC_MD5, "hmac-md5", "hmac(md5)", 16) },
	{ HMAC(HMAC_SHA1, "hmac-sha1", "hmac(sha1)", 20) },
	{ HMAC(HMAC_RIPEMD160, "hmac-ripemd160", "hmac(rmd160)", 20) },
	{ HMAC(HMAC_SHA224, "hmac-sha224", "hmac(sha224)", 28) },
	{ HMAC(HMAC_SHA256, "hmac-sha256", "hmac(sha256)", 32) },
	{ HMAC(HMAC_SHA384, "hmac-sha384", "hmac(sha384)", 48) },
	{ HMAC(HMAC_SHA512, "hmac-sha512", "hmac(sha512)", 64) },
};
/* clang-format on */

const struct cryptsess_algorithm *cryptsess_algorithm_at(unsigned int index)
{
	return index < ARRAY_SIZE(algorithms) ? &algorithms[index] : NULL;
}

static const struct cryptsess_algorithm *find(uint32_t id, bool is_mac)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (algorithms[i].id == id && algorithms[i].is_mac == is_mac)
			return &algorithms[i];
	return NULL;
}

const struct cryptsess_algorithm *cryptsess_cipher_by_id(uint32_t id)
{
	return find(id, false);
}

const struct cryptsess_algorithm *cryptsess_mac_by_id(uint32_t id)
{
	return find(id, true);
}

const struct cryptsess_algorithm *cryptsess_algorithm_by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
		if (strcmp(algorithms[i].name, name) == 0)
			return &algorithms[i];
	return NULL;
}
