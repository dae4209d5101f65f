/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c - a store in a folder of its own, for a test */

#include "rig.h"

#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 30000

char folder[64];
struct store *store;
struct store_limits limits;

void open_store(void)
{
	assert_int_equal(store_open(&store, folder, &limits), 0);
}

void reopen_store(void)
{
	store_close(store);
	open_store();
}

int setup(void **state)
{
	strcpy(folder, "/tmp/test_store.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	memset(&limits, 0, sizeof(limits));
	return store_open(&store, folder, &limits);
}

void remove_files(void)
{
	static const char *const names[] = {
		"history.sqlite", "history.sqlite-wal", "history.sqlite-shm",
		"history.lock", "history.reserve"
	};

	for (size_t i = 0; i < 5; i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
}

int teardown(void **state)
{
	store_close(store);
	store = NULL;
	remove_files();
	return rmdir(folder);
}

void wait_told(bool *is_told)
{
	while (!*is_told) {
		struct pollfd ready = { .fd = store_fd(store),
					.events = POLLIN };

		assert_int_equal(poll(&ready, 1, WAIT_MS), 1);
		store_serve(store);
	}
}

static void on_put(struct store_put *put)
{
	list_entry(put, struct put, put)->is_told = true;
}

void fill(struct put *p, uint8_t room, uint8_t chain, uint64_t first,
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

struct put shared;

struct put *put(uint8_t room, uint8_t chain, uint64_t first, size_t count)
{
	fill(&shared, room, chain, first, count);
	store_put(store, &shared.put);
	wait_told(&shared.is_told);
	return &shared;
}

struct put *must_put(uint8_t room, uint8_t chain, uint64_t first, size_t count)
{
	struct put *p = put(room, chain, first, count);

	assert_int_equal(p->put.error, 0);
	return p;
}

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

struct get *get(uint8_t room, enum store_read_from how, uint64_t from,
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

struct get *get_all(uint8_t room)
{
	struct get *g = get(room, STORE_FROM_SEQUENCE, 1, UINT64_MAX, MANY);

	assert_int_equal(g->read.error, 0);
	return g;
}

/* A number out of the file, past the store. */
int64_t ask(const char *sql)
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
