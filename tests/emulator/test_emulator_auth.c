/* SPDX-License-Identifier: Apache-2.0 */
/* test_emulator_auth.c - the emulator's CIOCAUTHCRYPT by raw ioctls: known
 * answers of the GCM specification and SP 800-38C, and the clauses A1 to A17 */

#include "raw.h"

static int fd = -1;

static uint32_t session(uint32_t cipher, uint32_t mac)
{
	char mac_key[] = "mac key";
	uint32_t ses;

	assert_int_equal(raw_session(fd, cipher, KEY_128, 16, mac, mac_key,
				     mac ? 7 : 0, &ses),
			 0);
	return ses;
}

static int call(struct crypt_auth_op *op)
{
	struct crypt_auth_op before = *op;
	int error = raw(fd, CIOCAUTHCRYPT, op);

	if (error)
		assert_memory_equal(op, &before, sizeof(*op)); /* A3 */
	return error;
}

static void test_gcm_of_the_specification(void **state)
{
	uint8_t key[16] = { 0 }, iv[12] = { 0 }, data[64] = { 0 };
	struct crypt_auth_op op = { .src = data, .dst = data, .iv = iv };

	assert_int_equal(
		raw_session(fd, CRYPTO_AES_GCM, key, 16, 0, NULL, 0, &op.ses),
		0);
	assert_int_equal(call(&op), 0); /* A7: no plaintext */
	assert_int_equal(op.len, 16);
	assert_int_equal(op.tag_len, 16);
	assert_ptr_equal(op.tag, data);
	assert_hex(data, "58e2fccefa7e3061367f1d57a4e7455a");
	memset(data, 0, sizeof(data));
	op.len = 16;
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 32);
	assert_ptr_equal(op.tag, data + 16);
	assert_hex(data, "0388dace60b6a392f328c2b971b2fe78"
			 "ab6e47d42cec13bdf53a67b21257bddf");
	op.op = COP_DECRYPT;
	assert_int_equal(call(&op), 0); /* A8, in place: A10 */
	assert_int_equal(op.len, 16);
	assert_hex(data, "00000000000000000000000000000000");
}

static void test_ccm_of_sp800_38c(void **state)
{
	uint8_t key[16], iv[16] = { 7 }, aad[8], data[16];
	struct crypt_auth_op op = { .src = data,
				    .dst = data,
				    .iv = iv,
				    .len = 4,
				    .auth_src = aad,
				    .auth_len = 8,
				    .tag_len = 4 };

	from_hex(key, "404142434445464748494a4b4c4d4e4f");
	from_hex(iv + 1, "10111213141516");
	from_hex(aad, "0001020304050607");
	from_hex(data, "20212223");
	assert_int_equal(
		raw_session(fd, CRYPTO_AES_CCM, key, 16, 0, NULL, 0, &op.ses),
		0);
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 8);
	assert_hex(data, "7162015b4dac255d");
	op.op = COP_DECRYPT;
	assert_int_equal(call(&op), 0);
	assert_hex(data, "20212223");
	/* Nothing but a tag is an answer too. */
	op.op = COP_ENCRYPT;
	op.len = 0;
	assert_int_equal(call(&op), 0);
	op.op = COP_DECRYPT;
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 0);
}

static void test_A8_a_bad_tag_gives_no_plaintext(void **state)
{
	uint8_t iv[12] = { 0 }, data[64] = "sixteen letters.", out[64];
	struct crypt_auth_op op = {
		.src = data, .dst = data, .iv = iv, .len = 16
	};

	op.ses = session(CRYPTO_AES_GCM, 0);
	assert_int_equal(call(&op), 0);
	op.op = COP_DECRYPT;
	op.dst = out;
	data[31] ^= 1;
	assert_int_equal(call(&op), EBADMSG);
	assert_memory_not_equal(out, "sixteen letters.", 16);
	op.len = 15;
	assert_int_equal(call(&op), EINVAL);
	data[31] ^= 1;
	op.len = 32;
	assert_int_equal(call(&op), 0);
	assert_memory_equal(out, "sixteen letters.", 16);
}

/* As GnuTLS does it: one argument for record after record, where only what
 * changes is set again; a tag alone by an operation without a source; and a
 * look at the tag behind what was opened in place. */
static void test_A7_A8_one_argument_for_many_records(void **state)
{
	uint8_t iv[12] = { 0 }, aad[13] = "and a header", data[48], tag[16];
	struct crypt_auth_op op = { .iv = iv, .auth_src = aad };

	op.ses = session(CRYPTO_AES_GCM, 0);
	for (iv[0] = 0; iv[0] < 4; iv[0]++) {
		op.op = COP_ENCRYPT;
		op.auth_len = sizeof(aad);
		op.len = 0;
		op.src = NULL;
		op.dst = tag;
		assert_int_equal(call(&op), 0);
		op.op = COP_DECRYPT; /* len is 16 now: the tag */
		op.src = op.dst = tag;
		assert_int_equal(call(&op), 0);
		assert_int_equal(op.len, 0);
		memcpy(data, "the record's thirty-two letters.", 32);
		op.op = COP_ENCRYPT;
		op.len = 32;
		op.src = op.dst = data;
		assert_int_equal(call(&op), 0);
		memcpy(tag, data + 32, 16);
		op.op = COP_DECRYPT;
		op.len = 32 + 16;
		assert_int_equal(call(&op), 0);
		assert_memory_equal(data, "the record's thirty-two letters.",
				    32);
		assert_memory_equal(data + 32, tag, 16);
	}
}

static void test_A5_A6_aad_and_tag_lengths(void **state)
{
	static uint8_t aad[4097], data[64];
	uint8_t iv[16] = { 1 };
	struct crypt_auth_op op = { .src = data, .dst = data, .iv = iv };
	uint32_t gcm = session(CRYPTO_AES_GCM, 0);
	uint32_t ccm = session(CRYPTO_AES_CCM, 0);

	op.ses = gcm;
	op.auth_len = 4097;
	op.auth_src = aad;
	assert_int_equal(call(&op), EINVAL);
	op.auth_len = 4096;
	assert_int_equal(call(&op), 0);
	op.len = 0;
	op.auth_src = NULL;
	assert_int_equal(call(&op), EINVAL);
	op.auth_src = BAD_POINTER;
	assert_int_equal(call(&op), EFAULT);
	op.auth_len = 0;
	for (op.tag_len = 1; op.tag_len < 20; op.tag_len++) {
		struct crypt_auth_op once = op;
		uint32_t n = op.tag_len;

		assert_int_equal(
			call(&once),
			n == 4 || n == 8 || (n >= 12 && n <= 16) ? 0 : EINVAL);
		once = op;
		once.ses = ccm;
		assert_int_equal(call(&once),
				 n >= 4 && n <= 16 && n % 2 == 0 ? 0 : EINVAL);
	}
}

static void test_A9_ccm_length_field(void **state)
{
	static uint8_t data[65536 + 16];
	uint8_t iv[16] = { 0 };
	struct crypt_auth_op op = { .src = data, .dst = data, .iv = iv };

	op.ses = session(CRYPTO_AES_CCM, 0);
	assert_int_equal(call(&op), EINVAL);
	iv[0] = 8;
	assert_int_equal(call(&op), EINVAL);
	iv[0] = 1; /* two bytes of length */
	op.len = 65536;
	assert_int_equal(call(&op), EOVERFLOW);
	op.len = 65535;
	assert_int_equal(call(&op), 0);
}

static void test_A1_A2_order_and_dispatch(void **state)
{
	uint8_t data[64] = { 0 }, other[64], iv[16] = { 0 };
	struct crypt_auth_op op = { .src = data,
				    .dst = other,
				    .iv = BAD_POINTER,
				    .len = 16,
				    .flags = COP_FLAG_AEAD_TLS };

	assert_int_equal(raw(fd, CIOCAUTHCRYPT, BAD_POINTER), EFAULT);
	assert_int_equal(call(&op), EINVAL);
	op.ses = session(CRYPTO_AES_CBC, CRYPTO_SHA1_HMAC);
	assert_int_equal(call(&op), EINVAL);
	op.dst = data;
	op.op = 2;
	assert_int_equal(call(&op), EFAULT);
	op.iv = iv;
	assert_int_equal(call(&op), EINVAL);
	op.op = 0;
	assert_int_equal(call(&op), 0);
	op.flags = 0; /* no AEAD cipher, no form asked for */
	assert_int_equal(call(&op), EINVAL);
	op.ses = raw_mac(fd, CRYPTO_SHA1, "");
	assert_int_equal(call(&op), EINVAL);
}

static void test_A4_pinned_buffers_are_EINVAL(void **state)
{
	uint8_t data[64] = { 0 }, iv[12] = { 0 };
	struct crypt_auth_op op = {
		.src = BAD_POINTER, .dst = data, .iv = iv, .len = 16
	};

	op.ses = session(CRYPTO_AES_GCM, 0);
	assert_int_equal(call(&op), EINVAL);
	op.src = data;
	op.dst = BAD_POINTER;
	assert_int_equal(call(&op), EINVAL);
}

static void test_A12_A14_tls_there_and_back(void **state)
{
	uint8_t data[96] = "five!", iv[16] = { 0 }, aad[13] = { 1 };
	uint8_t last[16];
	struct crypt_auth_op op = { .src = data,
				    .dst = data,
				    .iv = iv,
				    .len = 5,
				    .auth_src = aad,
				    .auth_len = 13,
				    .flags = COP_FLAG_AEAD_TLS |
					     COP_FLAG_WRITE_IV };

	op.ses = session(CRYPTO_AES_CBC, CRYPTO_SHA1_HMAC);
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 32); /* 5 + 20, padded by 7 */
	assert_int_equal(op.tag_len, 20);
	assert_memory_equal(iv, data + 16, 16); /* E2 */
	memcpy(last, iv, sizeof(iv));
	memset(iv, 0, sizeof(iv));
	op.op = COP_DECRYPT;
	assert_int_equal(call(&op), 0);
	assert_memory_equal(iv, last, 16);
	assert_int_equal(op.len, 5);
	assert_memory_equal(data, "five!", 5);
	/* A device gives nothing but the plaintext. */
	if (raw_is_emulated()) {
		assert_int_equal(data[25], 6);
		assert_int_equal(data[31], 6);
	}
}

static void test_A14_tls_refusals(void **state)
{
	uint8_t data[96] = "five!", copy[96], iv[16] = { 0 };
	struct crypt_auth_op op = { .src = data,
				    .dst = data,
				    .iv = iv,
				    .len = 5,
				    .flags = COP_FLAG_AEAD_TLS };

	op.ses = session(CRYPTO_AES_CBC, CRYPTO_SHA1_HMAC);
	op.tag_len = 21;
	assert_int_equal(call(&op), EINVAL); /* A13 */
	op.tag_len = 0;
	assert_int_equal(call(&op), 0);
	memcpy(copy, data, sizeof(copy));
	op.op = COP_DECRYPT;
	for (int at = 0; at < 32; at++) {
		memcpy(data, copy, sizeof(copy));
		data[at] ^= 0x40;
		op.len = 32;
		assert_int_equal(call(&op), EBADMSG);
	}
	memcpy(data, copy, sizeof(copy));
	op.len = 31;
	assert_int_equal(call(&op), EINVAL);
	op.len = 0;
	assert_int_equal(call(&op), EINVAL);
	op.len = 32;
	op.dst = op.src = NULL;
	assert_int_equal(call(&op), EINVAL); /* A11 */
}

static void test_A14_bad_padding_without_a_hash_is_told(void **state)
{
	uint8_t data[32] = "five!", iv[16] = { 0 };
	struct crypt_auth_op op = { .src = data,
				    .dst = data,
				    .iv = iv,
				    .len = 5,
				    .flags = COP_FLAG_AEAD_TLS };

	op.ses = session(CRYPTO_AES_CBC, 0);
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 16);
	op.op = COP_DECRYPT;
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 5);
	memset(data, 0xa5, 16);
	op.len = 16;
	assert_int_equal(call(&op), EBADMSG);
}

static void test_A16_A17_srtp_there_and_back(void **state)
{
	uint8_t packet[40] = "headerpayload and footer", plain[40];
	uint8_t iv[16] = { 0 }, tag[20];
	struct crypt_auth_op op = { .src = packet + 6,
				    .dst = packet + 6,
				    .iv = iv,
				    .len = 7,
				    .auth_src = packet,
				    .auth_len = 24,
				    .tag = tag,
				    .tag_len = 7,
				    .flags = COP_FLAG_AEAD_SRTP };

	memcpy(plain, packet, sizeof(plain));
	op.ses = session(CRYPTO_AES_CTR, CRYPTO_SHA1_HMAC);
	assert_int_equal(call(&op), 0);
	assert_memory_not_equal(packet, plain, sizeof(plain));
	assert_memory_equal(packet, "header", 6);
	assert_memory_equal(packet + 13, " and footer", 11);
	assert_int_equal(op.len, 7); /* without the tag, which is elsewhere */
	op.op = COP_DECRYPT;
	tag[0] ^= 1;
	assert_int_equal(call(&op), EBADMSG);
	assert_memory_not_equal(packet, plain, sizeof(plain));
	tag[0] ^= 1;
	assert_int_equal(call(&op), 0);
	assert_memory_equal(packet, plain, sizeof(plain));
	assert_int_equal(op.len, 7);
}

/* A packet that only has to be known as genuine: its MAC, and no more. */
static void test_A15_A16_srtp_without_a_payload(void **state)
{
	uint8_t packet[] = "header and footer", tag[20], mac[20];
	struct crypt_op hash = { .src = packet, .len = 17, .mac = mac };
	struct crypt_auth_op op = { .src = packet + 6,
				    .dst = packet + 6,
				    .auth_src = packet,
				    .auth_len = 17,
				    .tag = tag,
				    .flags = COP_FLAG_AEAD_SRTP };

	hash.ses = session(0, CRYPTO_SHA1_HMAC);
	assert_int_equal(raw(fd, CIOCCRYPT, &hash), 0);
	op.ses = session(CRYPTO_AES_CTR, CRYPTO_SHA1_HMAC);
	assert_int_equal(call(&op), 0);
	assert_int_equal(op.len, 0);
	assert_int_equal(op.tag_len, 20);
	assert_memory_equal(tag, mac, 20);
	assert_memory_equal(packet, "header and footer", 17);
	op.op = COP_DECRYPT;
	assert_int_equal(call(&op), EINVAL);
	op.op = COP_ENCRYPT;
	op.ses = session(CRYPTO_AES_CTR, 0);
	op.tag_len = 0; /* and so there is nothing to be had */
	assert_int_equal(call(&op), EINVAL);
}

static void test_A15_A17_srtp_refusals(void **state)
{
	uint8_t packet[600] = { 0 }, iv[16] = { 0 }, tag[64] = { 0 };
	const struct crypt_auth_op good = { .ses = session(CRYPTO_AES_CTR,
							   CRYPTO_SHA1_HMAC),
					    .src = packet + 12,
					    .dst = packet + 12,
					    .iv = iv,
					    .len = 100,
					    .auth_src = packet,
					    .auth_len = 112,
					    .tag = tag,
					    .tag_len = 10,
					    .flags = COP_FLAG_AEAD_SRTP };
	struct crypt_auth_op op = good;

	assert_int_equal(call(&op), 0);
	op = good;
	op.ses = session(CRYPTO_AES_CBC, CRYPTO_SHA1_HMAC);
	assert_int_equal(call(&op), EINVAL);
	op = good;
	op.auth_len = 0;
	assert_int_equal(call(&op), EINVAL);
	op = good;
	op.auth_len = 111;
	assert_int_equal(call(&op), EINVAL);
	op = good;
	op.src = op.dst = packet + 257;
	op.auth_len = 500;
	assert_int_equal(call(&op), EINVAL);
	op = good;
	op.tag_len = 21;
	assert_int_equal(call(&op), EINVAL);
	op = good;
	op.tag = BAD_POINTER;
	assert_int_equal(call(&op), EFAULT);
	op = good;
	op.op = COP_DECRYPT;
	op.len = 9;
	assert_int_equal(call(&op), EINVAL);
	op = good;
	op.auth_src = BAD_POINTER;
	op.src = op.dst = BAD_POINTER + 12;
	assert_int_equal(call(&op), EINVAL);
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
		cmocka_unit_test(test_gcm_of_the_specification),
		cmocka_unit_test(test_ccm_of_sp800_38c),
		cmocka_unit_test(test_A8_a_bad_tag_gives_no_plaintext),
		cmocka_unit_test(test_A7_A8_one_argument_for_many_records),
		cmocka_unit_test(test_A5_A6_aad_and_tag_lengths),
		cmocka_unit_test(test_A9_ccm_length_field),
		cmocka_unit_test(test_A1_A2_order_and_dispatch),
		cmocka_unit_test(test_A4_pinned_buffers_are_EINVAL),
		cmocka_unit_test(test_A12_A14_tls_there_and_back),
		cmocka_unit_test(test_A14_tls_refusals),
		cmocka_unit_test(test_A14_bad_padding_without_a_hash_is_told),
		cmocka_unit_test(test_A16_A17_srtp_there_and_back),
		cmocka_unit_test(test_A15_A16_srtp_without_a_payload),
		cmocka_unit_test(test_A15_A17_srtp_refusals),
	};

	return cmocka_run_group_tests_name("emulator_auth", tests, node_open,
					   node_close);
}
