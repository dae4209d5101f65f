/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper.c - the supervisor dies too, with and without a manager above
 *
 * test_keeper COUNT: so many deaths under load.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "device/load.h"
#include "base/memory_file.h"
#include "device/manager.h"
#include "device/record.h"

static unsigned int deaths_wanted = 10;
static struct driver driver;

static void connect_anew(void)
{
	assert_int_equal(driver_connect(&driver, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(&driver), 0);
}

static struct manager *begin(void)
{
	struct manager *m;

	driver_init(&driver);
	driver.options.log_level = LOG_LEVEL_ERROR;
	m = manager_create(&driver);
	assert_int_equal(driver_start(&driver), 0);
	connect_anew();
	return m;
}

static void end(struct manager *m)
{
	assert_int_equal(driver_stop(&driver), 0);
	manager_drain(m);
	/* A clean end leaves nothing to go on with. */
	assert_int_equal(m->kept, 0);
	assert_int_equal(m->polled, 0);
	manager_destroy(m);
}

static bool has_moved(const struct load *load, uint64_t *answered)
{
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		if (load->queue[i].answered == answered[i])
			return false;
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		answered[i] = load->queue[i].answered;
	return true;
}

static void test_both_processes_die_unseen_under_load(void **state)
{
	static struct load load;
	struct manager *m = begin();
	uint64_t answered[DRIVER_QUEUES] = { 0 };

	assert_int_equal(load_init(&load, &driver), 0);
	for (unsigned int i = 0; i < deaths_wanted; i++) {
		unsigned int turns = layout_random(&driver.rng, 3000);

		while (turns > 0 || !has_moved(&load, answered)) {
			assert_int_equal(load_turn(&load), 0);
			turns -= turns > 0;
		}
		assert_int_equal(manager_restart(m, &driver), 0);
	}
	assert_int_equal(load_drain(&load), 0);
	assert_int_equal(load.answered, load.launched);
	print_message("# %u deaths, %llu answers\n", deaths_wanted,
		      (unsigned long long)load.answered);
	load_deinit(&load);
	end(m);
}

/* New kick, call and error descriptors, new rings: those are kept. */
static void test_what_changed_since_is_kept(void **state)
{
	struct manager *m = begin();
	enum vcd_status status;
	uint32_t file;
	uint16_t base;

	for (unsigned int i = 0; i < 3; i++) {
		struct frontend_queue *q = &driver.fe.queue[i];

		assert_int_equal(frontend_queue_stop(q, &base), 0);
		assert_int_equal(frontend_share_memory(&driver.fe), 0);
		assert_int_equal(frontend_queue_start(q, base), 0);
		file = driver_open(&driver, i, &status);
		assert_int_equal(status, VCD_STATUS_OK);
		/* Behind the last message, before the next death. */
		usleep(20000);
		assert_int_equal(manager_restart(m, &driver), 0);
		for (unsigned int k = 0; k < DRIVER_QUEUES; k++)
			assert_int_equal(
				driver_simple(&driver, k, VCD_OP_PING, 0, 0),
				VCD_STATUS_OK);
		assert_int_equal(
			driver_simple(&driver, i, VCD_OP_CLOSE, file, 0),
			VCD_STATUS_OK);
	}
	end(m);
}

/* The front end finds its connection closed, and the generation gone. */
static void connection_is_lost(void)
{
	struct vhost_message message;
	uint64_t before = driver.generation;

	assert_int_equal(frontend_receive(&driver.fe, &message), -EPIPE);
	driver_disconnect(&driver);
	assert_int_equal(driver_connect(&driver, DRIVER_FEATURES), 0);
	driver.generation = before;
	assert_int_equal(driver_simple(&driver, 1, VCD_OP_PING, 0, 0),
			 VCD_STATUS_EXPIRED);
	assert_int_equal(driver_hello(&driver), 0);
	assert_int_equal(driver_simple(&driver, 1, VCD_OP_PING, 0, 0),
			 VCD_STATUS_OK);
}

static void test_a_state_for_other_limits_is_not_used(void **state)
{
	struct manager *m = begin();

	driver.options.max_sessions++;
	assert_int_equal(manager_restart(m, &driver), 0);
	connection_is_lost();
	end(m);
}

/* As another version may leave it: an answer longer than any, to be sent. */
static void test_a_record_that_cannot_be_is_not_used(void **state)
{
	struct manager *m = begin();
	struct record_file *file = NULL;
	struct vhost_step *step;

	manager_drain(m);
	for (unsigned int i = 0; i < m->kept; i++)
		if (strcmp(m->entry[i].name, "pvx-record") == 0)
			file = memory_file_map(m->entry[i].fd, sizeof(*file));
	if (!file)
		abort();
	assert_int_equal(kill(driver.daemon, SIGSTOP), 0);
	step = &file->copy[file->current & 1].vhost.step;
	step->phase = VHOST_PHASE_APPLIED;
	step->has_answer = true;
	step->answer.header.payload_bytes = 1 << 20;
	munmap(file, sizeof(*file));
	assert_int_equal(manager_restart(m, &driver), 0);
	connection_is_lost();
	end(m);
}

static void test_without_a_manager_the_session_is_lost(void **state)
{
	int status;

	driver_init(&driver);
	driver.expects_deaths = true;
	driver.options.log_level = LOG_LEVEL_ERROR;
	assert_int_equal(driver_start(&driver), 0);
	connect_anew();
	assert_int_equal(kill(driver.daemon, SIGKILL), 0);
	assert_int_equal(waitpid(driver.daemon, &status, 0), driver.daemon);
	assert_int_equal(driver_start_again(&driver), 0);
	connection_is_lost();
	assert_int_equal(driver_stop(&driver), 0);
}

static void *linger(void *argument)
{
	pthread_mutex_lock(argument);
	pthread_mutex_unlock(argument);
	return NULL;
}

/* A daemon or worker that began in the middle of another thread's work could
 * wait for a lock for ever. */
static void test_a_process_that_forks_has_one_thread(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	pthread_mutex_lock(&lock);
	assert_int_equal(pthread_create(&thread, NULL, linger, &lock), 0);
	driver_init(&driver);
	assert_int_equal(driver_start(&driver), -EDEADLK);
	pthread_mutex_unlock(&lock);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(driver_start(&driver), 0);
	connect_anew();
	/* Beside . and .. */
	assert_int_equal(driver_count(driver.daemon, "task") - 2, 1);
	assert_in_range(driver_count(driver_worker(&driver), "task") - 2, 2,
			1 + DRIVER_QUEUES);
	assert_int_equal(driver_stop(&driver), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_processes_die_unseen_under_load),
		cmocka_unit_test(test_what_changed_since_is_kept),
		cmocka_unit_test(test_a_state_for_other_limits_is_not_used),
		cmocka_unit_test(test_a_record_that_cannot_be_is_not_used),
		cmocka_unit_test(test_without_a_manager_the_session_is_lost),
		cmocka_unit_test(test_a_process_that_forks_has_one_thread),
	};

	if (argc > 1)
		deaths_wanted = (unsigned int)strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
