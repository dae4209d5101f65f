/* SPDX-License-Identifier: Apache-2.0 */
/* test_pin.c - a relay is known by its key, however its address is written */

#include "client/pin.h"
#include "client/state.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static char folder[] = "/tmp/paravox-test-pin.XXXXXX";
static struct state *state;
static const uint8_t one[TLS_FINGERPRINT_BYTES] = { 1 };
static const uint8_t other[TLS_FINGERPRINT_BYTES] = { 2 };

static int setup(void **unused)
{
	char path[300];

	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/state", folder);
	return state_open(&state, path);
}

static int teardown(void **unused)
{
	char command[300];

	state_close(state);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void test_an_address_has_one_name(void **unused)
{
	static const char *const pairs[][2] = {
		{ "relay.example:7450", "relay.example:7450" },
		{ "Relay.EXAMPLE:7450", "relay.example:7450" },
		{ "relay.example.:7450", "relay.example:7450" },
		{ "plain:Relay.example.:7450", "relay.example:7450" },
		{ "relay.example:7451", "relay.example:7451" },
		{ "127.0.0.1:7450", "127.0.0.1:7450" },
		{ "[::1]:7450", "[::1]:7450" },
		{ "[0:0:0:0::0001]:7450", "[::1]:7450" },
		{ "[2001:DB8::A]:1", "[2001:db8::a]:1" },
		{ ".:1", ".:1" },
		{ "unix:/Run/X.", "unix:/Run/X." },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char name[PIN_NAME_ROOM];

		pin_name(name, pairs[i][0]);
		assert_string_equal(name, pairs[i][1]);
	}
}

/* What is known of the server, and what becomes of a key that it shows. */
static int judge(const char *server, const uint8_t *shown)
{
	struct pin pin;

	assert_int_equal(pin_find(&pin, state, server, NULL, NULL), 0);
	return pin_judge(&pin, state, server, shown);
}

static void test_another_writing_is_no_first_contact(void **unused)
{
	assert_int_equal(judge("a.example:1", one), PIN_IS_FIRST);
	assert_int_equal(judge("A.example.:1", one), PIN_HOLDS);
	assert_int_equal(judge("A.Example:1", other), PIN_DIFFERS);
	assert_int_equal(judge("a.example:2", other), PIN_IS_FIRST);
	assert_int_equal(judge("[::0001]:1", one), PIN_IS_FIRST);
	assert_int_equal(judge("[0::1]:1", other), PIN_DIFFERS);
}

static void test_another_writing_is_not_talked_to_in_the_clear(void **unused)
{
	struct pin pin;

	assert_int_equal(judge("b.example:1", one), PIN_IS_FIRST);
	assert_int_equal(
		pin_find(&pin, state, "plain:B.example.:1", NULL, NULL),
		-EACCES);
}

static void test_what_an_older_version_kept_holds(void **unused)
{
	assert_int_equal(state_server_set(state, "Old.example.:1", one), 0);
	assert_int_equal(judge("Old.example.:1", one), PIN_HOLDS);
	assert_int_equal(judge("Old.example.:1", other), PIN_DIFFERS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_has_one_name),
		cmocka_unit_test(test_another_writing_is_no_first_contact),
		cmocka_unit_test(
			test_another_writing_is_not_talked_to_in_the_clear),
		cmocka_unit_test(test_what_an_older_version_kept_holds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
