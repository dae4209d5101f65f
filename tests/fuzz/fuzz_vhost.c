/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vhost.c - any messages and any ring contents against src/vhost
 *
 * How it works: the input is a list of steps. A step sends bytes or a
 * well-formed message with descriptors of every kind, goes through a whole
 * set-up, writes into guest memory, lays a descriptor, makes heads available,
 * kicks, or cuts a file. The echo device then serves what there is, in this
 * thread; it ends the process when a piece it was handed lies outside of guest
 * memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "frontend/echo.h"
#include "frontend/frontend.h"
#include "fuzz/input.h"
#include "lib/receive.h"

#define MEMORY_BYTES (UINT64_C(128) << 10)
#define REGIONS      2u
#define RING         16u
#define POOL         6u
#define STEPS_MAX    64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frontend fe;
static struct echo echo;
static int pool[POOL]; /* what may be passed */
static uint64_t arena_start;
static bool has_ended;

/* Throw the device's answers away, with the descriptors in them. */
static void drain_answers(void)
{
	uint8_t bytes[1024];
	ssize_t got;

	do {
		int fd = -1;

		got = receive(fe.sock, bytes, sizeof(bytes), MSG_DONTWAIT, &fd);
		if (fd >= 0)
			close(fd);
	} while (got > 0);
}

/* Let the device do all it can. */
static void device_turns(void)
{
	for (unsigned int i = 0; i < 8 && !has_ended; i++) {
		unsigned int ready =
			(unsigned int)frontend_poll(echo.control.channel.fd, 0);

		has_ended = echo_turn(&echo, 0) != 1;
		if (!ready && !echo.pending_stop)
			break;
	}
	drain_answers();
}

static void say(uint32_t request, const void *payload, uint32_t bytes,
		const int *fds, unsigned int fd_count)
{
	frontend_send(&fe, request, VHOST_FLAG_NEED_REPLY, payload, bytes, fds,
		      fd_count);
	device_turns();
}

static void say_u64(uint32_t request, uint64_t value, int fd)
{
	say(request, &value, sizeof(value), &fd, fd < 0 ? 0 : 1);
}

static void say_ring(uint32_t request, uint32_t index, uint32_t value)
{
	struct vhost_ring_word word = { .index = index, .value = value };

	say(request, &word, sizeof(word), NULL, 0);
}

/* The way of an honest front end, so that rings are reached at once. */
static void step_set_up(struct input *in)
{
	struct vhost_mem_table table = { .count = REGIONS };
	struct frontend_queue *q = &fe.queue[0];
	uint8_t choice = input_u8(in);
	struct vhost_ring_addresses a;
	int fds[REGIONS] = { pool[choice & 1], pool[choice & 1] };

	say_u64(VHOST_SET_PROTOCOL_FEATURES,
		VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK |
			VHOST_PROTOCOL_INFLIGHT_SHMFD |
			VHOST_PROTOCOL_RESET_DEVICE | VHOST_PROTOCOL_CONFIG |
			VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS,
		-1);
	say_u64(VHOST_SET_FEATURES,
		VHOST_F_VERSION_1 |
			(choice & 2 ? VHOST_F_PROTOCOL_FEATURES : 0) |
			(choice & 4 ? VHOST_F_EVENT_IDX : 0) |
			(choice & 8 ? VHOST_F_INDIRECT_DESC : 0),
		-1);
	memcpy(table.region, fe.region, sizeof(fe.region[0]) * REGIONS);
	say(VHOST_SET_MEM_TABLE, &table, 8 + 32 * REGIONS, fds, REGIONS);
	a = (struct vhost_ring_addresses){
		.desc_user = frontend_user(&fe, q->desc_guest),
		.avail_user = frontend_user(&fe, q->avail_guest),
		.used_user = frontend_user(&fe, q->used_guest),
	};
	if (choice & 16) {
		struct vhost_inflight_area area = { .bytes = 4096,
						    .queues = 1,
						    .ring_size = RING };

		say(VHOST_SET_INFLIGHT_FD, &area, sizeof(area), &pool[2], 1);
	}
	say_ring(VHOST_SET_VRING_NUM, 0, RING);
	say_ring(VHOST_SET_VRING_BASE, 0, choice >> 5);
	say(VHOST_SET_VRING_ADDR, &a, sizeof(a), NULL, 0);
	say_u64(VHOST_SET_VRING_CALL, 0, pool[3]);
	say_u64(VHOST_SET_VRING_KICK, 0, q->kick_fd);
	say_ring(VHOST_SET_VRING_ENABLE, 0, 1);
}

static unsigned int choose_fds(struct input *in, int *fds)
{
	uint8_t choice = input_u8(in);
	unsigned int count = choice & 3;

	for (unsigned int i = 0; i < count; i++)
		fds[i] = pool[(choice >> (2 + i)) % POOL];
	return count;
}

static void step_message(struct input *in)
{
	uint32_t request = input_u8(in);
	uint32_t flags = input_u8(in) & VHOST_FLAG_NEED_REPLY;
	uint8_t payload[128];
	uint32_t bytes = input_u8(in) % sizeof(payload);
	int fds[4];
	unsigned int count = choose_fds(in, fds);

	memset(payload, 0, sizeof(payload));
	input_bytes(in, payload, bytes);
	frontend_send(&fe, request, flags, payload, bytes, fds, count);
}

static void step_raw(struct input *in)
{
	uint8_t bytes[64];
	int fds[4];
	unsigned int count = choose_fds(in, fds);
	size_t got = input_bytes(in, bytes, input_u8(in) % sizeof(bytes));

	if (got > 0)
		frontend_send_raw(&fe, bytes, got, fds, count);
}

static void step_write(struct input *in)
{
	uint64_t at = input_u16(in);
	size_t bytes = input_u8(in) % 64;

	input_bytes(in, fe.memory + at, bytes);
}

/* A descriptor with an address near what is interesting. */
static void step_desc(struct input *in)
{
	const uint64_t bases[] = {
		fe.queue[0].desc_guest,
		fe.region[0].guest_addr + 0x8000,
		fe.region[0].guest_addr + fe.region[0].bytes - 16,
		fe.region[1].guest_addr + fe.region[1].bytes - 16,
		UINT64_MAX - 64,
		0,
	};
	uint8_t where = input_u8(in);
	struct frontend_desc *d;

	/* In the table, or in an indirect one at 0x8000. */
	d = where & 0x80 ? (void *)(fe.memory + 0x8000 + 16 * (where & 31))
			 : &fe.queue[0].desc[where % RING];
	d->addr = bases[input_u8(in) % 6] + input_u8(in);
	d->bytes = input_u16(in);
	d->flags = input_u8(in) & 7;
	d->next = input_u8(in);
}

static void step_available(struct input *in)
{
	struct frontend_queue *q = &fe.queue[0];
	unsigned int count = input_u8(in) % (RING + 2);

	for (unsigned int i = 0; i < count; i++)
		frontend_make_available(q, input_u8(in) % (RING + 1));
	frontend_kick_always(q);
}

static void step_kick(struct input *in)
{
	frontend_kick_always(&fe.queue[0]);
}

static void step_cut(struct input *in)
{
	if (ftruncate(pool[1], input_u8(in) % 32 * 4096))
		return;
}

static void (*const steps[])(struct input *in) = {
	step_set_up, step_message,   step_raw,  step_write,
	step_desc,   step_available, step_kick, step_cut,
};

static int must(int fd)
{
	if (fd < 0)
		abort();
	return fd;
}

static void world_init(void)
{
	int pair[2];

	log_init("fuzz", LOG_LEVEL_ERROR);
	must(process_init());
	must(frontend_init(&fe, MEMORY_BYTES, REGIONS));
	must(frontend_queue_init(&fe, 0, RING));
	arena_start = fe.arena_used;
	pool[0] = fe.memory_fd;
	pool[1] = must(memfd_create("takes no seals", MFD_CLOEXEC));
	pool[2] = must(inflight_create(1, VRING_SIZE_MAX));
	pool[3] = must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	pool[4] = pair[0];
	pool[5] = must(open("/dev/null", O_RDWR));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct echo_options options;
	struct input in = { .at = data, .left = size };
	int pair[2];

	if (!fe.memory)
		world_init();
	memset(fe.memory, 0, MEMORY_BYTES);
	frontend_queue_clear(&fe.queue[0]);
	if (ftruncate(pool[1], (off_t)MEMORY_BYTES))
		abort();
	options.is_slow_to_stop = input_u8(&in) & 1;
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	frontend_adopt(&fe, pair[0]);
	fcntl(fe.sock, F_SETFL, O_NONBLOCK);
	must(echo_init(&echo, &options, pair[1]));
	has_ended = false;
	for (unsigned int i = 0; i < STEPS_MAX && in.left > 0 && !has_ended;
	     i++) {
		steps[input_u8(&in) % (sizeof(steps) / sizeof(steps[0]))](&in);
		device_turns();
	}
	echo_deinit(&echo);
	frontend_disconnect(&fe);
	return 0;
}
