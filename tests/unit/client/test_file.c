/* SPDX-License-Identifier: Apache-2.0 */
/* test_file.c - private files are private, whole, and never overwritten */

#include "base/file.h"
#include "client/identity.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/paravox-test-file.XXXXXX";
static char path[256];

static int make_folder(void **state)
{
	log_init("test", LOG_LEVEL_ERROR);
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static const char *named(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int read_it(const char *name, size_t *bytes)
{
	char data[16];

	return file_read_private(named(name), data, sizeof(data), bytes);
}

static void test_what_is_written_is_read_back(void **state)
{
	char data[16];
	size_t bytes;
	struct stat st;

	assert_int_equal(file_create_private(named("whole"), "abc", 3), 0);
	assert_int_equal(file_read_private(path, data, sizeof(data), &bytes),
			 0);
	assert_int_equal(bytes, 3);
	assert_memory_equal(data, "abc", 3);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
}

static void test_nothing_is_overwritten(void **state)
{
	char data[16];
	size_t bytes;

	assert_int_equal(file_create_private(named("kept"), "old", 3), 0);
	assert_int_equal(file_create_private(path, "new", 3), -EEXIST);
	file_read_private(path, data, sizeof(data), &bytes);
	assert_memory_equal(data, "old", 3);
}

static void test_a_file_open_to_others_is_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0677 };
	size_t bytes;

	assert_int_equal(file_create_private(named("open"), "abc", 3), 0);
	assert_int_equal(read_it("open", &bytes), 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		assert_int_equal(chmod(named("open"), modes[i]), 0);
		assert_int_equal(read_it("open", &bytes),
				 FILE_IS_OPEN_TO_OTHERS);
	}
	assert_non_null(strstr(file_explain(FILE_IS_OPEN_TO_OTHERS), "chmod"));
}

static void test_links_fifos_and_folders_are_refused(void **state)
{
	char target[300];
	size_t bytes;

	assert_int_equal(file_create_private(named("target"), "abc", 3), 0);
	snprintf(target, sizeof(target), "%s", path);
	assert_int_equal(symlink(target, named("symlink")), 0);
	assert_int_equal(read_it("symlink", &bytes), -ELOOP);
	assert_int_equal(mkfifo(named("fifo"), 0600), 0);
	assert_int_equal(read_it("fifo", &bytes), FILE_IS_NOT_REGULAR);
	assert_int_equal(mkdir(named("dir"), 0700), 0);
	assert_int_equal(read_it("dir", &bytes), FILE_IS_NOT_REGULAR);
	assert_int_equal(read_it("absent", &bytes), -ENOENT);
}

static void test_a_file_above_the_room_is_refused(void **state)
{
	size_t bytes;

	file_create_private(named("fits"), "0123456789abcdef", 16);
	assert_int_equal(read_it("fits", &bytes), 0);
	file_create_private(named("large"), "0123456789abcdefg", 17);
	assert_int_equal(read_it("large", &bytes), FILE_IS_TOO_LARGE);
}

static void test_another_users_file_is_refused(void **state)
{
	size_t bytes;

	if (geteuid() != 0)
		skip(); /* only root can make such a file */
	file_create_private(named("others"), "abc", 3);
	assert_int_equal(chown(path, 1, (gid_t)-1), 0);
	assert_int_equal(read_it("others", &bytes), FILE_IS_ANOTHERS);
}

static void test_identity_stays_the_same(void **state)
{
	struct secret first, again;
	bool is_new;

	assert_int_equal(identity_load_at(&first, &is_new, named("id")), 0);
	assert_true(is_new);
	assert_int_equal(identity_load_at(&again, &is_new, named("id")), 0);
	assert_false(is_new);
	assert_memory_equal(&first, &again, sizeof(first));
	assert_int_equal(identity_load_at(&again, &is_new, named("id2")), 0);
	assert_memory_not_equal(&first, &again, sizeof(first));
}

static void test_damaged_identity_is_refused_and_kept(void **state)
{
	char text[128], changed[128];
	struct secret seed;
	size_t bytes;
	bool is_new;

	assert_int_equal(identity_load_at(&seed, &is_new, named("id3")), 0);
	assert_int_equal(file_read_private(path, text, sizeof(text), &bytes),
			 0);
	for (size_t i = 0; i < bytes; i++) {
		memcpy(changed, text, bytes);
		changed[i] = changed[i] == 'A' ? 'B' : 'A';
		unlink(named("id4"));
		file_create_private(named("id4"), changed, bytes);
		log_init("test", -1); /* the message is not what is tested */
		assert_true(identity_load_at(&seed, &is_new, path) < 0);
		assert_false(is_new);
	}
	file_create_private(named("id5"), text, bytes - 1);
	assert_true(identity_load_at(&seed, &is_new, path) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_read_back),
		cmocka_unit_test(test_nothing_is_overwritten),
		cmocka_unit_test(test_a_file_open_to_others_is_refused),
		cmocka_unit_test(test_links_fifos_and_folders_are_refused),
		cmocka_unit_test(test_a_file_above_the_room_is_refused),
		cmocka_unit_test(test_another_users_file_is_refused),
		cmocka_unit_test(test_identity_stays_the_same),
		cmocka_unit_test(test_damaged_identity_is_refused_and_kept),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
