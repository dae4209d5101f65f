/* SPDX-License-Identifier: Apache-2.0 */
/* test_hkdf.c - HKDF-SHA-256 (RFC 5869, appendix A) and SHA-256 */

#include "base/bytes.h"
#include "prim/hkdf.h"
#include "prim/sha256.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *material, *salt, *info, *prk, *out;
} rfc5869[] = {
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
	  "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
	  "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
	  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	  "34007208d5b887185865" },
	{ "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	  "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	  "404142434445464748494a4b4c4d4e4f",
	  "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
	  "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	  "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
	  "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
	  "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
	  "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
	  "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
	  "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	  "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	  "cc30c58179ec3e87c14c01d5c1f3434f1d87" },
	{ "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
	  "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
	  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	  "9d201395faa4b61a96c8" },
};

static void test_gives_the_vectors_of_rfc_5869(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rfc5869); i++) {
		uint8_t material[80], salt[80], info[80], prk[32], out[82];
		uint8_t made[sizeof(out)];
		struct secret key;
		int material_bytes =
			bytes_from_hex(material, 80, rfc5869[i].material);
		int salt_bytes = bytes_from_hex(salt, 80, rfc5869[i].salt);
		int info_bytes = bytes_from_hex(info, 80, rfc5869[i].info);
		int out_bytes = bytes_from_hex(out, 82, rfc5869[i].out);

		bytes_from_hex(prk, 32, rfc5869[i].prk);
		hkdf_extract(&key, salt_bytes ? salt : NULL, (size_t)salt_bytes,
			     material, (size_t)material_bytes);
		assert_memory_equal(key.bytes, prk, 32);
		assert_int_equal(hkdf_expand(made, (size_t)out_bytes, &key,
					     info, (size_t)info_bytes),
				 0);
		assert_memory_equal(made, out, (size_t)out_bytes);
	}
}

/* OpenSSL's HKDF, an implementation that shares nothing with ours. */
static void openssl_expand(uint8_t *out, size_t out_bytes,
			   const struct secret *prk, uint8_t *info,
			   size_t info_bytes)
{
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
	char digest[] = "SHA256";
	struct secret key = *prk;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.bytes,
						  sizeof(key.bytes)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
						  info_bytes),
		OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_KDF_derive(context, out, out_bytes, params), 1);
	EVP_KDF_CTX_free(context);
	EVP_KDF_free(kdf);
}

static void test_agrees_with_openssl_at_every_length(void **state)
{
	static uint8_t mine[HKDF_MAX_OUT_BYTES], theirs[HKDF_MAX_OUT_BYTES];
	struct secret prk;
	uint8_t info[32];

	memset(&prk, 0x5c, sizeof(prk));
	memset(info, 0xa3, sizeof(info));
	for (size_t bytes = 1; bytes <= sizeof(mine); bytes += 1 + bytes / 3) {
		assert_int_equal(
			hkdf_expand(mine, bytes, &prk, info, bytes % 32), 0);
		openssl_expand(theirs, bytes, &prk, info, bytes % 32);
		assert_memory_equal(mine, theirs, bytes);
	}
}

static void test_refuses_more_than_255_blocks(void **state)
{
	static uint8_t out[HKDF_MAX_OUT_BYTES + 1];
	struct secret prk = { { 1 } };

	assert_int_equal(hkdf_expand(out, sizeof(out) - 1, &prk, "", 0), 0);
	assert_int_equal(hkdf_expand(out, sizeof(out), &prk, "", 0), -EINVAL);
}

static void test_derive_separates_label_and_context(void **state)
{
	struct secret prk = { { 7 } }, a, b;
	uint8_t expanded[32];

	hkdf_derive(&a, &prk, "label", "context", 7);
	hkdf_expand(expanded, 32, &prk, "label\0context", 13);
	assert_memory_equal(a.bytes, expanded, 32);
	hkdf_derive(&b, &prk, "labelc", "ontext", 6);
	assert_memory_not_equal(a.bytes, b.bytes, 32);
	hkdf_derive(&b, &prk, "label", "contex", 6);
	assert_memory_not_equal(a.bytes, b.bytes, 32);
}

static void test_hashes_the_vectors_of_fips_180_4(void **state)
{
	static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a39617"
				  "7a9cb410ff61f20015ad";
	struct iovec parts[] = { { (void *)(uintptr_t) "a", 1 },
				 { NULL, 0 },
				 { (void *)(uintptr_t) "bc", 2 } };
	uint8_t digest[SHA256_BYTES], expected[SHA256_BYTES];

	assert_int_equal(bytes_from_hex(expected, 32, abc), 32);
	sha256_bytes(digest, "abc", 3);
	assert_memory_equal(digest, expected, 32);
	memset(digest, 0, sizeof(digest));
	sha256_parts(digest, parts, 3);
	assert_memory_equal(digest, expected, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_the_vectors_of_rfc_5869),
		cmocka_unit_test(test_agrees_with_openssl_at_every_length),
		cmocka_unit_test(test_refuses_more_than_255_blocks),
		cmocka_unit_test(test_derive_separates_label_and_context),
		cmocka_unit_test(test_hashes_the_vectors_of_fips_180_4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
