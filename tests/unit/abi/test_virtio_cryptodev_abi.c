/* SPDX-License-Identifier: Apache-2.0 */
/* test_virtio_cryptodev_abi.c - golden numbers of abi/virtio_cryptodev.h: a
 * guest's driver and a host's daemon of different ages must agree on them */

/* First: the header must compile alone. */
#include "abi/virtio_cryptodev.h"

#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "abi/cryptodev.h"

#define AT(type, field, offset)                                  \
	do {                                                     \
		assert_int_equal(offsetof(type, field), offset); \
	} while (0)

static void test_config_layout(void **state)
{
	AT(struct vcd_config, magic, 0);
	AT(struct vcd_config, version_min, 4);
	AT(struct vcd_config, version_max, 6);
	AT(struct vcd_config, config_bytes, 8);
	AT(struct vcd_config, queues, 12);
	AT(struct vcd_config, capabilities, 16);
	AT(struct vcd_config, max_files, 24);
	AT(struct vcd_config, max_sessions, 28);
	AT(struct vcd_config, max_request_bytes, 32);
	AT(struct vcd_config, max_segments, 36);
	AT(struct vcd_config, max_aad_bytes, 40);
	AT(struct vcd_config, reserved, 44);
	assert_int_equal(sizeof(struct vcd_config), 64);
}

static void test_request_and_reply_layout(void **state)
{
	AT(struct vcd_request, op, 0);
	AT(struct vcd_request, reserved, 4);
	AT(struct vcd_request, generation, 8);
	AT(struct vcd_request, file_id, 16);
	AT(struct vcd_request, session_id, 20);
	assert_int_equal(sizeof(struct vcd_request), 24);
	AT(struct vcd_reply, status, 0);
	AT(struct vcd_reply, flags, 4);
	AT(struct vcd_reply, result_bytes, 8);
	AT(struct vcd_reply, value, 12);
	assert_int_equal(sizeof(struct vcd_reply), 16);
}

static void test_hello_layout(void **state)
{
	AT(struct vcd_hello, magic, 0);
	AT(struct vcd_hello, version_min, 4);
	AT(struct vcd_hello, version_max, 6);
	AT(struct vcd_hello, reserved, 8);
	assert_int_equal(sizeof(struct vcd_hello), 16);
	AT(struct vcd_hello_reply, reply, 0);
	AT(struct vcd_hello_reply, generation, 16);
	AT(struct vcd_hello_reply, config, 24);
	AT(struct vcd_hello_reply, ciphers, 88);
	AT(struct vcd_hello_reply, macs, 104);
	AT(struct vcd_hello_reply, provider, 120);
	assert_int_equal(sizeof(struct vcd_hello_reply), 152);
}

static void test_session_layouts(void **state)
{
	AT(struct vcd_session_open, cipher, 0);
	AT(struct vcd_session_open, mac, 4);
	AT(struct vcd_session_open, key_bytes, 8);
	AT(struct vcd_session_open, mac_key_bytes, 12);
	assert_int_equal(sizeof(struct vcd_session_open), 16);
	AT(struct vcd_session_reply, session_id, 16);
	AT(struct vcd_session_reply, block_bytes, 20);
	AT(struct vcd_session_reply, iv_bytes, 24);
	AT(struct vcd_session_reply, digest_bytes, 28);
	AT(struct vcd_session_reply, tag_bytes, 32);
	AT(struct vcd_session_reply, traits, 36);
	AT(struct vcd_session_reply, reserved, 40);
	assert_int_equal(sizeof(struct vcd_session_reply), 48);
	AT(struct vcd_session_info_reply, cipher_name, 16);
	AT(struct vcd_session_info_reply, cipher_driver, 80);
	AT(struct vcd_session_info_reply, mac_name, 144);
	AT(struct vcd_session_info_reply, mac_driver, 208);
	AT(struct vcd_session_info_reply, align_mask, 272);
	AT(struct vcd_session_info_reply, flags, 276);
	assert_int_equal(sizeof(struct vcd_session_info_reply), 280);
}

static void test_operation_layouts(void **state)
{
	AT(struct vcd_crypt, direction, 0);
	AT(struct vcd_crypt, flags, 2);
	AT(struct vcd_crypt, payload_bytes, 4);
	AT(struct vcd_crypt, iv_bytes, 8);
	AT(struct vcd_crypt, dst_bytes, 12);
	AT(struct vcd_crypt, digest_bytes, 16);
	AT(struct vcd_crypt, iv_out_bytes, 20);
	AT(struct vcd_crypt, reserved, 24);
	assert_int_equal(sizeof(struct vcd_crypt), 32);
	AT(struct vcd_authcrypt, direction, 0);
	AT(struct vcd_authcrypt, flags, 2);
	AT(struct vcd_authcrypt, payload_bytes, 4);
	AT(struct vcd_authcrypt, iv_bytes, 8);
	AT(struct vcd_authcrypt, auth_bytes, 12);
	AT(struct vcd_authcrypt, auth_payload_offset, 16);
	AT(struct vcd_authcrypt, tag_bytes, 20);
	AT(struct vcd_authcrypt, tag_in_bytes, 24);
	AT(struct vcd_authcrypt, dst_bytes, 28);
	AT(struct vcd_authcrypt, tag_out_bytes, 32);
	AT(struct vcd_authcrypt, iv_out_bytes, 36);
	AT(struct vcd_authcrypt, reserved, 40);
	assert_int_equal(sizeof(struct vcd_authcrypt), 48);
	AT(struct vcd_hash_copy, from_session_id, 0);
	AT(struct vcd_hash_copy, reserved, 4);
	assert_int_equal(sizeof(struct vcd_hash_copy), 8);
}

static void test_ops_and_statuses(void **state)
{
	static const int ops[] = {
		VCD_OP_HELLO,        VCD_OP_PING,         VCD_OP_OPEN,
		VCD_OP_CLOSE,        VCD_OP_SESSION_OPEN, VCD_OP_SESSION_CLOSE,
		VCD_OP_SESSION_INFO, VCD_OP_CRYPT,        VCD_OP_AUTHCRYPT,
		VCD_OP_HASH_COPY,
	};
	static const int statuses[] = {
		VCD_STATUS_OK,           VCD_STATUS_INVALID,
		VCD_STATUS_FAULT,        VCD_STATUS_BAD_MESSAGE,
		VCD_STATUS_NO_MEMORY,    VCD_STATUS_NO_SPACE,
		VCD_STATUS_TOO_BIG,      VCD_STATUS_OVERFLOW,
		VCD_STATUS_NO_ENTRY,     VCD_STATUS_DEADLOCK,
		VCD_STATUS_NOT_POSSIBLE, VCD_STATUS_BUSY,
		VCD_STATUS_IO,           VCD_STATUS_NO_DEVICE,
		VCD_STATUS_LOST,         VCD_STATUS_KILLS,
		VCD_STATUS_EXPIRED,      VCD_STATUS_MALFORMED,
		VCD_STATUS_UNSUPPORTED,  VCD_STATUS_WRONG_QUEUE,
	};

	for (int i = 0; i < 10; i++)
		assert_int_equal(ops[i], i + 1);
	assert_int_equal(VCD_OPS, 11);
	for (int i = 0; i < 20; i++)
		assert_int_equal(statuses[i], i);
	assert_int_equal(VCD_STATUSES, 20);
}

static void test_constants(void **state)
{
	__le32 magic = htole32(VCD_MAGIC);

	assert_memory_equal(&magic, "pvcd", 4);
	assert_int_equal(VCD_VIRTIO_ID, 30);
	assert_int_equal(VCD_VERSION, 1);
	assert_int_equal(VCD_MAX_QUEUES, 64);
	assert_int_equal(VCD_MAX_IV_BYTES, 16);
	assert_int_equal(VCD_MAX_DIGEST_BYTES, 64);
	assert_int_equal(VCD_MAX_AAD_BYTES, 4096);
	assert_int_equal(VCD_CAP_AEAD, 1);
	assert_int_equal(VCD_CAP_TLS, 2);
	assert_int_equal(VCD_CAP_SRTP, 4);
	assert_int_equal(VCD_CAP_HASH_COPY, 8);
	assert_int_equal(VCD_CAP_RECOVERY, 16);
	assert_int_equal(VCD_TRAIT_CIPHER, 1);
	assert_int_equal(VCD_TRAIT_MAC, 2);
	assert_int_equal(VCD_TRAIT_AEAD, 4);
	assert_int_equal(VCD_TRAIT_STREAM, 8);
	assert_int_equal(VCD_REPLY_HAS_DIGEST, 1);
}

/* A program's op and flags pass through the driver as they are. */
static void test_flags_are_those_of_cryptodev(void **state)
{
	assert_int_equal(VCD_ENCRYPT, COP_ENCRYPT);
	assert_int_equal(VCD_DECRYPT, COP_DECRYPT);
	assert_int_equal(VCD_FLAG_UPDATE, COP_FLAG_UPDATE);
	assert_int_equal(VCD_FLAG_FINAL, COP_FLAG_FINAL);
	assert_int_equal(VCD_FLAG_WRITE_IV, COP_FLAG_WRITE_IV);
	assert_int_equal(VCD_FLAG_NO_ZC, COP_FLAG_NO_ZC);
	assert_int_equal(VCD_FLAG_TLS, COP_FLAG_AEAD_TLS);
	assert_int_equal(VCD_FLAG_SRTP, COP_FLAG_AEAD_SRTP);
	assert_int_equal(VCD_FLAG_RESET, COP_FLAG_RESET);
	assert_int_equal(VCD_MAX_KEY_BYTES, CRYPTO_CIPHER_MAX_KEY_LEN);
	assert_int_equal(VCD_MAX_MAC_KEY_BYTES, CRYPTO_HMAC_MAX_KEY_LEN);
	assert_int_equal(VCD_NAME_BYTES, CRYPTODEV_MAX_ALG_NAME);
}

/* The bytes of one request, as a peer in another language would write them. */
static void test_bytes_of_a_request(void **state)
{
	static const uint8_t golden[] = {
		8,    0,    0,    0,    0, 0,    0, 0, 0x88, 0x77, 0x66, 0x55,
		0x44, 0x33, 0x22, 0x11, 1, 0,    0, 0, 2,    1,    0,    0,
		1,    0,    4,    0,    0, 0x10, 0, 0, 16,   0,    0,    0,
		0,    0x10, 0,    0,    0, 0,    0, 0, 16,   0,    0,    0,
		0,    0,    0,    0,    0, 0,    0, 0,
	};
	struct {
		struct vcd_request request;
		struct vcd_crypt crypt;
	} r;

	memset(&r, 0, sizeof(r));
	r.request.op = htole32(VCD_OP_CRYPT);
	r.request.generation = htole64(0x1122334455667788);
	r.request.file_id = htole32(1);
	r.request.session_id = htole32(258);
	r.crypt.direction = htole16(VCD_DECRYPT);
	r.crypt.flags = htole16(VCD_FLAG_WRITE_IV);
	r.crypt.payload_bytes = htole32(4096);
	r.crypt.iv_bytes = htole32(16);
	r.crypt.dst_bytes = htole32(4096);
	r.crypt.iv_out_bytes = htole32(16);
	assert_int_equal(sizeof(r), sizeof(golden));
	assert_memory_equal(&r, golden, sizeof(golden));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_layout),
		cmocka_unit_test(test_request_and_reply_layout),
		cmocka_unit_test(test_hello_layout),
		cmocka_unit_test(test_session_layouts),
		cmocka_unit_test(test_operation_layouts),
		cmocka_unit_test(test_ops_and_statuses),
		cmocka_unit_test(test_constants),
		cmocka_unit_test(test_flags_are_those_of_cryptodev),
		cmocka_unit_test(test_bytes_of_a_request),
	};

	return cmocka_run_group_tests_name("virtio_cryptodev_abi", tests, NULL,
					   NULL);
}
