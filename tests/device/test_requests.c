/* SPDX-License-Identifier: Apache-2.0 */
/* test_requests.c - what requests do, and which are refused how (vcd 4 to 8) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/stand.h"

#define MAX_BYTES (4u << 20) /* payload of one request */

static const uint8_t iv16[16] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };

static int setup(void **state)
{
	driver_init(&stand);
	return stand_open();
}

/* A CRYPT of AES-128-CBC, correct in all but what a test changes. */
static struct driver_crypt cbc(const void *src, uint32_t bytes)
{
	return (struct driver_crypt){ .iv = iv16,
				      .iv_bytes = 16,
				      .src = src,
				      .src_bytes = bytes,
				      .dst_bytes = bytes };
}

static uint32_t cbc_session(void)
{
	return stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);
}

/* --- HELLO ------------------------------------------------------------- */

static enum vcd_status hello(unsigned int queue, uint32_t magic, uint16_t least,
			     uint16_t most, struct vcd_hello_reply *reply)
{
	struct vcd_hello params = { .magic = magic,
				    .version_min = least,
				    .version_max = most };
	struct driver_request r;

	driver_begin(&stand, &r, VCD_OP_HELLO, 0, 0);
	driver_put(&r, &params, sizeof(params));
	r.writable_bytes = sizeof(*reply);
	return stand_send(queue, &r, reply, sizeof(*reply));
}

static void test_hello_says_what_the_device_is(void **state)
{
	struct vcd_hello_reply reply;

	assert_int_equal(hello(0, VCD_MAGIC, 1, 9, &reply), VCD_STATUS_OK);
	assert_int_equal(reply.reply.value, 1);
	assert_true(reply.generation != 0);
	assert_true(reply.generation != stand.generation);
	assert_int_equal(reply.config.magic, VCD_MAGIC);
	assert_int_equal(reply.config.queues, DRIVER_QUEUES);
	assert_int_equal(reply.config.max_request_bytes, MAX_BYTES);
	assert_true(reply.config.capabilities & VCD_CAP_AEAD);
	assert_true(reply.ciphers[0] >> CRYPTSESS_AES_CBC & 1);
	assert_true(reply.macs[1] >> (CRYPTSESS_SHA256 - 64) & 1);
	assert_string_equal((char *)reply.provider, "openssl");
}

static void test_a_refused_hello_changes_nothing(void **state)
{
	struct vcd_hello_reply reply;

	assert_int_equal(hello(1, VCD_MAGIC, 1, 1, &reply),
			 VCD_STATUS_WRONG_QUEUE);
	assert_int_equal(hello(0, VCD_MAGIC + 1, 1, 1, &reply),
			 VCD_STATUS_MALFORMED);
	assert_int_equal(hello(0, VCD_MAGIC, 2, 3, &reply),
			 VCD_STATUS_UNSUPPORTED);
	stand_works();
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, stand_file, 0),
			 VCD_STATUS_OK);
}

static void test_hello_ends_the_older_generation(void **state)
{
	uint64_t older = stand.generation, newer;
	uint32_t session = cbc_session();
	uint8_t block[16] = { 0 };
	struct driver_crypt op = cbc(block, 16);

	assert_int_equal(driver_hello(&stand), 0);
	newer = stand.generation;
	assert_int_equal(stand_crypt(0, session, &op, NULL),
			 VCD_STATUS_INVALID);
	stand.generation = older;
	for (unsigned int queue = 0; queue < DRIVER_QUEUES; queue++)
		assert_int_equal(
			driver_simple(&stand, queue, VCD_OP_PING, 0, 0),
			VCD_STATUS_EXPIRED);
	assert_int_equal(stand_crypt(0, session, &op, NULL),
			 VCD_STATUS_EXPIRED);
	stand.generation = newer;
	stand_works();
}

static void test_nothing_goes_before_hello(void **state)
{
	struct driver fresh;
	enum vcd_status status;

	driver_init(&fresh);
	assert_int_equal(driver_start(&fresh), 0);
	assert_int_equal(driver_connect(&fresh, DRIVER_FEATURES), 0);
	assert_int_equal(driver_simple(&fresh, 1, VCD_OP_PING, 0, 0),
			 VCD_STATUS_EXPIRED);
	assert_int_equal(driver_open(&fresh, 0, &status), 0);
	assert_int_equal(status, VCD_STATUS_EXPIRED);
	assert_int_equal(driver_hello(&fresh), 0);
	assert_int_equal(driver_simple(&fresh, 1, VCD_OP_PING, 0, 0),
			 VCD_STATUS_OK);
	assert_int_equal(driver_stop(&fresh), 0);
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
	uint32_t session = cbc_session();
	uint8_t block[16] = { 0 };

	for (int wrong = -20; wrong <= 20; wrong++) {
		struct driver_crypt op = cbc(block, 16);
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
	uint32_t session = cbc_session();
	uint8_t block[16] = { 0 };
	struct driver_crypt op = cbc(block, 16);
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
	uint32_t session = cbc_session();
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint8_t data[256] = { 0 };

	for (uint32_t bytes = 0; bytes <= 200; bytes++) {
		struct driver_crypt op = cbc(data, 16);
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
	uint32_t session = cbc_session();
	uint32_t hash = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint8_t data[64] = { 0 };

	for (uint32_t bytes = 0; bytes <= 64; bytes++) {
		struct driver_crypt op = cbc(data, 32);
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
	struct driver_crypt op = { .src = iv16, .src_bytes = 16 };

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
	uint32_t session = cbc_session();
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint32_t hash = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint8_t data[64] = { 0 };
	struct driver_crypt op = cbc(data, 17);
	struct driver_auth auth = { .src = data,
				    .payload_bytes = 16,
				    .dst_bytes = 32 };

	assert_int_equal(stand_crypt(0, session, &op, NULL),
			 VCD_STATUS_INVALID);
	op = cbc(data, 16);
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

/* --- what operations do ------------------------------------------------ */

static void test_the_iv_is_chained_from_request_to_request(void **state)
{
	uint8_t text[64], once[64], parts[64], iv[16];
	uint32_t session = cbc_session();
	struct driver_crypt op = cbc(text, 64);

	for (unsigned int i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 3);
	assert_int_equal(stand_crypt(0, session, &op, once), VCD_STATUS_OK);
	op = cbc(text, 16);
	assert_int_equal(stand_crypt(0, session, &op, parts), VCD_STATUS_OK);
	op = cbc(text + 16, 48);
	op.iv_bytes = 0;
	assert_int_equal(stand_crypt(0, session, &op, parts + 16),
			 VCD_STATUS_OK);
	assert_memory_equal(parts, once, 64);
	/* And told when asked for. */
	op = cbc(text, 0);
	op.iv_bytes = 0;
	op.iv_out_bytes = 16;
	op.flags = VCD_FLAG_WRITE_IV;
	assert_int_equal(stand_crypt(0, session, &op, iv), VCD_STATUS_OK);
	assert_memory_equal(iv, once + 48, 16);
}

static enum vcd_status update(uint32_t session, const char *text,
			      uint16_t flags, void *digest)
{
	struct driver_crypt op = { .flags = flags,
				   .src = text,
				   .src_bytes = (uint32_t)strlen(text),
				   .digest_bytes = digest ? 32 : 0 };

	return stand_crypt(0, session, &op, digest);
}

static void test_a_hash_in_parts_is_the_hash_of_the_whole(void **state)
{
	uint32_t session = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint8_t whole[32], parts[32];

	assert_int_equal(update(session, "parts of it", 0, whole),
			 VCD_STATUS_OK);
	assert_int_equal(update(session, "parts", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(update(session, " of ", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(update(session, "it", VCD_FLAG_FINAL, parts),
			 VCD_STATUS_OK);
	assert_memory_equal(parts, whole, 32);
	/* An update of nothing finishes too (vcd 6.4). */
	assert_int_equal(update(session, "parts of it", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	memset(parts, 0, sizeof(parts));
	assert_int_equal(update(session, "", VCD_FLAG_UPDATE, parts),
			 VCD_STATUS_OK);
	assert_memory_equal(parts, whole, 32);
}

static void test_a_running_hash_is_copied(void **state)
{
	uint32_t from = stand_session(1, 0, 0, CRYPTSESS_SHA256, 0);
	uint32_t to = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	struct driver_crypt op = { .flags = VCD_FLAG_UPDATE,
				   .src = "abc",
				   .src_bytes = 3 };
	uint8_t whole[32], copied[32];

	assert_int_equal(update(to, "abcdef", 0, whole), VCD_STATUS_OK);
	assert_int_equal(stand_crypt(1, from, &op, NULL), VCD_STATUS_OK);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, to, from),
			 VCD_STATUS_OK);
	assert_int_equal(update(to, "def", VCD_FLAG_FINAL, copied),
			 VCD_STATUS_OK);
	assert_memory_equal(copied, whole, 32);
	op.src = "def";
	op.flags = VCD_FLAG_FINAL;
	op.digest_bytes = 32;
	assert_int_equal(stand_crypt(1, from, &op, copied), VCD_STATUS_OK);
	assert_memory_equal(copied, whole, 32);
}

static void test_hash_copy_is_judged_in_its_order(void **state)
{
	uint32_t one = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint32_t other = stand_session(0, 0, 0, CRYPTSESS_SHA512, 0);
	uint32_t cipher = cbc_session();
	uint32_t far = stand_session(1, 0, 0, CRYPTSESS_SHA256, 0);

	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, 5, 5),
			 VCD_STATUS_DEADLOCK);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, one, 5),
			 VCD_STATUS_NO_ENTRY);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, 5, one),
			 VCD_STATUS_NO_ENTRY);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, far, one),
			 VCD_STATUS_WRONG_QUEUE);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, one, other),
			 VCD_STATUS_INVALID);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, one, cipher),
			 VCD_STATUS_INVALID);
}

static void test_session_info_names_the_algorithms(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CBC, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	struct vcd_session_info_reply info;
	struct driver_request r;

	driver_begin(&stand, &r, VCD_OP_SESSION_INFO, stand_file, session);
	r.writable_bytes = sizeof(info);
	assert_int_equal(stand_send(0, &r, &info, sizeof(info)), VCD_STATUS_OK);
	assert_string_equal((char *)info.cipher_name, "cbc(aes)");
	assert_string_equal((char *)info.mac_name, "hmac(sha1)");
	assert_string_equal((char *)info.cipher_driver, "cbc-aes-openssl");
	assert_int_equal(info.align_mask, 0);
	assert_int_equal(info.flags, 1);
}

static bool is_zero(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (data[i])
			return false;
	return true;
}

/* vcd 7.6, of pieces in all manners. */
static void test_a_forgery_gets_zeros(void **state)
{
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint32_t tls = stand_session(0, CRYPTSESS_AES_CBC, 16,
				     CRYPTSESS_HMAC_SHA1, 20);
	uint8_t sealed[1616], opened[1616];
	struct driver_auth op = { .src = sealed,
				  .iv = iv16,
				  .iv_bytes = 12,
				  .payload_bytes = 1600,
				  .dst_bytes = 1616 };

	memset(sealed, 0x61, sizeof(sealed));
	assert_int_equal(stand_auth(0, gcm, &op, sealed), VCD_STATUS_OK);
	sealed[1610] ^= 1;
	op.direction = VCD_DECRYPT;
	op.payload_bytes = 1616;
	op.dst_bytes = 1600;
	for (unsigned int way = 0; way < LAYOUT_MANNERS; way++) {
		stand.manner = (enum layout_manner)way;
		memset(opened, 1, sizeof(opened));
		assert_int_equal(stand_auth(0, gcm, &op, opened),
				 VCD_STATUS_BAD_MESSAGE);
		assert_true(is_zero(opened, 1600));
	}
	op.flags = VCD_FLAG_TLS;
	op.iv_bytes = 16;
	op.dst_bytes = 1616;
	memset(opened, 1, sizeof(opened));
	assert_int_equal(stand_auth(0, tls, &op, opened),
			 VCD_STATUS_BAD_MESSAGE);
	assert_true(is_zero(opened, 1616));
}

static void test_the_largest_request_fits_in_every_manner(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 32, 0, 0);
	uint8_t *text = malloc(MAX_BYTES), *sealed = malloc(MAX_BYTES);
	uint8_t *opened = malloc(MAX_BYTES);
	struct driver_crypt op = cbc(text, MAX_BYTES);

	for (uint32_t i = 0; i < MAX_BYTES; i++)
		text[i] = (uint8_t)(i ^ i >> 9);
	for (unsigned int way = 0; way < 2 * LAYOUT_MANNERS; way++) {
		stand.manner = (enum layout_manner)(way / 2);
		stand.is_in_place = way % 2;
		op.src = text;
		assert_int_equal(stand_crypt(0, session, &op, sealed),
				 VCD_STATUS_OK);
		assert_memory_not_equal(sealed, text, 64);
		op.src = sealed;
		assert_int_equal(stand_crypt(0, session, &op, opened),
				 VCD_STATUS_OK);
		assert_memory_equal(opened, text, MAX_BYTES);
	}
	free(text);
	free(sealed);
	free(opened);
}

/* The answer lies where the request's header was. */
static void test_an_answer_may_lie_over_its_request(void **state)
{
	uint32_t session = cbc_session();
	uint8_t text[64] = { 1, 2, 3 }, apart[64], over[64];
	struct driver_crypt op = cbc(text, 64);
	struct driver_request r;
	uint8_t answer[80];

	assert_int_equal(stand_crypt(0, session, &op, apart), VCD_STATUS_OK);
	for (uint32_t in = 0; in + 64 <= 24 + 32 + 16 + 64; in += 3) {
		driver_crypt_begin(&stand, &r, stand_file, session, &op);
		r.shared_in = in;
		r.shared_out = in % 16;
		r.shared_bytes = 64;
		assert_int_equal(stand_send(0, &r, answer, sizeof(answer)),
				 VCD_STATUS_OK);
		memcpy(over, answer + 16, 64);
		assert_memory_equal(over, apart, 64);
	}
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hello_says_what_the_device_is),
		TEST(a_refused_hello_changes_nothing),
		TEST(hello_ends_the_older_generation),
		TEST(nothing_goes_before_hello),
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
		TEST(the_iv_is_chained_from_request_to_request),
		TEST(a_hash_in_parts_is_the_hash_of_the_whole),
		TEST(a_running_hash_is_copied),
		TEST(hash_copy_is_judged_in_its_order),
		TEST(session_info_names_the_algorithms),
		TEST(a_forgery_gets_zeros),
		TEST(the_largest_request_fits_in_every_manner),
		TEST(an_answer_may_lie_over_its_request),
	};

	return cmocka_run_group_tests_name("requests", tests, setup,
					   stand_close);
}
