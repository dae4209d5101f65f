/* SPDX-License-Identifier: Apache-2.0 */
/* test_vring.c - rings of an honest driver */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "rig.h"

static struct rig rig;

static int setup(void **state)
{
	rig_init(&rig, RIG_SIZE, RIG_FEATURES);
	return 0;
}

static int setup_event_idx(void **state)
{
	rig_init(&rig, RIG_SIZE, RIG_FEATURES | VHOST_F_EVENT_IDX);
	return 0;
}

static int teardown(void **state)
{
	rig_deinit(&rig);
	return 0;
}

/* Take, return and publish one request. Whether a call is due. */
static bool serve_one(void)
{
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	vring_return(&rig.ring, rig.chain.head, 8);
	return vring_publish(&rig.ring);
}

static void harvest_one(int head)
{
	struct frontend_used used;

	assert_int_equal(frontend_harvest(rig.q, &used), 1);
	assert_int_equal(used.head, head);
	assert_int_equal(used.bytes, 8);
}

static void test_takes_requests_in_ring_order(void **state)
{
	int first = rig_submit(&rig, 8);
	int second = rig_submit(&rig, 8);

	assert_int_equal(vring_take(&rig.ring, &rig.chain), 0);
	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	assert_int_equal(rig.chain.head, first);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	assert_int_equal(rig.chain.head, second);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 0);
}

static void test_hands_out_the_guests_own_bytes(void **state)
{
	uint64_t in = rig_alloc(&rig, 16);
	uint64_t out = rig_alloc(&rig, 16);
	struct frontend_piece pieces[] = {
		{ .guest_addr = in, .bytes = 16 },
		{ .guest_addr = out, .bytes = 16, .is_writable = true },
	};

	memset(frontend_at(&rig.fe, in), 7, 16);
	frontend_submit(rig.q, pieces, 2, 0);
	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	assert_int_equal(rig.chain.readable_count, 1);
	assert_int_equal(rig.chain.writable_count, 1);
	memcpy(rig.chain.pieces[1].iov_base, rig.chain.pieces[0].iov_base, 16);
	assert_memory_equal(frontend_at(&rig.fe, out), frontend_at(&rig.fe, in),
			    16);
}

static void test_shows_answers_only_when_published(void **state)
{
	struct frontend_used used;
	int head = rig_submit(&rig, 8);

	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	vring_return(&rig.ring, rig.chain.head, 8);
	assert_int_equal(frontend_harvest(rig.q, &used), 0);
	vring_publish(&rig.ring);
	harvest_one(head);
}

static void test_returns_in_any_order(void **state)
{
	int first = rig_submit(&rig, 8);
	int second = rig_submit(&rig, 8);

	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	vring_return(&rig.ring, (uint16_t)second, 8);
	vring_return(&rig.ring, (uint16_t)first, 8);
	assert_int_equal(rig.ring.in_flight_count, 0);
	vring_publish(&rig.ring);
	harvest_one(second);
	harvest_one(first);
}

static void test_indexes_wrap_at_65536(void **state)
{
	uint64_t data = rig_alloc(&rig, 8);
	struct frontend_piece piece = { .guest_addr = data, .bytes = 8 };

	for (unsigned int i = 0; i < 66000; i++) {
		int head = frontend_submit(rig.q, &piece, 1, 0);

		rig_show(&rig);
		serve_one();
		harvest_one(head);
	}
	assert_int_equal(rig.ring.next_used, (uint16_t)66000);
}

static void test_first_publish_always_calls(void **state)
{
	rig.q->avail[0] = 1; /* no calls, please */
	rig_submit(&rig, 8);
	rig_show(&rig);
	assert_true(serve_one());
}

static void test_flags_keep_calls_away(void **state)
{
	for (unsigned int i = 0; i < 3; i++)
		rig_submit(&rig, 8);
	rig_show(&rig);
	serve_one();
	rig.q->avail[0] = 1;
	assert_false(serve_one());
	rig.q->avail[0] = 0;
	assert_true(serve_one());
}

static void test_publishing_nothing_never_calls(void **state)
{
	assert_false(vring_publish(&rig.ring));
}

/* used_event N: call when entry N was written, not before and not after. */
static void test_event_idx_calls_at_the_named_entry(void **state)
{
	for (unsigned int i = 0; i < 4; i++)
		rig_submit(&rig, 8);
	rig_show(&rig);
	serve_one();
	rig.q->avail[2 + RIG_SIZE] = 2;
	assert_false(serve_one()); /* entry 1 */
	assert_true(serve_one());  /* entry 2 */
	assert_false(serve_one()); /* entry 3 */
}

static void test_event_idx_calls_once_for_a_batch(void **state)
{
	for (unsigned int i = 0; i < 4; i++)
		rig_submit(&rig, 8);
	rig_show(&rig);
	serve_one();
	rig.q->avail[2 + RIG_SIZE] = 2;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
		vring_return(&rig.ring, rig.chain.head, 8);
	}
	assert_true(vring_publish(&rig.ring));
}

static void test_listen_names_the_next_entry(void **state)
{
	rig_submit(&rig, 8);
	rig_show(&rig);
	serve_one();
	assert_false(vring_listen(&rig.ring));
	assert_int_equal(rig.q->used[2 + 4 * RIG_SIZE], 1);
	rig_submit(&rig, 8);
	rig_show(&rig);
	assert_true(vring_listen(&rig.ring));
}

static void test_mute_and_listen_set_the_flag(void **state)
{
	vring_mute(&rig.ring);
	assert_int_equal(rig.q->used[0], 1);
	assert_false(vring_listen(&rig.ring));
	assert_int_equal(rig.q->used[0], 0);
}

static void test_another_object_goes_on_from_the_position(void **state)
{
	struct vring_position position;
	int first = rig_submit(&rig, 8);
	int second = rig_submit(&rig, 8);

	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	vring_get_position(&rig.ring, &position);
	assert_int_equal(position.next_avail, 1);
	assert_int_equal(position.published, 0);
	/* used.idx in guest memory is not what the keeper goes by. */
	rig.q->used[1] = 77;
	assert_int_equal(rig_attach(&rig, 0), 0);
	vring_set_position(&rig.ring, &position);
	assert_int_equal(vring_adopt(&rig.ring, (uint16_t)first), 0);
	assert_int_equal(vring_adopt(&rig.ring, (uint16_t)first), -EINVAL);
	assert_int_equal(vring_adopt(&rig.ring, RIG_SIZE), -EINVAL);
	assert_int_equal(vring_walk(&rig.ring, (uint16_t)first, &rig.chain), 1);
	assert_int_equal(rig.chain.readable_bytes, 8);
	vring_return(&rig.ring, (uint16_t)first, 8);
	serve_one();
	rig.q->last_used = 0;
	harvest_one(first);
	harvest_one(second);
}

/* Returned by one process, shown by the next. */
static void test_another_object_publishes_what_was_returned(void **state)
{
	struct vring_position position;
	int head = rig_submit(&rig, 8);

	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), 1);
	vring_return(&rig.ring, (uint16_t)head, 8);
	vring_get_position(&rig.ring, &position);
	assert_int_equal(rig_attach(&rig, 0), 0);
	vring_set_position(&rig.ring, &position);
	assert_true(vring_publish(&rig.ring));
	harvest_one(head);
}

static int attach_with(uint32_t size, uint64_t desc, uint64_t avail,
		       uint64_t used)
{
	struct vring_layout layout = { .size = size,
				       .desc_user = desc,
				       .avail_user = avail,
				       .used_user = used };
	int checked = vring_layout_check(&layout, &rig.guest);
	int attached = vring_attach(&rig.ring, &layout, 0, &rig.memory, 0);

	/* Before and after mapping, the same judgement. */
	assert_int_equal(checked == 0, attached == 0);
	return checked;
}

static void test_attaches_only_to_sound_sizes(void **state)
{
	uint64_t d = rig.layout.desc_user;
	uint64_t a = rig.layout.avail_user;
	uint64_t u = rig.layout.used_user;

	assert_int_equal(attach_with(RIG_SIZE, d, a, u), 0);
	assert_int_equal(attach_with(1, d, a, u), 0);
	assert_int_equal(attach_with(VRING_SIZE_MAX, d, a, u), 0);
	assert_int_equal(attach_with(0, d, a, u), -EINVAL);
	assert_int_equal(attach_with(3, d, a, u), -EINVAL);
	assert_int_equal(attach_with(2 * VRING_SIZE_MAX, d, a, u), -EINVAL);
	assert_int_equal(attach_with(UINT32_MAX, d, a, u), -EINVAL);
}

static void test_attaches_only_to_aligned_parts(void **state)
{
	uint64_t d = rig.layout.desc_user;
	uint64_t a = rig.layout.avail_user;
	uint64_t u = rig.layout.used_user;

	assert_int_equal(attach_with(RIG_SIZE, d + 8, a, u), -EINVAL);
	assert_int_equal(attach_with(RIG_SIZE, d, a + 1, u), -EINVAL);
	assert_int_equal(attach_with(RIG_SIZE, d, a, u + 2), -EINVAL);
}

static void test_attaches_only_within_memory(void **state)
{
	const struct vhost_region *last = &rig.fe.region[2];
	uint64_t end = last->user_addr + last->bytes;
	uint64_t d = rig.layout.desc_user;
	uint64_t a = rig.layout.avail_user;
	uint64_t u = rig.layout.used_user;

	assert_int_equal(attach_with(RIG_SIZE, end - 16 * RIG_SIZE, a, u), 0);
	assert_int_equal(attach_with(RIG_SIZE, end - 16 * RIG_SIZE + 16, a, u),
			 -EFAULT);
	assert_int_equal(attach_with(RIG_SIZE, d, end - 20, u), -EFAULT);
	assert_int_equal(attach_with(RIG_SIZE, d, a, end - 68), -EFAULT);
	assert_int_equal(attach_with(RIG_SIZE, 16, a, u), -EFAULT);
	assert_int_equal(attach_with(RIG_SIZE, UINT64_MAX - 15, a, u), -EFAULT);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define CLAIM_EVENT_IDX(name) \
	cmocka_unit_test_setup_teardown(name, setup_event_idx, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_takes_requests_in_ring_order),
		CLAIM(test_hands_out_the_guests_own_bytes),
		CLAIM(test_shows_answers_only_when_published),
		CLAIM(test_returns_in_any_order),
		CLAIM(test_indexes_wrap_at_65536),
		CLAIM(test_first_publish_always_calls),
		CLAIM(test_flags_keep_calls_away),
		CLAIM(test_publishing_nothing_never_calls),
		CLAIM_EVENT_IDX(test_event_idx_calls_at_the_named_entry),
		CLAIM_EVENT_IDX(test_event_idx_calls_once_for_a_batch),
		CLAIM_EVENT_IDX(test_listen_names_the_next_entry),
		CLAIM(test_mute_and_listen_set_the_flag),
		CLAIM(test_another_object_goes_on_from_the_position),
		CLAIM(test_another_object_publishes_what_was_returned),
		CLAIM(test_attaches_only_to_sound_sizes),
		CLAIM(test_attaches_only_to_aligned_parts),
		CLAIM(test_attaches_only_within_memory),
	};

	return cmocka_run_group_tests_name("vring", tests, NULL, NULL);
}
