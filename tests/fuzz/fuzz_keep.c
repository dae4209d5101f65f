/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_keep.c - any messages to a connection whose keepers die
 *
 * How it works: the input is a list of steps. It is played twice: to a
 * connection that nobody keeps, and to one that is kept as supervisor.c does
 * it (keep_world.c), where the input chooses moments at which that supervisor
 * dies; another goes on from what the manager has. The front end must hear the
 * same, and the state must end the same. A step may also spoil what the manager
 * has while nobody is there; then the next one may refuse it, or go on from it,
 * but must touch nothing that is not its own.
 */
#include "fuzz/demand.h"
#include "fuzz/input.h"
#include "fuzz/keep_world.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "frontend/frontend.h"
#include "lib/receive.h"

#define POOL          6u
#define STEPS_MAX     64u
#define REGION_BYTES  0x10000u
#define REGIONS       2u
#define ANSWERS_BYTES 65536u
#define RING          16u
#define FDS           64 /* more than anybody has */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One play of the input: what the front end has and hears. */
struct play {
	struct frontend fe;
	bool is_kept;
	bool has_ended;    /* the back end closed the connection */
	bool is_cut;       /* bytes that are no message were sent */
	size_t have_bytes; /* of answers */
	uint8_t answers[ANSWERS_BYTES];
	struct vhost_state last; /* before the front end went */
};

static struct play plays[2];
static int pool[POOL]; /* what may be passed */

/* Note the answers, and drop the descriptors in them. */
static void hear(struct play *play)
{
	for (;;) {
		int fd = -1;
		ssize_t got = receive(
			play->fe.sock, play->answers + play->have_bytes,
			ANSWERS_BYTES - play->have_bytes, MSG_DONTWAIT, &fd);

		if (fd >= 0)
			close(fd);
		if (got <= 0)
			return;
		play->have_bytes += (size_t)got;
	}
}

static void turn(struct play *play)
{
	if (!play->has_ended)
		play->has_ended = !keep_turn();
	hear(play);
}

/* --- the steps --------------------------------------------------------- */

static void say(struct play *play, uint32_t request, const void *payload,
		uint32_t bytes, const int *fds, unsigned int fd_count)
{
	(void)frontend_send(&play->fe, request, VHOST_FLAG_NEED_REPLY, payload,
			    bytes, fds, fd_count);
	turn(play);
}

static void say_u64(struct play *play, uint32_t request, uint64_t value, int fd)
{
	say(play, request, &value, sizeof(value), &fd, fd < 0 ? 0 : 1);
}

static void say_ring(struct play *play, uint32_t request, uint32_t index,
		     uint32_t value)
{
	struct vhost_ring_word word = { .index = index, .value = value };

	say(play, request, &word, sizeof(word), NULL, 0);
}

/* The way of an honest front end, so that rings run at once. */
static void step_set_up(struct play *play, struct input *in)
{
	struct vhost_mem_table table = { .count = REGIONS };
	struct vhost_ring_addresses a;
	uint8_t choice = input_u8(in);
	uint32_t queue = choice & 1;
	int fds[REGIONS] = { pool[choice >> 1 & 1], pool[0] };

	say_u64(play, VHOST_SET_PROTOCOL_FEATURES, keep_protocol_features, -1);
	say_u64(play, VHOST_SET_FEATURES,
		VHOST_F_VERSION_1 |
			(choice & 4 ? VHOST_F_PROTOCOL_FEATURES : 0),
		-1);
	for (unsigned int i = 0; i < REGIONS; i++)
		table.region[i] = (struct vhost_region){
			.guest_addr = (uint64_t)i * REGION_BYTES,
			.bytes = REGION_BYTES,
			.user_addr = (uint64_t)(i + 1) * REGION_BYTES,
		};
	a = (struct vhost_ring_addresses){
		.index = queue,
		.desc_user = REGION_BYTES,
		.avail_user = REGION_BYTES + 0x1000,
		.used_user = 2 * REGION_BYTES,
	};
	say(play, VHOST_SET_MEM_TABLE, &table, 8 + 32 * REGIONS, fds, REGIONS);
	say_ring(play, VHOST_SET_VRING_NUM, queue, RING);
	say_ring(play, VHOST_SET_VRING_BASE, queue, choice);
	say(play, VHOST_SET_VRING_ADDR, &a, sizeof(a), NULL, 0);
	say_u64(play, VHOST_SET_VRING_CALL, queue, pool[3]);
	say_u64(play, VHOST_SET_VRING_KICK, queue, pool[3]);
	say_ring(play, VHOST_SET_VRING_ENABLE, queue, 1);
}

/* A well-formed message; `part_bytes` of it first, with its descriptors. */
static void message(struct play *play, struct input *in, uint8_t part_bytes)
{
	struct {
		struct vhost_header header;
		uint8_t payload[128];
	} m = { .header = { .request = input_u8(in) % (VHOST_REQUESTS + 1) } };
	uint8_t flags = input_u8(in), choice = input_u8(in);
	unsigned int count = choice & 3;
	size_t bytes;
	int fds[4];

	m.header.flags = VHOST_VERSION | (flags & VHOST_FLAG_NEED_REPLY);
	m.header.payload_bytes = input_u8(in) % sizeof(m.payload);
	input_bytes(in, m.payload, m.header.payload_bytes);
	bytes = sizeof(m.header) + m.header.payload_bytes;
	for (unsigned int i = 0; i < count; i++)
		fds[i] = pool[(choice >> (2 + i)) % POOL];
	/* Descriptors in the middle of what is taken for a message: a kept
	 * connection takes those of the first part only. */
	if (play->is_cut)
		count = 0;
	if (part_bytes == 0 || part_bytes >= bytes)
		part_bytes = (uint8_t)bytes;
	(void)frontend_send_raw(&play->fe, &m, part_bytes, fds, count);
	turn(play);
	if (part_bytes < bytes)
		(void)frontend_send_raw(&play->fe, (uint8_t *)&m + part_bytes,
					bytes - part_bytes, NULL, 0);
}

static void step_message(struct play *play, struct input *in)
{
	message(play, in, 0);
}

static void step_parts(struct play *play, struct input *in)
{
	message(play, in, input_u8(in));
}

/* Several at once, so that they wait for each other in the socket. */
static void step_row(struct play *play, struct input *in)
{
	static const uint32_t plain[] = { VHOST_GET_FEATURES, VHOST_SET_OWNER,
					  VHOST_GET_QUEUE_NUM,
					  VHOST_RESET_DEVICE };
	uint8_t choice = input_u8(in);

	for (unsigned int i = 0; i < 4; i++)
		(void)frontend_send(&play->fe, plain[choice >> (2 * i) & 3],
				    VHOST_FLAG_NEED_REPLY, NULL, 0, NULL, 0);
}

static void step_raw(struct play *play, struct input *in)
{
	uint8_t bytes[64];
	size_t got = input_bytes(in, bytes, input_u8(in) % sizeof(bytes));

	play->is_cut = true;
	if (got > 0)
		(void)frontend_send_raw(&play->fe, bytes, got, NULL, 0);
}

static void step_order_death(struct play *play, struct input *in)
{
	uint8_t choice = input_u8(in);

	if (play->is_kept)
		keep_order_death(choice % SUPERVISOR_MOMENTS,
				 choice / SUPERVISOR_MOMENTS);
}

static void step_die(struct play *play, struct input *in)
{
	if (play->is_kept && !play->has_ended)
		play->has_ended = !keep_die_now(NULL, 0, 0);
}

static void step_spoil(struct play *play, struct input *in)
{
	uint16_t where = input_u16(in);
	uint8_t bytes[32];
	size_t got = input_bytes(in, bytes, input_u8(in) % sizeof(bytes));

	if (play->is_kept && !play->has_ended)
		play->has_ended = !keep_die_now(bytes, where, got);
}

static void step_slow(struct play *play, struct input *in)
{
	if (play->is_kept)
		keep_manager_sleeps(input_u8(in) & 1);
	else
		(void)input_u8(in);
}

static void (*const steps[])(struct play *play, struct input *in) = {
	step_set_up,      step_message, step_parts, step_row,  step_raw,
	step_order_death, step_die,     step_spoil, step_slow,
};

/* --- a play ------------------------------------------------------------ */

static void pool_open(void)
{
	int pair[2];

	pool[0] = keep_high(
		memfd_create("seals", MFD_CLOEXEC | MFD_ALLOW_SEALING));
	pool[1] = keep_high(memfd_create("none", MFD_CLOEXEC));
	pool[2] = keep_high(inflight_create(1, VRING_SIZE_MAX));
	pool[3] = keep_high(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
	demand(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	pool[4] = keep_high(pair[0]);
	close(pair[1]);
	pool[5] = keep_high(open("/dev/null", O_RDWR | O_CLOEXEC));
	for (unsigned int i = 0; i < 2; i++)
		demand(!ftruncate(pool[i], REGION_BYTES));
}

static void run(struct play *play, struct input in, bool is_kept)
{
	bool is_slow_to_stop = input_u8(&in) & 1;
	int floor = keep_floor();
	int pair[2];

	play->is_kept = is_kept;
	play->has_ended = false;
	play->is_cut = false;
	play->have_bytes = 0;
	pool_open();
	demand(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	frontend_adopt(&play->fe, keep_high(pair[0]));
	demand(!fcntl(play->fe.sock, F_SETFL, O_NONBLOCK));
	keep_begin(floor, pair[1], is_kept, is_slow_to_stop);
	for (unsigned int i = 0; i < STEPS_MAX && in.left && !play->has_ended;
	     i++) {
		steps[input_u8(&in) % (sizeof(steps) / sizeof(steps[0]))](play,
									  &in);
		turn(play);
	}
	play->last = *keep_state();
	keep_end();
	hear(play);
	frontend_disconnect(&play->fe);
	for (unsigned int i = 0; i < POOL; i++)
		close(pool[i]);
	/* Nothing is left open. */
	for (int fd = floor; fd < floor + FDS; fd++)
		demand(fcntl(fd, F_GETFD) < 0);
}

static void compare(const struct play *plain, const struct play *kept)
{
	const struct vhost_state *a = &plain->last, *b = &kept->last;

	if (keep_was_spoiled())
		return;
	/* Told to connect again, it had heard no other answers until then. */
	demand(kept->have_bytes <= plain->have_bytes);
	demand(!memcmp(plain->answers, kept->answers, kept->have_bytes));
	if (keep_was_refused())
		return;
	demand(kept->have_bytes == plain->have_bytes);
	demand(kept->has_ended == plain->has_ended);
	if (plain->has_ended)
		return;
	demand(a->features == b->features);
	demand(a->protocol_features == b->protocol_features);
	demand(!memcmp(&a->memory, &b->memory, sizeof(a->memory)));
	demand(!memcmp(&a->inflight, &b->inflight, sizeof(a->inflight)));
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++) {
		demand(!memcmp(&a->ring[i].layout, &b->ring[i].layout,
			       sizeof(a->ring[i].layout)));
		demand(a->ring[i].base == b->ring[i].base);
		demand(a->ring[i].is_running == b->ring[i].is_running);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool has_begun;
	struct input in = { .at = data, .left = size };

	if (!has_begun) {
		has_begun = true;
		log_init("fuzz", LOG_LEVEL_ERROR);
		demand(!process_init());
		plays[0].fe.sock = -1;
		plays[1].fe.sock = -1;
	}
	run(&plays[0], in, false);
	run(&plays[1], in, true);
	compare(&plays[0], &plays[1]);
	return 0;
}
