/* SPDX-License-Identifier: Apache-2.0 */
/* crypto_known.c - a published answer for each algorithm
 *
 * SP 800-38A (AES in five modes), IEEE 1619 (XTS), the GCM specification's
 * case 2, SP 800-38C example 1, FIPS 81 and SP 800-67 style single blocks (DES
 * family, with a zero IV), Schneier's set (Blowfish), RFC 3713 (Camellia),
 * RFC 1321, FIPS 180, the RIPEMD page ("abc"), RFC 2202 and 4231 ("Jefe").
 * tests/vectors has many more of each.
 */

#include "client/crypto_known.h"

#include <stddef.h>

#define ZERO_8  "0000000000000000"
#define ZERO_16 ZERO_8 ZERO_8
#define AES_KEY "2b7e151628aed2a6abf7158809cf4f3c"
#define AES_KEY_2                          \
	"603deb1015ca71be2b73aef0857d7781" \
	"1f352c073b6108d72d9810a30914dff4"
#define AES_IV   "000102030405060708090a0b0c0d0e0f"
#define AES_TEXT "6bc1bee22e409f96e93d7e117393172a"
#define ABC      "616263"
#define JEFE     "4a656665"
#define WHAT                                   \
	"7768617420646f2079612077616e7420666f" \
	"72206e6f7468696e673f"

/* clang-format off */
const struct crypto_known crypto_known[] = {
	{ "aes-cbc", AES_KEY, AES_IV, "", AES_TEXT,
	  "7649abac8119b246cee98e9b12e9197d" },
	{ "aes-ctr", AES_KEY_2, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "",
	  AES_TEXT, "601ec313775789a5b7a7f504bbf3d228" },
	{ "aes-ecb", AES_KEY, "", "", AES_TEXT,
	  "3ad77bb40d7a3660a89ecaf32466ef97" },
	{ "aes-cfb", AES_KEY, AES_IV, "", AES_TEXT,
	  "3b3fd92eb72dad20333449f8e83cfb4a" },
	{ "aes-ofb", AES_KEY, AES_IV, "", AES_TEXT,
	  "3b3fd92eb72dad20333449f8e83cfb4a" },
	{ "aes-xts", ZERO_16 ZERO_16, ZERO_16, "", ZERO_16 ZERO_16,
	  "917cf69ebd68b2ec9b9fe9a3eadda692"
	  "cd43d2f59598ed858c02c2652fbf922e" },
	{ "aes-gcm", ZERO_16, ZERO_8 "00000000", "", ZERO_16,
	  "0388dace60b6a392f328c2b971b2fe78"
	  "ab6e47d42cec13bdf53a67b21257bddf" },
	{ "aes-ccm", "404142434445464748494a4b4c4d4e4f",
	  "0710111213141516" ZERO_8, "0001020304050607", "20212223",
	  "7162015b4dac255d" },
	{ "3des-cbc", "0123456789abcdef23456789abcdef01456789abcdef0123",
	  ZERO_8, "", "5468652071756663", "a826fd8ce53b855f" },
	{ "des-cbc", "133457799bbcdff1", ZERO_8, "", "0123456789abcdef",
	  "85e813540f0ab405" },
	{ "blowfish-cbc", ZERO_8, ZERO_8, "", ZERO_8, "4ef997456198dd78" },
	{ "camellia-cbc", "0123456789abcdeffedcba9876543210", ZERO_16, "",
	  "0123456789abcdeffedcba9876543210",
	  "67673138549669730857065648eabe43" },
	{ "null", "", "", "", ABC, ABC },
	{ "md5", "", "", "", ABC, "900150983cd24fb0d6963f7d28e17f72" },
	{ "sha1", "", "", "", ABC, "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "ripemd160", "", "", "", ABC,
	  "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc" },
	{ "sha224", "", "", "", ABC,
	  "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
	{ "sha256", "", "", "", ABC,
	  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "sha384", "", "", "", ABC,
	  "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
	  "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7" },
	{ "sha512", "", "", "", ABC,
	  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	{ "hmac-md5", JEFE, "", "", WHAT, "750c783e6ab0b503eaa86e310a5db738" },
	{ "hmac-sha1", JEFE, "", "", WHAT,
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ "hmac-ripemd160", JEFE, "", "", WHAT,
	  "dda6c0213a485a9e24f4742064a7f033b43c4069" },
	{ "hmac-sha224", JEFE, "", "", WHAT,
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ "hmac-sha256", JEFE, "", "", WHAT,
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
	{ "hmac-sha384", JEFE, "", "", WHAT,
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
	  "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649" },
	{ "hmac-sha512", JEFE, "", "", WHAT,
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	  "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};
/* clang-format on */
