/* SPDX-License-Identifier: Apache-2.0 */
/* test_isolation.c - what one file, session or queue cannot do to another */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/stand.h"

/* Small tables, so that places come round again. */
#define FILES    4
#define SESSIONS 8

static int setup(void **state)
{
	driver_init(&stand);
	stand.options.max_files = FILES;
	stand.options.max_sessions = SESSIONS;
	return stand_open();
}

static uint32_t session_on(unsigned int queue)
{
	return stand_session(queue, CRYPTSESS_AES_CTR, 16, CRYPTSESS_SHA256, 0);
}

/* A small CRYPT, AUTHCRYPT, SESSION_INFO and SESSION_CLOSE, each of which must
 * be answered so. */
static void all_answer(unsigned int queue, uint32_t file, uint32_t session,
		       enum vcd_status expected)
{
	uint32_t own = stand_file;
	struct driver_crypt crypt = { .src = "0123456789abcdef",
				      .src_bytes = 16,
				      .dst_bytes = 16,
				      .digest_bytes = 32 };
	struct driver_auth auth = { .flags = VCD_FLAG_TLS,
				    .src = "0123456789abcdef",
				    .payload_bytes = 16,
				    .dst_bytes = 48 };
	struct driver_request r;

	stand_file = file;
	assert_int_equal(stand_crypt(queue, session, &crypt, NULL), expected);
	assert_int_equal(stand_auth(queue, session, &auth, NULL), expected);
	stand_file = own;
	driver_begin(&stand, &r, VCD_OP_SESSION_INFO, file, session);
	r.writable_bytes = sizeof(struct vcd_session_info_reply);
	assert_int_equal(stand_send(queue, &r, NULL, 0), expected);
	assert_int_equal(driver_simple(&stand, queue, VCD_OP_SESSION_CLOSE,
				       file, session),
			 expected);
}

static void test_all_of_it_works_where_it_may(void **state)
{
	all_answer(0, stand_file, session_on(0), VCD_STATUS_OK);
}

static void test_a_session_of_another_file_is_refused(void **state)
{
	uint32_t session = session_on(0);
	enum vcd_status status;
	uint32_t other = driver_open(&stand, 0, &status);

	assert_int_not_equal(other, stand_file);
	all_answer(0, other, session, VCD_STATUS_INVALID);
	all_answer(0, stand_file, session, VCD_STATUS_OK);
}

static void test_a_hash_of_another_file_is_not_copied(void **state)
{
	uint32_t theirs = session_on(0), mine;
	uint32_t their_file = stand_file;
	enum vcd_status status;

	stand_file = driver_open(&stand, 0, &status);
	mine = session_on(0);
	assert_int_equal(driver_hash_copy(&stand, 0, stand_file, mine, theirs),
			 VCD_STATUS_NO_ENTRY);
	assert_int_equal(driver_hash_copy(&stand, 0, their_file, theirs, mine),
			 VCD_STATUS_NO_ENTRY);
}

static void test_an_unknown_id_is_refused(void **state)
{
	static const uint32_t ids[] = { 0,        1,         2,    8,
					9,        16,        4096, INT32_MAX,
					1u << 31, UINT32_MAX };
	uint32_t session = session_on(0);

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		if (ids[i] != session)
			all_answer(0, stand_file, ids[i], VCD_STATUS_INVALID);
		if (ids[i] != stand_file)
			all_answer(0, ids[i], session, VCD_STATUS_INVALID);
	}
}

/* Its place in the table has been taken by others meanwhile. */
static void test_a_freed_session_is_refused(void **state)
{
	uint32_t freed = session_on(0);
	uint32_t live[SESSIONS];

	assert_int_equal(driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE,
				       stand_file, freed),
			 VCD_STATUS_OK);
	all_answer(0, stand_file, freed, VCD_STATUS_INVALID);
	for (unsigned int i = 0; i < SESSIONS; i++)
		live[i] = session_on(0);
	all_answer(0, stand_file, freed, VCD_STATUS_INVALID);
	for (unsigned int i = 0; i < SESSIONS; i++) {
		assert_int_not_equal(live[i], freed);
		all_answer(0, stand_file, live[i], VCD_STATUS_OK);
	}
}

static void test_a_freed_file_is_refused(void **state)
{
	uint32_t freed = stand_file;
	uint32_t session, files[FILES];
	enum vcd_status status;

	assert_int_equal(driver_simple(&stand, 1, VCD_OP_CLOSE, freed, 0),
			 VCD_STATUS_OK);
	assert_int_equal(driver_simple(&stand, 1, VCD_OP_CLOSE, freed, 0),
			 VCD_STATUS_INVALID);
	for (unsigned int i = 0; i < FILES; i++) {
		files[i] = driver_open(&stand, 0, &status);
		assert_int_equal(status, VCD_STATUS_OK);
		assert_int_not_equal(files[i], freed);
	}
	assert_int_equal(driver_simple(&stand, 1, VCD_OP_CLOSE, freed, 0),
			 VCD_STATUS_INVALID);
	stand_file = files[0];
	session = session_on(0);
	all_answer(0, freed, session, VCD_STATUS_INVALID);
}

static void test_close_ends_the_sessions_of_its_file_only(void **state)
{
	uint32_t mine = session_on(0), also_mine = session_on(1);
	uint32_t my_file = stand_file;
	enum vcd_status status;
	uint32_t theirs;

	stand_file = driver_open(&stand, 0, &status);
	theirs = session_on(0);
	assert_int_equal(driver_simple(&stand, 2, VCD_OP_CLOSE, my_file, 0),
			 VCD_STATUS_OK);
	all_answer(0, my_file, mine, VCD_STATUS_INVALID);
	all_answer(1, my_file, also_mine, VCD_STATUS_INVALID);
	all_answer(0, stand_file, theirs, VCD_STATUS_OK);
}

static void test_a_stale_generation_is_refused(void **state)
{
	uint32_t session = session_on(0);
	uint64_t current = stand.generation;

	stand.generation = current ^ 1;
	all_answer(0, stand_file, session, VCD_STATUS_EXPIRED);
	stand.generation = 0;
	all_answer(0, stand_file, session, VCD_STATUS_EXPIRED);
	stand.generation = current;
	all_answer(0, stand_file, session, VCD_STATUS_OK);
}

/* vcd 5.14: so two queues cannot run it out of order. */
static void test_a_session_stays_on_its_queue(void **state)
{
	uint32_t session = session_on(1);

	for (unsigned int queue = 0; queue < DRIVER_QUEUES; queue++)
		if (queue != 1)
			all_answer(queue, stand_file, session,
				   VCD_STATUS_WRONG_QUEUE);
	all_answer(1, stand_file, session, VCD_STATUS_OK);
}

/* Requests of one session behind its end, all in flight together. */
static void test_what_follows_a_close_in_flight_is_refused(void **state)
{
	struct driver_crypt crypt = { .src = "0123456789abcdef",
				      .src_bytes = 16,
				      .dst_bytes = 16,
				      .digest_bytes = 32 };
	static const enum vcd_status expected[] = { VCD_STATUS_OK,
						    VCD_STATUS_OK,
						    VCD_STATUS_INVALID };
	static struct driver_flight flight[3];
	uint32_t session = session_on(0);
	struct driver_request r[3];

	driver_crypt_begin(&stand, &r[0], stand_file, session, &crypt);
	driver_begin(&stand, &r[1], VCD_OP_SESSION_CLOSE, stand_file, session);
	driver_crypt_begin(&stand, &r[2], stand_file, session, &crypt);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(driver_launch(&stand, 0, &r[i], &flight[i]),
				 0);
	assert_int_equal(frontend_kick(&stand.fe.queue[0]), 0);
	for (unsigned int i = 0; i < 3; i++) {
		struct driver_answer answer;

		assert_int_equal(driver_land(&stand, 0, &flight[i], &answer),
				 0);
		assert_int_equal(answer.status, expected[i]);
		driver_answer_free(&answer);
	}
	driver_rewind(&stand);
}

static void test_the_tables_are_bounded_and_give_back(void **state)
{
	struct driver_key key = { .mac = CRYPTSESS_SHA1 };
	struct vcd_session_reply reply;
	uint32_t sessions[SESSIONS], files[FILES];
	enum vcd_status status;

	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < SESSIONS; i++)
			sessions[i] = session_on(i % DRIVER_QUEUES);
		assert_int_equal(driver_session_open(&stand, 0, stand_file,
						     &key, &reply),
				 VCD_STATUS_NO_SPACE);
		for (unsigned int i = 0; i < SESSIONS; i++)
			assert_int_equal(driver_simple(&stand,
						       i % DRIVER_QUEUES,
						       VCD_OP_SESSION_CLOSE,
						       stand_file, sessions[i]),
					 VCD_STATUS_OK);
		for (unsigned int i = 1; i < FILES; i++)
			files[i] = driver_open(&stand, 0, &status);
		assert_int_equal(status, VCD_STATUS_OK);
		assert_int_equal(driver_open(&stand, 0, &status), 0);
		assert_int_equal(status, VCD_STATUS_NO_SPACE);
		for (unsigned int i = 1; i < FILES; i++)
			assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE,
						       files[i], 0),
					 VCD_STATUS_OK);
	}
}

/* --- a driver that changes what is being worked on --------------------- */

struct meddler {
	atomic_bool must_stop;
	uint8_t *memory[2];
	size_t bytes[2];
};

static void *meddle(void *argument)
{
	struct meddler *m = argument;
	struct layout_rng rng = { .state = 77 };

	while (!m->must_stop)
		for (unsigned int i = 0; i < 2; i++) {
			size_t at = layout_random(&rng, (uint32_t)m->bytes[i]);

			__atomic_store_n(&m->memory[i][at],
					 (uint8_t)layout_random(&rng, 256),
					 __ATOMIC_RELAXED);
		}
	return NULL;
}

/* One request again and again, whose header and source change meanwhile: it
 * may get any status, and the device must still be whole. */
static void test_bytes_that_change_meanwhile_harm_nobody(void **state)
{
	static const uint16_t flags[] = { 0, VCD_FLAG_TLS, VCD_FLAG_SRTP };
	uint32_t quiet = session_on(1), bystander = session_on(2);
	static struct driver_flight flight;
	uint8_t data[4096] = { 5 };

	for (unsigned int n = 0; n < 600; n++) {
		uint16_t form = flags[n % 3];
		struct driver_auth op = { .direction = n & 1,
					  .flags = form,
					  .auth = data,
					  .auth_bytes = 2048,
					  .src = data,
					  .payload_bytes = 1024,
					  .dst_bytes = 1056 };
		struct driver_crypt crypt = { .src = data,
					      .src_bytes = 4096,
					      .dst_bytes = 4096,
					      .digest_bytes = 32 };
		struct meddler m = { false, { NULL, NULL }, { 56, 1024 } };
		struct frontend_used used;
		struct driver_request r;
		pthread_t thread;

		if (form)
			driver_auth_begin(&stand, &r, stand_file, quiet, &op);
		else
			driver_crypt_begin(&stand, &r, stand_file, quiet,
					   &crypt);
		stand.manner = LAYOUT_WHOLE;
		assert_int_equal(driver_launch(&stand, 1, &r, &flight), 0);
		m.memory[0] =
			frontend_at(&stand.fe, flight.piece[0].guest_addr);
		m.memory[1] = m.memory[0] + 56;
		assert_int_equal(pthread_create(&thread, NULL, meddle, &m), 0);
		assert_int_equal(frontend_kick(&stand.fe.queue[1]), 0);
		assert_int_equal(frontend_wait(&stand.fe.queue[1], &used,
					       FRONTEND_WAIT_MS),
				 1);
		m.must_stop = true;
		pthread_join(thread, NULL);
		driver_rewind(&stand);
	}
	stand_works();
	all_answer(2, stand_file, bystander, VCD_STATUS_OK);
}

/* The file of answers on their way to memory that is read, too (state.h). */
static int results_open(void)
{
	char folder[64], path[128], name[64];
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)stand.daemon);
	dir = opendir(folder);
	while (dir && fd < 0 && (entry = readdir(dir))) {
		ssize_t bytes;

		snprintf(path, sizeof(path), "%s/%.16s", folder, entry->d_name);
		bytes = readlink(path, name, sizeof(name) - 1);
		name[bytes < 0 ? 0 : bytes] = '\0';
		if (strstr(name, "cryptodev-results"))
			fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

static bool results_have(int fd, const void *bytes, size_t count)
{
	off_t size = lseek(fd, 0, SEEK_END);
	void *all = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	bool has;

	assert_ptr_not_equal(all, MAP_FAILED);
	has = memmem(all, (size_t)size, bytes, count);
	munmap(all, (size_t)size);
	return has;
}

/* In place, a cipher with a mac whose digest has no room: the data was there
 * before it was answered FAULT (vcd 6.4). */
static void test_nothing_stays_of_a_request_that_failed(void **state)
{
	uint32_t session =
		stand_session(0, CRYPTSESS_NULL, 0, CRYPTSESS_HMAC_SHA1, 20);
	static const char text[] = "nobody else is to find this here";
	struct driver_crypt op = { .src = text,
				   .src_bytes = sizeof(text),
				   .dst_bytes = sizeof(text) };
	int fd = results_open();

	if (fd < 0)
		skip(); /* the daemon may not be looked at */
	assert_int_equal(pwrite(fd, text, sizeof(text), 0), sizeof(text));
	assert_true(results_have(fd, text, sizeof(text)));
	stand.is_in_place = true;
	assert_int_equal(stand_crypt(0, session, &op, NULL), VCD_STATUS_FAULT);
	assert_false(results_have(fd, text, sizeof(text)));
	close(fd);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it_works_where_it_may),
		TEST(a_session_of_another_file_is_refused),
		TEST(a_hash_of_another_file_is_not_copied),
		TEST(an_unknown_id_is_refused),
		TEST(a_freed_session_is_refused),
		TEST(a_freed_file_is_refused),
		TEST(close_ends_the_sessions_of_its_file_only),
		TEST(a_stale_generation_is_refused),
		TEST(a_session_stays_on_its_queue),
		TEST(what_follows_a_close_in_flight_is_refused),
		TEST(the_tables_are_bounded_and_give_back),
		TEST(bytes_that_change_meanwhile_harm_nobody),
		TEST(nothing_stays_of_a_request_that_failed),
	};

	return cmocka_run_group_tests_name("isolation", tests, setup,
					   stand_close);
}
