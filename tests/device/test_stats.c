/* SPDX-License-Identifier: Apache-2.0 */
/* test_stats.c - what the device tells of itself, and to whom */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "cryptsess.h"
#include "device/reaper.h"
#include "device/stand.h"
#include "device/stats.h"
#include "device/stats_server.h"

#define ANSWER_ROOM (1u << 18)
#define BLOCK       64u

static char path[64];
static char answer[ANSWER_ROOM];
static struct reaper *reaper;

static int setup(void **state)
{
	snprintf(path, sizeof(path), "/tmp/pvx-stats-%d", (int)getpid());
	driver_init(&stand);
	stand.options.stats_path = path;
	stand.options.queues = 2;
	stand.queues = 2;
	reaper = reaper_create(&stand);
	return stand_open();
}

static int teardown(void **state)
{
	int status = stand_close(state);

	(void)unlink(path);
	return status;
}

static int client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, path, strlen(path) + 1);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
	return fd;
}

/* Read to the end into `answer`; whether it came within `timeout_ms` each. */
static bool read_answer(int fd, int timeout_ms)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t got = 1;

	while (got > 0 && poll(&ready, 1, timeout_ms) == 1) {
		got = read(fd, answer + used, sizeof(answer) - 1 - used);
		used += got > 0 ? (size_t)got : 0;
	}
	answer[used] = '\0';
	return got == 0;
}

static const char *ask(const char *request)
{
	int fd = client();

	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	assert_true(read_answer(fd, 5000));
	close(fd);
	return answer;
}

/* The number behind `key`, in whatever format was asked for last. */
static uint64_t number(const char *key)
{
	const char *at = strstr(answer, key);
	uint64_t value = UINT64_MAX;

	if (!at || sscanf(at + strlen(key), " %" SCNu64, &value) != 1)
		print_error("no number behind %s\n", key);
	assert_true(value != UINT64_MAX);
	return value;
}

static void crypt_some(uint32_t session, unsigned int times)
{
	static const uint8_t iv[16], text[BLOCK];
	uint8_t out[BLOCK];
	struct driver_crypt op = { .iv = iv,
				   .iv_bytes = 16,
				   .src = text,
				   .src_bytes = BLOCK,
				   .dst_bytes = BLOCK };

	for (unsigned int i = 0; i < times; i++)
		assert_int_equal(stand_crypt(1, session, &op, out),
				 VCD_STATUS_OK);
}

static uint32_t cbc_session(void)
{
	return stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
}

static const char prefix[] = "vhost_user_cryptodev_";

static uint64_t metric(const char *name)
{
	char key[160];

	snprintf(key, sizeof(key), "\n%s%s", prefix, name);
	return number(key);
}

/* --- what is told ------------------------------------------------------ */

static void test_operations_and_bytes_are_counted(void **state)
{
	uint32_t session = cbc_session();
	uint64_t requests, bytes, crypts;

	ask("metrics\n");
	requests = metric("algorithm_requests_total{algorithm=\"aes-cbc\"}");
	bytes = metric("algorithm_bytes_total{algorithm=\"aes-cbc\"}");
	crypts = metric("requests_total{queue=\"1\",op=\"crypt\"}");
	crypt_some(session, 40);
	ask("metrics\n");
	assert_int_equal(
		metric("algorithm_requests_total{algorithm=\"aes-cbc\"}"),
		requests + 40);
	assert_int_equal(metric("algorithm_bytes_total{algorithm=\"aes-cbc\"}"),
			 bytes + 40 * BLOCK);
	assert_int_equal(metric("requests_total{queue=\"1\",op=\"crypt\"}"),
			 crypts + 40);
}

static void test_sessions_and_files_are_those_that_are_open(void **state)
{
	uint32_t session;

	ask("metrics\n");
	assert_int_equal(metric("files"), 1);
	assert_int_equal(metric("sessions"), 0);
	session = cbc_session();
	(void)cbc_session();
	ask("metrics\n");
	assert_int_equal(metric("sessions"), 2);
	assert_int_equal(driver_simple(&stand, 1, VCD_OP_SESSION_CLOSE,
				       stand_file, session),
			 VCD_STATUS_OK);
	ask("metrics\n");
	assert_int_equal(metric("sessions"), 1);
}

static void test_errors_are_counted_by_kind(void **state)
{
	uint64_t invalid;

	ask("metrics\n");
	invalid = metric("answers_total{queue=\"0\",status=\"invalid\"}");
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, 0xdead, 0),
			 VCD_STATUS_INVALID);
	ask("metrics\n");
	assert_int_equal(
		metric("answers_total{queue=\"0\",status=\"invalid\"}"),
		invalid + 1);
}

/* One in so many is timed, and the last bucket has them all. */
static void test_latency_is_a_histogram(void **state)
{
	uint64_t before = 0, count;

	ask("metrics\n");
	if (strstr(answer, "latency_seconds_count{algorithm=\"aes-cbc\"}"))
		before = metric("latency_seconds_count{algorithm=\"aes-cbc\"}");
	crypt_some(cbc_session(), 10 * COUNTERS_TIMED);
	ask("metrics\n");
	count = metric("latency_seconds_count{algorithm=\"aes-cbc\"}");
	assert_in_range(count - before, 9, 11);
	assert_int_equal(metric("latency_seconds_bucket{algorithm=\"aes-cbc\","
				"le=\"+Inf\"}"),
			 count);
	assert_true(metric("latency_seconds_bucket{algorithm=\"aes-cbc\","
			   "le=\"1e-06\"}") <= count);
}

static void test_depth_is_that_of_batches(void **state)
{
	ask("metrics\n");
	assert_true(metric("queue_batches_total{queue=\"1\"}") > 0);
	assert_true(metric("queue_batch_depth_total{queue=\"1\"}") >=
		    metric("queue_batches_total{queue=\"1\"}"));
	/* All was answered; the thread is about to go to sleep. */
	for (int i = 0; i < 500 && metric("queue_depth{queue=\"1\"}"); i++) {
		usleep(10000);
		ask("metrics\n");
	}
	assert_int_equal(metric("queue_depth{queue=\"1\"}"), 0);
}

static void test_json_says_the_same(void **state)
{
	uint64_t hellos;

	ask("metrics\n");
	hellos = metric("requests_total{queue=\"0\",op=\"hello\"}");
	ask("json\n");
	assert_int_equal(answer[0], '{');
	assert_string_equal(answer + strlen(answer) - 3, "}}\n");
	assert_int_equal(number("\"hello\":"), hellos);
	assert_int_equal(number("\"files\":"), 1);
	assert_int_equal(number("\"timed_one_in\":"), COUNTERS_TIMED);
	assert_non_null(strstr(answer, "\"aes-cbc\":{"));
	assert_non_null(strstr(answer, "\"none\":{"));
}

static void test_http_gets_the_same_with_a_length(void **state)
{
	const char *body;

	ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17), 0);
	body = strstr(answer, "\r\n\r\n");
	assert_non_null(body);
	assert_int_equal(number("Content-Length:"), strlen(body + 4));
	ask("GET /json HTTP/1.0\r\n\r\n");
	assert_non_null(strstr(answer, "application/json"));
	ask("GET /secrets HTTP/1.1\r\n\r\n");
	assert_int_equal(strncmp(answer, "HTTP/1.1 404 ", 13), 0);
	assert_string_equal(ask("what\n"), "ask for json or metrics\n");
}

static void test_every_name_has_its_number(void **state)
{
	for (unsigned int i = 0; i < VCD_OPS; i++)
		assert_non_null(stats_op_name(i));
	for (unsigned int i = 0; i < VCD_STATUSES; i++)
		assert_non_null(stats_status_name(i));
	/* Each algorithm has a row, and there is one for none. */
	for (unsigned int i = 0; cryptsess_algorithm_at(i); i++)
		assert_true(i + 1 < COUNTERS_ROWS_MAX);
	assert_string_equal(stats_row_name(COUNTERS_ROWS_MAX - 1), "none");
}

/* --- over a worker's death --------------------------------------------- */

static void test_numbers_outlive_the_worker(void **state)
{
	uint32_t session = cbc_session();
	uint64_t deaths, requests, wakeups;

	crypt_some(session, 20);
	ask("metrics\n");
	deaths = metric("worker_deaths_total");
	requests = metric("algorithm_requests_total{algorithm=\"aes-cbc\"}");
	wakeups = metric("queue_wakeups_total{queue=\"1\"}");
	reaper_order(reaper, 1, MOMENT_BEGUN, 0, 1);
	crypt_some(session, 1);
	assert_int_equal(reaper_rest(reaper), 1);
	ask("metrics\n");
	assert_int_equal(metric("worker_deaths_total"), deaths + 1);
	assert_int_equal(
		metric("algorithm_requests_total{algorithm=\"aes-cbc\"}"),
		requests + 1);
	assert_true(metric("queue_wakeups_total{queue=\"1\"}") >= wakeups);
	assert_true(metric("queue_resumed_total{queue=\"1\"}") >= 1);
}

/* --- clients that mean harm -------------------------------------------- */

static void test_silent_clients_hold_nothing_up(void **state)
{
	int fds[16]; /* as many again as are served */
	uint32_t session = cbc_session();

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = client();
	crypt_some(session, 50);
	/* Ours waits in the backlog until they have had their time. */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
	ask("json\n");
	assert_int_equal(answer[0], '{');
}

static void test_a_client_has_little_time(void **state)
{
	int fd = client();

	assert_false(read_answer(fd, 1000));
	assert_true(read_answer(fd, 5000));
	assert_string_equal(answer, "");
	close(fd);
}

static void test_an_endless_request_is_cut_off(void **state)
{
	static const char noise[512] = { [0 ... 511] = 'x' };
	int fd = client();

	for (int i = 0; i < 64; i++)
		if (send(fd, noise, sizeof(noise), MSG_NOSIGNAL) < 0)
			break;
	(void)read_answer(fd, 1000);
	assert_string_equal(answer, "");
	close(fd);
	ask("json\n");
	assert_int_equal(answer[0], '{');
}

/* They ask, and do not read, though it is more than a socket holds. */
static void test_slow_readers_hold_nothing_up(void **state)
{
	uint32_t session = cbc_session();
	int fds[6];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = client();
		assert_int_equal(write(fds[i], "metrics\n", 8), 8);
	}
	crypt_some(session, 50);
	ask("json\n");
	assert_int_equal(answer[0], '{');
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		assert_true(read_answer(fds[i], 1000));
		assert_true(strlen(answer) > QUERY_SOCKET_BYTES);
		assert_int_equal(metric("files"), 1);
		assert_int_equal(answer[strlen(answer) - 1], '\n');
		close(fds[i]);
	}
}

/* Workers write these counts, and one that a guest has taken over may lie: the
 * supervisor neither reads nor wipes what lies behind the tables. */
static void test_a_worker_that_lies_harms_no_supervisor(void **state)
{
	static const struct state_limits limits = { .queues = 1,
						    .max_files = 4,
						    .max_sessions = 8,
						    .max_request_bytes = 4096 };
	struct stats stats;
	struct state own;

	assert_int_equal(state_create(&own, &limits), 0);
	own.file[3].id = 1;
	own.session[7].id = 1;
	own.head->file_count = UINT32_MAX;
	own.head->session_count = UINT32_MAX;
	stats_collect(&stats, &own);
	assert_int_equal(stats.files, 1);
	assert_int_equal(stats.sessions, 1);
	state_forget(&own);
	assert_int_equal(own.file[3].id, 0);
	assert_int_equal(own.session[7].id, 0);
	state_destroy(&own);
}

#define TEST(name) cmocka_unit_test_setup(name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_operations_and_bytes_are_counted),
		TEST(test_sessions_and_files_are_those_that_are_open),
		TEST(test_errors_are_counted_by_kind),
		TEST(test_latency_is_a_histogram),
		TEST(test_depth_is_that_of_batches),
		TEST(test_json_says_the_same),
		TEST(test_http_gets_the_same_with_a_length),
		TEST(test_every_name_has_its_number),
		TEST(test_numbers_outlive_the_worker),
		TEST(test_silent_clients_hold_nothing_up),
		TEST(test_a_client_has_little_time),
		TEST(test_an_endless_request_is_cut_off),
		TEST(test_slow_readers_hold_nothing_up),
		TEST(test_a_worker_that_lies_harms_no_supervisor),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
