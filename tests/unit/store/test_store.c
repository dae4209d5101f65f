/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c - what is put is numbered, kept once, and read again */

#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_numbers_are_dense_in_each_room(void **state)
{
	struct put *p = must_put(1, 1, 0, 3);

	assert_int_equal(p->messages[0].sequence, 1);
	assert_int_equal(p->messages[2].sequence, 3);
	p = must_put(2, 1, 0, 1);
	assert_int_equal(p->messages[0].sequence, 1);
	p = must_put(1, 2, 50, 2);
	assert_int_equal(p->messages[0].sequence, 4);
	assert_int_equal(p->messages[1].sequence, 5);
	reopen_store();
	p = must_put(1, 1, 3, 1);
	assert_int_equal(p->messages[0].sequence, 6);
	assert_int_equal(p->put.era, 7);
}

static void test_what_is_read_is_what_was_put(void **state)
{
	struct get *g;

	must_put(1, 1, 0, 5);
	must_put(2, 9, 0, 5);
	must_put(1, 2, 70, 5);
	for (int again = 0; again < 2; again++) {
		g = get_all(1);
		assert_int_equal(g->count, 10);
		for (size_t i = 0; i < 10; i++)
			assert_int_equal(g->sequences[i], i + 1);
		assert_string_equal(g->envelopes[0], "01/01/0");
		assert_string_equal(g->envelopes[9], "01/02/74");
		assert_int_equal(g->read.era, 7);
		assert_int_equal(g->read.first, 1);
		assert_int_equal(g->read.last, 10);
		assert_int_equal(g->read.next, 11);
		reopen_store();
	}
}

static void test_a_read_goes_on_where_it_stopped(void **state)
{
	uint64_t at = 3;

	must_put(1, 1, 0, 20);
	while (at <= 17) {
		struct get *g = get(1, STORE_FROM_SEQUENCE, at, 17, 4);

		for (size_t i = 0; i < g->count; i++)
			assert_int_equal(g->sequences[i], at + i);
		assert_int_equal(g->read.next, at + g->count);
		assert_int_equal(g->count, at + 4 > 18 ? 18 - at : 4);
		at = g->read.next;
	}
	assert_int_equal(at, 18);
}

static void test_a_message_again_is_kept_once(void **state)
{
	struct put *p;

	must_put(1, 1, 0, 3);
	for (int again = 0; again < 2; again++) {
		p = must_put(1, 1, 1, 4 + (size_t)again);
		assert_int_equal(p->messages[0].sequence, 0);
		assert_int_equal(p->messages[1].sequence, 0);
		assert_int_equal(p->messages[3 + again].sequence, 5 + again);
		reopen_store();
	}
	assert_int_equal(get_all(1)->count, 6);
	/* The same in another room, of another chain, is another one. */
	assert_int_equal(must_put(2, 1, 0, 1)->messages[0].sequence, 1);
	assert_int_equal(must_put(1, 3, 0, 1)->messages[0].sequence, 7);
	/* Within one put, too. */
	fill(&shared, 1, 4, 0, 2);
	shared.messages[1].generation = 0;
	store_put(store, &shared.put);
	wait_told(&shared.is_told);
	assert_int_equal(shared.messages[0].sequence, 8);
	assert_int_equal(shared.messages[1].sequence, 0);
}

static void test_a_room_where_nothing_was_said_is_empty(void **state)
{
	struct get *g = get_all(5);

	assert_int_equal(g->read.era, 0);
	assert_int_equal(g->read.first, 1);
	assert_int_equal(g->read.last, 0);
	assert_int_equal(g->count, 0);
}

static void test_all_that_waits_is_told_in_order(void **state)
{
	static struct put puts[50];

	for (size_t i = 0; i < 50; i++) {
		fill(&puts[i], (uint8_t)(i % 5), 1, i, 1);
		store_put(store, &puts[i].put);
	}
	wait_told(&puts[49].is_told);
	for (size_t i = 0; i < 50; i++) {
		assert_true(puts[i].is_told);
		assert_int_equal(puts[i].messages[0].sequence, i / 5 + 1);
	}
}

static void test_what_is_not_begun_is_told_at_the_end(void **state)
{
	static struct put puts[200];
	int kept = 0;

	for (size_t i = 0; i < 200; i++) {
		fill(&puts[i], 1, 1, i, 1);
		store_put(store, &puts[i].put);
	}
	store_close(store);
	for (size_t i = 0; i < 200; i++) {
		assert_true(puts[i].is_told);
		assert_true(!puts[i].put.error ||
			    puts[i].put.error == -ESHUTDOWN);
		kept += !puts[i].put.error;
	}
	open_store();
	assert_int_equal(get_all(1)->count, kept);
}

static void test_a_time_finds_the_first_message_since(void **state)
{
	struct get *g;

	must_put(1, 1, 0, 10);
	ask("UPDATE message SET time_ms = 1000 + 10 * key % 1000000");
	g = get(1, STORE_FROM_TIME, 1, 0, 0);
	assert_int_equal(g->read.next, 1);
	g = get(1, STORE_FROM_TIME, UINT64_MAX / 2, 0, 0);
	assert_int_equal(g->read.next, 11);
	ask("UPDATE message SET time_ms = 1000 + (key & 1099511627775)");
	g = get(1, STORE_FROM_TIME, 1004, 0, 0);
	assert_int_equal(g->read.next, 4);
}

static struct put asked_late;

static void on_read_ask(struct store_read *read)
{
	fill(&asked_late, 1, 1, 0, 1);
	store_put(store, &asked_late.put);
	list_entry(read, struct get, read)->is_told = true;
}

static void test_what_is_asked_at_the_end_is_told(void **state)
{
	struct get g = { .read = { .how = STORE_FROM_NOWHERE,
				   .on_done = on_read_ask } };

	list_init(&g.read.link);
	g.read.room = g.room;
	asked_late.is_told = false;
	store_read(store, &g.read);
	reopen_store();
	assert_true(g.is_told);
	assert_true(asked_late.is_told);
	assert_int_equal(asked_late.put.error, -ESHUTDOWN);
	assert_int_equal(get_all(1)->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_numbers_are_dense_in_each_room),
		STORE_TEST(test_what_is_read_is_what_was_put),
		STORE_TEST(test_a_read_goes_on_where_it_stopped),
		STORE_TEST(test_a_message_again_is_kept_once),
		STORE_TEST(test_a_room_where_nothing_was_said_is_empty),
		STORE_TEST(test_all_that_waits_is_told_in_order),
		STORE_TEST(test_what_is_not_begun_is_told_at_the_end),
		STORE_TEST(test_a_time_finds_the_first_message_since),
		STORE_TEST(test_what_is_asked_at_the_end_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
