// SPDX-License-Identifier: GPL-2.0-only
/* algorithm.c - what the interface says of its algorithms */
#include "kernel/algorithm.h"

#include <linux/kernel.h>

#include "abi/cryptodev.h"

#define AES_KEYS 16, 32, 8

static const struct vcd_algorithm algorithms[] = {
	[CRYPTO_DES_CBC] = { VCD_IS_CUT, 8, 8, 0 },
	[CRYPTO_3DES_CBC] = { VCD_IS_CUT, 24, 24, 0 },
	[CRYPTO_BLF_CBC] = { VCD_IS_CUT, 4, 56, 1 },
	[CRYPTO_AES_CBC] = { VCD_IS_CUT, AES_KEYS },
	[CRYPTO_NULL] = { VCD_IS_CUT, 0, 0, 0 },
	[CRYPTO_AES_CTR] = { VCD_IS_CUT, AES_KEYS },
	[CRYPTO_AES_XTS] = { 0, 32, 64, 16 },
	[CRYPTO_AES_ECB] = { VCD_IS_CUT, AES_KEYS },
	[CRYPTO_AES_CFB] = { VCD_IS_CUT, AES_KEYS },
	[CRYPTO_AES_OFB] = { 0, AES_KEYS },
	[CRYPTO_AES_GCM] = { VCD_IS_AEAD, AES_KEYS },
	[CRYPTO_AES_CCM] = { VCD_IS_AEAD | VCD_HAS_HALF, AES_KEYS },
	[CRYPTO_CAMELLIA_CBC] = { VCD_IS_CUT, AES_KEYS },
	[CRYPTO_MD5_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_SHA1_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_RIPEMD160_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_SHA2_224_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_SHA2_256_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_SHA2_384_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_SHA2_512_HMAC] = { VCD_IS_MAC | VCD_IS_HMAC },
	[CRYPTO_MD5] = { VCD_IS_MAC },
	[CRYPTO_SHA1] = { VCD_IS_MAC },
	[CRYPTO_RIPEMD160] = { VCD_IS_MAC },
	[CRYPTO_SHA2_224] = { VCD_IS_MAC },
	[CRYPTO_SHA2_256] = { VCD_IS_MAC },
	[CRYPTO_SHA2_384] = { VCD_IS_MAC },
	[CRYPTO_SHA2_512] = { VCD_IS_MAC },
};

static const struct vcd_algorithm *find(u32 id, u32 kind)
{
	const struct vcd_algorithm *a;

	if (id >= ARRAY_SIZE(algorithms))
		return NULL;
	a = &algorithms[id];
	/* The only row of zeros that means something is the NULL cipher's,
	 * and that may be cut. */
	if (!a->flags && !a->key_most)
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
