// SPDX-License-Identifier: GPL-2.0-only
/* algorithm.c - what the interface says of its algorithms */
#include "kernel/algorithm.h"

#include <linux/kernel.h>

#include "abi/cryptodev.h"

#define AES_KEYS .key_least = 16, .key_most = 32, .key_step = 8
#define CBC(bytes) \
	.flags = VCD_IS_CUT, .block_bytes = (bytes), .iv_bytes = (bytes)
#define HASH(bytes) .flags = VCD_IS_MAC, .digest_bytes = (bytes)
#define HMAC(bytes) .flags = VCD_IS_MAC | VCD_IS_HMAC, .digest_bytes = (bytes)
#define AEAD(more)                                                       \
	.flags = VCD_IS_AEAD | VCD_IS_STREAM | (more), .block_bytes = 1, \
	.tag_bytes = 16

/* S2, S3, S5, S11 */
static const struct vcd_algorithm algorithms[] = {
	[CRYPTO_DES_CBC] = { CBC(8), .key_least = 8, .key_most = 8 },
	[CRYPTO_3DES_CBC] = { CBC(8), .key_least = 24, .key_most = 24 },
	[CRYPTO_BLF_CBC] = { CBC(8), .key_least = 4, .key_most = 56,
			     .key_step = 1 },
	[CRYPTO_AES_CBC] = { CBC(16), AES_KEYS },
	[CRYPTO_CAMELLIA_CBC] = { CBC(16), AES_KEYS },
	[CRYPTO_NULL] = { .flags = VCD_IS_CUT | VCD_IS_STREAM,
			  .block_bytes = 1 },
	[CRYPTO_AES_CTR] = { .flags = VCD_IS_CUT | VCD_IS_STREAM,
			     .block_bytes = 1,
			     .iv_bytes = 16,
			     AES_KEYS },
	[CRYPTO_AES_XTS] = { .block_bytes = 16,
			     .iv_bytes = 16,
			     .key_least = 32,
			     .key_most = 64,
			     .key_step = 16 },
	[CRYPTO_AES_ECB] = { .flags = VCD_IS_CUT, .block_bytes = 16, AES_KEYS },
	[CRYPTO_AES_CFB] = { .flags = VCD_IS_CUT,
			     .block_bytes = 1,
			     .iv_bytes = 16,
			     AES_KEYS },
	[CRYPTO_AES_OFB] = { .block_bytes = 1, .iv_bytes = 16, AES_KEYS },
	[CRYPTO_AES_GCM] = { AEAD(0), .iv_bytes = 12, AES_KEYS },
	[CRYPTO_AES_CCM] = { AEAD(VCD_HAS_HALF), .iv_bytes = 16, AES_KEYS },
	[CRYPTO_MD5_HMAC] = { HMAC(16) },
	[CRYPTO_SHA1_HMAC] = { HMAC(20) },
	[CRYPTO_RIPEMD160_HMAC] = { HMAC(20) },
	[CRYPTO_SHA2_224_HMAC] = { HMAC(28) },
	[CRYPTO_SHA2_256_HMAC] = { HMAC(32) },
	[CRYPTO_SHA2_384_HMAC] = { HMAC(48) },
	[CRYPTO_SHA2_512_HMAC] = { HMAC(64) },
	[CRYPTO_MD5] = { HASH(16) },
	[CRYPTO_SHA1] = { HASH(20) },
	[CRYPTO_RIPEMD160] = { HASH(20) },
	[CRYPTO_SHA2_224] = { HASH(28) },
	[CRYPTO_SHA2_256] = { HASH(32) },
	[CRYPTO_SHA2_384] = { HASH(48) },
	[CRYPTO_SHA2_512] = { HASH(64) },
};

static const struct vcd_algorithm *find(u32 id, u32 kind)
{
	const struct vcd_algorithm *a;

	if (id >= ARRAY_SIZE(algorithms))
		return NULL;
	a = &algorithms[id];
	if (!a->block_bytes && !a->digest_bytes)
		return NULL;
	return (a->flags & VCD_IS_MAC) == kind ? a : NULL;
}

const struct vcd_algorithm *vcd_cipher_find(u32 id)
{
	return find(id, 0);
}

const struct vcd_algorithm *vcd_mac_find(u32 id)
{
	return find(id, VCD_IS_MAC);
}

bool vcd_cipher_takes_key(const struct vcd_algorithm *cipher, u32 bytes)
{
	if (bytes < cipher->key_least || bytes > cipher->key_most)
		return false;
	return !cipher->key_step ||
	       (bytes - cipher->key_least) % cipher->key_step == 0;
}

bool vcd_aead_takes_tag(const struct vcd_algorithm *aead, u32 bytes)
{
	if (bytes < 4 || bytes > 16)
		return false;
	if (aead->flags & VCD_HAS_HALF)
		return bytes % 2 == 0;
	return bytes == 4 || bytes == 8 || bytes >= 12;
}
