/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_messages.c - the supervisor dies in the middle of a message
 *
 * test_keeper_messages STRIDE: at every STRIDEth of the points there are.
 */
#include <errno.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "device/load.h"
#include "device/manager.h"
#include "device/reaper.h"

static int stride = 1;
static struct driver driver;
static struct frontend *const fe = &driver.fe;
static struct manager *manager;
static struct reaper *reaper;

/* --- everything that a front end says while rings run ------------------ */

static int say_questions(void)
{
	struct vhost_config_access access = { .bytes = 16 };
	struct vhost_message reply;
	uint64_t value;
	int error = frontend_get(fe, VHOST_GET_FEATURES, &value);

	if (!error && value != DRIVER_FEATURES)
		error = -EPROTO;
	if (!error)
		error = frontend_get(fe, VHOST_GET_QUEUE_NUM, &value);
	if (!error && value != DRIVER_QUEUES)
		error = -EPROTO;
	if (!error)
		error = frontend_send(fe, VHOST_GET_CONFIG, 0, &access,
				      VHOST_CONFIG_HEAD_BYTES + 16, NULL, 0);
	if (!error)
		error = frontend_receive(fe, &reply);
	if (!error && (reply.header.request != VHOST_GET_CONFIG ||
		       reply.payload.config.bytes != 16))
		error = -EPROTO;
	return error;
}

/* Messages without an answer, one behind the other. */
static int say_unanswered(void)
{
	uint64_t value;
	int error = 0;

	for (unsigned int i = 0; !error && i < 3; i++)
		error = frontend_send(fe, VHOST_RESET_OWNER, 0, NULL, 0, NULL,
				      0);
	if (!error)
		error = frontend_get(fe, VHOST_GET_MAX_MEM_SLOTS, &value);
	return error;
}

static int say_nonsense(void)
{
	int error = frontend_ask_ring(fe, VHOST_SET_VRING_NUM, 0, 3);

	return error == -EREMOTEIO ? 0 : error ? error : -EPROTO;
}

static int say_features(void)
{
	int error = frontend_ask_u64(fe, VHOST_SET_PROTOCOL_FEATURES,
				     fe->protocol_features);

	return error ? error
		     : frontend_ask_u64(fe, VHOST_SET_FEATURES, fe->features);
}

static int say_memory(void)
{
	return frontend_share_memory(fe);
}

static int say_slot(void)
{
	struct vhost_mem_slot slot = {
		.region = { .guest_addr = UINT64_C(1) << 40,
			    .bytes = 4096,
			    .user_addr = UINT64_C(1) << 40 },
	};
	int error = frontend_ask(fe, VHOST_ADD_MEM_REG, &slot, sizeof(slot),
				 &fe->memory_fd, 1);

	return error ? error
		     : frontend_ask(fe, VHOST_REM_MEM_REG, &slot, sizeof(slot),
				    NULL, 0);
}

static int say_stop_and_start(void)
{
	struct frontend_queue *q = &fe->queue[1];
	uint16_t base;
	int error = frontend_queue_stop(q, &base);

	return error ? error : frontend_queue_start(q, base);
}

static int say_back_end(void)
{
	int pair[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	error = frontend_ask(fe, VHOST_SET_BACKEND_REQ_FD, NULL, 0, pair, 1);
	close(pair[0]);
	close(pair[1]);
	return error;
}

static const struct saying {
	const char *name;
	int (*say)(void);
} sayings[] = {
	{ "questions", say_questions },
	{ "unanswered", say_unanswered },
	{ "nonsense", say_nonsense },
	{ "features", say_features },
	{ "memory", say_memory },
	{ "slot", say_slot },
	{ "stop and start", say_stop_and_start },
	{ "back end", say_back_end },
};

/* --- the stage --------------------------------------------------------- */

static void open_stage_for(int keeper_patience_ms)
{
	driver_init(&driver);
	reaper = reaper_create(&driver);
	manager = manager_create(&driver);
	driver.keeper_patience_ms = keeper_patience_ms;
	assert_int_equal(driver_start(&driver), 0);
	assert_int_equal(driver_connect(&driver, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(&driver), 0);
	manager_watch(manager, &driver);
}

static void open_stage(void)
{
	open_stage_for(FRONTEND_WAIT_MS);
}

static void close_stage(void)
{
	assert_int_equal(driver_stop(&driver), 0);
	manager_unwatch(manager);
	manager_drain(manager);
	assert_int_equal(manager->kept, 0);
	manager_destroy(manager);
}

/* How often a moment comes while something is said; one more or less, since the
 * last commit comes behind the last answer. */
static int count_moment(const struct saying *saying, unsigned int moment)
{
	uint32_t before = reaper->control_met[moment];

	assert_int_equal(saying->say(), 0);
	return (int)(reaper->control_met[moment] - before);
}

static unsigned int deaths;

/* It has died as ordered, perhaps behind the last answer, and there is another
 * one. */
static void await_death(unsigned int restarts)
{
	for (int i = 0; i < 120000 && manager->restarts == restarts; i++) {
		manager_look(manager);
		usleep(500);
	}
	assert_int_equal(reaper_rest(reaper), 1);
	assert_int_equal(manager->restarts, restarts + 1);
	deaths++;
}

/* Say it again and again, and die once each time. */
static void die_at_moment(const struct saying *saying, unsigned int moment,
			  struct load *load)
{
	static int point;
	int count = count_moment(saying, moment);

	for (int i = 0; i < count; i++) {
		unsigned int restarts = manager->restarts;
		int error;

		if (++point % stride)
			continue;
		reaper_order_control(reaper, moment, i);
		do
			error = saying->say();
		while (!error && !reaper->deaths);
		if (error)
			print_message("# %s, moment %u, %d of %d: %s\n",
				      saying->name, moment, i, count,
				      strerror(-error));
		assert_int_equal(error, 0);
		if (load)
			assert_int_equal(load_turn(load), 0);
		await_death(restarts);
	}
}

/* Whatever is said, whenever it dies: the front end has its answer, once, and
 * no request is lost, or done twice. */
static void test_a_death_within_a_message_is_not_seen(void **state)
{
	static struct load load;

	open_stage();
	assert_int_equal(load_init(&load, &driver), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sayings); i++)
		for (unsigned int m = 0; m < SUPERVISOR_MOMENTS; m++)
			die_at_moment(&sayings[i], m, &load);
	assert_int_equal(load_drain(&load), 0);
	assert_int_equal(load.answered, load.launched);
	for (unsigned int m = 0; m < SUPERVISOR_MOMENTS; m++)
		assert_true(reaper->control_met[m] > 0);
	print_message("# %u deaths, %llu answers\n", deaths,
		      (unsigned long long)load.answered);
	load_deinit(&load);
	close_stage();
}

/* A reset, the rings again, and a device that is new. */
static int say_reset(void)
{
	int error = frontend_ask(fe, VHOST_RESET_DEVICE, NULL, 0, NULL, 0);

	for (unsigned int i = 0; !error && i < DRIVER_QUEUES; i++) {
		frontend_queue_clear(&fe->queue[i]);
		error = frontend_queue_start(&fe->queue[i], 0);
	}
	if (!error &&
	    driver_simple(&driver, 0, VCD_OP_PING, 0, 0) != VCD_STATUS_EXPIRED)
		error = -EEXIST;
	if (!error)
		error = driver_hello(&driver);
	for (unsigned int i = 0; !error && i < DRIVER_QUEUES; i++)
		if (driver_simple(&driver, i, VCD_OP_PING, 0, 0))
			error = -EPROTO;
	return error;
}

static void test_a_death_within_a_reset_is_not_seen(void **state)
{
	static const struct saying reset = { "reset", say_reset };

	open_stage();
	for (unsigned int m = 0; m < SUPERVISOR_MOMENTS; m++)
		die_at_moment(&reset, m, NULL);
	close_stage();
}

static void test_a_message_in_parts_outlives_a_death_between_them(void **state)
{
	const struct vhost_header header = { .request = VHOST_GET_QUEUE_NUM,
					     .flags = VHOST_VERSION };
	const uint8_t *bytes = (const void *)&header;
	struct vhost_message reply;

	open_stage();
	manager_unwatch(manager);
	for (size_t i = 0; i < sizeof(header); i++) {
		assert_int_equal(frontend_send_raw(fe, bytes + i, 1, NULL, 0),
				 0);
		if (i % 4 == 3 && i + 1 < sizeof(header))
			assert_int_equal(manager_restart(manager, &driver), 0);
	}
	assert_int_equal(frontend_receive(fe, &reply), 0);
	assert_int_equal(reply.payload.u64, DRIVER_QUEUES);
	manager_watch(manager, &driver);
	close_stage();
}

/* A part of a message stays in the socket, which is readable then: that must
 * not keep the supervisor busy. */
static void test_a_message_in_part_costs_no_time(void **state)
{
	static const uint8_t part[3] = { VHOST_GET_QUEUE_NUM };
	unsigned long before, behind;

	open_stage();
	assert_int_equal(frontend_send_raw(fe, part, sizeof(part), NULL, 0), 0);
	usleep(50000);
	before = driver_cpu_ticks(driver.daemon);
	usleep(300000);
	behind = driver_cpu_ticks(driver.daemon);
	assert_in_range(behind - before, 0, 10);
	close_stage();
}

/* Only an answer with a descriptor cannot be sent by another process: then the
 * front end sees the end of the connection, and not silence. */
static void test_an_answer_with_a_descriptor_is_not_outlived(void **state)
{
	static const struct vhost_inflight_area area = { .queues = 1,
							 .ring_size = 256 };
	struct vhost_message reply;

	open_stage();
	for (unsigned int m = VHOST_MOMENT_RECEIVED; m <= VHOST_MOMENT_TAKEN;
	     m += VHOST_MOMENT_TAKEN) {
		unsigned int restarts = manager->restarts;
		int error;

		reaper_order_control(reaper, m, 0);
		assert_int_equal(frontend_send(fe, VHOST_GET_INFLIGHT_FD, 0,
					       &area, sizeof(area), NULL, 0),
				 0);
		error = frontend_receive(fe, &reply);
		assert_int_equal(error, m ? -EPIPE : 0);
		await_death(restarts);
		if (!error)
			close(reply.fds[0]);
	}
	close_stage();
}

static bool has_settled(unsigned int kept)
{
	uint32_t commits = reaper->control_met[SUPERVISOR_FLIPPED];

	usleep(700000); /* longer than between two attempts */
	manager_drain(manager);
	return manager->kept == kept &&
	       reaper->control_met[SUPERVISOR_FLIPPED] == commits;
}

/* It is behind for a while: nobody waits for it, and later it has it all. */
static void test_a_manager_that_was_slow_is_told_again(void **state)
{
	unsigned int kept;
	int tries = 0;

	open_stage_for(0);
	manager_unwatch(manager);
	manager_drain(manager);
	kept = manager->kept;
	pthread_mutex_lock(&manager->lock);
	for (unsigned int i = 0; i < 150; i++)
		assert_int_equal(frontend_share_memory(fe), 0);
	pthread_mutex_unlock(&manager->lock);
	while (!has_settled(kept))
		assert_true(tries++ < 50);
	assert_int_equal(manager_restart(manager, &driver), 0);
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		assert_int_equal(driver_simple(&driver, i, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
	manager_watch(manager, &driver);
	close_stage();
}

/* While it is behind, a death is seen, and what is left is no danger. */
static void test_what_a_slow_manager_lacks_is_not_gone_on_from(void **state)
{
	struct vhost_message reply;

	open_stage_for(0);
	manager_unwatch(manager);
	pthread_mutex_lock(&manager->lock);
	for (unsigned int i = 0; i < 150; i++)
		assert_int_equal(frontend_share_memory(fe), 0);
	assert_int_equal(kill(driver.daemon, SIGKILL), 0);
	pthread_mutex_unlock(&manager->lock);
	assert_int_equal(manager_restart(manager, &driver), 0);
	assert_int_equal(frontend_receive(fe, &reply), -EPIPE);
	driver_disconnect(&driver);
	assert_int_equal(driver_connect(&driver, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(&driver), 0);
	manager_watch(manager, &driver);
	close_stage();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_death_within_a_message_is_not_seen),
		cmocka_unit_test(test_a_death_within_a_reset_is_not_seen),
		cmocka_unit_test(
			test_a_message_in_parts_outlives_a_death_between_them),
		cmocka_unit_test(test_a_message_in_part_costs_no_time),
		cmocka_unit_test(
			test_an_answer_with_a_descriptor_is_not_outlived),
		cmocka_unit_test(test_a_manager_that_was_slow_is_told_again),
		cmocka_unit_test(
			test_what_a_slow_manager_lacks_is_not_gone_on_from),
	};

	if (argc > 1)
		stride = atoi(argv[1]);
	return cmocka_run_group_tests_name("keeper-messages", tests, NULL,
					   NULL);
}
