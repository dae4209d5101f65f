/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap.c - the pairing heap beneath the timers */

#include "base/bytes.h"
#include "loop/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#define NODES 2000

static struct heap_node nodes[NODES];

/* A fixed sequence, so that a failure comes back. */
static uint32_t next_number(void)
{
	static uint32_t x = 1;

	x = x * 1664525u + 1013904223u;
	return x >> 8;
}

static uint64_t take_first(struct heap *h)
{
	uint64_t key = h->root->key;

	heap_remove(h, h->root);
	return key;
}

static void test_gives_keys_in_order(void **state)
{
	struct heap h = { 0 };
	uint64_t last = 0;

	for (int i = 0; i < NODES; i++) {
		nodes[i] = (struct heap_node){ .key = next_number() % 500 };
		heap_insert(&h, &nodes[i]);
	}
	for (int i = 0; i < NODES; i++) {
		uint64_t key = take_first(&h);

		assert_true(key >= last);
		last = key;
	}
	assert_null(h.root);
}

/* Remove any node at any time, and compare with a plain search. */
static void test_any_node_may_leave(void **state)
{
	struct heap h = { 0 };

	for (int i = 0; i < NODES; i++)
		nodes[i] = (struct heap_node){ 0 };
	for (int step = 0; step < 20000; step++) {
		struct heap_node *n = &nodes[next_number() % 64];
		uint64_t least = UINT64_MAX;

		if (heap_has(n)) {
			heap_remove(&h, n);
		} else {
			n->key = next_number();
			heap_insert(&h, n);
		}
		for (int i = 0; i < 64; i++)
			if (heap_has(&nodes[i]) && nodes[i].key < least)
				least = nodes[i].key;
		if (least == UINT64_MAX)
			assert_null(h.root);
		else
			assert_int_equal(h.root->key, least);
	}
}

static void test_removing_twice_is_allowed(void **state)
{
	struct heap h = { 0 };
	struct heap_node a = { .key = 1 }, b = { .key = 2 };

	heap_insert(&h, &a);
	heap_insert(&h, &b);
	heap_remove(&h, &a);
	heap_remove(&h, &a);
	assert_false(heap_has(&a));
	assert_ptr_equal(h.root, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_keys_in_order),
		cmocka_unit_test(test_any_node_may_leave),
		cmocka_unit_test(test_removing_twice_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
