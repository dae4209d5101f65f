/* SPDX-License-Identifier: Apache-2.0 */
/* test_channel.c - vhost-user messages cut at any byte, and events */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/frontend.h"
#include "vhost/channel.h"
#include "vhost/event.h"

static struct frontend fe;
static struct vhost_channel channel;
static int back;

static int setup(void **state)
{
	int pair[2];

	assert_int_equal(frontend_init(&fe, 4096, 1), 0);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	frontend_adopt(&fe, pair[0]);
	back = pair[1];
	vhost_channel_init(&channel, back);
	return 0;
}

static int teardown(void **state)
{
	vhost_channel_deinit(&channel);
	close(back);
	frontend_deinit(&fe);
	return 0;
}

static unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void test_takes_a_message_byte_by_byte(void **state)
{
	struct {
		struct vhost_header header;
		uint64_t value;
	} __attribute__((packed)) m = {
		.header = { .request = VHOST_SET_FEATURES,
			    .flags = VHOST_VERSION,
			    .payload_bytes = 8 },
		.value = 0x1122334455667788,
	};
	const uint8_t *bytes = (const uint8_t *)&m;

	for (size_t i = 0; i < sizeof(m); i++) {
		assert_int_equal(vhost_channel_receive(&channel), 0);
		assert_int_equal(frontend_send_raw(&fe, bytes + i, 1, NULL, 0),
				 0);
	}
	assert_int_equal(vhost_channel_receive(&channel), 1);
	assert_int_equal(channel.in.header.request, VHOST_SET_FEATURES);
	assert_int_equal(channel.in.payload.u64, 0x1122334455667788);
}

static void test_keeps_two_messages_apart(void **state)
{
	uint64_t one = 1, two = 2;
	int fd = fe.memory_fd;

	frontend_send(&fe, VHOST_SET_VRING_CALL, 0, &one, 8, &fd, 1);
	frontend_send(&fe, VHOST_SET_VRING_KICK, 0, &two, 8, &fd, 1);
	assert_int_equal(vhost_channel_receive(&channel), 1);
	assert_int_equal(channel.in.payload.u64, 1);
	assert_int_equal(channel.in.fd_count, 1);
	vhost_channel_next(&channel);
	assert_int_equal(vhost_channel_receive(&channel), 1);
	assert_int_equal(channel.in.payload.u64, 2);
	assert_int_equal(channel.in.fd_count, 1);
}

static void test_a_short_payload_is_not_completed_by_the_last(void **state)
{
	uint8_t many[40];

	memset(many, 0xff, sizeof(many));
	frontend_send(&fe, VHOST_SET_VRING_ADDR, 0, many, 40, NULL, 0);
	frontend_send(&fe, VHOST_SET_FEATURES, 0, many, 4, NULL, 0);
	assert_int_equal(vhost_channel_receive(&channel), 1);
	vhost_channel_next(&channel);
	assert_int_equal(vhost_channel_receive(&channel), 1);
	assert_int_equal(channel.in.payload.u64, 0xffffffff);
}

static void test_says_when_the_peer_has_gone(void **state)
{
	frontend_send_raw(&fe, "abc", 3, NULL, 0);
	frontend_disconnect(&fe);
	assert_int_equal(vhost_channel_receive(&channel), -EPIPE);
}

static void refuses_header(uint32_t flags, uint32_t payload_bytes)
{
	struct vhost_header h = { .request = VHOST_SET_FEATURES,
				  .flags = flags,
				  .payload_bytes = payload_bytes };

	vhost_channel_next(&channel);
	frontend_send_raw(&fe, &h, sizeof(h), NULL, 0);
	assert_int_equal(vhost_channel_receive(&channel), -EPROTO);
}

static void test_refuses_what_is_no_message(void **state)
{
	refuses_header(0, 8);
	refuses_header(2, 8);
	refuses_header(3, 8);
	refuses_header(VHOST_VERSION | VHOST_FLAG_REPLY, 8);
	refuses_header(VHOST_VERSION, VHOST_PAYLOAD_MAX + 1);
	refuses_header(VHOST_VERSION, UINT32_MAX);
}

static void test_closes_descriptors_that_are_too_many(void **state)
{
	unsigned int before = open_fds();
	uint64_t value = 0;
	int fds[40];

	for (unsigned int i = 0; i < 40; i++)
		fds[i] = fe.memory_fd;
	for (unsigned int count = VHOST_MESSAGE_FDS_MAX + 1; count <= 40;
	     count += 5) {
		frontend_send(&fe, VHOST_SET_MEM_TABLE, 0, &value, 8, fds,
			      count);
		assert_int_equal(vhost_channel_receive(&channel), -EPROTO);
		vhost_channel_next(&channel);
		while (recv(back, &value, 8, MSG_DONTWAIT) > 0)
			;
		assert_int_equal(open_fds(), before);
	}
}

static void test_closes_descriptors_of_an_unfinished_message(void **state)
{
	unsigned int before = open_fds();
	int fds[2] = { fe.memory_fd, fe.memory_fd };

	frontend_send_raw(&fe, "abcd", 4, fds, 2);
	assert_int_equal(vhost_channel_receive(&channel), 0);
	assert_int_equal(open_fds(), before + 2);
	vhost_channel_next(&channel);
	assert_int_equal(open_fds(), before);
}

static void test_a_peer_that_does_not_read_is_not_waited_for(void **state)
{
	struct vhost_message m = { .header = { .flags = VHOST_VERSION,
					       .payload_bytes = 256 } };
	int sent;

	do
		sent = vhost_channel_send(back, &m, -1);
	while (sent == 0);
	assert_int_equal(sent, -EAGAIN);
	frontend_disconnect(&fe);
	assert_int_equal(vhost_channel_send(back, &m, -1), -EPIPE);
}

static void test_event_kinds(void **state)
{
	int event = eventfd(0, 0);
	int pair[2];

	assert_int_equal(pipe(pair), 0);
	assert_int_equal(vhost_event_check(event), 0);
	assert_int_equal(vhost_event_check(pair[1]), 0);
	assert_int_equal(vhost_event_check(back), 0);
	assert_int_equal(vhost_event_check(fe.memory_fd), -EINVAL);
	assert_int_equal(vhost_event_check(-1), -EBADF);
	assert_false(vhost_event_is_socket(event));
	assert_true(vhost_event_is_socket(back));
	close(event);
	close(pair[0]);
	close(pair[1]);
}

static void test_a_full_event_is_as_good_as_signalled(void **state)
{
	uint64_t full = UINT64_MAX - 1;
	int event = eventfd(0, 0); /* a waiting one: check() changes that */

	assert_int_equal(vhost_event_check(event), 0);
	assert_int_equal(write(event, &full, sizeof(full)), sizeof(full));
	assert_int_equal(vhost_event_signal(event, false), 0);
	for (unsigned int i = 0; i < 100000; i++)
		assert_int_equal(vhost_event_signal(back, true), 0);
	close(event);
}

static void test_a_closed_event_is_reported(void **state)
{
	int pair[2];

	signal(SIGPIPE, SIG_IGN); /* as process_init() does */
	assert_int_equal(pipe(pair), 0);
	close(pair[0]);
	assert_int_equal(vhost_event_signal(pair[1], false), -EPIPE);
	frontend_disconnect(&fe);
	assert_int_equal(vhost_event_signal(back, true), -EPIPE);
	assert_int_equal(vhost_event_drain(back, true), -EPIPE);
	assert_int_equal(vhost_event_signal(-1, false), 0);
	close(pair[1]);
}

static void test_drain_takes_what_was_signalled(void **state)
{
	int event = eventfd(0, EFD_NONBLOCK);

	assert_int_equal(vhost_event_drain(event, false), 0);
	vhost_event_signal(event, false);
	vhost_event_signal(event, false);
	assert_int_equal(vhost_event_drain(event, false), 1);
	assert_int_equal(vhost_event_drain(event, false), 0);
	close(event);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_takes_a_message_byte_by_byte),
		CLAIM(test_keeps_two_messages_apart),
		CLAIM(test_a_short_payload_is_not_completed_by_the_last),
		CLAIM(test_says_when_the_peer_has_gone),
		CLAIM(test_refuses_what_is_no_message),
		CLAIM(test_closes_descriptors_that_are_too_many),
		CLAIM(test_closes_descriptors_of_an_unfinished_message),
		CLAIM(test_a_peer_that_does_not_read_is_not_waited_for),
		CLAIM(test_event_kinds),
		CLAIM(test_a_full_event_is_as_good_as_signalled),
		CLAIM(test_a_closed_event_is_reported),
		CLAIM(test_drain_takes_what_was_signalled),
	};

	return cmocka_run_group_tests_name("channel", tests, NULL, NULL);
}
