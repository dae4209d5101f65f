/* SPDX-License-Identifier: Apache-2.0 */
/* sessions.h - what the tests of crypto sessions share */
#ifndef PVX_TESTS_SESSIONS_H
#define PVX_TESTS_SESSIONS_H

#include "cryptsess.h"

/* Exit status of a skipped program: TAP itself says that it is. */
#define TEST_SKIPPED 0

/*
 * Open the provider named by the first argument, "openssl" without one. Exits
 * with TEST_SKIPPED and the reason when it is not on this machine, and with 1
 * for an unknown name.
 */
struct cryptsess_provider *test_provider_open(int argc, char **argv);

/*
 * A session with keys made from the algorithms' longest key: an AES key of 32
 * bytes, say. NULL when the provider lacks one of them (the caller skips);
 * anything else that fails ends the program.
 */
struct cryptsess *test_session_open(struct cryptsess_provider *provider,
				    uint32_t cipher, uint32_t mac);

/* A small generator, so that a failure can be repeated. */
struct test_random {
	uint64_t state;
};

uint32_t test_random_below(struct test_random *random, uint32_t bound);
void test_random_fill(struct test_random *random, void *to, size_t bytes);

/* A buffer in pieces: borrowed memory, cut at random places. Some pieces are
 * empty. */
#define TEST_PIECES_MAX 512
struct test_pieces {
	struct iovec list[TEST_PIECES_MAX];
	unsigned int count;
};

void test_pieces_one(struct test_pieces *p, const void *data, size_t bytes);
/* largest_bytes 1 makes pieces of one byte, as far as the list goes. */
void test_pieces_cut(struct test_pieces *p, const void *data, size_t bytes,
		     size_t largest_bytes, struct test_random *random);

#endif
