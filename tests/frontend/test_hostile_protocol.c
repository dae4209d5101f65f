/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile_protocol.c - front ends that break vhost-user's rules */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/stage.h"

static struct stage stage;
static struct frontend *const fe = &stage.fe;

static void open_and_start(unsigned int queues)
{
	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	stage_start(&stage, STAGE_FEATURES, queues);
}

/* Refused, and everything goes on as before. */
#define REFUSED(asked)                               \
	do {                                         \
		assert_int_equal(asked, -EREMOTEIO); \
		stage_works(&stage, 0);              \
	} while (0)

/* The device hung up by itself, for a breach of the protocol. */
static void check_hung_up(void)
{
	struct vhost_message reply;

	assert_int_equal(frontend_receive(fe, &reply), -EPIPE);
	stage_close_with(&stage, EPROTO);
}

static void test_disconnect_at_every_byte(void **state)
{
	struct {
		struct vhost_header header;
		struct vhost_mem_table table;
	} __attribute__((packed)) m = {
		.header = { .request = VHOST_SET_MEM_TABLE,
			    .flags = VHOST_VERSION,
			    .payload_bytes = 8 + 3 * 32 },
	};
	int fds[3];

	for (size_t cut = 0; cut <= 12 + m.header.payload_bytes; cut++) {
		memset(&stage.options, 0, sizeof(stage.options));
		stage_open(&stage);
		m.table.count = 3;
		for (unsigned int i = 0; i < 3; i++) {
			m.table.region[i] = fe->region[i];
			fds[i] = fe->memory_fd;
		}
		if (cut > 0)
			assert_int_equal(frontend_send_raw(fe, &m, cut, fds, 3),
					 0);
		stage_close(&stage);
	}
}

static void test_unknown_requests(void **state)
{
	static const uint32_t unknown[] = { 0,  19, 20, 22, 26,
					    39, 40, 41, 99, UINT32_MAX };
	uint64_t value;

	open_and_start(1);
	for (unsigned int i = 0; i < 10; i++) {
		REFUSED(frontend_ask_u64(fe, unknown[i], 0));
		/* Nobody waits for an answer: none is sent. */
		frontend_send(fe, unknown[i], 0, &value, 8, NULL, 0);
		assert_int_equal(frontend_get(fe, VHOST_GET_FEATURES, &value),
				 0);
	}
	stage_close(&stage);
}

static void test_oversized_and_misversioned_messages_end_it(void **state)
{
	static const struct vhost_header headers[] = {
		{ VHOST_SET_FEATURES, VHOST_VERSION, VHOST_PAYLOAD_MAX + 1 },
		{ VHOST_SET_FEATURES, VHOST_VERSION, UINT32_MAX },
		{ VHOST_SET_FEATURES, 2, 8 },
		{ VHOST_GET_FEATURES, VHOST_VERSION | VHOST_FLAG_REPLY, 0 },
	};

	for (unsigned int i = 0; i < 4; i++) {
		open_and_start(1);
		frontend_send_raw(fe, &headers[i], 12, NULL, 0);
		check_hung_up();
	}
}

static void test_payloads_of_the_wrong_size(void **state)
{
	uint8_t bytes[64] = { 0 };

	open_and_start(1);
	REFUSED(frontend_ask(fe, VHOST_SET_FEATURES, bytes, 7, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_SET_FEATURES, bytes, 9, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_SET_FEATURES, bytes, 0, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_SET_VRING_ADDR, bytes, 39, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, bytes, 7, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_GET_CONFIG, bytes, 11, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_SET_OWNER, bytes, 8, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_SET_INFLIGHT_FD, bytes, 19,
			     &fe->memory_fd, 1));
	stage_close(&stage);
}

static void test_too_many_and_too_few_descriptors(void **state)
{
	struct vhost_mem_table table = { .count = 3 };
	uint64_t value = 0;
	unsigned int before;
	int fds[12];

	open_and_start(1);
	before = stage_device_fds(&stage);
	for (unsigned int i = 0; i < 12; i++)
		fds[i] = fe->memory_fd;
	memcpy(table.region, fe->region, 3 * sizeof(fe->region[0]));
	for (unsigned int i = 0; i < 20; i++) {
		REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, &table, 104, fds,
				     2));
		REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, &table, 104, fds,
				     4));
		REFUSED(frontend_ask(fe, VHOST_SET_FEATURES, &value, 8, fds,
				     1));
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_KICK, &value, 8, fds,
				     0));
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_KICK, &value, 8, fds,
				     2));
		REFUSED(frontend_ask(fe, VHOST_GET_QUEUE_NUM, NULL, 0, fds, 8));
	}
	assert_int_equal(stage_device_fds(&stage), before);
	frontend_send(fe, VHOST_SET_FEATURES, 0, &value, 8, fds, 12);
	check_hung_up();
}

static void test_queues_that_are_not_there(void **state)
{
	struct vhost_ring_addresses a = { .index = ECHO_QUEUES };
	int event = eventfd(0, 0);
	uint64_t value;

	open_and_start(1);
	for (unsigned int i = 0; i < 3; i++) {
		uint32_t index = i == 0   ? ECHO_QUEUES
				 : i == 1 ? 255
					  : UINT32_MAX;

		a.index = index;
		value = index & VHOST_RING_INDEX_MASK;
		REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_NUM, index, 64));
		REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_BASE, index, 0));
		REFUSED(frontend_ask_ring(fe, VHOST_GET_VRING_BASE, index, 0));
		REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, index,
					  1));
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_ADDR, &a, sizeof(a),
				     NULL, 0));
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_KICK, &value, 8,
				     &event, 1));
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_CALL, &value, 8,
				     &event, 1));
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_ERR, &value, 8, &event,
				     1));
	}
	close(event);
	stage_close(&stage);
}

static void test_ring_values_out_of_range(void **state)
{
	static const uint32_t sizes[] = {
		0, 3, 2048, 32768, 65536, UINT32_MAX
	};
	int event = eventfd(0, 0);
	uint64_t value;

	open_and_start(1);
	for (unsigned int i = 0; i < 6; i++)
		REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_NUM, 1,
					  sizes[i]));
	REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_BASE, 1, 65536));
	REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 1, 2));
	/* Not while it runs. */
	REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_NUM, 0, STAGE_SIZE));
	REFUSED(frontend_ask_ring(fe, VHOST_SET_VRING_BASE, 0, 0));
	/* A descriptor and the word that there is none; reserved bits. */
	value = 1 | VHOST_RING_NO_FD;
	REFUSED(frontend_ask(fe, VHOST_SET_VRING_KICK, &value, 8, &event, 1));
	value = 1 | 0x200;
	REFUSED(frontend_ask(fe, VHOST_SET_VRING_KICK, &value, 8, &event, 1));
	/* A file is no event. */
	value = 1;
	REFUSED(frontend_ask(fe, VHOST_SET_VRING_CALL, &value, 8,
			     &fe->memory_fd, 1));
	REFUSED(frontend_ask(fe, VHOST_SET_BACKEND_REQ_FD, NULL, 0, &event, 1));
	close(event);
	stage_close(&stage);
}

static void test_ring_addresses_that_are_not_in_memory(void **state)
{
	uint64_t end = fe->region[2].user_addr + fe->region[2].bytes;
	struct vhost_ring_addresses good, a;

	open_and_start(1);
	end = fe->region[2].user_addr + fe->region[2].bytes;
	assert_int_equal(
		frontend_ask_ring(fe, VHOST_SET_VRING_NUM, 1, STAGE_SIZE), 0);
	good = (struct vhost_ring_addresses){
		.index = 1,
		.desc_user = fe->region[1].user_addr,
		.avail_user = fe->region[1].user_addr + 4096,
		.used_user = fe->region[1].user_addr + 8192,
	};
	assert_int_equal(frontend_ask(fe, VHOST_SET_VRING_ADDR, &good,
				      sizeof(good), NULL, 0),
			 0);
#define SPOIL(field, value)                                                   \
	do {                                                                  \
		a = good;                                                     \
		a.field = value;                                              \
		REFUSED(frontend_ask(fe, VHOST_SET_VRING_ADDR, &a, sizeof(a), \
				     NULL, 0));                               \
	} while (0)
	SPOIL(desc_user, end - 16);
	SPOIL(desc_user, UINT64_MAX - 15);
	SPOIL(desc_user, 0);
	SPOIL(desc_user, good.desc_user + 8);
	SPOIL(avail_user, end - 8);
	SPOIL(avail_user, good.avail_user + 1);
	SPOIL(used_user, end - 8);
	SPOIL(used_user, good.used_user + 2);
	SPOIL(flags, 1);
#undef SPOIL
	stage_close(&stage);
}

static void test_rings_before_memory(void **state)
{
	struct vhost_ring_addresses a = { .index = 0 };

	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	assert_int_equal(frontend_negotiate(fe, STAGE_FEATURES, UINT64_MAX), 0);
	assert_int_equal(
		frontend_ask(fe, VHOST_SET_VRING_ADDR, &a, sizeof(a), NULL, 0),
		-EREMOTEIO);
	assert_int_equal(frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 0, 1),
			 0);
	assert_int_equal(frontend_queue_init(fe, 0, STAGE_SIZE), 0);
	assert_int_equal(frontend_queue_set_fd(&fe->queue[0],
					       VHOST_SET_VRING_KICK,
					       fe->queue[0].kick_fd),
			 0);
	frontend_kick_always(&fe->queue[0]);
	/* It still starts when all is there. */
	assert_int_equal(frontend_share_memory(fe), 0);
	assert_int_equal(frontend_queue_start(&fe->queue[0], 0), 0);
	stage_works(&stage, 0);
	stage_close(&stage);
}

static void test_memory_tables_that_are_wrong(void **state)
{
	struct vhost_mem_table good = { .count = 2 }, t;
	int short_file = memfd_create("short", 0);
	int event = eventfd(0, 0);
	int fds[8];

	open_and_start(1);
	memcpy(good.region, fe->region, 2 * sizeof(fe->region[0]));
	for (unsigned int i = 0; i < 8; i++)
		fds[i] = fe->memory_fd;
#define SPOIL(field, value)                                                \
	do {                                                               \
		t = good;                                                  \
		t.field = value;                                           \
		REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, &t, 72, fds, \
				     2));                                  \
	} while (0)
	SPOIL(count, 0);
	SPOIL(count, 1);
	SPOIL(count, 9);
	SPOIL(count, UINT32_MAX);
	SPOIL(region[1].bytes, 0);
	SPOIL(region[1].bytes, UINT64_MAX);
	SPOIL(region[1].bytes, UINT64_C(1) << 62);
	SPOIL(region[1].guest_addr, UINT64_MAX - 100);
	SPOIL(region[1].user_addr, UINT64_MAX - 100);
	SPOIL(region[1].file_offset, UINT64_MAX - 100);
	SPOIL(region[1].file_offset, STAGE_BYTES - 4096);
	SPOIL(region[1].guest_addr, good.region[0].guest_addr + 4096);
	SPOIL(region[1].user_addr, good.region[0].user_addr + 4096);
#undef SPOIL
	/* A table for more regions than the payload has bytes for. */
	t = good;
	t.count = 3;
	REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, &t, 72, fds, 3));
	fds[1] = short_file;
	REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, &good, 72, fds, 2));
	fds[1] = event;
	REFUSED(frontend_ask(fe, VHOST_SET_MEM_TABLE, &good, 72, fds, 2));
	close(short_file);
	close(event);
	stage_close(&stage);
}

/* With nobody to tell, going on would be worse. */
static void test_an_untold_failure_ends_it(void **state)
{
	struct vhost_ring_word word = { .index = 99 };
	struct vhost_mem_table table = { .count = 0 };

	open_and_start(1);
	frontend_send(fe, VHOST_SET_MEM_TABLE, 0, &table, 8, NULL, 0);
	check_hung_up();
	open_and_start(1);
	frontend_send(fe, VHOST_SET_VRING_NUM, 0, &word, 8, NULL, 0);
	check_hung_up();
	open_and_start(1);
	frontend_send(fe, VHOST_GET_VRING_BASE, 0, &word, 8, NULL, 0);
	check_hung_up();
}

/* But QEMU sends CALL for queues beyond those we told it of: never mind. */
static void test_a_call_for_a_missing_queue_is_dropped(void **state)
{
	uint64_t value = ECHO_QUEUES + 3;
	int event = eventfd(0, 0);

	open_and_start(1);
	frontend_send(fe, VHOST_SET_VRING_CALL, 0, &value, 8, &event, 1);
	stage_works(&stage, 0);
	close(event);
	stage_close(&stage);
}

static void test_features_that_were_not_offered(void **state)
{
	open_and_start(1);
	REFUSED(frontend_ask_u64(fe, VHOST_SET_FEATURES,
				 STAGE_FEATURES | UINT64_C(1) << 34));
	REFUSED(frontend_ask_u64(fe, VHOST_SET_FEATURES, UINT64_MAX));
	REFUSED(frontend_ask_u64(fe, VHOST_SET_PROTOCOL_FEATURES,
				 UINT64_C(1) << 14));
	stage_close(&stage);
}

static void test_requests_that_were_not_negotiated(void **state)
{
	struct vhost_inflight_area area = { .queues = 1, .ring_size = 64 };

	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	stage_start(&stage, STAGE_FEATURES, 1);
	assert_int_equal(frontend_ask_u64(fe, VHOST_SET_PROTOCOL_FEATURES,
					  VHOST_PROTOCOL_REPLY_ACK),
			 0);
	REFUSED(frontend_ask(fe, VHOST_GET_QUEUE_NUM, NULL, 0, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_GET_MAX_MEM_SLOTS, NULL, 0, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_RESET_DEVICE, NULL, 0, NULL, 0));
	REFUSED(frontend_ask(fe, VHOST_GET_INFLIGHT_FD, &area, sizeof(area),
			     NULL, 0));
	stage_close(&stage);
}

static void test_inflight_files_that_are_wrong(void **state)
{
	struct vhost_inflight_area a = { .queues = 1, .ring_size = 64 };

	open_and_start(1);
#define SPOIL(field, value)                                            \
	do {                                                           \
		struct vhost_inflight_area bad = a;                    \
		bad.field = value;                                     \
		REFUSED(frontend_ask(fe, VHOST_GET_INFLIGHT_FD, &bad,  \
				     sizeof(bad), NULL, 0));           \
		bad.bytes = STAGE_BYTES;                               \
		REFUSED(frontend_ask(fe, VHOST_SET_INFLIGHT_FD, &bad,  \
				     sizeof(bad), &fe->memory_fd, 1)); \
	} while (0)
	SPOIL(queues, 0);
	SPOIL(queues, 65);
	SPOIL(ring_size, 0);
	SPOIL(ring_size, 1025);
#undef SPOIL
	a.bytes = 8;
	REFUSED(frontend_ask(fe, VHOST_SET_INFLIGHT_FD, &a, sizeof(a),
			     &fe->memory_fd, 1));
	a.bytes = STAGE_BYTES + 1;
	REFUSED(frontend_ask(fe, VHOST_SET_INFLIGHT_FD, &a, sizeof(a),
			     &fe->memory_fd, 1));
	a.bytes = STAGE_BYTES;
	a.file_offset = 4096;
	REFUSED(frontend_ask(fe, VHOST_SET_INFLIGHT_FD, &a, sizeof(a),
			     &fe->memory_fd, 1));
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disconnect_at_every_byte),
		cmocka_unit_test(test_unknown_requests),
		cmocka_unit_test(
			test_oversized_and_misversioned_messages_end_it),
		cmocka_unit_test(test_payloads_of_the_wrong_size),
		cmocka_unit_test(test_too_many_and_too_few_descriptors),
		cmocka_unit_test(test_queues_that_are_not_there),
		cmocka_unit_test(test_ring_values_out_of_range),
		cmocka_unit_test(test_ring_addresses_that_are_not_in_memory),
		cmocka_unit_test(test_rings_before_memory),
		cmocka_unit_test(test_memory_tables_that_are_wrong),
		cmocka_unit_test(test_an_untold_failure_ends_it),
		cmocka_unit_test(test_a_call_for_a_missing_queue_is_dropped),
		cmocka_unit_test(test_features_that_were_not_offered),
		cmocka_unit_test(test_requests_that_were_not_negotiated),
		cmocka_unit_test(test_inflight_files_that_are_wrong),
	};

	return cmocka_run_group_tests_name("hostile_protocol", tests, NULL,
					   NULL);
}
