/* SPDX-License-Identifier: Apache-2.0 */
/* test_table.c - the table of algorithms, and names of providers */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cryptsess.h"

/* Clauses S2, S3, S11 and their table, written down a second time. */
static const struct expected {
	uint32_t id;
	bool is_mac;
	const char *kernel_name;
	uint32_t block_bytes, iv_bytes, digest_bytes;
	bool is_stream, is_aead, is_keyed;
} expected[] = {
	{ 1, false, "cbc(des)", 8, 8, 0, false, false, false },
	{ 2, false, "cbc(des3_ede)", 8, 8, 0, false, false, false },
	{ 3, false, "cbc(blowfish)", 8, 8, 0, false, false, false },
	{ 11, false, "cbc(aes)", 16, 16, 0, false, false, false },
	{ 16, false, "ecb(cipher_null)", 1, 0, 0, true, false, false },
	{ 21, false, "ctr(aes)", 1, 16, 0, true, false, false },
	{ 22, false, "xts(aes)", 16, 16, 0, false, false, false },
	{ 23, false, "ecb(aes)", 16, 0, 0, false, false, false },
	{ 24, false, "cfb(aes)", 1, 16, 0, false, false, false },
	{ 25, false, "ofb(aes)", 1, 16, 0, false, false, false },
	{ 50, false, "gcm(aes)", 1, 12, 16, true, true, false },
	{ 51, false, "ccm(aes)", 1, 16, 16, true, true, false },
	{ 101, false, "cbc(camellia)", 16, 16, 0, false, false, false },
	{ 6, true, "hmac(md5)", 0, 0, 16, false, false, true },
	{ 7, true, "hmac(sha1)", 0, 0, 20, false, false, true },
	{ 8, true, "hmac(rmd160)", 0, 0, 20, false, false, true },
	{ 13, true, "md5", 0, 0, 16, false, false, false },
	{ 14, true, "sha1", 0, 0, 20, false, false, false },
	{ 18, true, "hmac(sha256)", 0, 0, 32, false, false, true },
	{ 19, true, "hmac(sha384)", 0, 0, 48, false, false, true },
	{ 20, true, "hmac(sha512)", 0, 0, 64, false, false, true },
	{ 102, true, "rmd160", 0, 0, 20, false, false, false },
	{ 103, true, "sha224", 0, 0, 28, false, false, false },
	{ 104, true, "sha256", 0, 0, 32, false, false, false },
	{ 105, true, "sha384", 0, 0, 48, false, false, false },
	{ 106, true, "sha512", 0, 0, 64, false, false, false },
	{ 107, true, "hmac(sha224)", 0, 0, 28, false, false, true },
};
#define EXPECTED (sizeof(expected) / sizeof(expected[0]))

static void s2_s3_s11_properties_are_those_of_the_abi(void **state)
{
	for (size_t i = 0; i < EXPECTED; i++) {
		const struct expected *e = &expected[i];
		const struct cryptsess_algorithm *a =
			e->is_mac ? cryptsess_mac_by_id(e->id)
				  : cryptsess_cipher_by_id(e->id);

		assert_non_null(a);
		assert_string_equal(a->kernel_name, e->kernel_name);
		assert_int_equal(a->block_bytes, e->block_bytes);
		assert_int_equal(a->iv_bytes, e->iv_bytes);
		assert_int_equal(a->digest_bytes, e->digest_bytes);
		assert_int_equal(a->is_stream, e->is_stream);
		assert_int_equal(a->is_aead, e->is_aead);
		assert_int_equal(a->is_keyed, e->is_keyed);
		assert_int_equal(a->is_mac, e->is_mac);
	}
}

static void s2_s3_there_is_nothing_else(void **state)
{
	unsigned int rows = 0;

	while (cryptsess_algorithm_at(rows))
		rows++;
	assert_int_equal(rows, EXPECTED);
	for (uint32_t id = 0; id < 300; id++) {
		unsigned int found = 0;

		for (size_t i = 0; i < EXPECTED; i++)
			found += expected[i].id == id;
		assert_int_equal((cryptsess_cipher_by_id(id) != NULL) +
					 (cryptsess_mac_by_id(id) != NULL),
				 found);
	}
	assert_null(cryptsess_cipher_by_id(UINT32_MAX));
}

static void every_row_is_found_by_its_own_name(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++)
		assert_ptr_equal(cryptsess_algorithm_by_name(a->name), a);
	assert_null(cryptsess_algorithm_by_name("aes"));
	assert_null(cryptsess_algorithm_by_name(""));
}

static void providers_are_listed_with_openssl_first(void **state)
{
	const char *text = NULL;
	unsigned int count = 0;

	assert_string_equal(cryptsess_provider_name_at(0, &text), "openssl");
	assert_non_null(text);
	while (cryptsess_provider_name_at(count, NULL))
		count++;
	assert_in_range(count, 1, 16);
}

static void refuse(const char *name)
{
	struct cryptsess_provider *p = NULL;
	char why[256] = "";

	assert_int_equal(cryptsess_provider_open(&p, name, why, sizeof(why)),
			 -EINVAL);
	assert_null(p);
	assert_non_null(strstr(why, "openssl"));
	/* Without room for the reason, too. */
	assert_int_equal(cryptsess_provider_open(&p, name, NULL, 0), -EINVAL);
	assert_int_equal(cryptsess_provider_open(&p, name, why, 1), -EINVAL);
	assert_int_equal(why[0], '\0');
}

static void an_unknown_provider_is_refused_and_the_list_told(void **state)
{
	refuse("");
	refuse("opens");
	refuse("openssl2");
	refuse("OPENSSL");
	refuse(":");
}

static void a_path_is_refused_where_there_is_none(void **state)
{
	refuse("openssl:");
	refuse("openssl:/dev/crypto");
}

static void an_open_provider_knows_its_name(void **state)
{
	struct cryptsess_provider *p;

	assert_int_equal(cryptsess_provider_open(&p, "openssl", NULL, 0), 0);
	assert_string_equal(cryptsess_provider_name(p), "openssl");
	cryptsess_provider_close(p);
	cryptsess_provider_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s2_s3_s11_properties_are_those_of_the_abi),
		cmocka_unit_test(s2_s3_there_is_nothing_else),
		cmocka_unit_test(every_row_is_found_by_its_own_name),
		cmocka_unit_test(providers_are_listed_with_openssl_first),
		cmocka_unit_test(
			an_unknown_provider_is_refused_and_the_list_told),
		cmocka_unit_test(a_path_is_refused_where_there_is_none),
		cmocka_unit_test(an_open_provider_knows_its_name),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
