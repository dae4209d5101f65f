/* SPDX-License-Identifier: Apache-2.0 */
/* test_inflight.c - heads in flight survive the process that took them */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "rig.h"

static struct rig rig;
static struct inflight_map map;
static int file;

static const struct vhost_inflight_area *area(void)
{
	static struct vhost_inflight_area a;

	a.bytes = inflight_bytes(2, RIG_SIZE);
	a.queues = 2;
	a.ring_size = RIG_SIZE;
	return &a;
}

static int setup(void **state)
{
	rig_init(&rig, RIG_SIZE, RIG_FEATURES);
	file = inflight_create(2, RIG_SIZE);
	assert_true(file >= 0);
	assert_int_equal(inflight_attach(&map, file, area()), 0);
	assert_int_equal(vring_track(&rig.ring, &map, 1), 0);
	return 0;
}

static int teardown(void **state)
{
	inflight_detach(&map);
	close(file);
	rig_deinit(&rig);
	return 0;
}

/* The process died; another maps the same file and attaches to the ring. The
 * base it is told is wrong on purpose: the file knows better. */
static void die_and_come_back(void)
{
	inflight_detach(&map);
	assert_int_equal(inflight_attach(&map, file, area()), 0);
	assert_int_equal(rig_attach(&rig, 4711), 0);
	assert_int_equal(vring_track(&rig.ring, &map, 1), 0);
}

static int take(void)
{
	return vring_take(&rig.ring, &rig.chain) == 1 ? rig.chain.head : -1;
}

static void give_back(int head)
{
	vring_return(&rig.ring, (uint16_t)head, 0);
}

static void test_takes_unreturned_heads_again_in_order(void **state)
{
	int head[4];

	for (unsigned int i = 0; i < 4; i++)
		head[i] = rig_submit(&rig, 8);
	rig_show(&rig);
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(take(), head[i]);
	give_back(head[1]);
	vring_publish(&rig.ring);
	die_and_come_back();
	assert_int_equal(take(), head[0]);
	assert_int_equal(take(), head[2]);
	assert_int_equal(take(), head[3]); /* this one from the ring */
	assert_int_equal(take(), -1);
}

static void test_order_survives_two_deaths(void **state)
{
	int a = rig_submit(&rig, 8);
	int b = rig_submit(&rig, 8);
	int c = rig_submit(&rig, 8);

	rig_show(&rig);
	take();
	take();
	die_and_come_back();
	assert_int_equal(take(), a);
	assert_int_equal(take(), b);
	assert_int_equal(take(), c);
	die_and_come_back();
	assert_int_equal(take(), a);
	assert_int_equal(take(), b);
	assert_int_equal(take(), c);
}

static void test_nothing_is_taken_again_after_a_clean_end(void **state)
{
	int head = rig_submit(&rig, 8);

	rig_show(&rig);
	take();
	give_back(head);
	vring_publish(&rig.ring);
	die_and_come_back();
	assert_int_equal(take(), -1);
}

/* Returned, but the death came in front of the publish: take it again. */
static void test_returned_and_not_published_is_taken_again(void **state)
{
	int head = rig_submit(&rig, 8);

	rig_show(&rig);
	take();
	give_back(head);
	die_and_come_back();
	assert_int_equal(take(), head);
}

/* The death came between used.idx and the marks: the driver has the answers,
 * so none of them may be given twice. */
static void test_publish_that_was_cut_off_is_completed(void **state)
{
	int a = rig_submit(&rig, 8);
	int b = rig_submit(&rig, 8);
	int c = rig_submit(&rig, 8);

	rig_show(&rig);
	take();
	take();
	take();
	give_back(c);
	give_back(a);
	rig.q->used[1] = 2;
	die_and_come_back();
	assert_int_equal(take(), b);
	assert_int_equal(take(), -1);
}

/* A keeper beside the file knows which heads it has, and how far it came. */
static void come_back_with(uint16_t next_avail, const int *heads,
			   unsigned int count)
{
	const struct vring_position position = { next_avail, 0 };

	inflight_detach(&map);
	assert_int_equal(inflight_attach(&map, file, area()), 0);
	assert_int_equal(rig_attach(&rig, 0), 0);
	vring_set_position(&rig.ring, &position);
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(vring_adopt(&rig.ring, (uint16_t)heads[i]), 0);
	assert_int_equal(vring_follow(&rig.ring, &map, 1), 0);
}

static void test_what_a_keeper_has_is_not_taken_again(void **state)
{
	int head[3];

	for (unsigned int i = 0; i < 3; i++)
		head[i] = rig_submit(&rig, 8);
	rig_show(&rig);
	assert_int_equal(take(), head[0]);
	assert_int_equal(take(), head[1]);
	come_back_with(2, head, 2);
	assert_int_equal(take(), head[2]);
	assert_int_equal(take(), -1);
	for (unsigned int i = 0; i < 3; i++)
		give_back(head[i]);
	(void)vring_publish(&rig.ring);
	die_and_come_back();
	assert_int_equal(take(), -1);
}

/* The file had two of another device, of which the keeper has taken one. */
static void test_what_only_the_file_has_is_taken_again(void **state)
{
	int head[3];

	for (unsigned int i = 0; i < 3; i++)
		head[i] = rig_submit(&rig, 8);
	rig_show(&rig);
	assert_int_equal(take(), head[0]);
	assert_int_equal(take(), head[1]);
	come_back_with(2, head, 1);
	assert_int_equal(take(), head[1]);
	assert_int_equal(take(), head[2]);
	assert_int_equal(take(), -1);
}

/* Its taker died before the keeper knew. */
static void test_a_head_that_no_keeper_saw_is_taken_once(void **state)
{
	int head[2];

	for (unsigned int i = 0; i < 2; i++)
		head[i] = rig_submit(&rig, 8);
	rig_show(&rig);
	assert_int_equal(take(), head[0]);
	assert_int_equal(take(), head[1]);
	come_back_with(1, head, 1);
	assert_int_equal(take(), head[1]);
	assert_int_equal(take(), -1);
	assert_int_equal(rig.ring.next_avail, 2);
}

static void test_a_restarted_guest_makes_the_file_fresh(void **state)
{
	rig_submit(&rig, 8);
	rig_show(&rig);
	take();
	inflight_ring_at(&map, 1)->used_idx = 1000;
	frontend_queue_clear(rig.q);
	die_and_come_back();
	assert_int_equal(take(), -1);
}

static void test_a_spoilt_file_does_no_harm(void **state)
{
	struct inflight_ring *r = inflight_ring_at(&map, 1);

	rig_submit(&rig, 8);
	rig_show(&rig);
	take();
	for (unsigned int i = 0; i < RIG_SIZE; i++) {
		r->head[i].is_in_flight = 1;
		r->head[i].next = 0xffff;
		r->head[i].counter = UINT64_MAX;
	}
	r->last_batch_head = 0xfff0;
	r->used_idx = (uint16_t)(rig.q->used[1] - RIG_SIZE);
	die_and_come_back();
	for (unsigned int i = 0; i < 4 * RIG_SIZE && take() >= 0; i++)
		;
	assert_int_not_equal(rig.ring.fault, VRING_DAMAGED_MEMORY);
}

static void test_refuses_files_that_do_not_fit(void **state)
{
	struct vhost_inflight_area a = *area();
	struct inflight_map other;

	a.bytes--;
	assert_int_equal(inflight_attach(&other, file, &a), -EINVAL);
	a.bytes = area()->bytes + 1;
	assert_int_equal(inflight_attach(&other, file, &a), -ENXIO);
	a.bytes = area()->bytes;
	a.file_offset = UINT64_MAX - 8;
	assert_int_equal(inflight_attach(&other, file, &a), -EINVAL);
	a.file_offset = 0;
	a.queues = 0;
	assert_int_equal(inflight_attach(&other, file, &a), -EINVAL);
}

static void test_refuses_rings_that_do_not_fit(void **state)
{
	assert_int_equal(vring_track(&rig.ring, &map, 2), -EINVAL);
	rig.ring.size = 2 * RIG_SIZE;
	assert_int_equal(vring_track(&rig.ring, &map, 1), -EINVAL);
}

static void test_its_file_cannot_be_cut(void **state)
{
	assert_int_equal(ftruncate(file, 1), -1);
	assert_int_equal(errno, EPERM);
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_takes_unreturned_heads_again_in_order),
		CLAIM(test_order_survives_two_deaths),
		CLAIM(test_nothing_is_taken_again_after_a_clean_end),
		CLAIM(test_returned_and_not_published_is_taken_again),
		CLAIM(test_publish_that_was_cut_off_is_completed),
		CLAIM(test_what_a_keeper_has_is_not_taken_again),
		CLAIM(test_what_only_the_file_has_is_taken_again),
		CLAIM(test_a_head_that_no_keeper_saw_is_taken_once),
		CLAIM(test_a_restarted_guest_makes_the_file_fresh),
		CLAIM(test_a_spoilt_file_does_no_harm),
		CLAIM(test_refuses_files_that_do_not_fit),
		CLAIM(test_refuses_rings_that_do_not_fit),
		CLAIM(test_its_file_cannot_be_cut),
	};

	return cmocka_run_group_tests_name("inflight", tests, NULL, NULL);
}
