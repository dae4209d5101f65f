/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile.c - front ends and drivers that mean harm */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/stand.h"

#define SESSIONS 256
/* AddressSanitizer holds back what was freed: up to 256 MiB. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KIB (300l << 10)
#else
#define GROWTH_KIB 512l
#endif
#define JOBS 64

static unsigned long sessions_wanted = 3000;

/* --- front ends -------------------------------------------------------- */

/* It waits until the first has gone, and gets nothing of it. */
static void test_a_second_front_end_waits(void **state)
{
	uint64_t generation = stand.generation;
	struct frontend second;
	uint64_t features;

	assert_int_equal(frontend_init(&second, 1 << 20, 1), 0);
	assert_int_equal(frontend_connect(&second, stand.path), 0);
	assert_int_equal(
		frontend_send(&second, VHOST_GET_FEATURES, 0, NULL, 0, NULL, 0),
		0);
	assert_int_equal(frontend_poll(second.sock, 50), 0);
	stand_works();
	driver_disconnect(&stand);
	assert_int_equal(frontend_poll(second.sock, FRONTEND_WAIT_MS), 1);
	frontend_disconnect(&second);
	assert_int_equal(frontend_connect(&second, stand.path), 0);
	assert_int_equal(frontend_get(&second, VHOST_GET_FEATURES, &features),
			 0);
	frontend_disconnect(&second);
	frontend_deinit(&second);
	assert_int_equal(driver_connect(&stand, DRIVER_FEATURES), 0);
	stand.generation = generation;
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_PING, 0, 0),
			 VCD_STATUS_EXPIRED);
}

/* Rings stop for it in the middle of their work. */
static void test_memory_is_set_anew_under_load(void **state)
{
	static struct driver_flight flight[32];
	uint32_t session = stand_session(0, CRYPTSESS_AES_ECB, 16, 0, 0);
	uint8_t data[512], expected[512];
	struct driver_crypt op = { .src = data,
				   .src_bytes = sizeof(data),
				   .dst_bytes = sizeof(data) };

	memset(data, 7, sizeof(data));
	assert_int_equal(stand_crypt(0, session, &op, expected), VCD_STATUS_OK);
	for (unsigned int i = 0; i < 32; i++) {
		struct driver_request r;

		driver_crypt_begin(&stand, &r, stand_file, session, &op);
		assert_int_equal(driver_launch(&stand, 0, &r, &flight[i]), 0);
		assert_int_equal(frontend_kick(&stand.fe.queue[0]), 0);
		if (i % 8 == 0)
			assert_int_equal(frontend_share_memory(&stand.fe), 0);
	}
	for (unsigned int i = 0; i < 32; i++) {
		struct driver_answer answer;

		assert_int_equal(driver_land(&stand, 0, &flight[i], &answer),
				 0);
		assert_int_equal(answer.status, VCD_STATUS_OK);
		assert_memory_equal(answer.data + sizeof(struct vcd_reply),
				    expected, sizeof(expected));
		driver_answer_free(&answer);
	}
	driver_rewind(&stand);
}

/* --- drivers ----------------------------------------------------------- */

static enum vcd_status wait_for(unsigned int queue,
				const struct driver_flight *flight)
{
	struct driver_answer answer;
	enum vcd_status status;

	assert_int_equal(driver_land(&stand, queue, flight, &answer), 0);
	status = answer.status;
	driver_answer_free(&answer);
	return status;
}

/* vcd 5.8: on another queue. What was begun is finished, the rest refused. */
static void test_a_file_is_closed_with_jobs_in_flight(void **state)
{
	static struct driver_flight job[JOBS], end;
	uint32_t session = stand_session(0, CRYPTSESS_AES_CBC, 16,
					 CRYPTSESS_HMAC_SHA1, 20);
	static uint8_t data[65536];
	struct driver_crypt op = { .src = data,
				   .src_bytes = sizeof(data),
				   .dst_bytes = sizeof(data),
				   .digest_bytes = 20 };
	enum vcd_status last = VCD_STATUS_OK;
	struct driver_request r;

	stand.manner = LAYOUT_WHOLE;
	for (unsigned int i = 0; i < JOBS; i++) {
		driver_crypt_begin(&stand, &r, stand_file, session, &op);
		assert_int_equal(driver_launch(&stand, 0, &r, &job[i]), 0);
	}
	driver_begin(&stand, &r, VCD_OP_CLOSE, stand_file, 0);
	assert_int_equal(driver_launch(&stand, 1, &r, &end), 0);
	assert_int_equal(frontend_kick(&stand.fe.queue[0]), 0);
	assert_int_equal(frontend_kick(&stand.fe.queue[1]), 0);
	assert_int_equal(wait_for(1, &end), VCD_STATUS_OK);
	for (unsigned int i = 0; i < JOBS; i++) {
		enum vcd_status status = wait_for(0, &job[i]);

		/* Once refused, always refused. */
		assert_true(status == VCD_STATUS_INVALID ||
			    (status == VCD_STATUS_OK && status == last));
		last = status;
	}
	driver_rewind(&stand);
	stand_works();
}

static void make_and_end(void)
{
	enum vcd_status status;
	uint32_t file = driver_open(&stand, 0, &status);
	uint32_t session = stand_session(0, CRYPTSESS_AES_CBC, 16,
					 CRYPTSESS_HMAC_SHA1, 20);

	assert_int_equal(status, VCD_STATUS_OK);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE,
				       stand_file, session),
			 VCD_STATUS_OK);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, file, 0),
			 VCD_STATUS_OK);
}

static long resident_kib(pid_t pid)
{
	char path[64];
	long pages = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	if (f)
		fclose(f);
	return pages * 4;
}

/* As many as are asked for, one after the other; each entry of the tables has
 * been in use before. */
static void test_sessions_and_files_come_and_go(void **state)
{
	long before, after;

	for (unsigned int i = 0; i < 1000; i++)
		make_and_end();
	before = resident_kib(driver_worker(&stand));
	for (unsigned long i = 0; i < sessions_wanted; i++)
		make_and_end();
	after = resident_kib(driver_worker(&stand));
	print_message("# resident %ld %ld KiB\n", before, after);
	assert_true(before > 0);
	assert_true(after < before + GROWTH_KIB);
}

static int setup(void **state)
{
	driver_init(&stand);
	stand.options.max_sessions = SESSIONS;
	return stand_open();
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_second_front_end_waits),
		TEST(memory_is_set_anew_under_load),
		TEST(a_file_is_closed_with_jobs_in_flight),
		TEST(sessions_and_files_come_and_go),
	};

	if (argc > 1)
		sessions_wanted = strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("hostile", tests, setup,
					   stand_close);
}
