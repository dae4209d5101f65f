/* SPDX-License-Identifier: Apache-2.0 */
/* test_list.c - the intrusive list */

#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

struct item {
	int value;
	struct list link;
};

static int sum(struct list *head)
{
	int digits = 0;

	list_for_each (link, head)
		digits = digits * 10 +
			 list_entry(link, struct item, link)->value;
	return digits;
}

static void test_keeps_order(void **state)
{
	struct item a = { 1 }, b = { 2 }, c = { 3 };
	struct list head;

	list_init(&head);
	assert_true(list_is_empty(&head));
	list_append(&head, &a.link);
	list_append(&head, &b.link);
	list_append(&head, &c.link);
	assert_int_equal(sum(&head), 123);
	list_remove(&b.link);
	list_remove(&b.link); /* twice is allowed */
	assert_int_equal(sum(&head), 13);
}

static void test_safe_walk_allows_removal(void **state)
{
	struct item items[4];
	struct list head;

	list_init(&head);
	for (int i = 0; i < 4; i++) {
		items[i].value = i + 1;
		list_append(&head, &items[i].link);
	}
	list_for_each_safe (link, &head)
		if (list_entry(link, struct item, link)->value % 2)
			list_remove(link);
	assert_int_equal(sum(&head), 24);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_order),
		cmocka_unit_test(test_safe_walk_allows_removal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
