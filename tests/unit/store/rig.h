/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - a store in a folder of its own, for a test */
#ifndef PVX_TEST_STORE_RIG_H
#define PVX_TEST_STORE_RIG_H

#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MANY 400

extern char folder[64];
extern struct store *store;
extern struct store_limits limits; /* of the next open_store() */

int setup(void **state);
int teardown(void **state);
#define STORE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

void open_store(void);
void reopen_store(void);
void remove_files(void);

/* Serve the store until that is true. */
void wait_told(bool *is_told);

/* What a test puts: messages of one sender's chain. */
struct put {
	struct store_put put;
	struct store_message messages[MANY];
	uint8_t ids[3][STORE_ID_BYTES];
	uint8_t envelopes[MANY][16];
	bool is_told;
};
extern struct put shared;

/* Messages of a room, whose ids are made of that one byte each. */
void fill(struct put *p, uint8_t room, uint8_t chain, uint64_t first,
	  size_t count);
/* Put them, and wait; the put is `shared`. */
struct put *put(uint8_t room, uint8_t chain, uint64_t first, size_t count);
struct put *must_put(uint8_t room, uint8_t chain, uint64_t first, size_t count);

/* What a test reads. */

struct get {
	struct store_read read;
	uint8_t room[STORE_ID_BYTES];
	uint64_t sequences[MANY];
	char envelopes[MANY][16];
	size_t count;
	size_t most;
	bool is_told;
};

/* Overwritten by the next call. */
struct get *get(uint8_t room, enum store_read_from how, uint64_t from,
		uint64_t to, size_t most);
struct get *get_all(uint8_t room);

/* A number out of the file, past the store. */
int64_t ask(const char *sql);

#endif
