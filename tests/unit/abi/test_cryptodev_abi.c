/* SPDX-License-Identifier: Apache-2.0 */
/* test_cryptodev_abi.c - golden numbers of abi/cryptodev.h: programs built
 * years ago carry these, so a failure here is an error in the header */

/* First: the header must compile alone. */
#include "abi/cryptodev.h"

/* How OpenSSL's e_devcrypto tells BSD's header, whose names are macros. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#if CRYPTO_ALGORITHM_MIN < CRYPTO_ALGORITHM_MAX
#error "taken for BSD's header"
#endif
#pragma GCC diagnostic pop

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Values of a 64-bit caller; the 32-bit ones stand beside them. */
static void test_ioctl_numbers(void **state)
{
	assert_int_equal(CRIOGET, 0xc0046365);
	assert_int_equal(CIOCGSESSION, 0xc0306366);
	assert_int_equal(CIOCGSESSION_32, 0xc01c6366);
	assert_int_equal(CIOCFSESSION, 0x40046367);
	assert_int_equal(CIOCCRYPT, 0xc0306368);
	assert_int_equal(CIOCCRYPT_32, 0xc01c6368);
	assert_int_equal(CIOCKEY, 0xc0906369);
	assert_int_equal(CIOCASYMFEAT, 0x8004636a);
	assert_int_equal(CIOCGSESSINFO, 0xc10c636b);
	assert_int_equal(CIOCAUTHCRYPT, 0xc048636d);
	assert_int_equal(CIOCAUTHCRYPT_32, 0xc02c636d);
	assert_int_equal(CIOCASYNCCRYPT, 0x4030636e);
	assert_int_equal(CIOCASYNCCRYPT_32, 0x401c636e);
	assert_int_equal(CIOCASYNCCRYPT_32_ALIAS, 0x401c636b);
	assert_int_equal(CIOCASYNCFETCH, 0x8030636f);
	assert_int_equal(CIOCASYNCFETCH_32, 0x801c636f);
	assert_int_equal(CIOCASYNCFETCH_32_ALIAS, 0x801c636c);
	assert_int_equal(CIOCCPHASH, 0x40086370);
}

static void test_session_op_layout(void **state)
{
	assert_int_equal(sizeof(struct session_op), 48);
	assert_int_equal(offsetof(struct session_op, cipher), 0);
	assert_int_equal(offsetof(struct session_op, mac), 4);
	assert_int_equal(offsetof(struct session_op, keylen), 8);
	assert_int_equal(offsetof(struct session_op, key), 16);
	assert_int_equal(offsetof(struct session_op, mackeylen), 24);
	assert_int_equal(offsetof(struct session_op, mackey), 32);
	assert_int_equal(offsetof(struct session_op, ses), 40);
}

static void test_session_info_op_layout(void **state)
{
	assert_int_equal(sizeof(struct alg_info), 128);
	assert_int_equal(offsetof(struct alg_info, cra_name), 0);
	assert_int_equal(offsetof(struct alg_info, cra_driver_name), 64);
	assert_int_equal(sizeof(struct session_info_op), 268);
	assert_int_equal(offsetof(struct session_info_op, ses), 0);
	assert_int_equal(offsetof(struct session_info_op, cipher_info), 4);
	assert_int_equal(offsetof(struct session_info_op, hash_info), 132);
	assert_int_equal(offsetof(struct session_info_op, alignmask), 260);
	assert_int_equal(offsetof(struct session_info_op, flags), 264);
	assert_int_equal(SIOP_FLAG_KERNEL_DRIVER_ONLY, 1);
}

static void test_crypt_op_layout(void **state)
{
	assert_int_equal(sizeof(struct crypt_op), 48);
	assert_int_equal(offsetof(struct crypt_op, ses), 0);
	assert_int_equal(offsetof(struct crypt_op, op), 4);
	assert_int_equal(offsetof(struct crypt_op, flags), 6);
	assert_int_equal(offsetof(struct crypt_op, len), 8);
	assert_int_equal(offsetof(struct crypt_op, src), 16);
	assert_int_equal(offsetof(struct crypt_op, dst), 24);
	assert_int_equal(offsetof(struct crypt_op, mac), 32);
	assert_int_equal(offsetof(struct crypt_op, iv), 40);
}

static void test_crypt_auth_op_layout(void **state)
{
	assert_int_equal(sizeof(struct crypt_auth_op), 72);
	assert_int_equal(offsetof(struct crypt_auth_op, ses), 0);
	assert_int_equal(offsetof(struct crypt_auth_op, op), 4);
	assert_int_equal(offsetof(struct crypt_auth_op, flags), 6);
	assert_int_equal(offsetof(struct crypt_auth_op, len), 8);
	assert_int_equal(offsetof(struct crypt_auth_op, auth_len), 12);
	assert_int_equal(offsetof(struct crypt_auth_op, auth_src), 16);
	assert_int_equal(offsetof(struct crypt_auth_op, src), 24);
	assert_int_equal(offsetof(struct crypt_auth_op, dst), 32);
	assert_int_equal(offsetof(struct crypt_auth_op, tag), 40);
	assert_int_equal(offsetof(struct crypt_auth_op, tag_len), 48);
	assert_int_equal(offsetof(struct crypt_auth_op, iv), 56);
	assert_int_equal(offsetof(struct crypt_auth_op, iv_len), 64);
}

static void test_cphash_and_kop_layout(void **state)
{
	assert_int_equal(sizeof(struct cphash_op), 8);
	assert_int_equal(offsetof(struct cphash_op, dst_ses), 0);
	assert_int_equal(offsetof(struct cphash_op, src_ses), 4);
	assert_int_equal(sizeof(struct crypt_kop), 144);
	assert_int_equal(offsetof(struct crypt_kop, crk_op), 0);
	assert_int_equal(offsetof(struct crypt_kop, crk_status), 4);
	assert_int_equal(offsetof(struct crypt_kop, crk_iparams), 8);
	assert_int_equal(offsetof(struct crypt_kop, crk_oparams), 10);
	assert_int_equal(offsetof(struct crypt_kop, crk_param), 16);
	assert_int_equal(sizeof(struct crparam), 16);
	assert_int_equal(offsetof(struct crparam, crp_nbits), 8);
}

static void test_layouts_of_a_32_bit_caller(void **state)
{
	assert_int_equal(sizeof(struct session_op_32), 28);
	assert_int_equal(offsetof(struct session_op_32, key), 12);
	assert_int_equal(offsetof(struct session_op_32, mackeylen), 16);
	assert_int_equal(offsetof(struct session_op_32, mackey), 20);
	assert_int_equal(offsetof(struct session_op_32, ses), 24);
	assert_int_equal(sizeof(struct crypt_op_32), 28);
	assert_int_equal(offsetof(struct crypt_op_32, len), 8);
	assert_int_equal(offsetof(struct crypt_op_32, src), 12);
	assert_int_equal(offsetof(struct crypt_op_32, dst), 16);
	assert_int_equal(offsetof(struct crypt_op_32, mac), 20);
	assert_int_equal(offsetof(struct crypt_op_32, iv), 24);
	assert_int_equal(sizeof(struct crypt_auth_op_32), 44);
	assert_int_equal(offsetof(struct crypt_auth_op_32, auth_len), 12);
	assert_int_equal(offsetof(struct crypt_auth_op_32, auth_src), 16);
	assert_int_equal(offsetof(struct crypt_auth_op_32, src), 20);
	assert_int_equal(offsetof(struct crypt_auth_op_32, dst), 24);
	assert_int_equal(offsetof(struct crypt_auth_op_32, tag), 28);
	assert_int_equal(offsetof(struct crypt_auth_op_32, tag_len), 32);
	assert_int_equal(offsetof(struct crypt_auth_op_32, iv), 36);
	assert_int_equal(offsetof(struct crypt_auth_op_32, iv_len), 40);
}

static void test_cipher_ids(void **state)
{
	assert_int_equal(CRYPTO_DES_CBC, 1);
	assert_int_equal(CRYPTO_3DES_CBC, 2);
	assert_int_equal(CRYPTO_BLF_CBC, 3);
	assert_int_equal(CRYPTO_CAST_CBC, 4);
	assert_int_equal(CRYPTO_SKIPJACK_CBC, 5);
	assert_int_equal(CRYPTO_AES_CBC, 11);
	assert_int_equal(CRYPTO_RIJNDAEL128_CBC, 11);
	assert_int_equal(CRYPTO_ARC4, 12);
	assert_int_equal(CRYPTO_DEFLATE_COMP, 15);
	assert_int_equal(CRYPTO_NULL, 16);
	assert_int_equal(CRYPTO_LZS_COMP, 17);
	assert_int_equal(CRYPTO_AES_CTR, 21);
	assert_int_equal(CRYPTO_AES_XTS, 22);
	assert_int_equal(CRYPTO_AES_ECB, 23);
	assert_int_equal(CRYPTO_AES_CFB, 24);
	assert_int_equal(CRYPTO_AES_OFB, 25);
	assert_int_equal(CRYPTO_AES_GCM, 50);
	assert_int_equal(CRYPTO_AES_CCM, 51);
	assert_int_equal(CRYPTO_CAMELLIA_CBC, 101);
	assert_int_equal(CRYPTO_TLS11_AES_CBC_HMAC_SHA1, 108);
	assert_int_equal(CRYPTO_TLS12_AES_CBC_HMAC_SHA256, 109);
}

static void test_mac_ids(void **state)
{
	assert_int_equal(CRYPTO_MD5_HMAC, 6);
	assert_int_equal(CRYPTO_SHA1_HMAC, 7);
	assert_int_equal(CRYPTO_RIPEMD160_HMAC, 8);
	assert_int_equal(CRYPTO_MD5_KPDK, 9);
	assert_int_equal(CRYPTO_SHA1_KPDK, 10);
	assert_int_equal(CRYPTO_MD5, 13);
	assert_int_equal(CRYPTO_SHA1, 14);
	assert_int_equal(CRYPTO_SHA2_256_HMAC, 18);
	assert_int_equal(CRYPTO_SHA2_384_HMAC, 19);
	assert_int_equal(CRYPTO_SHA2_512_HMAC, 20);
	assert_int_equal(CRYPTO_RIPEMD160, 102);
	assert_int_equal(CRYPTO_SHA2_224, 103);
	assert_int_equal(CRYPTO_SHA2_256, 104);
	assert_int_equal(CRYPTO_SHA2_384, 105);
	assert_int_equal(CRYPTO_SHA2_512, 106);
	assert_int_equal(CRYPTO_SHA2_224_HMAC, 107);
}

/* Older engines are built with them, though nothing serves CIOCKEY. */
static void test_asymmetric_names(void **state)
{
	assert_int_equal(CRYPTO_ALGORITHM_MAX, 109);
	assert_int_equal(CRK_ALGORITHM_MAX, 4);
	assert_int_equal(CRF_MOD_EXP, 1);
	assert_int_equal(CRF_MOD_EXP_CRT, 2);
	assert_int_equal(CRF_DSA_SIGN, 4);
	assert_int_equal(CRF_DSA_VERIFY, 8);
	assert_int_equal(CRF_DH_COMPUTE_KEY, 16);
}

static void test_flags_and_limits(void **state)
{
	assert_int_equal(COP_ENCRYPT, 0);
	assert_int_equal(COP_DECRYPT, 1);
	assert_int_equal(COP_FLAG_NONE, 0);
	assert_int_equal(COP_FLAG_UPDATE, 1);
	assert_int_equal(COP_FLAG_FINAL, 2);
	assert_int_equal(COP_FLAG_WRITE_IV, 4);
	assert_int_equal(COP_FLAG_NO_ZC, 8);
	assert_int_equal(COP_FLAG_AEAD_TLS, 16);
	assert_int_equal(COP_FLAG_AEAD_SRTP, 32);
	assert_int_equal(COP_FLAG_RESET, 64);
	assert_int_equal(CRYPTO_CIPHER_MAX_KEY_LEN, 64);
	assert_int_equal(CRYPTO_HMAC_MAX_KEY_LEN, 512);
	assert_int_equal(CRYPTODEV_MAX_ALG_NAME, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ioctl_numbers),
		cmocka_unit_test(test_session_op_layout),
		cmocka_unit_test(test_session_info_op_layout),
		cmocka_unit_test(test_crypt_op_layout),
		cmocka_unit_test(test_crypt_auth_op_layout),
		cmocka_unit_test(test_cphash_and_kop_layout),
		cmocka_unit_test(test_layouts_of_a_32_bit_caller),
		cmocka_unit_test(test_cipher_ids),
		cmocka_unit_test(test_mac_ids),
		cmocka_unit_test(test_asymmetric_names),
		cmocka_unit_test(test_flags_and_limits),
	};

	return cmocka_run_group_tests_name("cryptodev_abi", tests, NULL, NULL);
}
