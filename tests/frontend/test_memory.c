/* SPDX-License-Identifier: Apache-2.0 */
/* test_memory.c - guest memory that comes and goes while rings run */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/stage.h"

static struct stage stage;
static struct frontend *const fe = &stage.fe;

static void open_and_start(uint64_t features, unsigned int queues)
{
	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	stage_start(&stage, features, queues);
}

static void test_memory_slots(void **state)
{
	struct vhost_mem_slot slot = { .padding = 0 };

	open_and_start(STAGE_FEATURES, 1);
	/* The same file at another guest address, as hot-plugged memory. */
	slot.region = fe->region[0];
	slot.region.guest_addr = UINT64_C(1) << 40;
	slot.region.user_addr = UINT64_C(1) << 44;
	for (unsigned int i = 0; i < 50; i++) {
		assert_int_equal(frontend_ask(fe, VHOST_ADD_MEM_REG, &slot,
					      sizeof(slot), &fe->memory_fd, 1),
				 0);
		stage_works(&stage, 0);
		assert_int_equal(frontend_ask(fe, VHOST_ADD_MEM_REG, &slot,
					      sizeof(slot), &fe->memory_fd, 1),
				 -EREMOTEIO);
		assert_int_equal(frontend_ask(fe, VHOST_REM_MEM_REG, &slot,
					      sizeof(slot), NULL, 0),
				 0);
		stage_works(&stage, 0);
		assert_int_equal(frontend_ask(fe, VHOST_REM_MEM_REG, &slot,
					      sizeof(slot), &fe->memory_fd, 1),
				 -EREMOTEIO);
	}
	stage_close(&stage);
}

static void test_memory_table_changes_while_running(void **state)
{
	open_and_start(STAGE_FEATURES, 2);
	for (unsigned int i = 0; i < 50; i++) {
		stage_works(&stage, 0);
		assert_int_equal(frontend_share_memory(fe), 0);
		stage_works(&stage, 1);
	}
	stage_close(&stage);
}

static void test_a_ring_stops_when_its_memory_goes(void **state)
{
	struct vhost_mem_table table = { .count = 1 };
	int fd;

	open_and_start(STAGE_FEATURES, 1);
	stage_works(&stage, 0);
	fd = fe->memory_fd;
	table.region[0] = fe->region[2];
	/* The rings lie in region 0: that they cannot run is told. */
	assert_int_equal(
		frontend_ask(fe, VHOST_SET_MEM_TABLE, &table, 40, &fd, 1),
		-EREMOTEIO);
	assert_int_equal(frontend_poll(fe->queue[0].err_fd, FRONTEND_WAIT_MS),
			 1);
	assert_int_equal(frontend_share_memory(fe), 0);
	stage_works(&stage, 0);
	stage_close(&stage);
}

static void share_by_slots(void)
{
	for (unsigned int i = 0; i < fe->region_count; i++) {
		struct vhost_mem_slot slot = { .region = fe->region[i] };

		assert_int_equal(frontend_ask(fe, VHOST_ADD_MEM_REG, &slot,
					      sizeof(slot), &fe->memory_fd, 1),
				 0);
	}
}

/* Whether a write waits is a flag that the front end has too, and can change
 * behind our first look at it. */
static void test_a_full_error_pipe_holds_nobody_up(void **state)
{
	struct vhost_mem_table table = { .count = 1 };
	uint64_t features;
	char page[4096] = { 0 };
	int ends[2], fd;

	open_and_start(STAGE_FEATURES, 1);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(ends[1], page, sizeof(page)) > 0)
		;
	assert_int_equal(frontend_queue_set_fd(&fe->queue[0],
					       VHOST_SET_VRING_ERR, ends[1]),
			 0);
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	fd = fe->memory_fd;
	table.region[0] = fe->region[2];
	assert_int_equal(
		frontend_ask(fe, VHOST_SET_MEM_TABLE, &table, 40, &fd, 1),
		-EREMOTEIO);
	assert_int_equal(frontend_get(fe, VHOST_GET_FEATURES, &features), 0);
	close(ends[0]);
	close(ends[1]);
	stage_close(&stage);
}

/* QEMU takes no memory back when a device is unplugged, and begins anew on the
 * same connection with SET_OWNER and the same memory. */
static void test_set_owner_begins_anew(void **state)
{
	open_and_start(STAGE_FEATURES, 2);
	for (unsigned int round = 0; round < 3; round++) {
		assert_int_equal(frontend_negotiate(fe, STAGE_FEATURES,
						    fe->protocol_features),
				 0);
		share_by_slots();
		for (unsigned int i = 0; i < 2; i++) {
			frontend_queue_clear(&fe->queue[i]);
			assert_int_equal(frontend_queue_start(&fe->queue[i], 0),
					 0);
			stage_works(&stage, i);
		}
	}
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory_slots),
		cmocka_unit_test(test_memory_table_changes_while_running),
		cmocka_unit_test(test_a_ring_stops_when_its_memory_goes),
		cmocka_unit_test(test_a_full_error_pipe_holds_nobody_up),
		cmocka_unit_test(test_set_owner_begins_anew),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
