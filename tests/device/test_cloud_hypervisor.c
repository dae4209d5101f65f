/* SPDX-License-Identifier: Apache-2.0 */
/* test_cloud_hypervisor.c - the messages of its --generic-vhost-user */
#include <endian.h>
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
#include "device/stand.h"

/*
 * The order of messages, their sizes and flags are those of cloud-hypervisor
 * and of the vhost crate below it, as read in their sources: no rig runs it.
 * All but the first messages, questions too, have NEED_REPLY; each register of
 * the configuration space that the guest reads is a message.
 */
#define QUEUES 2u
#define PROTOCOL                                                         \
	(VHOST_PROTOCOL_CONFIG | VHOST_PROTOCOL_MQ |                     \
	 VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS | VHOST_PROTOCOL_REPLY_ACK | \
	 VHOST_PROTOCOL_INFLIGHT_SHMFD | VHOST_PROTOCOL_BACKEND_REQ)
#define REGION_BYTES 4096u

static struct frontend *const fe = &stand.fe;
static struct vhost_inflight_area area;
static int inflight_fd = -1;
static int backend_req[2];

static void question(uint32_t request, const void *payload, uint32_t bytes,
		     struct vhost_message *reply)
{
	assert_int_equal(frontend_send(fe, request, VHOST_FLAG_NEED_REPLY,
				       payload, bytes, NULL, 0),
			 0);
	assert_int_equal(frontend_receive(fe, reply), 0);
	assert_int_equal(reply->header.request, request);
	assert_int_equal(reply->header.flags, VHOST_VERSION | VHOST_FLAG_REPLY);
}

static void negotiate(bool is_again)
{
	struct vhost_message reply;
	uint64_t value;

	assert_int_equal(
		frontend_send(fe, VHOST_SET_OWNER, 0, NULL, 0, NULL, 0), 0);
	assert_int_equal(frontend_get(fe, VHOST_GET_FEATURES, &value), 0);
	fe->features = value & DRIVER_FEATURES;
	assert_int_equal(fe->features, DRIVER_FEATURES);
	if (!is_again) {
		assert_int_equal(
			frontend_get(fe, VHOST_GET_PROTOCOL_FEATURES, &value),
			0);
		assert_int_equal(value & PROTOCOL, PROTOCOL);
	}
	value = PROTOCOL;
	assert_int_equal(frontend_send(fe, VHOST_SET_PROTOCOL_FEATURES, 0,
				       &value, sizeof(value), NULL, 0),
			 0);
	fe->protocol_features = PROTOCOL;
	if (is_again)
		return;
	question(VHOST_GET_QUEUE_NUM, NULL, 0, &reply);
	assert_true(reply.payload.u64 >= QUEUES);
}

/* SET_FEATURES to SET_BACKEND_REQ_FD. */
static void activate(void)
{
	struct vhost_message reply;

	assert_int_equal(frontend_ask_u64(fe, VHOST_SET_FEATURES, fe->features),
			 0);
	assert_int_equal(frontend_share_memory(fe), 0);
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(frontend_ask_ring(fe, VHOST_SET_VRING_NUM, i,
						   DRIVER_RING),
				 0);
	if (inflight_fd < 0) {
		area = (struct vhost_inflight_area){ .queues = QUEUES,
						     .ring_size = DRIVER_RING };
		question(VHOST_GET_INFLIGHT_FD, &area, sizeof(area), &reply);
		area = reply.payload.inflight;
		inflight_fd = reply.fds[0];
	}
	assert_int_equal(frontend_ask(fe, VHOST_SET_INFLIGHT_FD, &area,
				      sizeof(area), &inflight_fd, 1),
			 0);
	for (uint32_t i = 0; i < QUEUES; i++) {
		struct frontend_queue *q = &fe->queue[i];

		assert_int_equal(frontend_queue_set_addr(q), 0);
		assert_int_equal(frontend_ask_ring(fe, VHOST_SET_VRING_BASE, i,
						   q->avail_idx),
				 0);
		assert_int_equal(frontend_queue_set_fd(q, VHOST_SET_VRING_CALL,
						       q->call_fd),
				 0);
		assert_int_equal(frontend_queue_set_fd(q, VHOST_SET_VRING_KICK,
						       q->kick_fd),
				 0);
	}
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(
			frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, i, 1), 0);
	assert_int_equal(frontend_ask(fe, VHOST_SET_BACKEND_REQ_FD, NULL, 0,
				      &backend_req[1], 1),
			 0);
}

static void enable_all(uint32_t value)
{
	for (uint32_t i = 0; i < QUEUES; i++)
		assert_int_equal(
			frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, i, value),
			0);
}

static void queues_work(uint32_t session)
{
	static const uint8_t text[64] = "whatever";
	struct driver_crypt op = { .src = text,
				   .src_bytes = sizeof(text),
				   .dst_bytes = sizeof(text) };

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(stand_crypt(1, session, &op, NULL),
				 VCD_STATUS_OK);
	for (unsigned int i = 0; i < QUEUES; i++)
		assert_int_equal(driver_simple(&stand, i, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
}

static uint32_t begin(void)
{
	assert_int_equal(stand_begin(NULL), 0);
	return stand_session(1, CRYPTSESS_AES_CTR, 16, 0, 0);
}

static void read_register(uint32_t offset, uint32_t bytes, void *to)
{
	struct vhost_config_access a = { .offset = offset, .bytes = bytes };
	struct vhost_message reply;

	question(VHOST_GET_CONFIG, &a, VHOST_CONFIG_HEAD_BYTES + bytes, &reply);
	assert_int_equal(reply.payload.config.offset, offset);
	assert_int_equal(reply.payload.config.bytes, bytes);
	assert_int_equal(reply.header.payload_bytes,
			 VHOST_CONFIG_HEAD_BYTES + bytes);
	memcpy(to, reply.payload.config.data, bytes);
}

/* It panics when one of these is refused. */
static void test_registers_are_read_and_written_one_by_one(void **state)
{
	struct vhost_config_access a = { .offset = 8, .bytes = 4, .flags = 1 };
	struct vcd_config config;
	uint8_t *at = (uint8_t *)&config;

	for (uint32_t bytes = 1; bytes <= 8; bytes *= 2) {
		memset(&config, 0, sizeof(config));
		for (uint32_t i = 0; i < sizeof(config); i += bytes)
			read_register(i, bytes, at + i);
		assert_int_equal(le32toh(config.magic), VCD_MAGIC);
		assert_int_equal(le32toh(config.queues), DRIVER_QUEUES);
	}
	read_register(4095, 1, at);
	assert_int_equal(at[0], 0);
	assert_int_equal(frontend_ask(fe, VHOST_SET_CONFIG, &a, 16, NULL, 0),
			 0);
}

static void test_works_when_it_was_activated(void **state)
{
	queues_work(begin());
}

static void test_goes_on_behind_a_pause(void **state)
{
	uint32_t session = begin();

	enable_all(0);
	enable_all(1);
	queues_work(session);
}

static void test_takes_memory_that_is_plugged_in(void **state)
{
	uint32_t session = begin();
	int fd = memfd_create("plugged", MFD_CLOEXEC);
	struct vhost_mem_slot slot = {
		.region = { .guest_addr = UINT64_C(1) << 40,
			    .bytes = REGION_BYTES,
			    .user_addr = UINT64_C(1) << 45 },
	};

	assert_int_equal(ftruncate(fd, REGION_BYTES), 0);
	assert_int_equal(frontend_ask(fe, VHOST_ADD_MEM_REG, &slot,
				      sizeof(slot), &fd, 1),
			 0);
	close(fd);
	queues_work(session);
}

/* The driver starts again: ENABLE 0 and GET_VRING_BASE, then all from
 * SET_FEATURES on, with another inflight file. */
static void test_starts_again_behind_a_reset(void **state)
{
	struct vhost_message reply;

	(void)begin();
	for (uint32_t i = 0; i < QUEUES; i++) {
		struct vhost_ring_word word = { .index = i };

		assert_int_equal(
			frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, i, 0), 0);
		question(VHOST_GET_VRING_BASE, &word, sizeof(word), &reply);
		assert_int_equal(reply.payload.ring_word.value,
				 fe->queue[i].avail_idx);
		frontend_queue_clear(&fe->queue[i]);
	}
	close(inflight_fd);
	inflight_fd = -1;
	activate();
	queues_work(begin());
}

/* Its socket ended; it connects again, with the rings as they are and the
 * inflight file. What the sessions were is gone. */
static void test_connects_again_with_its_rings(void **state)
{
	uint32_t session = begin();

	frontend_disconnect(fe);
	assert_int_equal(frontend_connect(fe, stand.path), 0);
	negotiate(true);
	activate();
	stand.worker = driver_worker(&stand);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_SESSION_CLOSE,
				       stand_file, session),
			 VCD_STATUS_EXPIRED);
	queues_work(begin());
}

static int setup(void **state)
{
	int error;

	driver_init(&stand);
	stand.queues = QUEUES;
	if (driver_start(&stand) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, backend_req) ||
	    frontend_init(fe, DRIVER_MEMORY_BYTES, 3))
		return -1;
	/* As it does, every 100 ms for a minute. */
	error = frontend_connect(fe, stand.path);
	for (int i = 0; error == -ECONNREFUSED && i < 600; i++) {
		usleep(100000);
		error = frontend_connect(fe, stand.path);
	}
	if (error)
		return -1;
	negotiate(false);
	for (unsigned int i = 0; i < QUEUES; i++)
		if (frontend_queue_init(fe, i, DRIVER_RING))
			return -1;
	stand.arena_start = fe->arena_used;
	stand.worker = driver_worker(&stand);
	activate();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_registers_are_read_and_written_one_by_one),
		cmocka_unit_test(test_works_when_it_was_activated),
		cmocka_unit_test(test_goes_on_behind_a_pause),
		cmocka_unit_test(test_takes_memory_that_is_plugged_in),
		cmocka_unit_test(test_starts_again_behind_a_reset),
		cmocka_unit_test(test_connects_again_with_its_rings),
	};

	return cmocka_run_group_tests_name("cloud-hypervisor", tests, setup,
					   stand_close);
}
