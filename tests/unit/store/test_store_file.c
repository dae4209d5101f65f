/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_file.c - a file that is damaged, gone, or another's */

#include "rig.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_two_relays_do_not_share_a_store(void **state)
{
	struct store *other;

	assert_int_equal(store_open(&other, folder, &limits), -EBUSY);
	assert_null(other);
}

static void spoil(const char *sql, int wanted)
{
	store_close(store);
	store = NULL;
	ask(sql);
	assert_int_equal(store_open(&store, folder, &limits), wanted);
}

static void test_another_ones_database_is_refused(void **state)
{
	spoil("PRAGMA application_id = 5", -EBADMSG);
}

static void test_a_newer_version_is_refused(void **state)
{
	spoil("PRAGMA user_version = 2", -ENOTSUP);
}

static void test_what_is_no_database_is_refused(void **state)
{
	char path[128];
	FILE *file;

	store_close(store);
	store = NULL;
	remove_files();
	snprintf(path, sizeof(path), "%s/history.sqlite", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 5000; i++)
		fputs("no database", file);
	fclose(file);
	assert_int_equal(store_open(&store, folder, &limits), -EBADMSG);
}

static void test_a_store_that_is_gone_is_made_again(void **state)
{
	struct put *p;

	must_put(1, 1, 0, 5);
	remove_files();
	fill(&shared, 1, 1, 5, 1);
	shared.put.last = 5;
	store_put(store, &shared.put);
	wait_told(&shared.is_told);
	p = &shared;
	assert_int_equal(p->put.error, 0);
	assert_int_equal(p->messages[0].sequence, 6); /* its owner knew */
	assert_int_equal(get_all(1)->count, 1);
	assert_int_equal(get_all(1)->read.first, 6);
}

/* The owner knows of messages that this file never had: a read for them must
 * not be one to go on with, or he would ask for ever. */
static void test_what_is_gone_is_not_read_again(void **state)
{
	must_put(1, 1, 0, 5);
	assert_int_equal(get(1, STORE_FROM_SEQUENCE, 2, 8, MANY)->read.next, 9);
	assert_int_equal(get(1, STORE_FROM_SEQUENCE, 7, 8, MANY)->read.next, 9);
	remove_files();
	must_put(2, 1, 0, 1);
	assert_int_equal(get(1, STORE_FROM_SEQUENCE, 1, 5, MANY)->read.next, 6);
}

static void test_only_the_owner_may_read_it(void **state)
{
	struct stat status;
	char path[128];

	must_put(1, 1, 0, 1);
	snprintf(path, sizeof(path), "%s/history.sqlite", folder);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	strcat(path, "-wal");
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

/* Damage in the rows of room 1 alone: they can be neither added to nor taken
 * away. */
static void damage_room_1(void)
{
	store_close(store);
	ask("CREATE TRIGGER damage BEFORE INSERT ON message"
	    " WHEN new.key >> 40 = 1"
	    " BEGIN SELECT raise(ABORT, 'damage'); END");
	ask("CREATE TRIGGER damage_too BEFORE DELETE ON message"
	    " WHEN old.key >> 40 = 1"
	    " BEGIN SELECT raise(ABORT, 'damage'); END");
	open_store();
}

static void put_all(struct put *puts, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		fill(&puts[i], (uint8_t)(i % 3 + 1), 1, 100 + i / 3, 1);
		store_put(store, &puts[i].put);
	}
	for (unsigned int i = 0; i < count; i++)
		wait_told(&puts[i].is_told);
}

static void test_a_damaged_room_stops_nobody_else(void **state)
{
	static struct put puts[60];

	must_put(1, 1, 0, 5);
	must_put(2, 1, 0, 5);
	damage_room_1();
	put_all(puts, 60);
	for (int i = 0; i < 60; i++)
		assert_int_equal(puts[i].put.error, i % 3 ? 0 : -EBADMSG);
	assert_int_equal(get_all(1)->count, 5);
	assert_int_equal(get_all(2)->count, 25);
	assert_int_equal(get_all(3)->count, 20);
	/* Numbers are dense where nothing is damaged. */
	assert_int_equal(puts[58].messages[0].sequence, 25);
	assert_int_equal(puts[59].messages[0].sequence, 20);
}

static void test_a_damaged_room_need_not_give_for_others(void **state)
{
	limits.total_bytes = 50 * (16 + STORE_ROW_BYTES);
	reopen_store();
	must_put(1, 1, 0, 40);
	damage_room_1();
	for (uint64_t i = 0; i < 60; i++)
		must_put(2, 1, i, 1);
	assert_int_equal(get_all(1)->count, 40);
	assert_in_range(get_all(2)->count, 1, 20);
}

static void test_a_damaged_room_does_not_stop_the_sweep(void **state)
{
	must_put(2, 1, 0, 5); /* swept before it */
	must_put(1, 1, 0, 5);
	must_put(3, 1, 0, 5); /* and behind it */
	store_close(store);
	ask("CREATE TRIGGER damage BEFORE DELETE ON message"
	    " WHEN old.key >> 40 = 2"
	    " BEGIN SELECT raise(ABORT, 'damage'); END");
	ask("UPDATE message SET time_ms = 1");
	limits.age_ms = 3600 * 1000;
	open_store();
	for (int i = 0; i < 600; i++) {
		if (ask("SELECT count(*) FROM message") == 5)
			break;
		usleep(50000);
	}
	assert_int_equal(get_all(1)->count, 5);
	assert_int_equal(get_all(2)->count, 0);
	assert_int_equal(get_all(3)->count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(test_two_relays_do_not_share_a_store),
		STORE_TEST(test_another_ones_database_is_refused),
		STORE_TEST(test_a_newer_version_is_refused),
		STORE_TEST(test_what_is_no_database_is_refused),
		STORE_TEST(test_a_store_that_is_gone_is_made_again),
		STORE_TEST(test_what_is_gone_is_not_read_again),
		STORE_TEST(test_only_the_owner_may_read_it),
		STORE_TEST(test_a_damaged_room_stops_nobody_else),
		STORE_TEST(test_a_damaged_room_need_not_give_for_others),
		STORE_TEST(test_a_damaged_room_does_not_stop_the_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
