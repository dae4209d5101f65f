/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c - what is put is numbered, kept once, read again, forgotten */

#include "store/store.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define WAIT_MS 30000
#define MANY    400

static char folder[64];
static struct store *store;
static struct store_limits limits;

static void open_store(void)
{
	assert_int_equal(store_open(&store, folder, &limits), 0);
}

static void reopen_store(void)
{
	store_close(store);
	open_store();
}

static int setup(void **state)
{
	strcpy(folder, "/tmp/test_store.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	memset(&limits, 0, sizeof(limits));
	return store_open(&store, folder, &limits);
}

static void remove_files(void)
{
	static const char *const names[] = { "history.sqlite",
					     "history.sqlite-wal",
					     "history.sqlite-shm",
					     "history.lock" };

	for (size_t i = 0; i < 4; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
}

static int teardown(void **state)
{
	store_close(store);
	store = NULL;
	remove_files();
	return rmdir(folder);
}

static void wait_told(bool *is_told)
{
	while (!*is_told) {
		struct pollfd ready = { .fd = store_fd(store),
					.events = POLLIN };

		assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
		store_serve(store);
	}
}

/* What a test puts: messages of one sender's chain. */
struct put {
	struct store_put put;
	struct store_message messages[MANY];
	uint8_t ids[3][STORE_ID_BYTES];
	uint8_t envelopes[MANY][16];
	bool is_told;
};

static void on_put(struct store_put *put)
{
	list_entry(put, struct put, put)->is_told = true;
}

static void fill(struct put *p, uint8_t room, uint8_t chain, uint64_t first,
		 size_t count)
{
	memset(p, 0, sizeof(*p));
	list_init(&p->put.link);
	memset(p->ids[0], room, STORE_ID_BYTES);
	memset(p->ids[1], 0xaa, STORE_ID_BYTES);
	memset(p->ids[2], chain, STORE_ID_BYTES);
	p->put.room = p->ids[0];
	p->put.era = 7;
	p->put.messages = p->messages;
	p->put.count = count;
	p->put.on_done = on_put;
	for (size_t i = 0; i < count; i++) {
		snprintf((char *)p->envelopes[i], 16, "%02x/%02x/%llu", room,
			 chain, (unsigned long long)(first + i));
		p->messages[i] = (struct store_message){
			.sender = p->ids[1],
			.chain = p->ids[2],
			.generation = first + i,
			.envelope = p->envelopes[i],
			.bytes = 16,
		};
	}
}

static struct put shared;

static struct put *put(uint8_t room, uint8_t chain, uint64_t first,
		       size_t count)
{
	fill(&shared, room, chain, first, count);
	store_put(store, &shared.put);
	wait_told(&shared.is_told);
	return &shared;
}

static struct put *must_put(uint8_t room, uint8_t chain, uint64_t first,
			    size_t count)
{
	struct put *p = put(room, chain, first, count);

	assert_int_equal(p->put.error, 0);
	return p;
}

struct get {
	struct store_read read;
	uint8_t room[STORE_ID_BYTES];
	uint64_t sequences[MANY];
	char envelopes[MANY][16];
	size_t count;
	size_t most;
	bool is_told;
};

static bool take(struct store_read *read, uint64_t sequence,
		 const uint8_t *envelope, size_t bytes)
{
	struct get *g = list_entry(read, struct get, read);

	if (g->count == g->most || bytes != 16)
		return false;
	g->sequences[g->count] = sequence;
	memcpy(g->envelopes[g->count++], envelope, 16);
	return true;
}

static void on_read(struct store_read *read)
{
	list_entry(read, struct get, read)->is_told = true;
}

static struct get *get(uint8_t room, enum store_read_from how, uint64_t from,
		       uint64_t to, size_t most)
{
	static struct get g;

	memset(&g, 0, sizeof(g));
	list_init(&g.read.link);
	memset(g.room, room, STORE_ID_BYTES);
	g.read.room = g.room;
	g.read.how = how;
	g.read.from = from;
	g.read.to = to;
	g.read.take = take;
	g.read.on_done = on_read;
	g.most = most;
	store_read(store, &g.read);
	wait_told(&g.is_told);
	return &g;
}

static struct get *get_all(uint8_t room)
{
	struct get *g = get(room, STORE_FROM_SEQUENCE, 1, UINT64_MAX, MANY);

	assert_int_equal(g->read.error, 0);
	return g;
}

/* A number out of the file, past the store. */
static int64_t ask(const char *sql)
{
	sqlite3_stmt *query = NULL;
	sqlite3 *db = NULL;
	char path[128];
	int64_t number;

	snprintf(path, sizeof(path), "%s/history.sqlite", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, WAIT_MS);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &query, NULL),
			 SQLITE_OK);
	number = sqlite3_step(query) == SQLITE_ROW
			 ? sqlite3_column_int64(query, 0)
			 : -1;
	sqlite3_finalize(query);
	sqlite3_close(db);
	return number;
}

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

static void test_a_room_forgets_by_count(void **state)
{
	struct get *g;

	limits.room_messages = 10;
	reopen_store();
	for (uint64_t i = 0; i < 50; i++)
		must_put(1, (uint8_t)(i / 10), i, 1);
	must_put(2, 1, 0, 5);
	g = get_all(1);
	assert_int_equal(g->read.first, 41);
	assert_int_equal(g->read.last, 50);
	assert_int_equal(g->count, 10);
	assert_int_equal(get_all(2)->count, 5);
	/* Chains of which nothing is left are gone, others are not. */
	assert_int_equal(ask("SELECT count(*) FROM chain"), 2);
	assert_int_equal(ask("SELECT bytes FROM room WHERE number = 1"),
			 10 * (16 + STORE_ROW_BYTES));
}

static void test_a_room_forgets_by_bytes(void **state)
{
	limits.room_bytes = 10 * (16 + STORE_ROW_BYTES);
	reopen_store();
	must_put(1, 1, 0, 5);
	for (uint64_t i = 5; i < 50; i++)
		must_put(1, 1, i, 1);
	assert_int_equal(get_all(1)->count, 10);
	assert_int_equal(get_all(1)->read.first, 41);
}

static void test_a_bound_that_was_lowered_is_met_in_time(void **state)
{
	must_put(1, 1, 0, MANY);
	limits.room_messages = 1;
	reopen_store();
	must_put(1, 1, MANY, 1);
	for (int i = 0; i < 300 && get_all(1)->count > 1; i++)
		usleep(50000);
	assert_int_equal(get_all(1)->read.first, MANY + 1);
}

static void test_the_largest_room_gives_for_all(void **state)
{
	limits.total_bytes = 100 * (16 + STORE_ROW_BYTES);
	reopen_store();
	must_put(1, 1, 0, 10);
	for (uint64_t i = 0; i < 300; i += 10)
		must_put(2, 1, i, 10);
	assert_int_equal(get_all(1)->count, 10);
	assert_in_range(get_all(2)->count, 60, 90);
	assert_int_equal(get_all(2)->read.last, 300);
}

/* Room `room` of more than a byte has numbers for. */
static struct put *put_in(unsigned int room, uint64_t first)
{
	fill(&shared, (uint8_t)room, 1, first, 1);
	memset(shared.ids[0] + 1, (int)(room >> 8), 1);
	store_put(store, &shared.put);
	wait_told(&shared.is_told);
	return &shared;
}

static void test_a_room_for_each_message_is_bounded_too(void **state)
{
	limits.total_bytes = 20 * (16 + STORE_ROW_BYTES);
	reopen_store();
	for (unsigned int i = 0; i < 100; i++)
		assert_int_equal(put_in(i, 0)->put.error, 0);
	assert_in_range(ask("SELECT count(*) FROM message"), 15, 20);
	assert_int_equal(ask("SELECT sum(bytes) FROM room"),
			 ask("SELECT count(*) FROM message") *
				 (16 + STORE_ROW_BYTES));
}

static void test_many_rooms_do_not_hide_what_is_aged(void **state)
{
	for (unsigned int i = 0; i < 600; i++)
		assert_int_equal(put_in(i, 0)->put.error, 0);
	store_close(store);
	ask("UPDATE message SET time_ms = 1 WHERE key ="
	    " (SELECT max(key) FROM message)");
	limits.age_ms = 3600 * 1000;
	open_store();
	for (int i = 0; i < 300; i++) {
		if (ask("SELECT count(*) FROM message") == 599)
			return;
		usleep(50000);
	}
	fail();
}

/* Else the keys of its messages were those of another room's. */
static void test_a_room_too_many_is_refused_alone(void **state)
{
	static struct put puts[2];

	must_put(1, 1, 0, 1);
	store_close(store);
	ask("UPDATE room SET number = 8388607");
	open_store();
	fill(&puts[0], 2, 1, 0, 1);
	fill(&puts[1], 1, 1, 1, 1);
	for (int i = 0; i < 2; i++)
		store_put(store, &puts[i].put);
	for (int i = 0; i < 2; i++)
		wait_told(&puts[i].is_told);
	assert_int_equal(puts[0].put.error, -EUSERS);
	assert_int_equal(puts[1].put.error, 0);
	assert_int_equal(put(2, 1, 1, 1)->put.error, -EUSERS);
	assert_int_equal(get_all(2)->count, 0);
}

static void test_a_room_forgets_by_age(void **state)
{
	must_put(1, 1, 0, 100);
	must_put(2, 1, 0, 1);
	limits.age_ms = 1000;
	reopen_store();
	for (int i = 0; i < 300 && get_all(1)->count; i++)
		usleep(50000);
	for (int i = 0; i < 300 && get_all(2)->count; i++)
		usleep(50000);
	assert_int_equal(get_all(1)->count, 0);
	assert_int_equal(get_all(1)->read.first, 101);
	assert_int_equal(ask("SELECT count(*) FROM message"), 0);
	assert_int_equal(ask("SELECT count(*) FROM chain"), 0);
	/* The numbers go on. */
	assert_int_equal(must_put(1, 2, 0, 1)->messages[0].sequence, 101);
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

#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

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
		STORE_TEST(test_a_room_forgets_by_count),
		STORE_TEST(test_a_room_forgets_by_bytes),
		STORE_TEST(test_a_bound_that_was_lowered_is_met_in_time),
		STORE_TEST(test_the_largest_room_gives_for_all),
		STORE_TEST(test_a_room_for_each_message_is_bounded_too),
		STORE_TEST(test_many_rooms_do_not_hide_what_is_aged),
		STORE_TEST(test_a_room_too_many_is_refused_alone),
		STORE_TEST(test_a_room_forgets_by_age),
		STORE_TEST(test_a_time_finds_the_first_message_since),
		STORE_TEST(test_two_relays_do_not_share_a_store),
		STORE_TEST(test_another_ones_database_is_refused),
		STORE_TEST(test_a_newer_version_is_refused),
		STORE_TEST(test_what_is_no_database_is_refused),
		STORE_TEST(test_a_store_that_is_gone_is_made_again),
		STORE_TEST(test_what_is_gone_is_not_read_again),
		STORE_TEST(test_what_is_asked_at_the_end_is_told),
		STORE_TEST(test_only_the_owner_may_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
