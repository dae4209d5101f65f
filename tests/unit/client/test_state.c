/* SPDX-License-Identifier: Apache-2.0 */
/* test_state.c - what is remembered is merged, durable and private */

#include "client/pin.h"
#include "client/state.h"

#include "base/file.h"
#include "e2ee/room.h"

#include <errno.h>
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

/* Two rooms of one secret: what one seals the other remembers in rows. */
static char folder[] = "/tmp/paravox-test-state.XXXXXX";
static char path[256];
static struct cryptsess_provider *provider;
static struct e2ee_room *alice, *bob;
static const struct secret secret = { { 1 } };
static const struct secret seed_a = { { 2 } }, seed_b = { { 3 } };

static int setup(void **state)
{
	char command[300];

	if (!provider) {
		if (!mkdtemp(folder) ||
		    cryptsess_provider_open(&provider, "openssl", NULL, 0))
			return -1;
	}
	snprintf(command, sizeof(command), "rm -rf '%s'/*", folder);
	snprintf(path, sizeof(path), "%s/state", folder);
	return system(command) ||
	       e2ee_room_create(&alice, &secret, &seed_a, provider) ||
	       e2ee_room_create(&bob, &secret, &seed_b, provider);
}

static int teardown(void **state)
{
	e2ee_room_destroy(alice);
	e2ee_room_destroy(bob);
	alice = bob = NULL;
	return 0;
}

static int remove_folder(void **state)
{
	char command[300];

	cryptsess_provider_close(provider);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static uint8_t envelope[CHAT_ENVELOPE_MAX];
static struct e2ee_opened opened;

/* Alice says something; its length. */
static size_t said(void)
{
	const struct e2ee_content content = {
		.type = E2EE_CONTENT_TEXT,
		.nick = "alice",
		.nick_bytes = 5,
		.text = "hello",
		.text_bytes = 5,
	};
	struct e2ee_changes changes;
	long bytes = e2ee_seal(alice, &content, envelope, &changes);

	assert_true(bytes > 0);
	return (size_t)bytes;
}

static int load(void *owner, const uint8_t *key, size_t key_bytes,
		const uint8_t *value, size_t value_bytes)
{
	return e2ee_room_load(owner, key, key_bytes, value, value_bytes);
}

/* Bob again, as a new process: with what the file holds. */
static void restart_bob(struct state *state)
{
	e2ee_room_destroy(bob);
	bob = NULL;
	assert_int_equal(e2ee_room_create(&bob, &secret, &seed_b, provider), 0);
	assert_int_equal(state_load(state, e2ee_room_id(bob), load, bob), 0);
}

static void bob_accepts(struct state *state, size_t bytes)
{
	assert_int_equal(e2ee_open(bob, envelope, bytes, &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(state_merge(state, e2ee_room_id(bob), &opened.changes),
			 0);
}

static void test_what_was_committed_is_known_after_a_restart(void **s)
{
	struct state *state;
	size_t bytes = said();

	assert_int_equal(state_open(&state, path), 0);
	bob_accepts(state, bytes);
	assert_int_equal(state_commit(state), 0);
	state_close(state);
	assert_int_equal(state_open(&state, path), 0);
	restart_bob(state);
	assert_int_equal(e2ee_open(bob, envelope, bytes, &opened),
			 E2EE_REPLAYED);
	state_close(state);
}

static void test_what_was_rolled_back_is_not(void **s)
{
	struct state *state;
	size_t bytes = said();

	assert_int_equal(state_open(&state, path), 0);
	bob_accepts(state, bytes);
	state_rollback(state);
	restart_bob(state);
	assert_int_equal(e2ee_open(bob, envelope, bytes, &opened),
			 E2EE_ACCEPTED);
	state_close(state);
}

static void test_two_processes_add_to_each_other(void **s)
{
	uint8_t first[CHAT_ENVELOPE_MAX];
	struct state *one, *two;
	size_t first_bytes = said(), second_bytes;
	struct e2ee_room *other;

	memcpy(first, envelope, first_bytes);
	assert_int_equal(state_open(&one, path), 0);
	assert_int_equal(state_open(&two, path), 0);
	assert_int_equal(e2ee_room_create(&other, &secret, &seed_b, provider),
			 0);
	/* One process sees only the first, the other only the second. */
	bob_accepts(one, first_bytes);
	assert_int_equal(state_commit(one), 0);
	second_bytes = said();
	assert_int_equal(e2ee_open(other, envelope, second_bytes, &opened),
			 E2EE_ACCEPTED);
	assert_int_equal(state_merge(two, e2ee_room_id(other), &opened.changes),
			 0);
	assert_int_equal(state_commit(two), 0);
	restart_bob(one);
	assert_int_equal(e2ee_open(bob, first, first_bytes, &opened),
			 E2EE_REPLAYED);
	assert_int_equal(e2ee_open(bob, envelope, second_bytes, &opened),
			 E2EE_REPLAYED);
	e2ee_room_destroy(other);
	state_close(one);
	state_close(two);
}

static void test_a_file_that_was_deleted_takes_no_more(void **s)
{
	struct state *state;

	assert_int_equal(state_open(&state, path), 0);
	bob_accepts(state, said());
	assert_int_equal(state_commit(state), 0);
	assert_int_equal(unlink(path), 0);
	bob_accepts(state, said());
	assert_int_equal(state_commit(state), -ESTALE);
	state_rollback(state);
	state_close(state);
}

static void test_rooms_are_kept_apart(void **s)
{
	static const uint8_t other_room[CHAT_ROOM_ID_BYTES] = { 9 };
	struct state *state;

	assert_int_equal(state_open(&state, path), 0);
	bob_accepts(state, said());
	assert_int_equal(state_commit(state), 0);
	/* `load` would fail on the NULL room if a row were handed out. */
	assert_int_equal(state_load(state, other_room, load, NULL), 0);
	state_close(state);
}

static void test_verified_identities_are_remembered(void **s)
{
	static const uint8_t who[SIGN_PUBLIC_BYTES] = { 1 }, else_[32] = { 2 };
	struct state *state;

	assert_int_equal(state_open(&state, path), 0);
	assert_false(state_is_verified(state, who));
	assert_int_equal(state_set_verified(state, who), 0);
	assert_int_equal(state_set_verified(state, who), 0);
	state_close(state);
	assert_int_equal(state_open(&state, path), 0);
	assert_true(state_is_verified(state, who));
	assert_false(state_is_verified(state, else_));
	state_close(state);
}

static void test_the_file_is_private_and_not_another_one(void **s)
{
	struct state *state;
	struct stat st;
	FILE *file;

	assert_int_equal(state_open(&state, path), 0);
	state_close(state);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(state_open(&state, path), FILE_IS_OPEN_TO_OTHERS);
	strcat(path, "2"); /* the log of the other would mend it */
	file = fopen(path, "w");
	fputs("this is no database, but it is long enough to be one", file);
	fclose(file);
	chmod(path, 0600);
	assert_int_equal(state_open(&state, path), -EBADMSG);
	assert_null(state);
}

static void test_of_two_first_contacts_one_is_the_first(void **state)
{
	static const uint8_t one[TLS_FINGERPRINT_BYTES] = { 1 };
	static const uint8_t two[TLS_FINGERPRINT_BYTES] = { 2 };
	struct state *a, *b;
	struct pin early, late, same;

	assert_int_equal(state_open(&a, path), 0);
	assert_int_equal(state_open(&b, path), 0);
	assert_int_equal(pin_find(&early, a, "relay:1", NULL, NULL), 0);
	assert_int_equal(pin_find(&late, b, "relay:1", NULL, NULL), 0);
	assert_int_equal(pin_find(&same, b, "relay:1", NULL, NULL), 0);
	assert_int_equal(pin_judge(&early, a, "relay:1", one), PIN_IS_FIRST);
	assert_int_equal(pin_judge(&late, b, "relay:1", two), PIN_DIFFERS);
	assert_int_equal(pin_judge(&late, b, "relay:1", two), PIN_DIFFERS);
	assert_int_equal(pin_judge(&same, b, "relay:1", one), PIN_HOLDS);
	assert_int_equal(pin_find(&late, b, "relay:1", NULL, NULL), 0);
	assert_memory_equal(late.fingerprint, one, sizeof(one));
	state_close(a);
	state_close(b);
}

#define WITH_ROOMS(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void test_a_position_goes_forward_within_its_era(void **state)
{
	static const uint8_t room[CHAT_ROOM_ID_BYTES] = { 5 };
	uint64_t era = 0, sequence = 0;
	struct state *db;

	assert_int_equal(state_open(&db, path), 0);
	assert_int_equal(state_position(db, room, &era, &sequence), -ENOENT);
	assert_int_equal(state_set_position(db, room, 7, 10, false), 0);
	assert_int_equal(state_set_position(db, room, 7, 4, false), 0);
	assert_int_equal(state_commit(db), 0);
	assert_int_equal(state_position(db, room, &era, &sequence), 0);
	assert_int_equal(era, 7);
	assert_int_equal(sequence, 10);
	assert_int_equal(state_set_position(db, room, 8, 2, false), 0);
	assert_int_equal(state_commit(db), 0);
	assert_int_equal(state_position(db, room, &era, &sequence), 0);
	assert_int_equal(era, 8);
	assert_int_equal(sequence, 2);
	assert_int_equal(state_set_position(db, room, 8, 1, true), 0);
	assert_int_equal(state_commit(db), 0);
	assert_int_equal(state_position(db, room, &era, &sequence), 0);
	assert_int_equal(sequence, 1);
	/* Undone with what it stands for. */
	assert_int_equal(state_set_position(db, room, 8, 9, false), 0);
	state_rollback(db);
	assert_int_equal(state_position(db, room, &era, &sequence), 0);
	assert_int_equal(sequence, 1);
	state_close(db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_ROOMS(test_what_was_committed_is_known_after_a_restart),
		WITH_ROOMS(test_what_was_rolled_back_is_not),
		WITH_ROOMS(test_two_processes_add_to_each_other),
		WITH_ROOMS(test_a_file_that_was_deleted_takes_no_more),
		WITH_ROOMS(test_rooms_are_kept_apart),
		WITH_ROOMS(test_a_position_goes_forward_within_its_era),
		WITH_ROOMS(test_verified_identities_are_remembered),
		WITH_ROOMS(test_of_two_first_contacts_one_is_the_first),
		WITH_ROOMS(test_the_file_is_private_and_not_another_one),
	};

	return cmocka_run_group_tests(tests, NULL, remove_folder);
}
