/* SPDX-License-Identifier: Apache-2.0 */
/* test_clauses.c - sentences of the contract that no other test is about */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/stand.h"

#define TEXT 64u

static const uint8_t text[TEXT] = "what is hashed, and then is hashed again";
static const uint8_t iv16[VCD_MAX_IV_BYTES] = { 5, 3 };

static int setup(void **state)
{
	driver_init(&stand);
	return stand_open();
}

/* What may be wrong with one CRYPT, in the order of vcd 5.3. */
enum fault {
	FAULT_ROOM,       /* (a) */
	FAULT_HEADER,     /* (b) */
	FAULT_OP,         /* (c) */
	FAULT_GENERATION, /* (d) */
	FAULT_PARAMS,     /* (e) */
	FAULT_LIMIT,      /* (e) */
	FAULT_LENGTHS,    /* (e) */
	FAULT_FILE,       /* (f) */
	FAULT_SESSION,    /* (f) */
	FAULT_QUEUE,      /* (g) */
	FAULT_RULE,       /* (h) */
	FAULTS
};

/* A CRYPT with all faults from `first` on; its status, or -1 when the chain
 * came back with nothing. */
static int judge(enum fault first, uint32_t session)
{
#define HAS(fault) (first <= FAULT_##fault)
	struct vcd_crypt params = {
		.direction = HAS(RULE) ? 7 : VCD_ENCRYPT,
		.payload_bytes = HAS(LIMIT)     ? UINT32_MAX
				 : HAS(LENGTHS) ? TEXT + 16
						: TEXT,
		.dst_bytes = TEXT,
		.reserved = HAS(PARAMS),
	};
	struct vcd_request *header;
	struct driver_answer answer;
	struct driver_request r;
	int status;

	driver_begin(&stand, &r, VCD_OP_CRYPT,
		     stand_file + (HAS(FILE) ? 4096 : 0),
		     session + (HAS(SESSION) ? 4096 * 4 : 0));
	driver_put(&r, &params, sizeof(params));
	driver_put(&r, text, TEXT);
	r.writable_bytes = HAS(ROOM) ? 15 : 16 + TEXT;
	header = (void *)r.data;
	header->reserved = HAS(HEADER);
	header->op = HAS(OP) ? VCD_OPS + 1 : VCD_OP_CRYPT;
	header->generation += HAS(GENERATION);
	assert_int_equal(driver_send(&stand, HAS(QUEUE) ? 1 : 0, &r, &answer),
			 0);
	status = answer.used_bytes ? (int)answer.status : -1;
	driver_answer_free(&answer);
	return status;
#undef HAS
}

static void test_a_request_is_judged_in_the_order_of_the_clause(void **state)
{
	static const int expected[FAULTS + 1] = {
		[FAULT_ROOM] = -1,
		[FAULT_HEADER] = VCD_STATUS_MALFORMED,
		[FAULT_OP] = VCD_STATUS_UNSUPPORTED,
		[FAULT_GENERATION] = VCD_STATUS_EXPIRED,
		[FAULT_PARAMS] = VCD_STATUS_MALFORMED,
		[FAULT_LIMIT] = VCD_STATUS_TOO_BIG,
		[FAULT_LENGTHS] = VCD_STATUS_MALFORMED,
		[FAULT_FILE] = VCD_STATUS_INVALID,
		[FAULT_SESSION] = VCD_STATUS_INVALID,
		[FAULT_QUEUE] = VCD_STATUS_WRONG_QUEUE,
		[FAULT_RULE] = VCD_STATUS_INVALID,
		[FAULTS] = VCD_STATUS_OK,
	};
	uint32_t session = stand_session(0, CRYPTSESS_AES_ECB, 16, 0, 0);

	for (int first = 0; first <= FAULTS; first++)
		assert_int_equal(judge((enum fault)first, session),
				 expected[first]);
}

/* vcd 10.4. */
static void test_an_owner_who_comes_again_begins_a_session(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_ECB, 16, 0, 0);
	uint16_t base;

	for (unsigned int i = 0; i < stand.queues; i++)
		assert_int_equal(frontend_queue_stop(&stand.fe.queue[i], &base),
				 0);
	assert_int_equal(
		frontend_negotiate(&stand.fe, DRIVER_FEATURES, UINT64_MAX), 0);
	assert_int_equal(frontend_share_memory(&stand.fe), 0);
	for (unsigned int i = 0; i < stand.queues; i++) {
		frontend_queue_clear(&stand.fe.queue[i]);
		assert_int_equal(frontend_queue_start(&stand.fe.queue[i], 0),
				 0);
	}
	stand.worker = driver_worker(&stand);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE,
				       stand_file, session),
			 VCD_STATUS_EXPIRED);
	assert_int_equal(stand_begin(NULL), 0);
	stand_works();
}

/* vcd 7.1: whatever was running before. */
static void test_a_form_starts_the_hash_afresh(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	struct driver_crypt part = { .flags = VCD_FLAG_UPDATE,
				     .src = text,
				     .src_bytes = TEXT,
				     .dst_bytes = TEXT };
	struct driver_crypt last = { .flags = VCD_FLAG_FINAL,
				     .iv = iv16,
				     .iv_bytes = 16,
				     .src = text,
				     .src_bytes = TEXT,
				     .dst_bytes = TEXT,
				     .digest_bytes = 20 };
	struct driver_auth record = { .flags = VCD_FLAG_TLS,
				      .src = text,
				      .payload_bytes = TEXT,
				      .dst_bytes = TEXT + 20 };
	uint8_t alone[TEXT + 20], behind[TEXT + 20], first[TEXT + 20];
	uint8_t second[TEXT + 20];

	record.iv = iv16;
	record.iv_bytes = 16;
	assert_int_equal(stand_auth(0, session, &record, first), VCD_STATUS_OK);
	assert_int_equal(stand_crypt(0, session, &last, alone), VCD_STATUS_OK);
	assert_int_equal(stand_crypt(0, session, &part, NULL), VCD_STATUS_OK);
	assert_int_equal(stand_auth(0, session, &record, second),
			 VCD_STATUS_OK);
	assert_memory_equal(first, second, sizeof(first));
	assert_int_equal(stand_crypt(0, session, &last, behind), VCD_STATUS_OK);
	assert_memory_equal(alone, behind, sizeof(alone));
	/* Without it the part counts. */
	assert_int_equal(stand_crypt(0, session, &part, NULL), VCD_STATUS_OK);
	assert_int_equal(stand_crypt(0, session, &last, behind), VCD_STATUS_OK);
	assert_memory_not_equal(alone, behind, sizeof(alone));
}

/* vcd 7.7. */
static void test_ccm_has_its_nonce_and_its_length_in_the_iv(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CCM, 16, 0, 0);
	static uint8_t plain[65536], iv[VCD_MAX_IV_BYTES];
	struct driver_auth op = { .iv = iv,
				  .iv_bytes = 16,
				  .src = plain,
				  .payload_bytes = 65535,
				  .dst_bytes = 65535 + 16 };

	for (unsigned int field = 0; field < 256; field++) {
		iv[0] = (uint8_t)field;
		assert_int_equal(stand_auth(0, session, &op, NULL),
				 field >= 1 && field <= 7 ? VCD_STATUS_OK
							  : VCD_STATUS_INVALID);
	}
	iv[0] = 1; /* two bytes of length */
	op.payload_bytes++;
	op.dst_bytes++;
	assert_int_equal(stand_auth(0, session, &op, NULL),
			 VCD_STATUS_OVERFLOW);
}

/* vcd 7.5. */
static void test_an_srtp_tag_is_no_longer_than_what_it_is_on(void **state)
{
	uint32_t session = stand_session(0, CRYPTSESS_AES_CTR, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	uint8_t packet[20] = { 0 }, tag[20] = { 0 };
	struct driver_auth op = { .direction = VCD_DECRYPT,
				  .flags = VCD_FLAG_SRTP,
				  .auth = packet,
				  .auth_bytes = sizeof(packet),
				  .tag = tag,
				  .tag_in_bytes = 20 };

	for (uint32_t bytes = 18; bytes <= 20; bytes++) {
		op.payload_bytes = bytes;
		op.dst_bytes = bytes;
		assert_int_equal(stand_auth(0, session, &op, NULL),
				 bytes < 20 ? VCD_STATUS_INVALID
					    : VCD_STATUS_BAD_MESSAGE);
	}
}

/* vcd 7.3. */
static void test_a_tls_record_holds_its_tag_and_its_padding(void **state)
{
	uint32_t padded = stand_session(0, CRYPTSESS_AES_CBC, 16,
					CRYPTSESS_HMAC_SHA1, 20);
	uint32_t plain = stand_session(0, CRYPTSESS_AES_CTR, 16,
				       CRYPTSESS_HMAC_SHA1, 20);
	struct driver_auth op = { .direction = VCD_DECRYPT,
				  .flags = VCD_FLAG_TLS,
				  .src = text };

	for (uint32_t bytes = 0; bytes <= 48; bytes++) {
		op.payload_bytes = bytes;
		op.dst_bytes = bytes;
		assert_int_equal(stand_auth(0, plain, &op, NULL),
				 bytes < 20 ? VCD_STATUS_INVALID
					    : VCD_STATUS_BAD_MESSAGE);
		assert_int_equal(stand_auth(0, padded, &op, NULL),
				 bytes % 16 || bytes <= 20
					 ? VCD_STATUS_INVALID
					 : VCD_STATUS_BAD_MESSAGE);
	}
}

/* vcd 8.3, 10.2. */
static void test_a_broken_ring_stays_so_until_it_is_reset(void **state)
{
	const struct frontend_piece empty = { stand.arena_start, 0, false };
	struct frontend_queue *q = &stand.fe.queue[2];
	struct frontend_used used;
	struct driver_flight f;
	struct driver_request r;
	uint64_t count;
	uint16_t base;

	assert_true(frontend_submit(q, &empty, 1, 0) >= 0);
	assert_int_equal(frontend_kick(q), 0);
	assert_int_equal(frontend_poll(q->err_fd, FRONTEND_WAIT_MS), 1);
	driver_begin(&stand, &r, VCD_OP_PING, 0, 0);
	assert_int_equal(driver_launch(&stand, 2, &r, &f), 0);
	assert_int_equal(frontend_kick_always(q), 0);
	assert_int_equal(frontend_wait(q, &used, 50), 0);
	/* A masked interrupt is another call descriptor, and no reset: the ring
	 * goes on where it broke. */
	assert_int_equal(read(q->err_fd, &count, sizeof(count)), sizeof(count));
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, q->call_fd), 0);
	assert_int_equal(frontend_poll(q->err_fd, FRONTEND_WAIT_MS), 1);
	assert_int_equal(frontend_harvest(q, &used), 0);
	assert_int_equal(frontend_queue_stop(q, &base), 0);
	frontend_queue_clear(q);
	assert_int_equal(frontend_queue_start(q, 0), 0);
	driver_rewind(&stand);
	stand_works();
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_is_judged_in_the_order_of_the_clause),
		TEST(an_owner_who_comes_again_begins_a_session),
		TEST(a_form_starts_the_hash_afresh),
		TEST(ccm_has_its_nonce_and_its_length_in_the_iv),
		TEST(an_srtp_tag_is_no_longer_than_what_it_is_on),
		TEST(a_tls_record_holds_its_tag_and_its_padding),
		TEST(a_broken_ring_stays_so_until_it_is_reset),
	};

	return cmocka_run_group_tests_name("clauses", tests, setup,
					   stand_close);
}
