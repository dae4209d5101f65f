/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile.c - front ends, drivers and workers that mean harm */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/link.h"
#include "device/stand.h"

#define WORKER_LINK 3 /* worker.c: the first descriptor behind stderr */
#define SENT_FDS    20
#define SESSIONS    256
/* AddressSanitizer holds back what was freed: up to 256 MiB. */
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_KIB (300l << 10)
#else
#define GROWTH_KIB 512l
#endif
#define JOBS 64

static unsigned long sessions_wanted = 3000;

/* What the worker does at its next answer; shared with it. */
enum deed {
	DEED_NONE,
	DEED_SEND_KNOWN,
	DEED_SEND_MORE,
	DEED_SEND_SHORT
};
static volatile int *deed;

/* --- a worker that was taken over -------------------------------------- */

/* A message with descriptors, fewer or more than it announces. */
static void send_descriptors(enum deed how)
{
	static struct link_message message;
	struct iovec piece = { &message,
			       how == DEED_SEND_SHORT ? 8 : sizeof(message) };
	union {
		struct cmsghdr header;
		uint8_t room[CMSG_SPACE(SENT_FDS * sizeof(int))];
	} control;
	struct msghdr header = { .msg_iov = &piece,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control) };
	int fds[SENT_FDS];

	for (unsigned int i = 0; i < SENT_FDS; i++)
		fds[i] = STDERR_FILENO;
	message.type = LINK_STOPPED;
	message.present = how == DEED_SEND_KNOWN ? (1u << SENT_FDS) - 1 : 1;
	memset(&control, 0, sizeof(control));
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
	/* Before: the supervisor ends us for some of them, and a successor is
	 * not to do it again. The claim fails when nothing was sent. */
	*deed = DEED_NONE;
	if (sendmsg(WORKER_LINK, &header, MSG_NOSIGNAL) < 0)
		*deed = how;
}

static void do_deed(unsigned int queue, enum journal_moment moment)
{
	if (moment == MOMENT_EXECUTED && *deed != DEED_NONE)
		send_descriptors((enum deed) * deed);
}

/* The supervisor answers a question, so it has seen what came before. */
static void supervisor_turns(void)
{
	uint64_t features;

	for (unsigned int i = 0; i < 3; i++) {
		stand_works();
		assert_int_equal(
			frontend_get(&stand.fe, VHOST_GET_FEATURES, &features),
			0);
	}
}

static void test_descriptors_of_a_worker_are_closed(void **state)
{
	unsigned int before, after;

	supervisor_turns();
	before = driver_count(stand.daemon, "fd");
	assert_true(before > 0);
	for (int how = DEED_SEND_KNOWN; how <= DEED_SEND_SHORT; how++) {
		*deed = how;
		assert_int_equal(driver_simple(&stand, 0, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
		assert_int_equal(*deed, DEED_NONE);
		supervisor_turns();
		for (int i = 0; i < 100; i++) {
			after = driver_count(stand.daemon, "fd");
			if (after == before)
				break;
			usleep(10000);
		}
		assert_int_equal(after, before);
	}
}

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
	deed = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (deed == MAP_FAILED)
		return -1;
	driver_init(&stand);
	stand.options.max_sessions = SESSIONS;
	stand.at_moment = do_deed;
	stand.expects_deaths = true;
	return stand_open();
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(descriptors_of_a_worker_are_closed),
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
