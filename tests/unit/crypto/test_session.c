/* SPDX-License-Identifier: Apache-2.0 */
/* test_session.c - opening and describing sessions: clauses S and I */

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/sessions.h"

static struct cryptsess_provider *provider;
static const uint8_t zeros[1024];

static int try_open(uint32_t cipher, uint32_t key_bytes, uint32_t mac,
		    uint32_t mac_key_bytes)
{
	struct cryptsess_params params = { .cipher = cipher,
					   .mac = mac,
					   .key = zeros,
					   .key_bytes = key_bytes,
					   .mac_key = zeros,
					   .mac_key_bytes = mac_key_bytes };
	struct cryptsess *s = NULL;
	int r = cryptsess_open(&s, provider, &params);

	if (r)
		assert_null(s);
	cryptsess_close(s);
	return r;
}

static void s1_neither_cipher_nor_mac_is_einval(void **state)
{
	assert_int_equal(try_open(0, 0, 0, 0), -EINVAL);
}

static void s2_s3_ids_of_the_other_kind_are_einval(void **state)
{
	assert_int_equal(try_open(CRYPTSESS_SHA1, 0, 0, 0), -EINVAL);
	assert_int_equal(try_open(0, 0, CRYPTSESS_AES_CBC, 0), -EINVAL);
	assert_int_equal(try_open(108, 16, 0, 0), -EINVAL);
	assert_int_equal(try_open(4, 16, 0, 0), -EINVAL);
	assert_int_equal(try_open(12, 16, 0, 0), -EINVAL);
	assert_int_equal(try_open(CRYPTSESS_AES_CBC, 16, 9999, 0), -EINVAL);
}

/* Clause S5, for each length from 0 to 70. */
static bool is_legal(const struct cryptsess_algorithm *a, uint32_t bytes)
{
	switch (a->id) {
	case CRYPTSESS_DES_CBC:
		return bytes == 8;
	case CRYPTSESS_3DES_CBC:
		return bytes == 24;
	case CRYPTSESS_BLOWFISH_CBC:
		return bytes >= 4 && bytes <= 56;
	case CRYPTSESS_AES_XTS:
		return bytes == 32 || bytes == 48 || bytes == 64;
	case CRYPTSESS_NULL:
		return bytes == 0;
	default:
		return bytes == 16 || bytes == 24 || bytes == 32;
	}
}

static void s5_key_lengths_are_the_abis_and_no_others(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		if (a->is_mac || !cryptsess_provider_has(provider, a))
			continue;
		for (uint32_t bytes = 0; bytes <= 70; bytes++)
			assert_int_equal(try_open(a->id, bytes, 0, 0),
					 is_legal(a, bytes) ? 0 : -EINVAL);
		assert_int_equal(try_open(a->id, UINT32_MAX, 0, 0), -EINVAL);
	}
}

static void s5_a_missing_key_is_efault(void **state)
{
	struct cryptsess_params params = { .cipher = CRYPTSESS_AES_CBC,
					   .key_bytes = 16 };
	struct cryptsess *s = NULL;

	assert_int_equal(cryptsess_open(&s, provider, &params), -EFAULT);
	params.key_bytes = 65; /* the length comes first */
	assert_int_equal(cryptsess_open(&s, provider, &params), -EINVAL);
}

static void s6_hmac_keys_are_0_to_512_bytes(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		if (!a->is_mac || !cryptsess_provider_has(provider, a))
			continue;
		assert_int_equal(try_open(0, 0, a->id, 0), 0);
		assert_int_equal(try_open(0, 0, a->id, 1), 0);
		assert_int_equal(try_open(0, 0, a->id, 512), 0);
		assert_int_equal(try_open(0, 0, a->id, 513), -EINVAL);
	}
}

static void s6_a_missing_mac_key_is_efault(void **state)
{
	struct cryptsess_params params = { .mac = CRYPTSESS_HMAC_SHA1,
					   .mac_key_bytes = 20 };
	struct cryptsess *s = NULL;

	assert_int_equal(cryptsess_open(&s, provider, &params), -EFAULT);
	/* A plain hash takes no key, so it misses none. */
	params.mac = CRYPTSESS_SHA1;
	assert_int_equal(cryptsess_open(&s, provider, &params), 0);
	cryptsess_close(s);
}

static void s1_the_ciphers_key_is_judged_before_the_macs(void **state)
{
	struct cryptsess_params params = { .cipher = CRYPTSESS_AES_CBC,
					   .key = zeros,
					   .key_bytes = 15,
					   .mac = CRYPTSESS_HMAC_SHA1,
					   .mac_key_bytes = 20 };
	struct cryptsess *s = NULL;

	assert_int_equal(cryptsess_open(&s, provider, &params), -EINVAL);
	params.key_bytes = 16;
	assert_int_equal(cryptsess_open(&s, provider, &params), -EFAULT);
}

static void s7_a_mac_beside_an_aead_is_checked_and_forgotten(void **state)
{
	struct cryptsess_info info;
	struct cryptsess *s;
	struct cryptsess_params params = { .cipher = CRYPTSESS_AES_GCM,
					   .key = zeros,
					   .key_bytes = 16,
					   .mac = CRYPTSESS_SHA1 };
	int r = try_open(CRYPTSESS_AES_GCM, 16, 0, 0);

	if (r == -EINVAL)
		skip();
	assert_int_equal(try_open(CRYPTSESS_AES_GCM, 16, 9999, 0), -EINVAL);
	assert_int_equal(cryptsess_open(&s, provider, &params), 0);
	cryptsess_get_info(s, &info);
	assert_non_null(info.cipher);
	assert_null(info.mac);
	cryptsess_close(s);
	/* With a key, it is the wrong key length. */
	assert_int_equal(
		try_open(CRYPTSESS_AES_GCM, 16, CRYPTSESS_HMAC_SHA1, 20),
		-EINVAL);
	assert_int_equal(try_open(CRYPTSESS_AES_GCM, 16, 0, 20), -EINVAL);
}

static void i2_info_names_what_the_session_has(void **state)
{
	struct cryptsess *s = test_session_open(provider, CRYPTSESS_AES_CBC,
						CRYPTSESS_HMAC_SHA1);
	const char *name = cryptsess_provider_name(provider);
	struct cryptsess_info info;

	if (!s)
		skip();
	cryptsess_get_info(s, &info);
	assert_string_equal(info.cipher->kernel_name, "cbc(aes)");
	assert_string_equal(info.mac->kernel_name, "hmac(sha1)");
	assert_int_equal(strncmp(info.cipher_driver, "cbc-aes-", 8), 0);
	assert_int_equal(strncmp(info.mac_driver, "hmac-sha1-", 10), 0);
	assert_int_equal(
		strncmp(info.cipher_driver + 8, name, strcspn(name, ":")), 0);
	cryptsess_close(s);
	s = test_session_open(provider, 0, CRYPTSESS_SHA256);
	cryptsess_get_info(s, &info);
	assert_null(info.cipher);
	assert_string_equal(info.cipher_driver, "");
	cryptsess_close(s);
}

static void the_iv_is_zero_at_first_and_can_be_kept(void **state)
{
	struct cryptsess *s = test_session_open(provider, CRYPTSESS_AES_CBC, 0);
	uint8_t iv[16], other[16] = "another initial";

	if (!s)
		skip();
	memset(iv, 0xff, sizeof(iv));
	cryptsess_get_iv(s, iv);
	assert_memory_equal(iv, zeros, sizeof(iv));
	cryptsess_set_iv(s, other);
	cryptsess_get_iv(s, iv);
	assert_memory_equal(iv, other, sizeof(iv));
	cryptsess_close(s);
}

static void closing_nothing_is_allowed(void **state)
{
	cryptsess_close(NULL);
}

/* Each thread its own sessions, one provider. */
static void *open_and_run(void *result)
{
	uint8_t digest[32], first[32];
	struct iovec piece = { digest, sizeof(digest) };
	struct cryptsess_crypt op = { .payload_bytes = sizeof(digest),
				      .src = &piece,
				      .src_count = 1 };
	bool *failed = result;

	memset(digest, 1, sizeof(digest));
	for (int i = 0; i < 50; i++) {
		struct cryptsess *s =
			test_session_open(provider, 0, CRYPTSESS_HMAC_SHA256);
		uint8_t out[32];

		op.mac = out;
		if (cryptsess_crypt(s, &op))
			*failed = true;
		if (i == 0)
			memcpy(first, out, sizeof(out));
		if (memcmp(first, out, sizeof(out)) != 0)
			*failed = true;
		cryptsess_close(s);
	}
	return NULL;
}

static void threads_may_share_a_provider(void **state)
{
	bool failed[4] = { false };
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, open_and_run,
						&failed[i]),
				 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		assert_false(failed[i]);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(s1_neither_cipher_nor_mac_is_einval),
		cmocka_unit_test(s2_s3_ids_of_the_other_kind_are_einval),
		cmocka_unit_test(s5_key_lengths_are_the_abis_and_no_others),
		cmocka_unit_test(s5_a_missing_key_is_efault),
		cmocka_unit_test(s6_hmac_keys_are_0_to_512_bytes),
		cmocka_unit_test(s6_a_missing_mac_key_is_efault),
		cmocka_unit_test(s1_the_ciphers_key_is_judged_before_the_macs),
		cmocka_unit_test(
			s7_a_mac_beside_an_aead_is_checked_and_forgotten),
		cmocka_unit_test(i2_info_names_what_the_session_has),
		cmocka_unit_test(the_iv_is_zero_at_first_and_can_be_kept),
		cmocka_unit_test(closing_nothing_is_allowed),
		cmocka_unit_test(threads_may_share_a_provider),
	};
	int r;

	provider = test_provider_open(argc, argv);
	r = cmocka_run_group_tests_name("session", tests, NULL, NULL);
	cryptsess_provider_close(provider);
	return r;
}
