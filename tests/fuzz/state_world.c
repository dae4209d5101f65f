/* SPDX-License-Identifier: Apache-2.0 */
/* state_world.c - a state that a worker left, and those who come after it
 *
 * How it works: once, a real engine executes requests on a state in files, and
 * dies twice: its image is what each input begins with. Guest memory has a
 * sound request at each even head, for whatever ids the tables have, so that a
 * window is worked on when the input leaves it whole.
 */
#include "fuzz/state_world.h"

#include <endian.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cryptsess.h"
#include "device/queue.h"
#include "device/task.h"

#define REQUEST_MAX  1024u
#define RING         64u
#define REQUESTS     (RING / 2) /* each of a readable and a writable piece */
#define GUEST_START  UINT64_C(0x100000)
#define RING_BYTES   0x1000u
#define AVAIL_AT     0x400u
#define USED_AT      0x800u
#define ROOM         512u /* of a piece */
#define PIECES_AT    (QUEUES * RING_BYTES)
#define MEMORY_BYTES (PIECES_AT + REQUESTS * 2 * ROOM)
#define IN_PLACE     20u /* requests from that one on are */
#define WIDE_BYTES   0x2000u
#define PAYLOAD      32u
#define KEY          16u

struct state world;

static const struct state_limits limits = { .queues = QUEUES,
					    .max_files = FILES,
					    .max_sessions = SESSIONS,
					    .max_request_bytes = REQUEST_MAX };
static struct state file; /* the same, for who maps it */
static uint8_t *image, *results_image;
static struct cryptsess_provider *provider;
static struct engine engine;
static struct guest_memory memory;
static struct throttle throttle;
static enum journal_moment death = MOMENTS;
static jmp_buf grave;

void world_demand(bool condition, const char *file_name, int line)
{
	if (condition)
		return;
	fprintf(stderr, "%s:%d does not hold\n", file_name, line);
	abort();
}

/* --- requests ---------------------------------------------------------- */

struct request {
	uint32_t readable, writable;
	uint8_t bytes[ROOM];
};

static void put(struct request *r, const void *data, size_t bytes)
{
	memcpy(r->bytes + r->readable, data, bytes);
	r->readable += (uint32_t)bytes;
}

static void put_crypt(struct request *r, const struct state_session *s)
{
	struct vcd_crypt p = { .payload_bytes = htole32(PAYLOAD) };

	if (s->cipher)
		p.dst_bytes = htole32(PAYLOAD);
	if (s->mac)
		p.digest_bytes = htole32(20);
	put(r, &p, sizeof(p));
	r->readable += PAYLOAD;
	r->writable = sizeof(struct vcd_reply) + (s->cipher ? PAYLOAD : 0) +
		      (s->mac ? 20 : 0);
}

static void put_open(struct request *r, unsigned int number)
{
	bool is_mac = number & 1;
	struct vcd_session_open p = {
		.cipher = htole32(is_mac ? 0 : CRYPTSESS_AES_CBC),
		.mac = htole32(is_mac ? CRYPTSESS_HMAC_SHA1 : 0),
		.key_bytes = htole32(is_mac ? 0 : KEY),
		.mac_key_bytes = htole32(is_mac ? KEY : 0),
	};

	put(r, &p, sizeof(p));
	r->readable += KEY;
	r->writable = sizeof(struct vcd_session_reply);
}

/* Well-formed for the `number`th entries of the tables. */
static void request_make(struct request *r, const struct state *state,
			 uint32_t op, unsigned int number)
{
	const struct state_session *s = &state->session[number % SESSIONS];
	const struct vcd_hello hello = { .magic = htole32(VCD_MAGIC),
					 .version_min = htole16(VCD_VERSION),
					 .version_max = htole16(VCD_VERSION) };
	struct vcd_hash_copy copy = { .from_session_id =
					      htole32(state->session[1].id) };
	struct vcd_request h = { .op = htole32(op) };

	memset(r, 0, sizeof(*r));
	r->writable = sizeof(struct vcd_reply);
	if (op != VCD_OP_HELLO)
		h.generation = htole64(state->head->generation);
	if (op > VCD_OP_OPEN)
		h.file_id =
			htole32(op == VCD_OP_CLOSE || op == VCD_OP_SESSION_OPEN
					? state->file[number % FILES].id
					: s->file_id);
	if (op > VCD_OP_SESSION_OPEN)
		h.session_id = htole32(s->id);
	put(r, &h, sizeof(h));
	if (op == VCD_OP_HELLO) {
		put(r, &hello, sizeof(hello));
		r->writable = sizeof(struct vcd_hello_reply);
	} else if (op == VCD_OP_SESSION_OPEN) {
		put_open(r, number);
	} else if (op == VCD_OP_SESSION_INFO) {
		r->writable = sizeof(struct vcd_session_info_reply);
	} else if (op == VCD_OP_CRYPT) {
		put_crypt(r, s);
	} else if (op == VCD_OP_HASH_COPY) {
		put(r, &copy, sizeof(copy));
	}
}

/* --- guest memory ------------------------------------------------------ */

static uint64_t ring_at(unsigned int queue)
{
	return GUEST_START + (uint64_t)queue * RING_BYTES;
}

static void desc_put(unsigned int queue, unsigned int index, uint32_t offset,
		     uint32_t bytes, uint16_t flags)
{
	struct {
		uint64_t addr;
		uint32_t bytes;
		uint16_t flags, next;
	} desc = { htole64(GUEST_START + offset), htole32(bytes),
		   htole16(flags), htole16((uint16_t)(index + 1)) };

	memcpy(memory.map[0].host + queue * RING_BYTES + 16 * index, &desc,
	       sizeof(desc));
}

/* Nothing is available behind what the window has taken. */
static void guest_lay(void)
{
	struct request r;

	memset(memory.map[0].host, 0, MEMORY_BYTES);
	for (unsigned int i = 0; i < REQUESTS; i++) {
		uint32_t at = PIECES_AT + i * 2 * ROOM;

		request_make(&r, &world, i % VCD_OPS, i % 4);
		memcpy(memory.map[0].host + at, r.bytes, r.readable);
		for (unsigned int queue = 0; queue < QUEUES; queue++) {
			desc_put(queue, 2 * i, at, r.readable, 1);
			desc_put(queue, 2 * i + 1,
				 i < IN_PLACE ? at + ROOM : at, r.writable, 2);
		}
	}
	/* More room than a result has. */
	for (unsigned int queue = 0; queue < QUEUES; queue++)
		desc_put(queue, RING - 1, PIECES_AT, WIDE_BYTES, 2);
	for (unsigned int queue = 0; queue < QUEUES; queue++) {
		uint16_t taken = htole16((uint16_t)world.queue[queue].position);

		memcpy(memory.map[0].host + queue * RING_BYTES + AVAIL_AT + 2,
		       &taken, sizeof(taken));
	}
}

/* --- a worker ---------------------------------------------------------- */

static void at_moment(unsigned int queue, enum journal_moment moment)
{
	if (moment != death)
		return;
	death = MOMENTS;
	longjmp(grave, 1);
}

static void worker_begin(struct state *state)
{
	demand(engine_init(&engine, state, provider, state_hire(state)) == 0);
	engine_take_over(&engine);
	engine.at_moment = at_moment;
}

/* Execute one on a queue, from and to memory of its size. It stays in the
 * window. */
static void execute(unsigned int queue, const struct request *r, bool in_place,
		    uint16_t head)
{
	static struct vring_chain chain;
	struct engine_lane *lane = &engine.lane[queue];
	struct state_queue *kept = &engine.state->queue[queue];
	uint32_t room = r->readable > r->writable ? r->readable : r->writable;
	uint8_t *from = malloc(in_place ? room : r->readable);
	uint8_t *to = in_place ? from : malloc(r->writable);
	struct journal journal;

	demand(from && to);
	memcpy(from, r->bytes, r->readable);
	chain = (struct vring_chain){ .head = head,
				      .readable_count = 1,
				      .writable_count = 1,
				      .readable_bytes = r->readable,
				      .writable_bytes = r->writable };
	chain.pieces[0] = (struct iovec){ from, r->readable };
	chain.pieces[1] = (struct iovec){ to, r->writable };
	if (!journal_resume(&journal, kept, 1))
		journal_reset(&journal, kept, 1, 0, 0);
	if (!setjmp(grave)) {
		struct state_slot *slot = journal_begin(
			&journal, head, (uint16_t)(journal.next_avail + 1));

		engine_enter(lane);
		(void)engine_execute(lane, slot, &chain);
		engine_leave(lane);
	}
	if (to != from)
		free(to);
	free(from);
}

static void settle(unsigned int queue)
{
	struct journal journal;

	if (journal_resume(&journal, &engine.state->queue[queue], 1))
		journal_settle(&journal);
}

/* As the queue's thread does it: attach, and finish the window. */
static void window_finish(unsigned int queue)
{
	struct queue_start start = {
		.layout = { .size = RING,
			    .desc_user = ring_at(queue),
			    .avail_user = ring_at(queue) + AVAIL_AT,
			    .used_user = ring_at(queue) + USED_AT },
		.features = VHOST_F_VERSION_1,
		.number = 1,
		.kick_fd = -1,
		.call_fd = -1,
		.err_fd = -1,
		.memory = &memory,
	};
	struct queue q;

	demand(queue_init(&q, &engine.lane[queue], &throttle, 0) == 0);
	if (queue_start(&q, &start) == 0)
		(void)queue_stop(&q);
	queue_deinit(&q);
}

/* What a worker relies on from then on. */
static void check_tables(void)
{
	demand(state_files(&world) <= FILES &&
	       state_sessions(&world) <= SESSIONS);
	for (uint32_t i = 0; i < SESSIONS; i++) {
		const struct state_session *s = &world.session[i];

		if (!(engine.sessions.used[0] >> i & 1))
			continue;
		demand(state_find_session(&world, s->id) == s);
		demand(state_find_file(&world, s->file_id) != NULL);
		demand(s->queue < QUEUES && s->row < COUNTERS_ROWS_MAX);
		demand(s->key_bytes <= sizeof(s->key) &&
		       s->mac_key_bytes <= sizeof(s->mac_key));
	}
	for (uint32_t i = 0; i < QUEUES; i++) {
		struct journal journal;

		if (journal_resume(&journal, &world.queue[i], 1))
			demand(journal.count <= VRING_SIZE_MAX);
	}
	for (uint32_t i = 0; i < FILES; i++)
		if (engine.files.used[0] >> i & 1)
			demand(state_find_file(&world, world.file[i].id) ==
			       &world.file[i]);
}

void world_next_worker(uint8_t op, uint8_t requests)
{
	struct request r;

	worker_begin(&world);
	check_tables();
	guest_lay();
	for (unsigned int i = 0; i < QUEUES; i++)
		window_finish(i);
	for (unsigned int i = 0; i < requests % 5; i++) {
		request_make(&r, &world, (op + i) % VCD_OPS, op + i);
		execute(i & 1, &r, requests & 0x80, 0);
		settle(i & 1);
	}
	engine_deinit(&engine);
}

/* --- files ------------------------------------------------------------- */

static void to_files(void)
{
	memcpy(file.head, world.head, world.bytes);
	memcpy(file.results, world.results, QUEUES * world.result_bytes);
	file.workers = world.workers;
	file.deaths = world.deaths;
}

static void from_files(const struct state *state)
{
	memcpy(world.head, state->head, world.bytes);
	memcpy(world.results, state->results, QUEUES * world.result_bytes);
	world.workers = state->workers;
	world.deaths = state->deaths;
}

void world_adopt(void)
{
	struct state next;

	to_files();
	if (state_adopt(&next, &limits, dup(file.fd), dup(file.results_fd)))
		return;
	demand(!memcmp(&next.limits, &limits, sizeof(limits)));
	demand(next.workers == world.head->worker);
	from_files(&next);
	state_leave(&next);
}

static bool is_zero(const void *bytes, size_t count)
{
	const uint8_t *b = bytes;

	return b[0] == 0 && memcmp(b, b + 1, count - 1) == 0;
}

void world_forget(void)
{
	to_files();
	state_forget(&file);
	for (uint32_t i = 0; i < SESSIONS; i++) {
		struct state_session s = file.session[i];

		s.uses = 0;
		demand(is_zero(&s, sizeof(s)));
	}
	for (uint32_t i = 0; i < FILES; i++)
		demand(file.file[i].id == 0);
	for (uint32_t i = 0; i < QUEUES; i++)
		demand(file.queue[i].position == 0 &&
		       is_zero(file.queue[i].slot, sizeof(file.queue[i].slot)));
	demand(is_zero(file.results, QUEUES * file.result_bytes));
	demand(file.head->generation == 0);
	from_files(&file);
}

/* --- the whole --------------------------------------------------------- */

/* The `at`th request of guest memory, for those entries. */
static void run(unsigned int queue, unsigned int at, unsigned int number)
{
	struct request r;

	request_make(&r, &file, at % VCD_OPS, number);
	execute(queue, &r, at >= IN_PLACE, (uint16_t)(2 * at));
}

/* Sessions on both queues, used; then two workers die, each with an answer
 * that was not yet returned and a request that it was working on. */
static void make_image(void)
{
	worker_begin(&file);
	run(0, VCD_OP_HELLO, 0);
	run(0, VCD_OP_OPEN, 0);
	settle(0);
	run(0, VCD_OP_OPEN, 0);
	settle(0);
	for (unsigned int i = 0; i < 4; i++) {
		run(i & 1, VCD_OP_SESSION_OPEN, i & 1);
		run(i & 1, VCD_OP_CRYPT, i);
		settle(i & 1);
	}
	demand(file.session[3].id && file.session[3].queue == 1);
	run(0, VCD_OP_CRYPT, 0);
	death = MOMENT_RECORDED;
	run(0, VCD_OP_CRYPT + 2 * VCD_OPS, 2);
	demand(death == MOMENTS);
	engine_deinit(&engine);
	state_bury(&file);
	/* Not engine_take_over(): that window is to stay. */
	demand(engine_init(&engine, &file, provider, state_hire(&file)) == 0);
	engine.at_moment = at_moment;
	engine_pool_mark(&engine.files, 0);
	engine_pool_mark(&engine.files, 1);
	for (uint32_t i = 0; i < 4; i++)
		engine_pool_mark(&engine.sessions, i);
	run(1, VCD_OP_CRYPT + VCD_OPS, 3);
	death = MOMENT_MADE;
	run(1, VCD_OP_SESSION_OPEN + VCD_OPS, 0);
	demand(death == MOMENTS);
	engine_deinit(&engine);
	state_bury(&file);
}

static void world_make(void)
{
	ptrdiff_t files_at, sessions_at, queues_at;

	log_init("fuzz", LOG_LEVEL_ERROR);
	demand(state_create(&file, &limits) == 0);
	demand(cryptsess_provider_open(&provider, "openssl", NULL, 0) == 0);
	throttle_init(&throttle, 0, 0);
	make_image();
	image = malloc(file.bytes);
	results_image = malloc(QUEUES * file.result_bytes);
	world = file;
	world.head = aligned_alloc(64, file.bytes);
	world.results = aligned_alloc(4096, QUEUES * file.result_bytes);
	demand(image && results_image && world.head && world.results);
	memcpy(image, file.head, file.bytes);
	memcpy(results_image, file.results, QUEUES * file.result_bytes);
	files_at = (uint8_t *)file.file - (uint8_t *)file.head;
	sessions_at = (uint8_t *)file.session - (uint8_t *)file.head;
	queues_at = (uint8_t *)file.queue - (uint8_t *)file.head;
	world.file = (void *)((uint8_t *)world.head + files_at);
	world.session = (void *)((uint8_t *)world.head + sessions_at);
	world.queue = (void *)((uint8_t *)world.head + queues_at);
	world.fd = -1;
	world.results_fd = -1;
	memory.count = 1;
	memory.map[0] = (struct guest_mapping){
		.guest_addr = GUEST_START,
		.user_addr = GUEST_START,
		.bytes = MEMORY_BYTES,
		.host = aligned_alloc(64, MEMORY_BYTES),
	};
	demand(memory.map[0].host != NULL);
}

static bool window_is(unsigned int queue, unsigned int count, uint32_t phase)
{
	struct journal journal;

	return journal_resume(&journal, &world.queue[queue], 1) &&
	       journal.count == count &&
	       (!count || journal_slot(&journal, count - 1)->phase == phase);
}

/* What is not spoilt is gone on with. */
static void check_image(void)
{
	world_begin();
	demand(window_is(0, 2, SLOT_RECORDED) && window_is(1, 2, SLOT_BEGUN));
	world_next_worker(0, 0);
	demand(window_is(0, 0, 0) && window_is(1, 0, 0));
	for (uint32_t i = 0; i < 4; i++)
		demand(world.session[i].id == file.session[i].id);
	for (unsigned int i = 0; i < QUEUES; i++)
		demand(world.queue[i].counters.resumed == 1);
}

void world_begin(void)
{
	static uint32_t workers, deaths;

	if (!image) {
		world_make();
		workers = file.workers;
		deaths = file.deaths;
		check_image();
	}
	memcpy(world.head, image, world.bytes);
	memcpy(world.results, results_image, QUEUES * world.result_bytes);
	world.workers = workers;
	world.deaths = deaths;
}
