/* SPDX-License-Identifier: Apache-2.0 */
/* test_recovery.c - a worker dies at each moment of each op (vcd 9) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/reaper.h"
#include "device/stand.h"

/* Small tables: what a death would leak soon shows. */
#define FILES    4
#define SESSIONS 8
#define BYTES    1024u

static struct reaper *reaper;
static unsigned int fired[MOMENTS];
static uint8_t text[BYTES];

static int setup(void **state)
{
	for (unsigned int i = 0; i < BYTES; i++)
		text[i] = (uint8_t)(i * 7);
	driver_init(&stand);
	stand.options.log_level = LOG_LEVEL_ERROR;
	stand.options.max_files = FILES;
	stand.options.max_sessions = SESSIONS;
	stand.stop_limit_ms = 1000;
	reaper = reaper_create(&stand);
	return stand_open();
}

/* Nothing was answered twice: all rings are as empty as the device's. */
static void nothing_is_left(void)
{
	stand_works();
	for (unsigned int i = 0; i < stand.queues; i++) {
		struct frontend_used used;

		assert_int_equal(frontend_harvest(&stand.fe.queue[i], &used),
				 0);
	}
}

/* Exactly so many more files, or sessions, fit. */
static void tables_have_room(unsigned int files, unsigned int sessions)
{
	struct driver_key key = { .mac = CRYPTSESS_SHA1 };
	struct vcd_session_reply reply;
	uint32_t ids[SESSIONS];
	enum vcd_status status;

	for (unsigned int i = 0; i < sessions; i++)
		ids[i] = stand_session(0, 0, 0, CRYPTSESS_SHA1, 0);
	assert_int_equal(
		driver_session_open(&stand, 0, stand_file, &key, &reply),
		VCD_STATUS_NO_SPACE);
	for (unsigned int i = 0; i < sessions; i++)
		assert_int_equal(driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE,
					       stand_file, ids[i]),
				 VCD_STATUS_OK);
	for (unsigned int i = 0; i < files; i++)
		ids[i] = driver_open(&stand, 0, &status);
	assert_int_equal(driver_open(&stand, 0, &status), 0);
	assert_int_equal(status, VCD_STATUS_NO_SPACE);
	for (unsigned int i = 0; i < files; i++)
		assert_int_equal(
			driver_simple(&stand, 0, VCD_OP_CLOSE, ids[i], 0),
			VCD_STATUS_OK);
}

/* --- one op each, with what must hold afterwards ------------------------ */

static void op_hello(void)
{
	uint64_t before = stand.generation;
	enum vcd_status status;

	assert_int_equal(driver_hello(&stand), 0);
	reaper_rest(reaper);
	assert_true(stand.generation != before);
	stand_file = driver_open(&stand, 0, &status);
	tables_have_room(FILES - 1, SESSIONS);
}

static void op_open(void)
{
	enum vcd_status status;
	uint32_t id = driver_open(&stand, 0, &status);

	reaper_rest(reaper);
	assert_int_equal(status, VCD_STATUS_OK);
	tables_have_room(FILES - 2, SESSIONS);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, id, 0),
			 VCD_STATUS_OK);
}

static void op_session_open(void)
{
	uint32_t id = stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);

	reaper_rest(reaper);
	tables_have_room(FILES - 1, SESSIONS - 1);
	assert_int_equal(
		driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE, stand_file, id),
		VCD_STATUS_OK);
}

static void op_session_close(void)
{
	uint32_t id = stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);

	/* The order was for the request behind that. */
	assert_int_equal(
		driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE, stand_file, id),
		VCD_STATUS_OK);
	reaper_rest(reaper);
	assert_int_equal(
		driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE, stand_file, id),
		VCD_STATUS_INVALID);
	tables_have_room(FILES - 1, SESSIONS);
}

static void op_close(void)
{
	enum vcd_status status;

	(void)stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);
	(void)stand_session(0, 0, 0, CRYPTSESS_SHA1, 0);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, stand_file, 0),
			 VCD_STATUS_OK);
	reaper_rest(reaper);
	stand_file = driver_open(&stand, 0, &status);
	tables_have_room(FILES - 1, SESSIONS);
}

static void op_info(void)
{
	uint32_t id = stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);
	struct vcd_session_info_reply info;
	struct driver_request r;

	driver_begin(&stand, &r, VCD_OP_SESSION_INFO, stand_file, id);
	r.writable_bytes = sizeof(info);
	assert_int_equal(stand_send(0, &r, &info, sizeof(info)), VCD_STATUS_OK);
	assert_string_equal((char *)info.cipher_name, "cbc(aes)");
}

/* Four requests that chain their IVs are one long one; with a digest each. */
static void op_crypt(void)
{
	uint32_t chained = stand_session(0, CRYPTSESS_AES_CBC, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	uint32_t whole = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	uint32_t hash = stand_session(1, 0, 0, CRYPTSESS_HMAC_SHA1, 20);
	uint8_t once[BYTES], part[BYTES / 4 + 20], digest[20];
	struct driver_crypt op = { .src = text,
				   .src_bytes = BYTES,
				   .dst_bytes = BYTES };

	assert_int_equal(stand_crypt(1, whole, &op, once), VCD_STATUS_OK);
	for (unsigned int i = 0; i < 4; i++) {
		op = (struct driver_crypt){ .src = text + i * BYTES / 4,
					    .src_bytes = BYTES / 4,
					    .digest_bytes = 20 };
		assert_int_equal(stand_crypt(1, hash, &op, digest),
				 VCD_STATUS_OK);
		op.dst_bytes = BYTES / 4;
		assert_int_equal(stand_crypt(0, chained, &op, part),
				 VCD_STATUS_OK);
		assert_memory_equal(part, once + i * BYTES / 4, BYTES / 4);
		assert_memory_equal(part + BYTES / 4, digest, 20);
	}
}

/* Seal and open; a forgery is one still. */
static void auth_round(uint32_t session, uint16_t flags, uint32_t extra)
{
	uint8_t sealed[BYTES + 64], opened[BYTES + 64], iv[16] = { 4 };
	struct driver_auth op = { .flags = flags,
				  .iv = iv,
				  .iv_bytes = flags ? 16 : 12,
				  .auth = "0123456789abc",
				  .auth_bytes = 13,
				  .src = text,
				  .payload_bytes = BYTES,
				  .dst_bytes = BYTES + extra };

	assert_int_equal(stand_auth(0, session, &op, sealed), VCD_STATUS_OK);
	op.direction = VCD_DECRYPT;
	op.src = sealed;
	op.payload_bytes = BYTES + extra;
	op.dst_bytes = flags ? BYTES + extra : BYTES;
	assert_int_equal(stand_auth(0, session, &op, opened), VCD_STATUS_OK);
	assert_memory_equal(opened, text, BYTES);
	sealed[9] ^= 1;
	assert_int_equal(stand_auth(0, session, &op, opened),
			 VCD_STATUS_BAD_MESSAGE);
}

static void op_aead(void)
{
	auth_round(stand_session(0, CRYPTSESS_AES_GCM, 32, 0, 0), 0, 16);
}

static void op_tls(void)
{
	auth_round(stand_session(0, CRYPTSESS_AES_CBC, 16, CRYPTSESS_HMAC_SHA1,
				 20),
		   VCD_FLAG_TLS, 32);
}

static void op_hash_copy(void)
{
	uint32_t from = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint32_t to = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);

	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, to, from),
			 VCD_STATUS_OK);
}

static const struct {
	const char *name;
	void (*run)(void);
} scripts[] = {
	{ "HELLO", op_hello },
	{ "OPEN", op_open },
	{ "SESSION_OPEN", op_session_open },
	{ "SESSION_CLOSE", op_session_close },
	{ "CLOSE", op_close },
	{ "SESSION_INFO", op_info },
	{ "CRYPT", op_crypt },
	{ "AEAD", op_aead },
	{ "TLS", op_tls },
	{ "HASH_COPY", op_hash_copy },
};

/* Every op, a death at every moment of each of its first requests, apart and
 * in place: the answers are those without a death. */
static void test_a_death_at_any_moment_goes_unseen(void **state)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		for (unsigned int moment = 0; moment < MOMENTS; moment++)
			for (int passes = 0; passes < 4; passes++) {
				assert_int_equal(stand_begin(NULL), 0);
				stand.is_in_place = passes & 1;
				reaper_order(reaper, 0,
					     (enum journal_moment)moment,
					     passes, 1);
				scripts[i].run();
				fired[moment] += reaper->deaths;
				reaper_rest(reaper);
				nothing_is_left();
			}
	for (unsigned int moment = 0; moment < MOMENTS; moment++)
		if (!fired[moment])
			fail_msg("nobody died at \"%s\"",
				 reaper_moment_name(
					 (enum journal_moment)moment));
}

/* --- requests that kill ------------------------------------------------ */

static void test_two_deaths_are_borne_and_three_are_not(void **state)
{
	uint32_t mine = stand_session(1, CRYPTSESS_AES_CTR, 16, 0, 0);
	uint32_t theirs = stand_session(2, CRYPTSESS_AES_CTR, 16, 0, 0);
	struct driver_crypt op = { .src = text,
				   .src_bytes = BYTES,
				   .dst_bytes = BYTES };
	uint8_t first[BYTES], second[BYTES];

	reaper_order(reaper, 1, MOMENT_EXECUTED, 0, 2);
	assert_int_equal(stand_crypt(1, mine, &op, first), VCD_STATUS_OK);
	assert_int_equal(reaper_rest(reaper), 2);
	reaper_order(reaper, 1, MOMENT_EXECUTED, 0, 3);
	assert_int_equal(stand_crypt(1, mine, &op, NULL), VCD_STATUS_KILLS);
	assert_int_equal(reaper_rest(reaper), 3);
	/* The session is as before it, the others' too. */
	assert_int_equal(stand_crypt(1, mine, &op, second), VCD_STATUS_OK);
	assert_memory_not_equal(first, second, BYTES);
	assert_int_equal(stand_crypt(2, theirs, &op, second), VCD_STATUS_OK);
	assert_memory_equal(first, second, BYTES);
	nothing_is_left();
}

static void test_rings_stop_and_start_over_a_death(void **state)
{
	uint32_t session = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	uint32_t whole = stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);
	struct driver_crypt op = { .src = text,
				   .src_bytes = BYTES,
				   .dst_bytes = BYTES };
	uint8_t once[BYTES], part[BYTES];
	uint16_t base;

	assert_int_equal(stand_crypt(0, whole, &op, once), VCD_STATUS_OK);
	op.src_bytes = op.dst_bytes = BYTES / 2;
	assert_int_equal(stand_crypt(1, session, &op, part), VCD_STATUS_OK);
	reaper_kill(&stand);
	assert_int_equal(frontend_queue_stop(&stand.fe.queue[1], &base), 0);
	assert_int_equal(base, stand.fe.queue[1].avail_idx);
	reaper_kill(&stand);
	assert_int_equal(frontend_queue_start(&stand.fe.queue[1], base), 0);
	op.src = text + BYTES / 2;
	assert_int_equal(stand_crypt(1, session, &op, part + BYTES / 2),
			 VCD_STATUS_OK);
	assert_memory_equal(part, once, BYTES);
	nothing_is_left();
}

/* Half a HELLO is none that others meet: the generation went first. */
static void test_a_cut_hello_leaves_no_generation(void **state)
{
	uint32_t session = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	const struct driver_crypt op = { .src = text,
					 .src_bytes = BYTES,
					 .dst_bytes = BYTES };
	uint64_t before = stand.generation;
	uint8_t out[BYTES];

	assert_int_equal(stand_crypt(1, session, &op, out), VCD_STATUS_OK);
	reaper_order(reaper, 0, MOMENT_ENDED, 0, 3);
	assert_int_not_equal(driver_hello(&stand), 0);
	assert_int_equal(reaper_rest(reaper), 3);
	assert_true(stand.generation == before);
	assert_int_equal(stand_crypt(1, session, &op, NULL),
			 VCD_STATUS_EXPIRED);
	for (unsigned int i = 0; i < stand.queues; i++)
		assert_int_equal(driver_simple(&stand, i, VCD_OP_PING, 0, 0),
				 VCD_STATUS_EXPIRED);
	assert_int_equal(driver_hello(&stand), 0);
	stand_works();
}

/* A thread that hangs in a request is not waited for: its worker is killed, and
 * the next one does the request. Others are served meanwhile. */
static void test_a_worker_that_hangs_is_replaced_at_a_stop(void **state)
{
	uint32_t session = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	uint32_t other = stand_session(2, CRYPTSESS_AES_CBC, 16, 0, 0);
	const struct driver_crypt op = { .src = text,
					 .src_bytes = BYTES,
					 .dst_bytes = BYTES };
	struct frontend_queue *q = &stand.fe.queue[1];
	static struct driver_flight flight;
	struct driver_request r;
	struct driver_answer answer;
	uint8_t expected[BYTES];
	uint16_t base;

	assert_int_equal(stand_crypt(2, other, &op, expected), VCD_STATUS_OK);
	reaper->must_hang = true;
	reaper_order(reaper, 1, MOMENT_EXECUTED, 0, 1);
	driver_crypt_begin(&stand, &r, stand_file, session, &op);
	assert_int_equal(driver_launch(&stand, 1, &r, &flight), 0);
	assert_int_equal(frontend_kick(q), 0);
	for (int i = 0; i < 20000 && !reaper->deaths; i++)
		usleep(500);
	stand.fe.arena_used += 1 << 20; /* the flight's memory stays taken */
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_PING, 0, 0),
			 VCD_STATUS_OK);
	assert_int_equal(frontend_queue_stop(q, &base), 0);
	assert_int_equal(reaper_rest(reaper), 1);
	reaper->must_hang = false;
	assert_int_equal(base, q->avail_idx);
	assert_int_equal(driver_land(&stand, q->index, &flight, &answer), 0);
	assert_int_equal(answer.status, VCD_STATUS_OK);
	assert_memory_equal(answer.data + sizeof(struct vcd_reply), expected,
			    BYTES);
	driver_answer_free(&answer);
	driver_rewind(&stand);
	assert_int_equal(frontend_queue_start(q, base), 0);
	nothing_is_left();
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_death_at_any_moment_goes_unseen),
		TEST(two_deaths_are_borne_and_three_are_not),
		TEST(rings_stop_and_start_over_a_death),
		TEST(a_cut_hello_leaves_no_generation),
		TEST(a_worker_that_hangs_is_replaced_at_a_stop),
	};

	return cmocka_run_group_tests_name("recovery", tests, setup,
					   stand_close);
}
