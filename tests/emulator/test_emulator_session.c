/* SPDX-License-Identifier: Apache-2.0 */
/* test_emulator_session.c - the emulator's node, sessions and state copy, by
 * raw ioctls; the names are the clauses of the interface */

#include "raw.h"

#include <sys/wait.h>

static void test_D3_unknown_and_unimplemented_are_EINVAL(void **state)
{
	static const unsigned long requests[] = { CIOCKEY, _IO('c', 1),
						  CIOCCRYPT_32 };
	uint8_t room[512] = { 0 };
	int fd = raw_node_open();

	if (raw_is_emulated()) {
		assert_int_equal(raw(fd, CIOCASYNCCRYPT, room), EINVAL);
		assert_int_equal(raw(fd, CIOCASYNCFETCH, room), EINVAL);
	}

	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		assert_int_equal(raw(fd, requests[i], room), EINVAL);
	close(fd);
}

static void test_C1_crioget_shares_the_sessions(void **state)
{
	int fd = raw_node_open(), other;
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };

	assert_int_equal(raw(fd, CRIOGET, &other), 0);
	assert_int_not_equal(other, fd);
	assert_int_equal(fcntl(other, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	assert_int_equal(raw(other, CIOCCRYPT, &op), 0);
	close(other);
}

static void test_C3_crioget_closes_what_it_cannot_return(void **state)
{
	int fd = raw_node_open();
	int next = dup(fd);

	close(next);
	assert_int_equal(raw(fd, CRIOGET, BAD_POINTER), EFAULT);
	assert_int_equal(fcntl(next, F_GETFD), -1);
	close(fd);
}

static void test_no_asymmetric_features(void **state)
{
	int fd = raw_node_open();
	uint32_t features = 7;

	assert_int_equal(raw(fd, CIOCASYMFEAT, &features), 0);
	assert_int_equal(features, 0);
	assert_int_equal(raw(fd, CIOCASYMFEAT, BAD_POINTER), EFAULT);
	close(fd);
}

static void test_S1_order_of_checks(void **state)
{
	int fd = raw_node_open();

	assert_int_equal(raw(fd, CIOCGSESSION, BAD_POINTER), EFAULT);
	assert_int_equal(raw_session(fd, 0, BAD_POINTER, 16, 0, NULL, 0, NULL),
			 EINVAL);
	assert_int_equal(raw_session(fd, 99, BAD_POINTER, 16, 0, NULL, 0, NULL),
			 EINVAL);
	assert_int_equal(raw_session(fd, CRYPTO_AES_CBC, BAD_POINTER, 16, 99,
				     NULL, 0, NULL),
			 EINVAL);
	/* The cipher's key comes before the mac's. */
	assert_int_equal(raw_session(fd, CRYPTO_AES_CBC, BAD_POINTER, 16,
				     CRYPTO_SHA1_HMAC, NULL, 513, NULL),
			 EFAULT);
	assert_int_equal(raw_session(fd, CRYPTO_AES_CBC, KEY_128, 16,
				     CRYPTO_SHA1_HMAC, BAD_POINTER, 513, NULL),
			 EINVAL);
	assert_int_equal(raw_session(fd, CRYPTO_AES_CBC, KEY_128, 16,
				     CRYPTO_SHA1_HMAC, BAD_POINTER, 512, NULL),
			 EFAULT);
	close(fd);
}

static void test_S2_S3_ids_are_not_interchangeable(void **state)
{
	static const uint32_t none[] = { 4, 5, 9, 10, 12, 15, 17, 108, 109 };
	int fd = raw_node_open();

	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		assert_int_equal(
			raw_session(fd, none[i], KEY_128, 16, 0, NULL, 0, NULL),
			EINVAL);
		assert_int_equal(
			raw_session(fd, 0, NULL, 0, none[i], NULL, 0, NULL),
			EINVAL);
	}
	assert_int_equal(
		raw_session(fd, CRYPTO_SHA1, KEY_128, 16, 0, NULL, 0, NULL),
		EINVAL);
	assert_int_equal(
		raw_session(fd, 0, NULL, 0, CRYPTO_AES_CBC, NULL, 0, NULL),
		EINVAL);
	close(fd);
}

static void test_S5_key_lengths(void **state)
{
	static const struct {
		uint32_t id;
		const char *lengths; /* the legal ones */
	} rows[] = {
		{ CRYPTO_DES_CBC, "\x08" },
		{ CRYPTO_3DES_CBC, "\x18" },
		{ CRYPTO_AES_CBC, "\x10\x18\x20" },
		{ CRYPTO_AES_GCM, "\x10\x18\x20" },
		{ CRYPTO_AES_CCM, "\x10\x18\x20" },
		{ CRYPTO_AES_XTS, "\x20\x30\x40" },
		{ CRYPTO_CAMELLIA_CBC, "\x10\x18\x20" },
	};
	uint8_t key[80] = { 0 }; /* weak DES keys, equal XTS halves */
	int fd = raw_node_open();

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (uint32_t bytes = 0; bytes < 80; bytes++)
			assert_int_equal(
				raw_session(fd, rows[i].id, key, bytes, 0, NULL,
					    0, NULL),
				bytes && strchr(rows[i].lengths, (int)bytes)
					? 0
					: EINVAL);
	for (uint32_t bytes = 0; bytes < 80; bytes++)
		assert_int_equal(raw_session(fd, CRYPTO_BLF_CBC, key, bytes, 0,
					     NULL, 0, NULL),
				 bytes >= 4 && bytes <= 56 ? 0 : EINVAL);
	assert_int_equal(raw_session(fd, CRYPTO_NULL, key, 0, 0, NULL, 0, NULL),
			 0);
	assert_int_equal(raw_session(fd, CRYPTO_NULL, key, 1, 0, NULL, 0, NULL),
			 EINVAL);
	assert_int_equal(raw_session(fd, CRYPTO_AES_CBC, BAD_POINTER, 65, 0,
				     NULL, 0, NULL),
			 EINVAL);
	close(fd);
}

static void test_S6_S7_mac_keys(void **state)
{
	uint8_t key[600] = { 0 };
	int fd = raw_node_open();

	assert_int_equal(raw_session(fd, 0, NULL, 0, CRYPTO_SHA2_256_HMAC, key,
				     512, NULL),
			 0);
	assert_int_equal(raw_session(fd, 0, NULL, 0, CRYPTO_SHA2_256_HMAC, NULL,
				     0, NULL),
			 0);
	assert_int_equal(raw_session(fd, 0, NULL, 0, CRYPTO_SHA2_256_HMAC, NULL,
				     5, NULL),
			 EFAULT);
	assert_int_equal(raw_session(fd, 0, NULL, 0, CRYPTO_SHA2_256_HMAC, key,
				     513, NULL),
			 EINVAL);
	assert_int_equal(
		raw_session(fd, CRYPTO_AES_GCM, key, 16, 0, key, 20, NULL),
		EINVAL);
	assert_int_equal(raw_session(fd, CRYPTO_AES_GCM, key, 16, CRYPTO_SHA1,
				     NULL, 0, NULL),
			 0);
	close(fd);
}

static void test_S9_ids_are_per_open_file_and_not_zero(void **state)
{
	int fd = raw_node_open(), other = raw_node_open();
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };

	assert_int_not_equal(ses, 0);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	assert_int_equal(raw(other, CIOCCRYPT, &op), EINVAL);
	close(fd);
	close(other);
}

static void test_F1_F2_freeing(void **state)
{
	int fd = raw_node_open();
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };

	assert_int_equal(raw(fd, CIOCFSESSION, BAD_POINTER), EFAULT);
	assert_int_equal(raw_free(fd, ses), 0);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EINVAL);
	assert_int_equal(raw_free(fd, ses), 0);
	assert_int_equal(raw_free(fd, 0), 0);
	close(fd);
}

static void test_I1_I2_session_info(void **state)
{
	struct session_info_op info;
	int fd = raw_node_open();

	memset(&info, 'x', sizeof(info));
	info.ses = 1;
	assert_int_equal(raw(fd, CIOCGSESSINFO, &info), EINVAL);
	assert_int_equal(info.cipher_info.cra_name[0], 'x');
	info.ses = raw_cipher(fd, CRYPTO_AES_CBC);
	assert_int_equal(raw(fd, CIOCGSESSINFO, &info), 0);
	assert_string_equal(info.cipher_info.cra_name, "cbc(aes)");
	assert_int_equal(info.hash_info.cra_name[0], 'x');
	assert_int_equal(info.alignmask, 0);
	assert_int_equal(info.flags, SIOP_FLAG_KERNEL_DRIVER_ONLY);
	assert_int_equal(raw(fd, CIOCGSESSINFO, BAD_POINTER), EFAULT);
	close(fd);
}

static void hash_part(int fd, uint32_t ses, uint16_t flags, const char *text,
		      uint8_t *digest)
{
	char copy[32];
	struct crypt_op op = { .ses = ses,
			       .flags = flags,
			       .len = (uint32_t)strlen(text),
			       .src = (uint8_t *)copy,
			       .mac = digest };

	memcpy(copy, text, strlen(text) + 1);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
}

static void test_H1_copy_errors(void **state)
{
	int fd = raw_node_open();
	uint32_t cipher = raw_cipher(fd, CRYPTO_AES_CBC);
	uint32_t sha1 = raw_mac(fd, CRYPTO_SHA1, "");
	uint32_t sha256 = raw_mac(fd, CRYPTO_SHA2_256, "");
	struct cphash_op op = { .dst_ses = sha1, .src_ses = sha1 };

	assert_int_equal(raw(fd, CIOCCPHASH, BAD_POINTER), EFAULT);
	assert_int_equal(raw(fd, CIOCCPHASH, &op), EDEADLK);
	op.src_ses = 0;
	assert_int_equal(raw(fd, CIOCCPHASH, &op), ENOENT);
	op.src_ses = cipher;
	assert_int_equal(raw(fd, CIOCCPHASH, &op), EINVAL);
	op.src_ses = sha256; /* H2 */
	assert_int_equal(raw(fd, CIOCCPHASH, &op), EINVAL);
	close(fd);
}

static void test_H3_destination_keeps_its_outer_key(void **state)
{
	uint8_t copied[20], expected[20], digest[20];
	int fd = raw_node_open();
	uint32_t from = raw_mac(fd, CRYPTO_SHA1_HMAC, "one");
	uint32_t same = raw_mac(fd, CRYPTO_SHA1_HMAC, "one");
	uint32_t other = raw_mac(fd, CRYPTO_SHA1_HMAC, "two");
	struct cphash_op op = { .src_ses = from };

	hash_part(fd, from, COP_FLAG_RESET | COP_FLAG_UPDATE, "what do ", NULL);
	op.dst_ses = same;
	assert_int_equal(raw(fd, CIOCCPHASH, &op), 0);
	op.dst_ses = other;
	assert_int_equal(raw(fd, CIOCCPHASH, &op), 0);
	hash_part(fd, from, COP_FLAG_FINAL, "ya want", expected);
	hash_part(fd, same, COP_FLAG_FINAL, "ya want", copied);
	hash_part(fd, other, COP_FLAG_FINAL, "ya want", digest);
	assert_memory_equal(copied, expected, 20);
	assert_memory_not_equal(digest, expected, 20);
	close(fd);
}

static void test_P1_sessions_survive_dup_and_fork(void **state)
{
	int fd = raw_node_open(), copy = dup(fd), status;
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };
	pid_t child;

	close(fd);
	child = fork();
	if (child == 0)
		_exit(raw(copy, CIOCCRYPT, &op));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(raw(copy, CIOCCRYPT, &op), 0);
	assert_int_equal(dup2(copy, copy + 1), copy + 1);
	close(copy);
	assert_int_equal(raw(copy + 1, CIOCCRYPT, &op), 0);
	close(copy + 1);
	assert_int_equal(raw(copy + 1, CIOCCRYPT, &op), EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_D3_unknown_and_unimplemented_are_EINVAL),
		cmocka_unit_test(test_C1_crioget_shares_the_sessions),
		cmocka_unit_test(test_C3_crioget_closes_what_it_cannot_return),
		cmocka_unit_test(test_no_asymmetric_features),
		cmocka_unit_test(test_S1_order_of_checks),
		cmocka_unit_test(test_S2_S3_ids_are_not_interchangeable),
		cmocka_unit_test(test_S5_key_lengths),
		cmocka_unit_test(test_S6_S7_mac_keys),
		cmocka_unit_test(test_S9_ids_are_per_open_file_and_not_zero),
		cmocka_unit_test(test_F1_F2_freeing),
		cmocka_unit_test(test_I1_I2_session_info),
		cmocka_unit_test(test_H1_copy_errors),
		cmocka_unit_test(test_H3_destination_keeps_its_outer_key),
		cmocka_unit_test(test_P1_sessions_survive_dup_and_fork),
	};

	return cmocka_run_group_tests_name("emulator_session", tests, NULL,
					   NULL);
}
