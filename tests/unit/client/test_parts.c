/* SPDX-License-Identifier: Apache-2.0 */
/* test_parts.c - roster, keys, addresses, the table of commands */

#include "client/address.h"
#include "client/command.h"
#include "client/keys.h"
#include "client/roster.h"

#include "base/bytes.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static uint8_t key_a[CHAT_KEY_BYTES] = "a", key_b[CHAT_KEY_BYTES] = "b",
	       key_c[CHAT_KEY_BYTES] = "c";

static void test_roster_counts_who_is_present(void **state)
{
	struct roster roster = { 0 };

	assert_int_equal(roster_add(&roster, key_a), 1);
	assert_int_equal(roster_add(&roster, key_a), 0);
	assert_int_equal(roster_add(&roster, key_b), 1);
	assert_int_equal(roster.present, 2);
	assert_int_equal(roster_remove(&roster, key_c), 0);
	assert_int_equal(roster_remove(&roster, key_a), 1);
	assert_int_equal(roster_remove(&roster, key_a), 0);
	assert_false(roster_has(&roster, key_a));
	assert_true(roster_has(&roster, key_b));
	roster_deinit(&roster);
	assert_int_equal(roster.present, 0);
	roster_deinit(&roster);
}

static void test_a_device_is_met_once_each_time_it_comes(void **state)
{
	struct roster roster = { 0 };

	assert_false(roster_meet(&roster, key_a)); /* the relay hides it */
	roster_add(&roster, key_a);
	assert_true(roster_meet(&roster, key_a));
	assert_false(roster_meet(&roster, key_a));
	roster_restart(&roster);
	roster_add(&roster, key_a);
	assert_false(roster_meet(&roster, key_a));
	roster_remove(&roster, key_a);
	roster_add(&roster, key_a);
	assert_true(roster_meet(&roster, key_a));
	roster_deinit(&roster);
}

static void count_one(void *owner, const uint8_t key[CHAT_KEY_BYTES])
{
	++*(unsigned int *)owner;
}

static void test_after_a_restart_the_roster_awaits_who_was_there(void **state)
{
	struct roster roster = { 0 };
	unsigned int told = 0;

	roster_add(&roster, key_a);
	roster_add(&roster, key_b);
	roster_restart(&roster);
	assert_int_equal(roster.present, 0);
	assert_int_equal(roster.awaited, 2);
	assert_false(roster_has(&roster, key_a));
	assert_int_equal(roster_add(&roster, key_a), 2);
	assert_int_equal(roster_add(&roster, key_c), 1);
	assert_int_equal(roster.awaited, 1);
	roster_restart(&roster); /* lost again before all were back */
	assert_int_equal(roster.awaited, 3);
	roster_add(&roster, key_a);
	roster_forget(&roster, count_one, &told);
	assert_int_equal(told, 2);
	assert_int_equal(roster.awaited, 0);
	assert_int_equal(roster.present, 1);
	roster_deinit(&roster);
}

static void test_who_came_after_us_or_was_heard_owes_all(void **state)
{
	struct roster roster = { 0 };

	roster_add(&roster, key_a);
	roster.is_live = true;
	roster_add(&roster, key_b);
	assert_false(roster_owes_all(&roster, key_a)); /* was there before */
	assert_true(roster_owes_all(&roster, key_b));  /* came after us */
	assert_true(roster_owes_all(&roster, key_c));  /* is kept from us */
	roster_hear(&roster, key_a);
	roster_hear(&roster, key_c);
	assert_true(roster_owes_all(&roster, key_a));
	roster_restart(&roster);
	roster_add(&roster, key_a);
	roster_add(&roster, key_b);
	assert_false(roster_owes_all(&roster, key_a));
	assert_false(roster_owes_all(&roster, key_b));
	roster_deinit(&roster);
}

static void test_the_roster_is_bounded(void **state)
{
	uint8_t key[CHAT_KEY_BYTES] = { 0 };
	struct roster roster = { 0 };
	int result = 0;

	for (uint32_t i = 0; result >= 0; i++) {
		bytes_put_be32(key, i);
		result = roster_add(&roster, key);
	}
	assert_int_equal(result, -ENOSPC);
	assert_int_equal(roster.present, ROSTER_MAX);
	roster_deinit(&roster);
}

/* Feed `in`; what is typed is collected, a paste as "<...>". */
static const char *fed(struct keys *keys, const char *in)
{
	static char out[256];
	size_t used = 0;

	for (; *in; in++) {
		enum keys_result result = keys_take(keys, (uint8_t)*in);

		if (result == KEYS_TYPED) {
			memcpy(out + used, keys->typed, keys->typed_bytes);
			used += keys->typed_bytes;
		} else if (result == KEYS_PASTED) {
			out[used++] = '<';
			memcpy(out + used, keys->paste, keys->paste_bytes);
			used += keys->paste_bytes;
			out[used++] = '>';
		}
	}
	out[used] = '\0';
	return out;
}

static void test_keys_pass_and_pastes_are_whole(void **state)
{
	static struct keys keys;

	assert_string_equal(fed(&keys, "abc\033[A\r"), "abc\033[A\r");
	assert_string_equal(fed(&keys, "x\033[200~a\rb\033[201~y"), "x<a\rb>y");
	assert_string_equal(fed(&keys, "\033[200~\033[201~"), "<>");
	/* What looks like a mark at first. */
	assert_string_equal(fed(&keys, "\033[20~\033[2;5~"),
			    "\033[20~\033[2;5~");
	assert_string_equal(fed(&keys, "\033[200~\033[20\033[201~"),
			    "<\033[20>");
	assert_string_equal(fed(&keys, "\033[200~\033[200~\033[201~"),
			    "<\033[200~>");
}

static void test_a_paste_is_bounded(void **state)
{
	static struct keys keys;

	assert_string_equal(fed(&keys, "\033[200~"), "");
	for (size_t i = 0; i < KEYS_PASTE_MAX + 10; i++)
		assert_int_equal(keys_take(&keys, 'x'), KEYS_NONE);
	for (const char *c = "\033[201"; *c; c++)
		keys_take(&keys, (uint8_t)*c);
	assert_int_equal(keys_take(&keys, '~'), KEYS_PASTED);
	assert_int_equal(keys.paste_bytes, KEYS_PASTE_MAX);
	assert_true(keys.is_cut);
}

static void resolves_to(const char *server, const char *expected)
{
	struct address_list addresses;
	char text[128];

	assert_int_equal(address_parse(&addresses, server), 0);
	assert_int_equal(addresses.count, 1);
	address_print(text, sizeof(text), (struct sockaddr *)&addresses.list[0],
		      addresses.bytes[0]);
	assert_string_equal(text, expected);
}

static void test_addresses_are_resolved(void **state)
{
	struct address_list addresses;

	resolves_to("127.0.0.1:7450", "127.0.0.1:7450");
	resolves_to("[::1]:80", "[::1]:80");
	resolves_to("unix:/run/x", "unix:/run/x");
	assert_int_equal(address_parse(&addresses, "127.0.0.1"), -EINVAL);
	assert_int_equal(address_parse(&addresses, "[::1]"), -EINVAL);
	assert_int_equal(address_parse(&addresses, ":80"), -EINVAL);
	assert_int_equal(address_parse(&addresses, "a.name:80"), -EAGAIN);
}

static void on_done(void *owner, int result,
		    const struct address_list *addresses)
{
	*(int *)owner = result ? result : (int)addresses->count;
}

static void test_names_are_resolved_aside(void **state)
{
	struct address_query *query;
	struct loop *loop;
	int result = 0;

	assert_int_equal(loop_create(&loop), 0);
	assert_int_equal(address_query_begin(&query, loop, "localhost:80",
					     on_done, &result),
			 0);
	for (int i = 0; i < 100 && !result; i++)
		assert_int_equal(loop_turn(loop, 100), 0);
	assert_in_range(result, 1, ADDRESS_MAX);
	loop_destroy(loop);
}

static void test_a_query_can_be_cancelled_at_any_time(void **state)
{
	struct address_query *query;
	struct loop *loop;
	int result = 0;

	assert_int_equal(loop_create(&loop), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(address_query_begin(&query, loop,
						     "localhost:80", on_done,
						     &result),
				 0);
		usleep((useconds_t)(i % 5) * 300);
		address_query_cancel(query);
		assert_int_equal(loop_turn(loop, 0), 0);
	}
	assert_int_equal(result, 0);
	usleep(50000); /* for the last thread, which frees its query */
	loop_destroy(loop);
}

static const struct arguments *last;
static struct arguments copy;

static int run_one(const struct arguments *arguments)
{
	copy = *arguments;
	last = &copy;
	return 10;
}

static int run_two(const struct arguments *arguments)
{
	copy = *arguments;
	last = &copy;
	return 20;
}

static const struct command table[] = {
	{ "go", "", "go", NULL,
	  OPTION_BIT(COUNT) | OPTION_BIT(JSON) | OPTION_BIT(ROOM),
	  OPTION_BIT(COUNT), 0, 0, run_one },
	{ "go far", "FILE", "go far", NULL, 0, 0, 1, 1, run_two },
	{ 0 },
};

static int dispatch(char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	last = NULL;
	return command_dispatch(table, argc, argv);
}

#define DISPATCH(...) dispatch((char *[]){ name, __VA_ARGS__, NULL })

static void test_the_table_dispatches(void **state)
{
	char name[] = "paravox", go[] = "go", far[] = "far", file[] = "file";
	char count[] = "--count", five[] = "5", json[] = "--json";
	char wrong[] = "--own", stay[] = "stay";

	assert_int_equal(DISPATCH(go, count, five, json), 10);
	assert_string_equal(last->value[OPTION_COUNT], "5");
	assert_string_equal(last->value[OPTION_JSON], "");
	assert_null(last->value[OPTION_ROOM]);
	assert_int_equal(DISPATCH(go, far, file), 20);
	assert_string_equal(last->operands[0], "file");
	/* Refused, and not run. */
	assert_int_equal(DISPATCH(go), EXIT_USAGE);
	assert_int_equal(DISPATCH(go, count), EXIT_USAGE);
	assert_int_equal(DISPATCH(go, count, five, wrong), EXIT_USAGE);
	assert_int_equal(DISPATCH(go, count, five, file), EXIT_USAGE);
	assert_int_equal(DISPATCH(go, far), EXIT_USAGE);
	assert_int_equal(DISPATCH(stay), EXIT_USAGE);
	assert_null(last);
}

static int quieten(void **state)
{
	int null = open("/dev/null", O_WRONLY);

	/* The usage that goes with each refusal is not what is tested. */
	log_init("test", LOG_LEVEL_ERROR);
	return null < 0 || dup2(null, STDERR_FILENO) < 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roster_counts_who_is_present),
		cmocka_unit_test(test_a_device_is_met_once_each_time_it_comes),
		cmocka_unit_test(
			test_after_a_restart_the_roster_awaits_who_was_there),
		cmocka_unit_test(test_who_came_after_us_or_was_heard_owes_all),
		cmocka_unit_test(test_the_roster_is_bounded),
		cmocka_unit_test(test_keys_pass_and_pastes_are_whole),
		cmocka_unit_test(test_a_paste_is_bounded),
		cmocka_unit_test(test_addresses_are_resolved),
		cmocka_unit_test(test_names_are_resolved_aside),
		cmocka_unit_test(test_a_query_can_be_cancelled_at_any_time),
		cmocka_unit_test_setup(test_the_table_dispatches, quieten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
