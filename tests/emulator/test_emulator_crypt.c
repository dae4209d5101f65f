/* SPDX-License-Identifier: Apache-2.0 */
/* test_emulator_crypt.c - the emulator's CIOCCRYPT by raw ioctls: known
 * answers of SP 800-38A, RFC 4231, IEEE 1619, and the clauses E1 to E12 */

#include "raw.h"

#include <sys/mman.h>

#define TEXT_1 "6bc1bee22e409f96e93d7e117393172a"
#define TEXT_2 "ae2d8a571e03ac9c9eb76fac45af8e51"
#define CBC_1  "7649abac8119b246cee98e9b12e9197d"
#define CBC_2  "5086cb9b507219ee95db113a917678b2"

static int fd = -1;

static int crypt_bytes(uint32_t ses, uint16_t direction, uint16_t flags,
		       uint8_t *data, uint32_t bytes, uint8_t *mac, uint8_t *iv)
{
	struct crypt_op op = { .ses = ses,
			       .op = direction,
			       .flags = flags,
			       .len = bytes,
			       .src = data,
			       .dst = data,
			       .mac = mac,
			       .iv = iv };
	struct crypt_op before = op;
	int error = raw(fd, CIOCCRYPT, &op);

	assert_memory_equal(&op, &before, sizeof(op)); /* D5, E14 */
	return error;
}

static void test_cbc_of_sp800_38a_chains(void **state)
{
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	uint8_t iv[16], data[32];

	/* E2: the second call goes on from the first one's last block. */
	from_hex(iv, "000102030405060708090a0b0c0d0e0f");
	from_hex(data, TEXT_1 TEXT_2);
	assert_int_equal(crypt_bytes(ses, 0, 0, data, 16, NULL, iv), 0);
	assert_hex(iv, "000102030405060708090a0b0c0d0e0f");
	assert_int_equal(crypt_bytes(ses, 0, 0, data + 16, 16, NULL, NULL), 0);
	assert_hex(data, CBC_1 CBC_2);
	/* E3 */
	assert_int_equal(
		crypt_bytes(ses, 1, COP_FLAG_WRITE_IV, data, 32, NULL, iv), 0);
	assert_hex(data, TEXT_1 TEXT_2);
	assert_hex(iv, CBC_2);
}

static void test_ctr_of_sp800_38a_counts_partial_blocks(void **state)
{
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CTR);
	uint8_t iv[16], data[32];

	from_hex(iv, "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
	from_hex(data, TEXT_1 TEXT_2);
	assert_int_equal(
		crypt_bytes(ses, 0, COP_FLAG_WRITE_IV, data, 5, NULL, iv), 0);
	assert_hex(data, "874d6191b6");
	assert_hex(iv, "f0f1f2f3f4f5f6f7f8f9fafbfcfdff00");
	assert_int_equal(crypt_bytes(ses, 0, 0, data + 16, 16, NULL, NULL), 0);
	assert_hex(data + 16, "9806f66b7970fdff8617187bb9fffdff");
	/* The counter is 128 bits wide. */
	memset(iv, 0xff, sizeof(iv));
	assert_int_equal(
		crypt_bytes(ses, 0, COP_FLAG_WRITE_IV, data, 17, NULL, iv), 0);
	assert_hex(iv, "00000000000000000000000000000001");
}

static void test_xts_of_ieee_1619(void **state)
{
	uint8_t key[32] = { 0 }, iv[16] = { 0 }, data[32] = { 0 };
	uint32_t ses;

	assert_int_equal(
		raw_session(fd, CRYPTO_AES_XTS, key, 32, 0, NULL, 0, &ses), 0);
	assert_int_equal(crypt_bytes(ses, 0, 0, data, 32, NULL, iv), 0);
	assert_hex(data, "917cf69ebd68b2ec9b9fe9a3eadda692"
			 "cd43d2f59598ed858c02c2652fbf922e");
	assert_int_equal(crypt_bytes(ses, 1, 0, data, 32, NULL, iv), 0);
	assert_hex(data, "0000000000000000");
}

static void test_hmac_of_rfc_4231_in_parts(void **state)
{
	uint32_t ses = raw_mac(fd, CRYPTO_SHA2_256_HMAC, "Jefe");
	uint8_t text[] = "what do ya want for nothing?";
	const char *expected = "5bdcc146bf60754e6a042426089575c7"
			       "5a003f089d2739839dec58b964ec3843";
	uint8_t digest[32];

	assert_int_equal(crypt_bytes(ses, 0, 0, text, 28, digest, NULL), 0);
	assert_hex(digest, expected);
	/* E9: parts; FINAL with data, then finished by an empty UPDATE (E8) */
	memset(digest, 0, sizeof(digest));
	assert_int_equal(crypt_bytes(ses, 0, COP_FLAG_RESET | COP_FLAG_UPDATE,
				     text, 10, NULL, NULL),
			 0);
	assert_int_equal(crypt_bytes(ses, 0, COP_FLAG_FINAL, text + 10, 18,
				     digest, NULL),
			 0);
	assert_hex(digest, expected);
	memset(digest, 0, sizeof(digest));
	/* E10: after a digest the next part starts afresh */
	assert_int_equal(
		crypt_bytes(ses, 0, COP_FLAG_UPDATE, text, 28, NULL, NULL), 0);
	assert_int_equal(
		crypt_bytes(ses, 0, COP_FLAG_UPDATE, NULL, 0, digest, NULL), 0);
	assert_hex(digest, expected);
}

static void test_E5_the_digest_covers_the_plaintext(void **state)
{
	uint8_t iv[16] = { 0 }, data[16], digest[20], again[20], alone[20];
	uint32_t ses, hash = raw_mac(fd, CRYPTO_SHA1_HMAC, "key");
	char key[] = "key";

	assert_int_equal(raw_session(fd, CRYPTO_AES_CBC, KEY_128, 16,
				     CRYPTO_SHA1_HMAC, key, 3, &ses),
			 0);
	from_hex(data, TEXT_1);
	assert_int_equal(crypt_bytes(hash, 0, 0, data, 16, alone, NULL), 0);
	assert_int_equal(crypt_bytes(ses, 0, 0, data, 16, digest, iv), 0);
	assert_int_equal(crypt_bytes(ses, 1, 0, data, 16, again, iv), 0);
	assert_hex(data, TEXT_1);
	assert_memory_equal(digest, alone, 20);
	assert_memory_equal(again, alone, 20);
	/* E6: a hash alone reads src, whatever the direction */
	assert_int_equal(crypt_bytes(hash, 1, 0, data, 16, again, NULL), 0);
	assert_memory_equal(again, alone, 20);
}

static void test_E1_order_of_checks(void **state)
{
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	uint8_t data[16] = { 0 };

	assert_int_equal(raw(fd, CIOCCRYPT, BAD_POINTER), EFAULT);
	assert_int_equal(
		crypt_bytes(ses + 1, 0, 0, data, 16, NULL, BAD_POINTER),
		EINVAL);
	assert_int_equal(crypt_bytes(ses, 2, 0, data, 16, NULL, BAD_POINTER),
			 EFAULT);
	assert_int_equal(crypt_bytes(ses, 2, 0, data, 16, NULL, data), EINVAL);
	assert_int_equal(crypt_bytes(ses, 0, 0, BAD_POINTER, 15, NULL, data),
			 EINVAL);
}

static void test_E7_empty_sets_the_iv_only(void **state)
{
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	uint8_t iv[16], data[16];

	from_hex(iv, "000102030405060708090a0b0c0d0e0f");
	from_hex(data, TEXT_1);
	assert_int_equal(crypt_bytes(ses, 0, 0, NULL, 0, NULL, iv), 0);
	assert_int_equal(crypt_bytes(ses, 0, 0, data, 16, NULL, NULL), 0);
	assert_hex(data, CBC_1);
}

static void test_E8_E11_bad_pointers(void **state)
{
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	uint32_t hash = raw_mac(fd, CRYPTO_SHA1, "");
	uint8_t data[16] = { 0 };
	struct crypt_op op = { .ses = ses, .len = 16, .dst = data };
	uint8_t *page =
		mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_int_equal(crypt_bytes(hash, 0, 0, data, 16, NULL, NULL), EFAULT);
	assert_int_equal(crypt_bytes(hash, 0, 0, data, 16, BAD_POINTER, NULL),
			 EFAULT);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EFAULT);
	op.src = data;
	op.dst = NULL;
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EFAULT);
	op.dst = page; /* readable, not writable */
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EFAULT);
	op.src = page + 4090; /* runs off the end */
	op.dst = data;
	munmap(page, 4096);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EFAULT);
}

static void test_E12_aead_is_not_for_CIOCCRYPT(void **state)
{
	uint8_t data[16] = { 0 };

	assert_int_equal(crypt_bytes(raw_cipher(fd, CRYPTO_AES_GCM), 0, 0, data,
				     16, NULL, NULL),
			 EINVAL);
}

static void test_E4_overlap_is_copy_in_then_out(void **state)
{
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	uint8_t iv[16], data[40] = { 0 };
	struct crypt_op op = {
		.ses = ses, .len = 32, .src = data, .dst = data + 7, .iv = iv
	};

	from_hex(iv, "000102030405060708090a0b0c0d0e0f");
	from_hex(data, TEXT_1 TEXT_2);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	assert_hex(data + 7, CBC_1 CBC_2);
}

static int node_open(void **state)
{
	fd = raw_node_open();
	return 0;
}

static int node_close(void **state)
{
	return close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cbc_of_sp800_38a_chains),
		cmocka_unit_test(test_ctr_of_sp800_38a_counts_partial_blocks),
		cmocka_unit_test(test_xts_of_ieee_1619),
		cmocka_unit_test(test_hmac_of_rfc_4231_in_parts),
		cmocka_unit_test(test_E5_the_digest_covers_the_plaintext),
		cmocka_unit_test(test_E1_order_of_checks),
		cmocka_unit_test(test_E7_empty_sets_the_iv_only),
		cmocka_unit_test(test_E8_E11_bad_pointers),
		cmocka_unit_test(test_E12_aead_is_not_for_CIOCCRYPT),
		cmocka_unit_test(test_E4_overlap_is_copy_in_then_out),
	};

	return cmocka_run_group_tests_name("emulator_crypt", tests, node_open,
					   node_close);
}
