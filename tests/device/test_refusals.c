/* SPDX-License-Identifier: Apache-2.0 */
/* test_refusals.c - which requests are refused, and how (vcd 5 to 8) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/stand.h"

#define MAX_BYTES (4u << 20) /* payload of one request */

static int setup(void **state)
{
	driver_init(&stand);
	return stand_open();
}

/* --- shape ------------------------------------------------------------- */

static void test_no_room_for_a_status_returns_nothing(void **state)
{
	for (uint32_t room = 0; room < sizeof(struct vcd_reply); room++) {
		struct driver_answer answer;
		struct driver_request r;

		driver_begin(&stand, &r, VCD_OP_PING, 0, 0);
		r.writable_bytes = room;
		assert_int_equal(driver_send(&stand, 0, &r, &answer), 0);
		assert_int_equal(answer.used_bytes, 0);
		driver_answer_free(&answer);
	}
	stand_works();
}

static void test_a_header_cut_short_is_malformed(void **state)
{
	for (uint32_t bytes = 1; bytes < sizeof(struct vcd_request); bytes++) {
		struct driver_request r;

		driver_begin(&stand, &r, VCD_OP_PING, 0, 0);
		r.bytes = bytes;
		assert_int_equal(stand_send(0, &r, NULL, 0),
				 VCD_STATUS_MALFORMED);
	}
}

static void test_an_unknown_op_is_unsupported(void **state)
{
	static const uint32_t ops[] = { 0, VCD_OPS, 77, UINT32_MAX };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct driver_request r;

		driver_begin(&stand, &r, VCD_OP_PING, 0, 0);
		memcpy(r.data, &ops[i], sizeof(ops[i]));
		assert_int_equal(stand_send(0, &r, NULL, 0),
				 VCD_STATUS_UNSUPPORTED);
	}
}

/* The op with parameters of zeros, and one byte changed to 1. */
static enum vcd_status with_byte(enum vcd_op op, size_t params_bytes, size_t at,
				 uint32_t answer_bytes)
{
	uint8_t params[64] = { 0 };
	struct driver_request r;

	driver_begin(&stand, &r, op, 0, 0);
	driver_put(&r, params, params_bytes);
	r.data[at] = 1;
	r.writable_bytes = answer_bytes;
	return stand_send(0, &r, NULL, 0);
}

static void test_reserved_bytes_must_be_zero(void **state)
{
	const size_t head = sizeof(struct vcd_request);

	assert_int_equal(with_byte(VCD_OP_PING, 0,
				   offsetof(struct vcd_request, reserved), 16),
			 VCD_STATUS_MALFORMED);
	assert_int_equal(with_byte(VCD_OP_HELLO, 16, head + 8,
				   sizeof(struct vcd_hello_reply)),
			 VCD_STATUS_MALFORMED);
	assert_int_equal(with_byte(VCD_OP_CRYPT, 32, head + 24, 16),
			 VCD_STATUS_MALFORMED);
	assert_int_equal(with_byte(VCD_OP_AUTHCRYPT, 48, head + 40, 16),
			 VCD_STATUS_MALFORMED);
	assert_int_equal(with_byte(VCD_OP_HASH_COPY, 8, head + 4, 16),
			 VCD_STATUS_MALFORMED);
}

static void test_ids_that_have_no_meaning_must_be_zero(void **state)
{
	static const enum vcd_op ops[] = { VCD_OP_PING, VCD_OP_OPEN };

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(driver_simple(&stand, 0, ops[i], 1, 0),
				 VCD_STATUS_MALFORMED);
		assert_int_equal(driver_simple(&stand, 0, ops[i], 0, 1),
				 VCD_STATUS_MALFORMED);
	}
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, stand_file, 1),
			 VCD_STATUS_MALFORMED);
}

/* Every byte too many or too few on either side. */
static void test_lengths_must_be_those_announced(void **state)
{
	uint32_t session = stand_cbc_session();
	uint8_t block[16] = { 0 };

	for (int wrong = -20; wrong <= 20; wrong++) {
		struct driver_crypt op = stand_cbc(block, 16);
		uint8_t more[32] = { 0 };
		struct driver_request r;

		driver_crypt_begin(&stand, &r, stand_file, session, &op);
		if (wrong > 0)
			driver_put(&r, more, (size_t)wrong);
		else
			r.bytes -= (uint32_t)-wrong;
		assert_int_equal(stand_send(0, &r, NULL, 0),
				 wrong ? VCD_STATUS_MALFORMED : VCD_STATUS_OK);
		driver_crypt_begin(&stand, &r, stand_file, session, &op);
		r.writable_bytes = (uint32_t)((int)r.writable_bytes + wrong);
		if (r.writable_bytes >= 16)
			assert_int_equal(stand_send(0, &r, NULL, 0),
					 wrong ? VCD_STATUS_MALFORMED
					       : VCD_STATUS_OK);
		else
			free(r.data);
	}
}

/* Lengths that wrap in 32 bits to what is there. */
static void test_lengths_that_wrap_are_malformed(void **state)
{
	uint32_t session = stand_cbc_session();
	uint8_t block[16] = { 0 };
	struct driver_crypt op = stand_cbc(block, 16);
	struct vcd_crypt params = { .payload_bytes = 16,
				    .iv_bytes = UINT32_MAX - 15,
				    .dst_bytes = 16 };
	struct driver_request r;

	driver_crypt_begin(&stand, &r, stand_file, session, &op);
	r.bytes = sizeof(struct vcd_request) + sizeof(params);
	memcpy(r.data + sizeof(struct vcd_request), &params, sizeof(params));
	assert_int_equal(stand_send(0, &r, NULL, 0), VCD_STATUS_MALFORMED);
	params.iv_bytes = 0;
	params.dst_bytes = UINT32_MAX - 15;
	params.digest_bytes = 32;
	driver_begin(&stand, &r, VCD_OP_CRYPT, stand_file, session);
	driver_put(&r, &params, sizeof(params));
	driver_put(&r, block, 16);
	r.writable_bytes = 16 + 16;
	assert_int_equal(stand_send(0, &r, NULL, 0), VCD_STATUS_MALFORMED);
}

static void test_payload_above_the_limit_is_too_big(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16, 0, 0);
	uint32_t srtp = stand_session(0, CRYPTSESS_AES_CTR, 16,
				      CRYPTSESS_HMAC_SHA1, 20);
	uint8_t *data = calloc(1, MAX_BYTES + 16);
	struct driver_crypt op = { .src = data,
				   .src_bytes = MAX_BYTES + 1,
				   .dst_bytes = MAX_BYTES + 1 };
	struct driver_auth auth = { .flags = VCD_FLAG_TLS,
				    .auth = data,
				    .auth_bytes = VCD_MAX_AAD_BYTES + 1,
				    .src = data,
				    .payload_bytes = 16,
				    .dst_bytes = 36 };

	stand.manner = LAYOUT_PAGES;
	assert_int_equal(stand_crypt(0, session, &op, NULL),
			 VCD_STATUS_TOO_BIG);
	assert_int_equal(stand_auth(0, srtp, &auth, NULL), VCD_STATUS_TOO_BIG);
	auth.flags = VCD_FLAG_SRTP;
	auth.auth_bytes = MAX_BYTES + 1;
	auth.tag_out_bytes = 20;
	auth.dst_bytes = 16;
	assert_int_equal(stand_auth(0, srtp, &auth, NULL), VCD_STATUS_TOO_BIG);
	free(data);
}

/* --- what a session allows --------------------------------------------- */

static enum vcd_status open_with(uint32_t cipher, uint32_t key_bytes,
				 uint32_t mac, uint32_t mac_key_bytes)
{
	uint8_t *bytes = calloc(1, MAX_BYTES);
	struct driver_key key = { .cipher = cipher,
				  .mac = mac,
				  .key = bytes,
				  .key_bytes = key_bytes,
				  .mac_key = bytes,
				  .mac_key_bytes = mac_key_bytes };
	struct vcd_session_reply reply;
	enum vcd_status status =
		driver_session_open(&stand, 0, stand_file, &key, &reply);

	free(bytes);
	return status;
}

static void test_session_open_follows_the_rules_of_cryptodev(void **state)
{
	assert_int_equal(open_with(0, 0, 0, 0), VCD_STATUS_INVALID);
	assert_int_equal(open_with(99, 16, 0, 0), VCD_STATUS_INVALID);
	assert_int_equal(open_with(CRYPTSESS_SHA256, 16, 0, 0),
			 VCD_STATUS_INVALID);
	assert_int_equal(open_with(CRYPTSESS_AES_CBC, 17, 0, 0),
			 VCD_STATUS_INVALID);
	assert_int_equal(open_with(CRYPTSESS_AES_CBC, 16, 0, 0), VCD_STATUS_OK);
	assert_int_equal(open_with(0, 0, CRYPTSESS_HMAC_SHA1, 512),
			 VCD_STATUS_OK);
}

static void test_keys_that_are_too_long_are_invalid(void **state)
{
	stand.manner = LAYOUT_PAGES;
	assert_int_equal(open_with(CRYPTSESS_AES_CBC, 65, 0, 0),
			 VCD_STATUS_INVALID);
	assert_int_equal(open_with(CRYPTSESS_AES_CBC, MAX_BYTES, 0, 0),
			 VCD_STATUS_INVALID);
	assert_int_equal(open_with(0, 0, CRYPTSESS_HMAC_SHA1, 513),
			 VCD_STATUS_INVALID);
	assert_int_equal(open_with(0, 0, CRYPTSESS_HMAC_SHA1, MAX_BYTES),
			 VCD_STATUS_INVALID);
}

static void test_an_iv_of_another_length_is_malformed(void **state)
{
	uint32_t session = stand_cbc_session();
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint8_t data[256] = { 0 };

	for (uint32_t bytes = 0; bytes <= 200; bytes++) {
		struct driver_crypt op = stand_cbc(data, 16);
		struct driver_auth auth = { .iv = data,
					    .iv_bytes = bytes,
					    .src = data,
					    .payload_bytes = 16,
					    .dst_bytes = 32 };

		op.iv = data;
		op.iv_bytes = bytes;
		assert_int_equal(stand_crypt(0, session, &op, NULL),
				 bytes == 0 || bytes == 16
					 ? VCD_STATUS_OK
					 : VCD_STATUS_MALFORMED);
		assert_int_equal(stand_auth(0, gcm, &auth, NULL),
				 bytes == 0 || bytes == 12
					 ? VCD_STATUS_OK
					 : VCD_STATUS_MALFORMED);
		op.iv_bytes = 16;
		op.iv_out_bytes = bytes;
		op.flags = VCD_FLAG_WRITE_IV;
		assert_int_equal(stand_crypt(0, session, &op, NULL),
				 bytes == 0 || bytes == 16
					 ? VCD_STATUS_OK
					 : VCD_STATUS_MALFORMED);
	}
}

static void test_a_destination_of_another_length_is_malformed(void **state)
{
	uint32_t session = stand_cbc_session();
	uint32_t hash = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint8_t data[64] = { 0 };

	for (uint32_t bytes = 0; bytes <= 64; bytes++) {
		struct driver_crypt op = stand_cbc(data, 32);
		struct driver_auth auth = { .src = data,
					    .payload_bytes = 32,
					    .dst_bytes = bytes };

		op.dst_bytes = bytes;
		assert_int_equal(stand_crypt(0, session, &op, NULL),
				 bytes == 32 ? VCD_STATUS_OK
					     : VCD_STATUS_MALFORMED);
		op.iv_bytes = 0;
		op.digest_bytes = 32;
		assert_int_equal(stand_crypt(0, hash, &op, NULL),
				 bytes == 0 ? VCD_STATUS_OK
					    : VCD_STATUS_MALFORMED);
		assert_int_equal(stand_auth(0, gcm, &auth, NULL),
				 bytes == 48 ? VCD_STATUS_OK
					     : VCD_STATUS_MALFORMED);
	}
}

static void test_a_digest_has_its_one_length_and_needs_room(void **state)
{
	uint32_t hash = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint8_t block[16] = { 0 };
	struct driver_crypt op = { .src = block, .src_bytes = 16 };

	for (op.digest_bytes = 0; op.digest_bytes <= 80; op.digest_bytes++)
		assert_int_equal(stand_crypt(0, hash, &op, NULL),
				 op.digest_bytes == 32  ? VCD_STATUS_OK
				 : op.digest_bytes == 0 ? VCD_STATUS_FAULT
							: VCD_STATUS_MALFORMED);
	/* None is due. */
	op.flags = VCD_FLAG_UPDATE;
	op.digest_bytes = 32;
	assert_int_equal(stand_crypt(0, hash, &op, NULL), VCD_STATUS_MALFORMED);
}

static void test_tags_have_the_lengths_of_their_form(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	uint8_t data[256] = { 0 };

	for (uint32_t bytes = 1; bytes <= 80; bytes++) {
		struct driver_auth tls = { .flags = VCD_FLAG_TLS,
					   .src = data,
					   .payload_bytes = 32,
					   .tag_bytes = bytes,
					   .dst_bytes = 32 + bytes };
		struct driver_auth srtp = { .direction = VCD_DECRYPT,
					    .flags = VCD_FLAG_SRTP,
					    .auth = data,
					    .auth_bytes = 40,
					    .payload_bytes = 32,
					    .tag = data,
					    .tag_in_bytes = bytes,
					    .dst_bytes = 32 };

		assert_int_equal(stand_auth(0, session, &tls, NULL),
				 bytes <= 20 ? VCD_STATUS_OK
					     : VCD_STATUS_INVALID);
		assert_int_equal(stand_auth(0, session, &srtp, NULL),
				 bytes == 20 ? VCD_STATUS_BAD_MESSAGE
					     : VCD_STATUS_MALFORMED);
	}
}

static void test_an_srtp_payload_lies_in_its_packet(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	uint8_t data[512] = { 0 };
	struct driver_auth op = { .flags = VCD_FLAG_SRTP,
				  .auth = data,
				  .auth_bytes = 400,
				  .payload_bytes = 100,
				  .dst_bytes = 100,
				  .tag_out_bytes = 20 };

	for (op.offset = 250; op.offset < 310; op.offset++)
		assert_int_equal(stand_auth(0, session, &op, NULL),
				 op.offset <= 256 ? VCD_STATUS_OK
						  : VCD_STATUS_INVALID);
	op.auth_bytes = 300;
	for (op.offset = 190; op.offset < 210; op.offset++)
		assert_int_equal(stand_auth(0, session, &op, NULL),
				 op.offset <= 200 ? VCD_STATUS_OK
						  : VCD_STATUS_INVALID);
	op.offset = UINT32_MAX;
	assert_int_equal(stand_auth(0, session, &op, NULL), VCD_STATUS_INVALID);
}

static void test_an_srtp_packet_may_have_a_tag_alone(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	uint32_t untagged = stand_session(0, CRYPTSESS_AES_CTR, 16, 0, 0);
	uint8_t data[400] = { 0 };
	struct driver_auth op = { .flags = VCD_FLAG_SRTP,
				  .auth = data,
				  .auth_bytes = 400,
				  .offset = 12,
				  .tag_out_bytes = 20 };

	assert_int_equal(stand_auth(0, session, &op, NULL), VCD_STATUS_OK);
	op.tag_out_bytes = 0;
	assert_int_equal(stand_auth(0, untagged, &op, NULL),
			 VCD_STATUS_INVALID);
	op.direction = VCD_DECRYPT;
	op.tag = data;
	op.tag_in_bytes = 20;
	assert_int_equal(stand_auth(0, session, &op, NULL), VCD_STATUS_INVALID);
}

static void test_direction_block_and_form_are_checked(void **state)
{
	uint32_t session = stand_cbc_session();
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint32_t hash = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint8_t data[64] = { 0 };
	struct driver_crypt op = stand_cbc(data, 17);
	struct driver_auth auth = { .src = data,
				    .payload_bytes = 16,
				    .dst_bytes = 32 };

	assert_int_equal(stand_crypt(0, session, &op, NULL),
			 VCD_STATUS_INVALID);
	op = stand_cbc(data, 16);
	op.direction = 2;
	assert_int_equal(stand_crypt(0, session, &op, NULL),
			 VCD_STATUS_INVALID);
	op.direction = 0;
	op.iv_bytes = 12;
	assert_int_equal(stand_crypt(0, gcm, &op, NULL), VCD_STATUS_INVALID);
	assert_int_equal(stand_auth(0, session, &auth, NULL),
			 VCD_STATUS_INVALID);
	assert_int_equal(stand_auth(0, hash, &auth, NULL), VCD_STATUS_INVALID);
	auth.direction = 2;
	assert_int_equal(stand_auth(0, gcm, &auth, NULL), VCD_STATUS_INVALID);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_room_for_a_status_returns_nothing),
		TEST(a_header_cut_short_is_malformed),
		TEST(an_unknown_op_is_unsupported),
		TEST(reserved_bytes_must_be_zero),
		TEST(ids_that_have_no_meaning_must_be_zero),
		TEST(lengths_must_be_those_announced),
		TEST(lengths_that_wrap_are_malformed),
		TEST(payload_above_the_limit_is_too_big),
		TEST(session_open_follows_the_rules_of_cryptodev),
		TEST(keys_that_are_too_long_are_invalid),
		TEST(an_iv_of_another_length_is_malformed),
		TEST(a_destination_of_another_length_is_malformed),
		TEST(a_digest_has_its_one_length_and_needs_room),
		TEST(tags_have_the_lengths_of_their_form),
		TEST(an_srtp_payload_lies_in_its_packet),
		TEST(an_srtp_packet_may_have_a_tag_alone),
		TEST(direction_block_and_form_are_checked),
	};

	return cmocka_run_group_tests_name("refusals", tests, setup,
					   stand_close);
}
