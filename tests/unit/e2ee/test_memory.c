/* SPDX-License-Identifier: Apache-2.0 */
/* test_memory.c - what a room remembers: bounds, forgetting, rows */

#include "e2ee/memory.h"

#include "base/bytes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

struct said {
	uint8_t device[32], identity[32], chain[32], link[32], carried[32];
	struct memory_message message;
};

/* A message of device, chain and generation at a time. */
static const struct memory_message *say(uint32_t device, uint32_t chain,
					uint64_t generation, uint64_t time_ms)
{
	static struct said said;

	memset(&said, 0, sizeof(said));
	bytes_put_be32(said.device, device);
	bytes_put_be32(said.identity + 4, device);
	bytes_put_be32(said.chain + 28, chain);
	said.message = (struct memory_message){
		.device_key = said.device,
		.identity_key = said.identity,
		.chain_id = said.chain,
		.generation = generation,
		.sender_time_ms = time_ms,
		.link = said.link,
		.carried = said.carried,
		.nick = "n",
		.nick_bytes = 1,
	};
	return &said.message;
}

static enum e2ee_verdict hear(struct memory *memory,
			      const struct memory_message *message,
			      struct e2ee_opened *opened)
{
	struct e2ee_opened unused;
	enum e2ee_verdict verdict = memory_judge(memory, message);

	opened = opened ? opened : &unused;
	memset(opened, 0, sizeof(*opened));
	if (verdict)
		return verdict;
	assert_int_equal(memory_reserve(memory), 0);
	memory_commit(memory, message, opened);
	assert_in_range(opened->changes.count, 1, E2EE_MAX_CHANGES);
	return E2EE_ACCEPTED;
}

static int setup(void **state)
{
	struct memory *memory = malloc(sizeof(*memory));

	memory_init(memory);
	*state = memory;
	return 0;
}

static int teardown(void **state)
{
	memory_deinit(*state);
	memory_deinit(*state); /* safe twice */
	free(*state);
	return 0;
}

static void test_each_generation_is_accepted_once_in_any_order(void **state)
{
	/* 7 is coprime to 1000, so this visits all of them. */
	for (uint64_t i = 0; i < CHAIN_MESSAGES; i++)
		assert_int_equal(hear(*state, say(1, 1, i * 7 % 1000, 5), NULL),
				 E2EE_ACCEPTED);
	for (uint64_t i = 0; i < CHAIN_MESSAGES; i++)
		assert_int_equal(hear(*state, say(1, 1, i, 5), NULL),
				 E2EE_REPLAYED);
	assert_int_equal(hear(*state, say(1, 1, CHAIN_MESSAGES, 5), NULL),
			 E2EE_CHAIN_OVERRUN);
}

static void test_judging_changes_nothing(void **state)
{
	struct memory *memory = *state;

	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(memory_judge(memory, say(1, 1, 0, 5)),
				 E2EE_ACCEPTED);
	assert_int_equal(memory->member_count, 0);
	assert_int_equal(memory->chain_count, 0);
}

static void test_a_forgotten_chain_cannot_be_replayed(void **state)
{
	struct memory *memory = *state;
	const unsigned int more = MEMORY_CHAINS_PER_MEMBER + 10;
	struct e2ee_opened opened;

	for (unsigned int chain = 1; chain <= more; chain++)
		assert_int_equal(
			hear(memory, say(1, chain, 0, 100 + chain), &opened),
			E2EE_ACCEPTED);
	assert_int_equal(memory->chain_count, MEMORY_CHAINS_PER_MEMBER);
	for (unsigned int chain = 1; chain <= more; chain++)
		assert_int_equal(
			hear(memory, say(1, chain, 0, 100 + chain), NULL),
			chain <= 10 ? E2EE_STALE : E2EE_REPLAYED);
	/* The last to be forgotten was chain 10, and its row goes too. */
	assert_int_equal(opened.changes.count, 3);
	assert_true(row_is_member(opened.changes.rows[0].key));
	assert_int_equal(opened.changes.rows[1].value_bytes, 0);
	assert_memory_equal(opened.changes.rows[1].key + 32,
			    say(1, 10, 0, 0)->chain_id, 32);
	/* Later messages of it are taken, as of a chain joined midway. */
	assert_int_equal(hear(memory, say(1, 10, 1, 1000), NULL),
			 E2EE_ACCEPTED);
}

static void test_the_floor_survives_a_restart(void **state)
{
	struct memory *memory = *state, restarted;
	struct e2ee_opened opened;

	memory_init(&restarted);
	for (unsigned int chain = 1; chain <= MEMORY_CHAINS_PER_MEMBER + 1;
	     chain++)
		hear(memory, say(1, chain, 0, 100 + chain), &opened);
	for (unsigned int i = 0; i < opened.changes.count; i++) {
		const struct e2ee_row *row = &opened.changes.rows[i];

		if (row->value_bytes)
			assert_int_equal(memory_load(&restarted, row->key,
						     row->value,
						     row->value_bytes),
					 0);
	}
	assert_int_equal(hear(&restarted, say(1, 1, 0, 101), NULL), E2EE_STALE);
	assert_int_equal(hear(&restarted, say(1, 77, 0, 102), NULL),
			 E2EE_ACCEPTED);
	memory_deinit(&restarted);
}

static void test_members_are_bounded_and_never_forgotten(void **state)
{
	struct memory *memory = *state;

	for (uint32_t device = 1; device <= MEMORY_MAX_MEMBERS; device++)
		assert_int_equal(hear(memory, say(device, 1, 0, 5), NULL),
				 E2EE_ACCEPTED);
	assert_int_equal(hear(memory, say(9999, 1, 0, 5), NULL),
			 E2EE_TABLE_FULL);
	assert_int_equal(hear(memory, say(1, 1, 0, 5), NULL), E2EE_REPLAYED);
	assert_int_equal(hear(memory, say(1, 1, 1, 5), NULL), E2EE_ACCEPTED);
}

static void test_rows_above_the_bound_stay_refused(void **state)
{
	struct memory *memory = *state, other;
	struct e2ee_opened opened;

	memory_init(&other);
	hear(&other, say(9999, 1, 0, 5), &opened);
	for (uint32_t device = 1; device <= MEMORY_MAX_MEMBERS; device++)
		hear(memory, say(device, 1, 0, 5), NULL);
	for (unsigned int i = 0; i < opened.changes.count; i++)
		assert_int_equal(
			memory_load(memory, opened.changes.rows[i].key,
				    opened.changes.rows[i].value,
				    opened.changes.rows[i].value_bytes),
			0);
	assert_int_equal(memory->member_count, MEMORY_MAX_MEMBERS);
	assert_int_equal(hear(memory, say(9999, 1, 0, 5), NULL),
			 E2EE_TABLE_FULL);
	memory_deinit(&other);
}

static void test_chains_are_bounded_and_the_oldest_goes(void **state)
{
	const uint32_t devices = MEMORY_MAX_CHAINS / 16;
	struct memory *memory = *state;
	struct e2ee_opened opened;

	for (uint32_t chain = 1; chain <= 16; chain++)
		for (uint32_t device = 1; device <= devices; device++)
			hear(memory, say(device, chain, 0, 100 * chain), NULL);
	assert_int_equal(memory->chain_count, MEMORY_MAX_CHAINS);
	/* A new member's chain takes the place of somebody's oldest one. */
	assert_int_equal(hear(memory, say(devices + 1, 1, 0, 5000), &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(memory->chain_count, MEMORY_MAX_CHAINS);
	assert_int_equal(opened.changes.count, 4);
	assert_int_equal(hear(memory, say(1, 1, 0, 100), NULL), E2EE_STALE);
	assert_int_equal(hear(memory, say(2, 1, 0, 100), NULL), E2EE_REPLAYED);
}

static void test_rows_come_back_as_they_were(void **state)
{
	struct memory *memory = *state, restarted;
	struct e2ee_row again;
	struct e2ee_opened opened;

	hear(memory, say(1, 1, 0, 5), NULL);
	hear(memory, say(1, 1, 7, 9), &opened);
	assert_int_equal(opened.changes.count, 1);
	memory_init(&restarted);
	assert_int_equal(memory_load(&restarted, opened.changes.rows[0].key,
				     opened.changes.rows[0].value,
				     opened.changes.rows[0].value_bytes),
			 0);
	chain_row_encode(&again, say(1, 1, 0, 0)->device_key,
			 &restarted.chains[0].record);
	assert_memory_equal(&again, &opened.changes.rows[0], sizeof(again));
	memory_deinit(&restarted);
}

static void test_merged_rows_have_seen_what_either_has(void **state)
{
	struct memory *memory = *state, other, restarted;
	struct e2ee_opened mine, theirs;
	struct e2ee_row *row = &mine.changes.rows[1];
	const struct e2ee_row *stored = &theirs.changes.rows[1];

	memory_init(&other);
	memory_init(&restarted);
	hear(memory, say(1, 1, 3, 5), &mine);
	hear(&other, say(1, 1, 9, 4), &theirs);
	assert_int_equal(
		e2ee_row_merge(row, stored->value, stored->value_bytes), 0);
	assert_int_equal(
		memory_load(&restarted, row->key, row->value, row->value_bytes),
		0);
	assert_int_equal(hear(&restarted, say(1, 1, 3, 5), NULL),
			 E2EE_REPLAYED);
	assert_int_equal(hear(&restarted, say(1, 1, 9, 5), NULL),
			 E2EE_REPLAYED);
	assert_int_equal(hear(&restarted, say(1, 1, 4, 5), NULL),
			 E2EE_ACCEPTED);
	assert_int_equal(restarted.chains[0].record.highest, 9);
	assert_int_equal(restarted.chains[0].record.last_ms, 5);
	memory_deinit(&other);
	memory_deinit(&restarted);
}

static void test_what_another_process_heard_is_not_forgotten(void **state)
{
	struct memory *memory = *state;
	struct e2ee_opened other = { 0 }, opened = { 0 };
	struct e2ee_row *row;

	/* Both heard generation 0 at time 5; only another heard 1, at 50. */
	hear(memory, say(1, 1, 0, 5), &other);
	chain_row_encode(&other.changes.rows[0], say(1, 1, 0, 5)->device_key,
			 &memory->chains[0].record);
	row = &other.changes.rows[0];
	row->value[8] = 50;              /* the latest time */
	row->value[1 + 8 + 8 + 64] |= 2; /* bit 1 */
	for (uint32_t i = 2; i <= MEMORY_CHAINS_PER_MEMBER + 1; i++)
		hear(memory, say(1, i, 0, 10 * i), &opened);
	/* It is the oldest here, and goes; the stored row has more. */
	assert_int_equal(opened.changes.rows[1].value_bytes, 0);
	assert_memory_equal(opened.changes.rows[1].key, row->key,
			    sizeof(row->key));
	assert_int_equal(e2ee_row_merge(&opened.changes.rows[1], row->value,
					row->value_bytes),
			 0);
	assert_int_equal(opened.changes.rows[1].value_bytes, row->value_bytes);
	assert_memory_equal(opened.changes.rows[1].value, row->value,
			    row->value_bytes);
	/* The floor alone would let a replay of it through. */
	assert_true(memory->members[0].record.floor_ms <= 50);
}

static void test_what_nobody_else_heard_is_forgotten(void **state)
{
	struct memory *memory = *state;
	struct e2ee_opened first, opened;
	struct e2ee_row *row;

	hear(memory, say(1, 1, 0, 5), &first);
	row = &first.changes.rows[first.changes.count - 1];
	for (uint32_t i = 2; i <= MEMORY_CHAINS_PER_MEMBER + 1; i++)
		hear(memory, say(1, i, 0, 10 * i), &opened);
	assert_int_equal(e2ee_row_merge(&opened.changes.rows[1], row->value,
					row->value_bytes),
			 0);
	assert_int_equal(opened.changes.rows[1].value_bytes, 0);
}

static void test_a_stored_pin_is_not_overwritten(void **state)
{
	struct memory *memory = *state;
	struct e2ee_opened opened;
	struct e2ee_row row, stored;

	hear(memory, say(1, 1, 0, 5), &opened);
	row = stored = opened.changes.rows[0];
	assert_true(row_is_member(row.key));
	assert_int_equal(e2ee_row_merge(&row, stored.value, stored.value_bytes),
			 0);
	assert_memory_equal(&row, &stored, sizeof(row));
	stored.value[2] ^= 1; /* another identity */
	assert_int_equal(e2ee_row_merge(&row, stored.value, stored.value_bytes),
			 -EEXIST);
	assert_int_equal(memory_load(memory, stored.key, stored.value,
				     stored.value_bytes),
			 -EEXIST);
}

static void test_bytes_that_are_no_row_are_refused(void **state)
{
	struct memory *memory = *state;
	struct e2ee_opened opened;

	hear(memory, say(1, 1, 0, 5), &opened);
	for (unsigned int i = 0; i < opened.changes.count; i++) {
		struct e2ee_row *row = &opened.changes.rows[i], bad = *row;

		assert_int_equal(memory_load(memory, row->key, row->value,
					     row->value_bytes),
				 0);
		for (unsigned int cut = 0; cut < row->value_bytes; cut++) {
			assert_int_equal(
				memory_load(memory, row->key, row->value, cut),
				-EBADMSG);
			assert_int_equal(e2ee_row_merge(row, row->value, cut),
					 -EBADMSG);
		}
		bad.value[0] = 9;
		assert_int_equal(memory_load(memory, bad.key, bad.value,
					     bad.value_bytes),
				 -EBADMSG);
	}
}

static void test_rows_may_come_in_any_order(void **state)
{
	struct memory *memory = *state, restarted;
	struct e2ee_opened opened;

	hear(memory, say(1, 1, 0, 5), &opened);
	memory_init(&restarted);
	for (unsigned int i = opened.changes.count; i-- > 0;)
		assert_int_equal(
			memory_load(&restarted, opened.changes.rows[i].key,
				    opened.changes.rows[i].value,
				    opened.changes.rows[i].value_bytes),
			0);
	assert_int_equal(hear(&restarted, say(1, 1, 0, 5), NULL),
			 E2EE_REPLAYED);
	hear(&restarted, say(1, 1, 1, 5), &opened);
	assert_int_equal(opened.notes, 0);
	memory_deinit(&restarted);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_each_generation_is_accepted_once_in_any_order),
		CLAIM(test_judging_changes_nothing),
		CLAIM(test_a_forgotten_chain_cannot_be_replayed),
		CLAIM(test_the_floor_survives_a_restart),
		CLAIM(test_members_are_bounded_and_never_forgotten),
		CLAIM(test_rows_above_the_bound_stay_refused),
		CLAIM(test_chains_are_bounded_and_the_oldest_goes),
		CLAIM(test_rows_come_back_as_they_were),
		CLAIM(test_merged_rows_have_seen_what_either_has),
		CLAIM(test_what_another_process_heard_is_not_forgotten),
		CLAIM(test_what_nobody_else_heard_is_forgotten),
		CLAIM(test_a_stored_pin_is_not_overwritten),
		CLAIM(test_bytes_that_are_no_row_are_refused),
		CLAIM(test_rows_may_come_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
