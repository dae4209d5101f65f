/* SPDX-License-Identifier: Apache-2.0 */
/* test_transport.c - vhost-user and split rings, front end against device */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
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

static void test_offers_what_the_contract_says(void **state)
{
	uint64_t value;

	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	assert_int_equal(frontend_get(fe, VHOST_GET_FEATURES, &value), 0);
	assert_int_equal(value, STAGE_FEATURES);
	assert_int_equal(frontend_negotiate(fe, UINT64_MAX, UINT64_MAX), 0);
	/* INBAND_NOTIFICATIONS (14) makes QEMU hang: never offered. */
	assert_int_equal(fe->protocol_features, 1u << 0 | 1u << 3 | 1u << 5 |
							1u << 9 | 1u << 12 |
							1u << 13 | 1u << 15);
	assert_int_equal(frontend_get(fe, VHOST_GET_QUEUE_NUM, &value), 0);
	assert_int_equal(value, ECHO_QUEUES);
	assert_int_equal(frontend_get(fe, VHOST_GET_MAX_MEM_SLOTS, &value), 0);
	assert_int_equal(value, GUEST_REGIONS_MAX);
	stage_close(&stage);
}

/* UML sets NEED_REPLY on the message that negotiates it and waits. */
static void test_answers_need_reply_on_set_protocol_features(void **state)
{
	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	assert_int_equal(frontend_ask_u64(fe, VHOST_SET_PROTOCOL_FEATURES,
					  VHOST_PROTOCOL_REPLY_ACK),
			 0);
	stage_close(&stage);
}

/* And without REPLY_ACK the flag means nothing. */
static void test_ignores_need_reply_when_not_negotiated(void **state)
{
	uint64_t value = 0;

	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	frontend_send(fe, VHOST_SET_OWNER, VHOST_FLAG_NEED_REPLY, NULL, 0, NULL,
		      0);
	assert_int_equal(frontend_get(fe, VHOST_GET_FEATURES, &value), 0);
	assert_int_equal(value, STAGE_FEATURES);
	stage_close(&stage);
}

static void echo_everything(uint64_t features, bool is_indirect)
{
	static const uint32_t sizes[] = { 1, 2, 16, 100, 4096, 5000, 70000 };

	open_and_start(features, ECHO_QUEUES);
	for (unsigned int q = 0; q < ECHO_QUEUES; q++)
		for (unsigned int m = 0; m < LAYOUT_MANNERS; m++)
			for (unsigned int s = 0; s < 7; s++)
				stage_echo(&stage, &fe->queue[q],
					   (enum layout_manner)m, sizes[s],
					   sizes[s], is_indirect);
	stage_close(&stage);
}

static void test_every_layout_direct(void **state)
{
	echo_everything(STAGE_FEATURES, false);
}

static void test_every_layout_indirect(void **state)
{
	echo_everything(STAGE_FEATURES, true);
}

static void test_every_layout_without_event_idx(void **state)
{
	echo_everything(STAGE_FEATURES & ~VHOST_F_EVENT_IDX, false);
}

static void test_requests_of_one_side_only(void **state)
{
	open_and_start(STAGE_FEATURES, 1);
	stage_echo(&stage, &fe->queue[0], LAYOUT_RANDOM, 1000, 0, false);
	stage_echo(&stage, &fe->queue[0], LAYOUT_RANDOM, 0, 1000, false);
	stage_echo(&stage, &fe->queue[0], LAYOUT_RANDOM, 10, 1000, false);
	stage_echo(&stage, &fe->queue[0], LAYOUT_RANDOM, 1000, 10, false);
	stage_close(&stage);
}

static void test_many_requests_in_flight(void **state)
{
	struct frontend_piece pieces[2];
	struct frontend_used used;
	unsigned int done = 0;
	unsigned int sent = 0;

	open_and_start(STAGE_FEATURES, 1);
	for (unsigned int i = 0; i < 2; i++)
		pieces[i] = (struct frontend_piece){
			.guest_addr = frontend_alloc(fe, 64, 16),
			.bytes = 64,
			.is_writable = i == 1,
		};
	while (done < 20000) {
		while (sent < 20000 &&
		       frontend_submit(&fe->queue[0], pieces, 2, 0) >= 0)
			sent++;
		assert_int_equal(frontend_kick(&fe->queue[0]), 0);
		assert_int_equal(
			frontend_wait(&fe->queue[0], &used, FRONTEND_WAIT_MS),
			1);
		done++;
	}
	assert_int_equal(fe->queue[0].free_count,
			 STAGE_SIZE - 2 * (sent - done));
	stage_close(&stage);
}

/* What is there before the ring runs waits for that, and is not forgotten. */
static void answers_when_enabled(struct frontend_queue *q)
{
	struct frontend_piece piece = { .guest_addr = frontend_alloc(fe, 8, 8),
					.bytes = 8 };
	struct frontend_used used;

	frontend_submit(q, &piece, 1, 0);
	assert_int_equal(frontend_kick_always(q), 0);
	assert_int_equal(frontend_wait(q, &used, 50), 0);
	assert_int_equal(frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 0, 1),
			 0);
	assert_int_equal(frontend_wait(q, &used, FRONTEND_WAIT_MS), 1);
}

/* Started by its kick descriptor, but not enabled: also the first time. */
static void test_rings_start_disabled(void **state)
{
	struct frontend_queue *q = &fe->queue[0];

	memset(&stage.options, 0, sizeof(stage.options));
	stage_open(&stage);
	stage_start(&stage, STAGE_FEATURES, 0);
	assert_int_equal(frontend_queue_init(fe, 0, STAGE_SIZE), 0);
	assert_int_equal(
		frontend_ask_ring(fe, VHOST_SET_VRING_NUM, 0, STAGE_SIZE), 0);
	assert_int_equal(frontend_queue_set_addr(q), 0);
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, q->call_fd), 0);
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_KICK, q->kick_fd), 0);
	answers_when_enabled(q);
	stage_close(&stage);
}

static void test_kick_before_enable(void **state)
{
	struct frontend_queue *q = &fe->queue[0];

	open_and_start(STAGE_FEATURES, 1);
	assert_int_equal(frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 0, 0),
			 0);
	answers_when_enabled(q);
	stage_close(&stage);
}

static void test_enable_flapping_loses_nothing(void **state)
{
	open_and_start(STAGE_FEATURES, 2);
	for (unsigned int i = 0; i < 200; i++) {
		stage_works(&stage, 0);
		assert_int_equal(
			frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 0, 0), 0);
		stage_works(&stage, 1);
		assert_int_equal(
			frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 0, 1), 0);
	}
	stage_close(&stage);
}

/* QEMU: ENABLE 0, GET_VRING_BASE; later the same ring from that base. */
static void test_stop_and_start_from_the_base(void **state)
{
	uint16_t base = 0;

	open_and_start(STAGE_FEATURES, 1);
	for (unsigned int i = 1; i < 5; i++) {
		stage_works(&stage, 0);
		assert_int_equal(frontend_queue_stop(&fe->queue[0], &base), 0);
		assert_int_equal(base, i);
		assert_int_equal(frontend_queue_start(&fe->queue[0], base), 0);
	}
	stage_close(&stage);
}

/* UML: ENABLE 0 alone, then a new ring from 0 at another place. */
static void test_a_new_ring_after_enable_0_alone(void **state)
{
	open_and_start(STAGE_FEATURES, 1);
	for (unsigned int i = 0; i < 3; i++) {
		struct frontend_queue *q = &fe->queue[0];

		stage_works(&stage, 0);
		assert_int_equal(
			frontend_ask_ring(fe, VHOST_SET_VRING_ENABLE, 0, 0), 0);
		q->desc_guest = frontend_alloc(fe, 16 * STAGE_SIZE, 16);
		q->desc = frontend_at(fe, q->desc_guest);
		frontend_queue_clear(q);
		assert_int_equal(frontend_queue_start(q, 0), 0);
	}
	stage_close(&stage);
}

static void test_slow_stops_are_answered_when_done(void **state)
{
	uint16_t base;

	memset(&stage.options, 0, sizeof(stage.options));
	stage.options.is_slow_to_stop = true;
	stage_open(&stage);
	stage_start(&stage, STAGE_FEATURES, 2);
	for (unsigned int i = 0; i < 10; i++) {
		stage_works(&stage, 0);
		stage_works(&stage, 1);
		assert_int_equal(frontend_share_memory(fe), 0);
		stage_works(&stage, 1);
		assert_int_equal(frontend_queue_stop(&fe->queue[0], &base), 0);
		assert_int_equal(frontend_queue_start(&fe->queue[0], base), 0);
	}
	stage_close(&stage);
}

static void test_base_counts_requests_that_were_not_answered(void **state)
{
	struct frontend_piece piece;
	uint16_t base;

	memset(&stage.options, 0, sizeof(stage.options));
	stage.options.holds_answers = true;
	stage_open(&stage);
	stage_start(&stage, STAGE_FEATURES, 1);
	piece = (struct frontend_piece){ .guest_addr = frontend_alloc(fe, 8, 8),
					 .bytes = 8 };
	for (unsigned int i = 0; i < 3; i++)
		frontend_submit(&fe->queue[0], &piece, 1, 0);
	frontend_kick_always(&fe->queue[0]);
	/* The kick is behind us once the device looked at the ring again. */
	assert_int_equal(frontend_queue_set_fd(&fe->queue[0],
					       VHOST_SET_VRING_CALL,
					       fe->queue[0].call_fd),
			 0);
	assert_int_equal(frontend_queue_stop(&fe->queue[0], &base), 0);
	assert_int_equal(base, 3);
	stage_close(&stage);
}

static void test_a_new_call_descriptor_is_signalled_once(void **state)
{
	struct frontend_queue *q = &fe->queue[0];
	uint64_t count;
	int pair[2];

	open_and_start(STAGE_FEATURES, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, pair[1]), 0);
	assert_int_equal(frontend_poll(pair[0], FRONTEND_WAIT_MS), 1);
	assert_int_equal(read(pair[0], &count, 8), 8);
	close(pair[0]);
	close(pair[1]);
	stage_close(&stage);
}

/* UML: sockets as call descriptors, eight bytes a signal. */
static void test_sockets_as_call_and_kick(void **state)
{
	struct frontend_queue *q = &fe->queue[0];
	int call[2], kick[2];

	open_and_start(STAGE_FEATURES, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, call), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, kick), 0);
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, call[1]), 0);
	assert_int_equal(
		frontend_queue_set_fd(q, VHOST_SET_VRING_KICK, kick[1]), 0);
	close(call[1]);
	close(kick[1]);
	dup2(call[0], q->call_fd);
	dup2(kick[0], q->kick_fd);
	for (unsigned int i = 0; i < 100; i++)
		stage_works(&stage, 0);
	close(call[0]);
	close(kick[0]);
	stage_close(&stage);
}

/* Without descriptors both sides look by the clock. */
static void test_polling_without_descriptors(void **state)
{
	struct frontend_queue *q = &fe->queue[0];

	open_and_start(STAGE_FEATURES, 1);
	assert_int_equal(frontend_queue_set_fd(q, VHOST_SET_VRING_KICK, -1), 0);
	assert_int_equal(frontend_queue_set_fd(q, VHOST_SET_VRING_CALL, -1), 0);
	stage_answers_uncalled(&stage, q);
	stage_close(&stage);
}

/* An old front end: bit 30 is not acknowledged, there is no ENABLE. */
static void test_rings_start_enabled_without_protocol_features(void **state)
{
	open_and_start(STAGE_FEATURES & ~VHOST_F_PROTOCOL_FEATURES, 1);
	stage_works(&stage, 0);
	stage_close(&stage);
}

static void read_config(uint32_t offset, uint32_t bytes,
			struct vhost_message *reply)
{
	struct vhost_config_access a = { .offset = offset, .bytes = bytes };

	assert_int_equal(frontend_send(fe, VHOST_GET_CONFIG, 0, &a,
				       VHOST_CONFIG_HEAD_BYTES +
					       (bytes < 256 ? bytes : 0),
				       NULL, 0),
			 0);
	assert_int_equal(frontend_receive(fe, reply), 0);
	assert_int_equal(reply->header.flags, VHOST_VERSION | VHOST_FLAG_REPLY);
}

static void test_config_reads(void **state)
{
	struct vhost_message reply;

	open_and_start(STAGE_FEATURES, 1);
	read_config(0, ECHO_CONFIG_BYTES, &reply);
	assert_int_equal(reply.header.payload_bytes, 12 + ECHO_CONFIG_BYTES);
	for (unsigned int i = 0; i < ECHO_CONFIG_BYTES; i++)
		assert_int_equal(reply.payload.config.data[i], 0x80 + i);
	read_config(60, 4, &reply);
	assert_int_equal(reply.header.payload_bytes, 16);
	assert_int_equal(reply.payload.config.data[0], 0x80 + 60);
	/* Behind the end there are zeros, however far; too much is an error. */
	read_config(62, 8, &reply);
	assert_int_equal(reply.header.payload_bytes, 20);
	assert_int_equal(reply.payload.config.data[1], 0x80 + 63);
	assert_int_equal(reply.payload.config.data[2], 0);
	read_config(200, 8, &reply);
	assert_int_equal(reply.header.payload_bytes, 20);
	read_config(200, 57, &reply);
	assert_int_equal(reply.header.payload_bytes, 69);
	assert_int_equal(reply.payload.config.data[56], 0);
	read_config(4092, 4, &reply);
	assert_int_equal(reply.header.payload_bytes, 16);
	assert_int_equal(reply.payload.config.bytes, 4);
	read_config(0, 257, &reply);
	assert_int_equal(reply.header.payload_bytes, 12);
	assert_int_equal(reply.payload.config.bytes, 0);
	read_config(UINT32_MAX, UINT32_MAX, &reply);
	assert_int_equal(reply.payload.config.bytes, 0);
	stage_close(&stage);
}

static void test_config_is_read_only(void **state)
{
	struct vhost_config_access a = { .bytes = 4 };
	struct vhost_message reply;

	open_and_start(STAGE_FEATURES, 1);
	for (a.flags = 0; a.flags < 2; a.flags++)
		assert_int_equal(
			frontend_ask(fe, VHOST_SET_CONFIG, &a, 16, NULL, 0), 0);
	read_config(0, 4, &reply);
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(reply.payload.config.data[i], 0x80 + i);
	stage_close(&stage);
}

static void test_reset_device_stops_all_rings(void **state)
{
	open_and_start(STAGE_FEATURES, 2);
	stage_works(&stage, 0);
	assert_int_equal(frontend_ask(fe, VHOST_RESET_DEVICE, NULL, 0, NULL, 0),
			 0);
	for (unsigned int i = 0; i < 2; i++) {
		frontend_queue_clear(&fe->queue[i]);
		assert_int_equal(frontend_queue_start(&fe->queue[i], 0), 0);
		stage_works(&stage, i);
	}
	stage_close(&stage);
}

static void test_backend_request_socket(void **state)
{
	int pair[2];

	open_and_start(STAGE_FEATURES, 1);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(frontend_ask(fe, VHOST_SET_BACKEND_REQ_FD, NULL, 0,
				      &pair[1], 1),
			 0);
	close(pair[1]);
	/* Its end is how UML sees that the device has died. */
	assert_int_equal(frontend_poll(pair[0], 0), 0);
	frontend_disconnect(fe);
	assert_int_equal(frontend_poll(pair[0], FRONTEND_WAIT_MS), 1);
	close(pair[0]);
	stage_close(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offers_what_the_contract_says),
		cmocka_unit_test(
			test_answers_need_reply_on_set_protocol_features),
		cmocka_unit_test(test_ignores_need_reply_when_not_negotiated),
		cmocka_unit_test(test_every_layout_direct),
		cmocka_unit_test(test_every_layout_indirect),
		cmocka_unit_test(test_every_layout_without_event_idx),
		cmocka_unit_test(test_requests_of_one_side_only),
		cmocka_unit_test(test_many_requests_in_flight),
		cmocka_unit_test(test_rings_start_disabled),
		cmocka_unit_test(test_kick_before_enable),
		cmocka_unit_test(test_enable_flapping_loses_nothing),
		cmocka_unit_test(test_stop_and_start_from_the_base),
		cmocka_unit_test(test_a_new_ring_after_enable_0_alone),
		cmocka_unit_test(test_slow_stops_are_answered_when_done),
		cmocka_unit_test(
			test_base_counts_requests_that_were_not_answered),
		cmocka_unit_test(test_a_new_call_descriptor_is_signalled_once),
		cmocka_unit_test(test_sockets_as_call_and_kick),
		cmocka_unit_test(test_polling_without_descriptors),
		cmocka_unit_test(
			test_rings_start_enabled_without_protocol_features),
		cmocka_unit_test(test_config_reads),
		cmocka_unit_test(test_config_is_read_only),
		cmocka_unit_test(test_reset_device_stops_all_rings),
		cmocka_unit_test(test_backend_request_socket),
	};

	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
