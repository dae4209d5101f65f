/* SPDX-License-Identifier: Apache-2.0 */
/* test_requests.c - what requests do (vcd 4 to 8) */
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
	uint32_t session = stand_cbc_session();
	uint8_t block[16] = { 0 };
	struct driver_crypt op = stand_cbc(block, 16);

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

/* --- what operations do ------------------------------------------------ */

static void test_the_iv_is_chained_from_request_to_request(void **state)
{
	uint8_t text[64], once[64], parts[64], iv[16];
	uint32_t session = stand_cbc_session();
	struct driver_crypt op = stand_cbc(text, 64);

	for (unsigned int i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 3);
	assert_int_equal(stand_crypt(0, session, &op, once), VCD_STATUS_OK);
	op = stand_cbc(text, 16);
	assert_int_equal(stand_crypt(0, session, &op, parts), VCD_STATUS_OK);
	op = stand_cbc(text + 16, 48);
	op.iv_bytes = 0;
	assert_int_equal(stand_crypt(0, session, &op, parts + 16),
			 VCD_STATUS_OK);
	assert_memory_equal(parts, once, 64);
	/* And told when asked for. */
	op = stand_cbc(text, 0);
	op.iv_bytes = 0;
	op.iv_out_bytes = 16;
	op.flags = VCD_FLAG_WRITE_IV;
	assert_int_equal(stand_crypt(0, session, &op, iv), VCD_STATUS_OK);
	assert_memory_equal(iv, once + 48, 16);
}

static void test_a_hash_in_parts_is_the_hash_of_the_whole(void **state)
{
	uint32_t session = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint8_t whole[32], parts[32];

	assert_int_equal(stand_update(session, "parts of it", 0, whole),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "parts", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, " of ", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "it", VCD_FLAG_FINAL, parts),
			 VCD_STATUS_OK);
	assert_memory_equal(parts, whole, 32);
	/* An update of nothing finishes too (vcd 6.4). */
	assert_int_equal(
		stand_update(session, "parts of it", VCD_FLAG_UPDATE, NULL),
		VCD_STATUS_OK);
	memset(parts, 0, sizeof(parts));
	assert_int_equal(stand_update(session, "", VCD_FLAG_UPDATE, parts),
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

	assert_int_equal(stand_update(to, "abcdef", 0, whole), VCD_STATUS_OK);
	assert_int_equal(stand_crypt(1, from, &op, NULL), VCD_STATUS_OK);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, to, from),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(to, "def", VCD_FLAG_FINAL, copied),
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
	uint32_t cipher = stand_cbc_session();
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

/* vcd 7.6, of pieces in all manners, apart and in place. */
static void test_a_forgery_gets_zeros(void **state)
{
	uint32_t gcm = stand_session(0, CRYPTSESS_AES_GCM, 16, 0, 0);
	uint32_t tls = stand_session(0, CRYPTSESS_AES_CBC, 16,
				     CRYPTSESS_HMAC_SHA1, 20);
	uint8_t sealed[1616], opened[1616], iv[16] = { 9, 8, 7 };
	struct driver_auth op = { .src = sealed,
				  .iv = iv,
				  .iv_bytes = 12,
				  .payload_bytes = 1600,
				  .dst_bytes = 1616 };

	memset(sealed, 0x61, sizeof(sealed));
	assert_int_equal(stand_auth(0, gcm, &op, sealed), VCD_STATUS_OK);
	sealed[1610] ^= 1;
	op.direction = VCD_DECRYPT;
	op.payload_bytes = 1616;
	op.dst_bytes = 1600;
	for (unsigned int form = 0; form < 2; form++) {
		for (unsigned int way = 0; way < 2 * LAYOUT_MANNERS; way++) {
			stand.manner = (enum layout_manner)(way / 2);
			stand.is_in_place = way % 2;
			memset(opened, 1, sizeof(opened));
			assert_int_equal(
				stand_auth(0, form ? tls : gcm, &op, opened),
				VCD_STATUS_BAD_MESSAGE);
			assert_true(is_zero(opened, op.dst_bytes));
		}
		op.flags = VCD_FLAG_TLS;
		op.iv_bytes = 16;
		op.dst_bytes = 1616;
	}
}

static void test_the_largest_request_fits_in_every_manner(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 32, 0, 0);
	uint8_t *text = malloc(MAX_BYTES), *sealed = malloc(MAX_BYTES);
	uint8_t *opened = malloc(MAX_BYTES);
	struct driver_crypt op = stand_cbc(text, MAX_BYTES);

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
	uint32_t session = stand_cbc_session();
	uint8_t text[64] = { 1, 2, 3 }, apart[64], over[64];
	struct driver_crypt op = stand_cbc(text, 64);
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
