/* SPDX-License-Identifier: Apache-2.0 */
/* test_rings.c - rings and messages as they meet the device (vcd 4.4, 8.3, 10)
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/log.h"
#include "cryptsess.h"
#include "device/reaper.h"
#include "device/stand.h"
#include "vhost/inflight.h"

#define BYTES 512u

static struct reaper *reaper;
static uint8_t text[BYTES];

static int setup(void **state)
{
	driver_init(&stand);
	reaper = reaper_create(&stand);
	return stand_open();
}

/* Four requests that chain their IVs on that queue are one long one. */
static void chain_works(unsigned int queue, uint32_t session)
{
	uint32_t whole = stand_session(3, CRYPTSESS_AES_CBC, 16, 0, 0);
	uint8_t once[BYTES], parts[BYTES], zeros[16] = { 0 };
	struct driver_crypt op = { .iv = zeros,
				   .iv_bytes = 16,
				   .src = text,
				   .src_bytes = BYTES,
				   .dst_bytes = BYTES };

	assert_int_equal(stand_crypt(3, whole, &op, once), VCD_STATUS_OK);
	op.src_bytes = op.dst_bytes = BYTES / 4;
	for (unsigned int i = 0; i < 4; i++) {
		op.src = text + i * BYTES / 4;
		op.iv_bytes = i ? 0 : 16;
		assert_int_equal(
			stand_crypt(queue, session, &op, parts + i * BYTES / 4),
			VCD_STATUS_OK);
	}
	assert_memory_equal(parts, once, BYTES);
	assert_int_equal(driver_simple(&stand, 3, VCD_OP_SESSION_CLOSE,
				       stand_file, whole),
			 VCD_STATUS_OK);
}

static void test_it_works_without_optional_features(void **state)
{
	static const uint64_t features[] = {
		VHOST_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES,
		VHOST_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES |
			VHOST_F_INDIRECT_DESC,
		VHOST_F_VERSION_1 | VHOST_F_PROTOCOL_FEATURES |
			VHOST_F_EVENT_IDX,
	};

	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		driver_disconnect(&stand);
		assert_int_equal(driver_connect(&stand, features[i]), 0);
		assert_int_equal(stand_begin(NULL), 0);
		stand.is_indirect = features[i] & VHOST_F_INDIRECT_DESC;
		chain_works(1, stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0));
	}
	driver_disconnect(&stand);
	assert_int_equal(driver_connect(&stand, DRIVER_FEATURES), 0);
}

/* vcd 10.1 */
static void test_sessions_outlive_a_stop_and_new_memory(void **state)
{
	uint32_t session = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	uint64_t generation = stand.generation;

	for (unsigned int i = 0; i < DRIVER_QUEUES; i++) {
		uint16_t base;

		assert_int_equal(frontend_queue_stop(&stand.fe.queue[i], &base),
				 0);
		assert_int_equal(frontend_queue_start(&stand.fe.queue[i], base),
				 0);
	}
	chain_works(1, session);
	/* While the rings run, too: they stop for it by themselves. */
	assert_int_equal(frontend_share_memory(&stand.fe), 0);
	chain_works(1, session);
	assert_int_equal(stand.generation, generation);
}

/* vcd 10.2 */
static void test_a_reset_of_the_device_ends_the_generation(void **state)
{
	assert_int_equal(
		frontend_ask(&stand.fe, VHOST_RESET_DEVICE, NULL, 0, NULL, 0),
		0);
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++) {
		frontend_queue_clear(&stand.fe.queue[i]);
		assert_int_equal(frontend_queue_start(&stand.fe.queue[i], 0),
				 0);
		assert_int_equal(driver_simple(&stand, i, VCD_OP_PING, 0, 0),
				 VCD_STATUS_EXPIRED);
	}
	assert_int_equal(driver_hello(&stand), 0);
	stand_works();
}

/* vcd 8.3 */
static void test_a_broken_ring_breaks_no_other(void **state)
{
	const struct frontend_piece empty = { stand.arena_start, 0, false };
	struct frontend_queue *q = &stand.fe.queue[1];
	uint32_t session = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	uint16_t base;

	assert_true(frontend_submit(q, &empty, 1, 0) >= 0);
	assert_int_equal(frontend_kick(q), 0);
	assert_int_equal(frontend_poll(q->err_fd, FRONTEND_WAIT_MS), 1);
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		if (i != 1)
			assert_int_equal(
				driver_simple(&stand, i, VCD_OP_PING, 0, 0),
				VCD_STATUS_OK);
	/* It works again behind a stop, and its sessions with it. */
	assert_int_equal(frontend_queue_stop(q, &base), 0);
	frontend_queue_clear(q);
	assert_int_equal(frontend_queue_start(q, 0), 0);
	chain_works(1, session);
}

static int log_fd;

static void log_to_file(void)
{
	(void)dup2(log_fd, STDERR_FILENO);
}

static unsigned int count_lines(void)
{
	static char bytes[1 << 20];
	ssize_t got = pread(log_fd, bytes, sizeof(bytes), 0);
	unsigned int count = 0;

	for (ssize_t i = 0; i < got; i++)
		count += bytes[i] == '\n';
	return count;
}

/* Each time it is another worker that finds the ring broken. */
static void test_a_guest_does_not_fill_the_log(void **state)
{
	static struct driver d;
	struct frontend_queue *q = &d.fe.queue[1];
	time_t begun = time(NULL);
	struct frontend_piece empty;
	unsigned int room;
	uint64_t count;

	driver_init(&d);
	d.options.log_level = LOG_LEVEL_INFO;
	d.expects_deaths = true;
	d.in_child = log_to_file;
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_int_equal(driver_start(&d), 0);
	assert_int_equal(driver_connect(&d, DRIVER_FEATURES), 0);
	empty = (struct frontend_piece){ d.arena_start, 0, false };
	for (unsigned int i = 0; i < 4 * LOG_BURST; i++) {
		assert_true(frontend_submit(q, &empty, 1, 0) >= 0);
		assert_int_equal(frontend_kick_always(q), 0);
		assert_int_equal(frontend_poll(q->err_fd, FRONTEND_WAIT_MS), 1);
		assert_int_equal(read(q->err_fd, &count, sizeof(count)),
				 sizeof(count));
		assert_int_equal(frontend_ask(&d.fe, VHOST_RESET_DEVICE, NULL,
					      0, NULL, 0),
				 0);
		frontend_queue_clear(q);
		assert_int_equal(frontend_queue_start(q, 0), 0);
	}
	room = 2 * (unsigned int)(time(NULL) - begun + 1);
	assert_in_range(count_lines(), LOG_BURST, 2 * LOG_BURST + 2 * room);
	assert_int_equal(driver_stop(&d), 0);
	close(log_fd);
}

/* A regular file of 80 bytes that nobody can map: a ring fits in. */
#define MQ_BYTES 80u
#define MQ_USER  UINT64_C(0x1000)

static int unmappable_open(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "/pvx-rings-%d", (int)getpid());
	fd = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (fd >= 0)
		mq_unlink(name);
	return fd;
}

/* A front end comes with that memory, and has its connection ended. */
static void offer_memory(const struct driver *d, int fd)
{
	const struct vhost_mem_table table = {
		.count = 1,
		.region[0] = { .bytes = MQ_BYTES, .user_addr = MQ_USER },
	};
	const struct vhost_ring_addresses ring = { .desc_user = MQ_USER,
						   .avail_user = MQ_USER + 16,
						   .used_user = MQ_USER + 32 };
	const uint64_t kick = VHOST_RING_NO_FD;
	struct vhost_message end;
	struct frontend fe;

	assert_int_equal(frontend_init(&fe, 1 << 20, 1), 0);
	assert_int_equal(frontend_connect(&fe, d->path), 0);
	assert_int_equal(frontend_negotiate(&fe, DRIVER_FEATURES, UINT64_MAX),
			 0);
	assert_int_equal(
		frontend_ask(&fe, VHOST_SET_MEM_TABLE, &table, 40, &fd, 1), 0);
	assert_int_equal(frontend_ask_ring(&fe, VHOST_SET_VRING_NUM, 0, 1), 0);
	assert_int_equal(frontend_ask(&fe, VHOST_SET_VRING_ADDR, &ring,
				      sizeof(ring), NULL, 0),
			 0);
	assert_int_equal(frontend_ask_u64(&fe, VHOST_SET_VRING_KICK, kick), 0);
	assert_int_equal(frontend_ask_ring(&fe, VHOST_SET_VRING_ENABLE, 0, 1),
			 0);
	assert_int_equal(frontend_receive(&fe, &end), -EPIPE);
	frontend_disconnect(&fe);
	frontend_deinit(&fe);
}

/* mmap(2) says ENODEV: not that the provider has gone, nor line after line. */
static void test_a_file_that_cannot_be_mapped_ends_its_connection(void **state)
{
	time_t begun = time(NULL);
	int fd = unmappable_open();
	static struct driver d;
	unsigned int room;

	if (fd < 0) {
		print_message("# no message queues here: %s\n",
			      strerror(errno));
		skip();
	}
	driver_init(&d);
	d.options.log_level = LOG_LEVEL_INFO;
	d.in_child = log_to_file;
	log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_int_equal(driver_start(&d), 0);
	for (unsigned int i = 0; i < 4 * LOG_BURST; i++)
		offer_memory(&d, fd);
	assert_int_equal(driver_connect(&d, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(&d), 0);
	room = 2 * (unsigned int)(time(NULL) - begun + 1);
	assert_in_range(count_lines(), LOG_BURST, 2 * LOG_BURST + 2 * room);
	assert_int_equal(driver_stop(&d), 0);
	close(log_fd);
	close(fd);
}

#define HELD       12u
#define HELD_BYTES (1024u * 1024)

/* Large requests on one queue, HELLO on another. Behind the answer to HELLO
 * nothing of them is written any more, and what comes back is OK when it was
 * done before, else EXPIRED: how many. */
static unsigned int hello_among(uint8_t *data, uint8_t *before)
{
	static struct driver_flight flight[HELD];
	uint32_t session = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	struct driver_crypt op = { .src = data,
				   .src_bytes = HELD_BYTES,
				   .dst_bytes = HELD_BYTES };
	uint64_t arena = stand.arena_start;
	unsigned int expired = 0;
	const uint8_t *last;

	stand.manner = LAYOUT_WHOLE;
	for (unsigned int i = 0; i < HELD; i++) {
		struct driver_request r;

		driver_crypt_begin(&stand, &r, stand_file, session, &op);
		assert_int_equal(driver_launch(&stand, 1, &r, &flight[i]), 0);
	}
	/* HELLO's own memory lies behind theirs. */
	stand.arena_start = stand.fe.arena_used;
	assert_int_equal(frontend_kick(&stand.fe.queue[1]), 0);
	assert_int_equal(driver_hello(&stand), 0);
	last = frontend_at(
		&stand.fe,
		flight[HELD - 1].piece[flight[HELD - 1].readable].guest_addr);
	memcpy(before, last + 16, HELD_BYTES);
	for (unsigned int i = 0; i < HELD; i++) {
		struct driver_answer answer;

		assert_int_equal(driver_land(&stand, 1, &flight[i], &answer),
				 0);
		assert_true(answer.status == VCD_STATUS_EXPIRED ||
			    (answer.status == VCD_STATUS_OK && !expired));
		expired += answer.status == VCD_STATUS_EXPIRED;
		driver_answer_free(&answer);
	}
	assert_memory_equal(before, last + 16, HELD_BYTES);
	stand.arena_start = arena;
	driver_rewind(&stand);
	return expired;
}

/* vcd 4.4 */
static void test_hello_is_a_barrier(void **state)
{
	uint8_t *data = calloc(1, HELD_BYTES), *before = malloc(HELD_BYTES);
	unsigned int expired = 0;

	/* Once it must have come while they were under way. */
	for (unsigned int i = 0; i < 50 && !expired; i++) {
		assert_int_equal(stand_begin(NULL), 0);
		expired = hello_among(data, before);
	}
	assert_true(expired > 0);
	free(before);
	free(data);
}

static unsigned int marked(const struct inflight_map *map, unsigned int queue)
{
	const struct inflight_ring *ring = inflight_ring_at(map, queue);
	unsigned int count = 0;

	for (unsigned int i = 0; i < DRIVER_RING; i++)
		count += ring->head[i].is_in_flight;
	return count;
}

/* The front end's inflight file beside our own journal. */
static void test_deaths_leave_an_inflight_file_in_order(void **state)
{
	struct vhost_inflight_area area = { .queues = DRIVER_QUEUES,
					    .ring_size = DRIVER_RING };
	uint32_t session = stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);
	struct vhost_message reply;
	struct inflight_map map;

	assert_int_equal(frontend_send(&stand.fe, VHOST_GET_INFLIGHT_FD, 0,
				       &area, sizeof(area), NULL, 0),
			 0);
	assert_int_equal(frontend_receive(&stand.fe, &reply), 0);
	assert_int_equal(reply.fd_count, 1);
	area = reply.payload.inflight;
	assert_int_equal(inflight_attach(&map, reply.fds[0], &area), 0);
	assert_int_equal(frontend_ask(&stand.fe, VHOST_SET_INFLIGHT_FD, &area,
				      sizeof(area), &reply.fds[0], 1),
			 0);
	for (unsigned int moment = 0; moment < MOMENTS; moment++)
		for (int passes = 0; passes < 3; passes++) {
			reaper_order(reaper, 0, (enum journal_moment)moment,
				     passes, 1);
			chain_works(0, session);
			reaper_rest(reaper);
			stand_works();
		}
	for (unsigned int i = 0; i < DRIVER_QUEUES; i++)
		assert_int_equal(marked(&map, i), 0);
	inflight_detach(&map);
	close(reply.fds[0]);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, stand_begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_works_without_optional_features),
		TEST(sessions_outlive_a_stop_and_new_memory),
		TEST(a_reset_of_the_device_ends_the_generation),
		TEST(a_broken_ring_breaks_no_other),
		TEST(a_guest_does_not_fill_the_log),
		TEST(a_file_that_cannot_be_mapped_ends_its_connection),
		TEST(hello_is_a_barrier),
		TEST(deaths_leave_an_inflight_file_in_order),
	};

	for (unsigned int i = 0; i < BYTES; i++)
		text[i] = (uint8_t)(i * 5);
	return cmocka_run_group_tests_name("rings", tests, setup, stand_close);
}
