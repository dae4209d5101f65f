/* SPDX-License-Identifier: Apache-2.0 */
/* test_threads.c - driver and device in two threads on the same addresses, so
 * that ThreadSanitizer sees every pair of barriers of the rings */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include "frontend/frontend.h"
#include "vhost/event.h"
#include "vhost/vring.h"

#define SIZE     32u
#define REQUESTS 20000u

static struct frontend fe;
static struct guest_memory memory;
static struct vring ring;

/* The driver's own mapping, adopted: nothing here is ours to unmap. */
static void memory_adopt(void)
{
	memset(&memory, 0, sizeof(memory));
	for (unsigned int i = 0; i < fe.region_count; i++)
		memory.map[i] = (struct guest_mapping){
			.guest_addr = fe.region[i].guest_addr,
			.bytes = fe.region[i].bytes,
			.user_addr = fe.region[i].user_addr,
			.host = fe.memory + fe.region[i].file_offset,
		};
	memory.count = fe.region_count;
}

/* Answer with the complement, until a request of one byte comes. */
static void *device_run(void *argument)
{
	static struct vring_chain chain;
	struct frontend_queue *q = argument;
	bool must_end = false;

	while (!must_end) {
		vring_mute(&ring);
		do {
			while (vring_take(&ring, &chain) == 1) {
				const uint8_t *in = chain.pieces[0].iov_base;
				uint8_t *out = chain.pieces[1].iov_base;
				size_t bytes = chain.pieces[0].iov_len;

				for (size_t i = 0; i < bytes; i++)
					out[i] = (uint8_t)~in[i];
				must_end = bytes == 1;
				vring_return(&ring, chain.head,
					     (uint32_t)bytes);
			}
			if (vring_publish(&ring))
				vhost_event_signal(q->call_fd, false);
		} while (vring_listen(&ring));
		if (!must_end)
			(void)frontend_poll(q->kick_fd, FRONTEND_WAIT_MS);
		vhost_event_drain(q->kick_fd, false);
	}
	return NULL;
}

static uint64_t slot_addr(uint64_t base, unsigned int head, bool is_writable)
{
	return base + head * 64u + (is_writable ? 32 : 0);
}

static void submit(struct frontend_queue *q, uint64_t base, uint32_t bytes,
		   uint8_t seed)
{
	unsigned int slot = q->free_head;
	struct frontend_piece pieces[2] = {
		{ .guest_addr = slot_addr(base, slot, false), .bytes = bytes },
		{ .guest_addr = slot_addr(base, slot, true),
		  .bytes = bytes,
		  .is_writable = true },
	};

	memset(frontend_at(&fe, pieces[0].guest_addr), seed, bytes);
	assert_int_equal(frontend_submit(q, pieces, 2, 0), slot);
}

static void harvest(struct frontend_queue *q, uint64_t base)
{
	struct frontend_used used;
	const uint8_t *in, *out;

	assert_int_equal(frontend_wait(q, &used, FRONTEND_WAIT_MS), 1);
	in = frontend_at(&fe, slot_addr(base, used.head, false));
	out = frontend_at(&fe, slot_addr(base, used.head, true));
	for (uint32_t i = 0; i < used.bytes; i++)
		assert_int_equal(out[i], (uint8_t)~in[i]);
}

static void run_load(uint64_t features)
{
	struct vring_layout layout = { .size = SIZE };
	unsigned int sent = 0, done = 0;
	struct frontend_queue *q;
	pthread_t thread;
	uint64_t base;

	assert_int_equal(frontend_init(&fe, 1 << 20, 1), 0);
	fe.features = features;
	assert_int_equal(frontend_queue_init(&fe, 0, SIZE), 0);
	q = &fe.queue[0];
	base = frontend_alloc(&fe, 64 * SIZE, 64);
	memory_adopt();
	layout.desc_user = (uintptr_t)q->desc;
	layout.avail_user = (uintptr_t)q->avail;
	layout.used_user = (uintptr_t)q->used;
	assert_int_equal(vring_attach(&ring, &layout, features, &memory, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, device_run, q), 0);
	while (done < REQUESTS) {
		while (sent < REQUESTS && q->free_count >= 2) {
			submit(q, base, 2 + sent % 31, (uint8_t)sent);
			sent++;
		}
		assert_int_equal(frontend_kick(q), 0);
		harvest(q, base);
		done++;
	}
	submit(q, base, 1, 0);
	assert_int_equal(frontend_kick(q), 0);
	harvest(q, base);
	pthread_join(thread, NULL);
	assert_int_equal(ring.fault, VRING_SOUND);
	guest_memory_detach(&memory);
	frontend_deinit(&fe);
}

static void test_no_request_is_lost_with_event_idx(void **state)
{
	run_load(VHOST_F_VERSION_1 | VHOST_F_EVENT_IDX);
}

static void test_no_request_is_lost_with_flags(void **state)
{
	run_load(VHOST_F_VERSION_1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_request_is_lost_with_event_idx),
		cmocka_unit_test(test_no_request_is_lost_with_flags),
	};

	return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
