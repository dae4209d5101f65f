/* SPDX-License-Identifier: Apache-2.0 */
/* test_lost_hash.c - an open hash ends with its worker (vcd 9.4) */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/reaper.h"
#include "device/stand.h"

static struct reaper *reaper;

static int setup(void **state)
{
	driver_init(&stand);
	stand.options.log_level = LOG_LEVEL_ERROR;
	reaper = reaper_create(&stand);
	return stand_open();
}

static uint32_t open_hash(void)
{
	uint32_t session = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);

	assert_int_equal(stand_update(session, "some", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	return session;
}

static void hash_works(uint32_t session)
{
	uint8_t whole[32], parts[32];

	assert_int_equal(stand_update(session, "something", 0, whole),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "some",
				      VCD_FLAG_RESET | VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "thing", VCD_FLAG_FINAL, parts),
			 VCD_STATUS_OK);
	assert_memory_equal(parts, whole, 32);
}

static void test_an_open_hash_is_lost_once(void **state)
{
	uint8_t digest[32], expected[32];
	uint32_t session = open_hash();

	assert_int_equal(stand_update(session, "a", 0, expected),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "b", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	reaper_kill(&stand);
	assert_int_equal(stand_update(session, "c", VCD_FLAG_FINAL, digest),
			 VCD_STATUS_LOST);
	/* The state is fresh now. */
	assert_int_equal(stand_update(session, "a", VCD_FLAG_FINAL, digest),
			 VCD_STATUS_OK);
	assert_memory_equal(digest, expected, 32);
	hash_works(session);
}

static void test_a_lost_hash_may_just_be_started_afresh(void **state)
{
	uint32_t session = open_hash();

	reaper_kill(&stand);
	hash_works(session);
}

static void test_a_finished_hash_is_not_lost(void **state)
{
	uint32_t session = open_hash();
	uint8_t digest[32];

	assert_int_equal(stand_update(session, "", VCD_FLAG_FINAL, digest),
			 VCD_STATUS_OK);
	reaper_kill(&stand);
	assert_int_equal(stand_update(session, "x", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
}

static void test_a_lost_hash_is_not_copied(void **state)
{
	uint32_t from = open_hash();
	uint32_t to = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);

	reaper_kill(&stand);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, to, from),
			 VCD_STATUS_LOST);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, to, from),
			 VCD_STATUS_OK);
	hash_works(from);
	hash_works(to);
}

static void test_a_copy_of_an_open_hash_is_lost_too(void **state)
{
	uint32_t from = open_hash();
	uint32_t to = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);

	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, to, from),
			 VCD_STATUS_OK);
	reaper_kill(&stand);
	assert_int_equal(stand_update(to, "c", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_LOST);
	assert_int_equal(stand_update(from, "c", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_LOST);
}

/* vcd 9.3: before the first commit it begins afresh, behind it is lost. */
static void test_the_first_update_is_done_again(void **state)
{
	uint32_t session = stand_session(0, 0, 0, CRYPTSESS_SHA256, 0);
	uint8_t digest[32], expected[32];

	assert_int_equal(stand_update(session, "ab", 0, expected),
			 VCD_STATUS_OK);
	reaper_order(reaper, 0, MOMENT_EXECUTED, 0, 1);
	assert_int_equal(stand_update(session, "a", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "b", VCD_FLAG_FINAL, digest),
			 VCD_STATUS_OK);
	assert_memory_equal(digest, expected, 32);
	reaper_order(reaper, 0, MOMENT_COMMITTED, 0, 1);
	assert_int_equal(stand_update(session, "a", VCD_FLAG_UPDATE, NULL),
			 VCD_STATUS_OK);
	assert_int_equal(stand_update(session, "b", VCD_FLAG_FINAL, digest),
			 VCD_STATUS_LOST);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_open_hash_is_lost_once),
		TEST(a_lost_hash_may_just_be_started_afresh),
		TEST(a_finished_hash_is_not_lost),
		TEST(a_lost_hash_is_not_copied),
		TEST(a_copy_of_an_open_hash_is_lost_too),
		TEST(the_first_update_is_done_again),
	};

	return cmocka_run_group_tests_name("lost hash", tests, setup,
					   stand_close);
}
