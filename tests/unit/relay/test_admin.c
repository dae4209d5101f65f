/* SPDX-License-Identifier: Apache-2.0 */
/* test_admin.c - who may command the relay, and which devices are banned */

#include "relay/admin.h"
#include "relay/ban.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static const uint8_t hash_key[16];
static const uint8_t alice[CHAT_KEY_BYTES] = { 0xa1 },
		     bob[CHAT_KEY_BYTES] = { 0xb0 };
static char folder[64], path[128];

static int setup(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/pvx-bans-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/bans", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)chmod(folder, 0700);
	(void)unlink(path);
	return rmdir(folder);
}

static void write_file(const char *text, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void test_owner_and_root_may_command(void **state)
{
	assert_true(admin_is_welcome(1000, 1000));
	assert_true(admin_is_welcome(0, 1000));
	assert_true(admin_is_welcome(0, 0));
	assert_false(admin_is_welcome(1000, 0));
	assert_false(admin_is_welcome(1001, 1000));
	assert_false(admin_is_welcome((uid_t)-1, 1000));
}

static void test_bans_are_kept(void **state)
{
	struct bans bans = { NULL };

	assert_int_equal(bans_init(&bans, hash_key, path), 0);
	assert_false(bans_has(&bans, alice));
	assert_int_equal(bans_add(&bans, alice), 0);
	assert_int_equal(bans_add(&bans, alice), -EEXIST);
	assert_int_equal(bans_add(&bans, bob), 0);
	bans_deinit(&bans);
	assert_int_equal(bans_init(&bans, hash_key, path), 0);
	assert_true(bans_has(&bans, alice));
	assert_true(bans_has(&bans, bob));
	assert_int_equal(bans_remove(&bans, alice), 0);
	assert_int_equal(bans_remove(&bans, alice), -ENOENT);
	assert_false(bans_has(&bans, alice));
	bans_deinit(&bans);
	assert_int_equal(bans_init(&bans, hash_key, path), 0);
	assert_false(bans_has(&bans, alice));
	assert_true(bans_has(&bans, bob));
	bans_deinit(&bans);
}

static void test_without_a_file_bans_hold_until_the_end(void **state)
{
	struct bans bans = { NULL };

	assert_int_equal(bans_init(&bans, hash_key, NULL), 0);
	assert_int_equal(bans_add(&bans, alice), 0);
	assert_true(bans_has(&bans, alice));
	assert_false(bans_has(&bans, bob));
	bans_deinit(&bans);
	assert_false(bans_has(&bans, alice));
}

static void test_what_cannot_be_kept_does_not_hold(void **state)
{
	struct bans bans = { NULL };

	/* Its folder is not there, for root neither. */
	snprintf(path, sizeof(path), "%s/none/bans", folder);
	assert_int_equal(bans_init(&bans, hash_key, path), 0);
	assert_int_equal(bans_add(&bans, alice), -ENOENT);
	assert_false(bans_has(&bans, alice));
	bans_deinit(&bans);
	snprintf(path, sizeof(path), "%s/bans", folder);
}

static void test_a_strange_file_is_refused(void **state)
{
	static const char *const texts[] = { "hello\n", "a1\n", "\na1",
					     "a1b2" };
	struct bans bans = { NULL };

	write_file("", 0600);
	assert_int_equal(bans_init(&bans, hash_key, path), 0);
	bans_deinit(&bans);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(texts[i], 0600);
		assert_int_equal(bans_init(&bans, hash_key, path), -EINVAL);
		assert_null(bans.table);
	}
	write_file("", 0666); /* others could let anybody in */
	assert_int_equal(bans_init(&bans, hash_key, path), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner_and_root_may_command),
		cmocka_unit_test(test_bans_are_kept),
		cmocka_unit_test(test_without_a_file_bans_hold_until_the_end),
		cmocka_unit_test(test_what_cannot_be_kept_does_not_hold),
		cmocka_unit_test(test_a_strange_file_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
