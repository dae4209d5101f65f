/* SPDX-License-Identifier: Apache-2.0 */
/* test_vring_hostile.c - rings of a driver that breaks the rules */
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

static int teardown(void **state)
{
	rig_deinit(&rig);
	return 0;
}

static void desc_set(uint16_t index, uint64_t addr, uint32_t bytes,
		     uint16_t flags, uint16_t next)
{
	rig.q->desc[index] = (struct frontend_desc){
		.addr = addr, .bytes = bytes, .flags = flags, .next = next
	};
}

/* An indirect table of `count` entries; head 0 names `bytes` of it. */
static struct frontend_desc *table_make(uint32_t count, uint32_t bytes)
{
	uint64_t at = rig_alloc(&rig, 16 * (uint64_t)count);
	uint64_t data = rig_alloc(&rig, 64);
	struct frontend_desc *table = frontend_at(&rig.fe, at);

	desc_set(0, at, bytes, FRONTEND_DESC_INDIRECT, 0);
	for (uint32_t i = 0; i < count; i++)
		table[i] = (struct frontend_desc){
			.addr = data,
			.bytes = 8,
			.flags = i + 1 < count ? FRONTEND_DESC_NEXT : 0,
			.next = (uint16_t)(i + 1),
		};
	return table;
}

/* Each refusal below differs from this request in one thing. */
static void test_takes_a_sound_request(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64, FRONTEND_DESC_NEXT, 1);
	desc_set(1, rig_alloc(&rig, 64), 64, FRONTEND_DESC_WRITE, 0);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	assert_int_equal(rig.chain.readable_bytes, 64);
	assert_int_equal(rig.chain.writable_bytes, 64);
}

static void test_rejects_a_descriptor_that_links_to_itself(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64, FRONTEND_DESC_NEXT, 0);
	assert_int_equal(rig_verdict(&rig), VRING_CHAIN_LENGTH);
}

static void test_rejects_a_loop_over_all_descriptors(void **state)
{
	uint64_t data = rig_alloc(&rig, 64);

	for (uint16_t i = 0; i < RIG_SIZE; i++)
		desc_set(i, data, 64, FRONTEND_DESC_NEXT,
			 (uint16_t)((i + 1) % RIG_SIZE));
	assert_int_equal(rig_verdict(&rig), VRING_CHAIN_LENGTH);
}

static void test_rejects_a_loop_in_an_indirect_table(void **state)
{
	struct frontend_desc *table = table_make(3, 48);

	table[2].flags = FRONTEND_DESC_NEXT;
	table[2].next = 1;
	assert_int_equal(rig_verdict(&rig), VRING_CHAIN_LENGTH);
}

static void test_takes_an_indirect_chain_as_long_as_the_ring(void **state)
{
	table_make(RIG_SIZE, 16 * RIG_SIZE);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	assert_int_equal(rig.chain.readable_count, RIG_SIZE);
}

static void test_rejects_an_indirect_chain_longer_than_the_ring(void **state)
{
	table_make(RIG_SIZE + 1, 16 * (RIG_SIZE + 1));
	assert_int_equal(rig_verdict(&rig), VRING_CHAIN_LENGTH);
}

static void test_rejects_a_link_outside_the_table(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64, FRONTEND_DESC_NEXT, RIG_SIZE);
	assert_int_equal(rig_verdict(&rig), VRING_NEXT_RANGE);
}

static void test_rejects_a_link_outside_the_indirect_table(void **state)
{
	/* The third entry is there, but the descriptor names only two. */
	table_make(3, 32);
	assert_int_equal(rig_verdict(&rig), VRING_NEXT_RANGE);
}

static void test_rejects_a_head_outside_the_table(void **state)
{
	frontend_make_available(rig.q, RIG_SIZE);
	rig_show(&rig);
	assert_int_equal(vring_take(&rig.ring, &rig.chain), -EPROTO);
	assert_int_equal(rig.ring.fault, VRING_HEAD_RANGE);
}

static void test_rejects_an_available_index_that_jumps(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64, 0, 0);
	rig.q->avail[1] = RIG_SIZE + 1;
	assert_int_equal(vring_take(&rig.ring, &rig.chain), -EPROTO);
	assert_int_equal(rig.ring.fault, VRING_AVAIL_JUMP);
}

static void test_rejects_an_available_index_that_goes_back(void **state)
{
	rig.q->avail[1] = UINT16_MAX;
	assert_int_equal(vring_take(&rig.ring, &rig.chain), -EPROTO);
	assert_int_equal(rig.ring.fault, VRING_AVAIL_JUMP);
}

static void test_rejects_a_head_that_is_in_flight(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	assert_int_equal(rig_verdict(&rig), VRING_HEAD_IN_FLIGHT);
}

static void test_takes_a_head_again_once_it_was_returned(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	vring_return(&rig.ring, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
}

static void test_rejects_an_empty_descriptor(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 0, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_EMPTY_DESC);
}

static void test_rejects_an_address_outside_memory(void **state)
{
	desc_set(0, rig.fe.region[0].guest_addr - 1, 1, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
}

static void test_rejects_an_end_outside_memory(void **state)
{
	const struct vhost_region *last = &rig.fe.region[2];

	desc_set(0, last->guest_addr + last->bytes - 8, 9, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
}

static void test_rejects_a_length_of_4_gib(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), UINT32_MAX, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
}

static void test_rejects_an_address_that_wraps(void **state)
{
	desc_set(0, UINT64_MAX - 3, 64, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
}

static void test_takes_a_buffer_over_two_adjacent_regions(void **state)
{
	uint64_t border = rig.fe.region[1].guest_addr;

	desc_set(0, border - 10, 30, FRONTEND_DESC_WRITE, 0);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	assert_int_equal(rig.chain.writable_count, 2);
	assert_int_equal(rig.chain.pieces[0].iov_len, 10);
	assert_int_equal(rig.chain.pieces[1].iov_len, 20);
	assert_int_equal(rig.chain.writable_bytes, 30);
}

static void test_rejects_a_buffer_into_the_hole_between_regions(void **state)
{
	const struct vhost_region *r = &rig.fe.region[1];

	desc_set(0, r->guest_addr + r->bytes - 10, 30, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
}

static void test_rejects_readable_behind_writable(void **state)
{
	desc_set(0, rig_alloc(&rig, 64), 64,
		 FRONTEND_DESC_NEXT | FRONTEND_DESC_WRITE, 1);
	desc_set(1, rig_alloc(&rig, 64), 64, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ORDER);
}

static void test_rejects_indirect_that_was_not_negotiated(void **state)
{
	table_make(2, 32);
	rig.fe.features = VHOST_F_VERSION_1;
	assert_int_equal(rig_attach(&rig, 0), 0);
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

static void test_rejects_indirect_inside_indirect(void **state)
{
	struct frontend_desc *table = table_make(2, 32);

	table[0].flags = FRONTEND_DESC_INDIRECT;
	table[0].bytes = 16;
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

/* The naming descriptor is then its own first entry. */
static void test_rejects_the_ring_itself_as_indirect_table(void **state)
{
	desc_set(0, rig.q->desc_guest, 16 * RIG_SIZE, FRONTEND_DESC_INDIRECT,
		 0);
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

static void test_rejects_indirect_with_next(void **state)
{
	table_make(2, 32);
	rig.q->desc[0].flags |= FRONTEND_DESC_NEXT;
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

static void test_rejects_an_indirect_table_of_odd_length(void **state)
{
	table_make(2, 31);
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

static void test_rejects_an_empty_indirect_table(void **state)
{
	table_make(2, 0);
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

static void test_rejects_an_indirect_table_over_the_end(void **state)
{
	const struct vhost_region *last = &rig.fe.region[2];

	table_make(2, 32);
	rig.q->desc[0].addr = last->guest_addr + last->bytes - 16;
	assert_int_equal(rig_verdict(&rig), VRING_INDIRECT);
}

static void test_takes_an_indirect_table_at_any_address(void **state)
{
	struct frontend_desc *table = table_make(3, 32);
	uint8_t copy[32];

	memcpy(copy, table, sizeof(copy));
	((struct frontend_desc *)(void *)copy)[1].flags = 0;
	memcpy((uint8_t *)table + 1, copy, sizeof(copy));
	rig.q->desc[0].addr++;
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	assert_int_equal(rig.chain.readable_bytes, 16);
}

/* virtio 1.2, 2.7.5.3.2: the flag of the naming descriptor has no meaning, and
 * direct descriptors may stand in front of it. */
static void test_takes_direct_then_indirect_with_write_flag(void **state)
{
	table_make(2, 32);
	rig.q->desc[1] = rig.q->desc[0];
	rig.q->desc[1].flags |= FRONTEND_DESC_WRITE;
	desc_set(0, rig_alloc(&rig, 64), 64, FRONTEND_DESC_NEXT, 1);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
	assert_int_equal(rig.chain.readable_bytes, 64 + 16);
	assert_int_equal(rig.chain.writable_count, 0);
}

static void test_stays_broken_until_attached_again(void **state)
{
	desc_set(0, 0, 8, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
	desc_set(0, rig_alloc(&rig, 64), 64, 0, 0);
	assert_int_equal(rig_verdict(&rig), VRING_ADDRESS);
	assert_false(vring_listen(&rig.ring));
	frontend_queue_clear(rig.q);
	desc_set(0, rig_alloc(&rig, 64), 64, 0, 0);
	assert_int_equal(rig_attach(&rig, 0), 0);
	assert_int_equal(rig_verdict(&rig), VRING_SOUND);
}

static void test_every_fault_has_a_name(void **state)
{
	for (unsigned int i = 0; i < VRING_FAULTS; i++)
		assert_non_null(vring_fault_name((enum vring_fault)i));
	assert_string_equal(vring_fault_name(VRING_FAULTS), "?");
}

#define CLAIM(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_takes_a_sound_request),
		CLAIM(test_rejects_a_descriptor_that_links_to_itself),
		CLAIM(test_rejects_a_loop_over_all_descriptors),
		CLAIM(test_rejects_a_loop_in_an_indirect_table),
		CLAIM(test_takes_an_indirect_chain_as_long_as_the_ring),
		CLAIM(test_rejects_an_indirect_chain_longer_than_the_ring),
		CLAIM(test_rejects_a_link_outside_the_table),
		CLAIM(test_rejects_a_link_outside_the_indirect_table),
		CLAIM(test_rejects_a_head_outside_the_table),
		CLAIM(test_rejects_an_available_index_that_jumps),
		CLAIM(test_rejects_an_available_index_that_goes_back),
		CLAIM(test_rejects_a_head_that_is_in_flight),
		CLAIM(test_takes_a_head_again_once_it_was_returned),
		CLAIM(test_rejects_an_empty_descriptor),
		CLAIM(test_rejects_an_address_outside_memory),
		CLAIM(test_rejects_an_end_outside_memory),
		CLAIM(test_rejects_a_length_of_4_gib),
		CLAIM(test_rejects_an_address_that_wraps),
		CLAIM(test_takes_a_buffer_over_two_adjacent_regions),
		CLAIM(test_rejects_a_buffer_into_the_hole_between_regions),
		CLAIM(test_rejects_readable_behind_writable),
		CLAIM(test_rejects_indirect_that_was_not_negotiated),
		CLAIM(test_rejects_indirect_inside_indirect),
		CLAIM(test_rejects_the_ring_itself_as_indirect_table),
		CLAIM(test_rejects_indirect_with_next),
		CLAIM(test_rejects_an_indirect_table_of_odd_length),
		CLAIM(test_rejects_an_empty_indirect_table),
		CLAIM(test_rejects_an_indirect_table_over_the_end),
		CLAIM(test_takes_an_indirect_table_at_any_address),
		CLAIM(test_takes_direct_then_indirect_with_write_flag),
		CLAIM(test_stays_broken_until_attached_again),
		CLAIM(test_every_fault_has_a_name),
	};

	return cmocka_run_group_tests_name("vring_hostile", tests, NULL, NULL);
}
