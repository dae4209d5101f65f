/* SPDX-License-Identifier: Apache-2.0 */
/* test_sender.c - chains: new where they must be, and no key used twice */

#include "people.h"

#include "base/bytes.h"
#include "e2ee/rows_codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* The linker puts these in front of the real ones; see meson.build. */
static bool random_fails;
static size_t random_repeats_from; /* calls of so many bytes; 0: none */
static int crypt_fails_at;         /* call number from now, from 1; 0: never */
static unsigned int sessions_open, crypts;
static uint8_t handed[64][32]; /* the last keys that a provider was given */
static unsigned int handed_count;

ssize_t __real_getrandom(void *out, size_t bytes, unsigned int flags);
ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned int flags);
int __real_cryptsess_open(struct cryptsess **session,
			  struct cryptsess_provider *provider,
			  const struct cryptsess_params *params);
int __wrap_cryptsess_open(struct cryptsess **session,
			  struct cryptsess_provider *provider,
			  const struct cryptsess_params *params);
int __real_cryptsess_crypt(struct cryptsess *session,
			   struct cryptsess_crypt *op);
int __wrap_cryptsess_crypt(struct cryptsess *session,
			   struct cryptsess_crypt *op);
void __real_cryptsess_close(struct cryptsess *session);
void __wrap_cryptsess_close(struct cryptsess *session);

ssize_t __wrap_getrandom(void *out, size_t bytes, unsigned int flags)
{
	if (random_repeats_from && bytes >= random_repeats_from) {
		memset(out, 0x5a, bytes);
		return (ssize_t)bytes;
	}
	if (!random_fails)
		return __real_getrandom(out, bytes, flags);
	errno = ENOSYS;
	return -1;
}

int __wrap_cryptsess_open(struct cryptsess **session,
			  struct cryptsess_provider *provider,
			  const struct cryptsess_params *params)
{
	int err = __real_cryptsess_open(session, provider, params);

	/* A key has one purpose, so a session has one half. */
	assert_true((params->cipher == 0) != (params->mac == 0));
	assert_int_equal(params->key_bytes + params->mac_key_bytes, 32);
	memcpy(handed[handed_count++ % ARRAY_SIZE(handed)],
	       params->cipher ? params->key : params->mac_key, 32);
	sessions_open += err == 0;
	return err;
}

int __wrap_cryptsess_crypt(struct cryptsess *session,
			   struct cryptsess_crypt *op)
{
	crypts++;
	if (crypt_fails_at && --crypt_fails_at == 0)
		return -ENODEV;
	return __real_cryptsess_crypt(session, op);
}

void __wrap_cryptsess_close(struct cryptsess *session)
{
	sessions_open--;
	__real_cryptsess_close(session);
}

static const struct e2ee_content content = {
	.type = E2EE_CONTENT_TEXT,
	.sender_time_ms = 1,
	.nick = "nick",
	.nick_bytes = 4,
	.text = "the marker text",
	.text_bytes = 15,
};

static int setup(void **state)
{
	random_fails = false;
	random_repeats_from = 0;
	crypt_fails_at = 0;
	*state = people_enter(ROOM, ALICE);
	return 0;
}

static int teardown(void **state)
{
	random_fails = false;
	random_repeats_from = 0;
	e2ee_room_destroy(*state);
	assert_int_equal(sessions_open, 0);
	return 0;
}

static const uint8_t *chain_of(const struct envelope *e)
{
	return e->bytes + CHAT_ENVELOPE_AT_CHAIN;
}

static uint64_t generation_of(const struct envelope *e)
{
	return bytes_get_be64(e->bytes + CHAT_ENVELOPE_AT_GENERATION);
}

static void test_generations_count_from_zero_on_one_chain(void **state)
{
	struct envelope first, e;

	people_say(*state, &first, "x");
	assert_int_equal(generation_of(&first), 0);
	for (uint64_t i = 1; i < 10; i++) {
		people_say(*state, &e, "x");
		assert_int_equal(generation_of(&e), i);
		assert_memory_equal(chain_of(&e), chain_of(&first), 32);
		assert_memory_not_equal(e.bytes + CHAT_ENVELOPE_AT_IV,
					first.bytes + CHAT_ENVELOPE_AT_IV,
					CHAT_IV_BYTES);
	}
}

static void test_a_chain_ends_after_a_thousand_messages(void **state)
{
	struct envelope first, e;

	people_say(*state, &first, "x");
	for (unsigned int i = 1; i < CHAIN_MESSAGES; i++)
		people_say(*state, &e, "x");
	assert_memory_equal(chain_of(&e), chain_of(&first), 32);
	assert_int_equal(generation_of(&e), CHAIN_MESSAGES - 1);
	people_say(*state, &e, "x");
	assert_memory_not_equal(chain_of(&e), chain_of(&first), 32);
	assert_int_equal(generation_of(&e), 0);
}

static void test_a_restarted_process_begins_a_chain(void **state)
{
	struct e2ee_room *restarted = people_enter(ROOM, ALICE);
	struct envelope before, after;

	people_say(*state, &before, "x");
	people_say(restarted, &after, "x");
	assert_memory_not_equal(chain_of(&before), chain_of(&after), 32);
	e2ee_room_destroy(restarted);
}

static void test_a_forked_child_begins_a_chain(void **state)
{
	struct envelope before, parent, child;
	int pipes[2], status;
	pid_t pid;

	people_say(*state, &before, "x");
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		long bytes;
		struct e2ee_changes changes;

		bytes = e2ee_seal(*state, &content, child.bytes, &changes);
		if (bytes < 0 ||
		    write(pipes[1], child.bytes, (size_t)bytes) != bytes)
			_exit(1);
		_exit(0);
	}
	close(pipes[1]);
	child.length = (size_t)read(pipes[0], child.bytes, sizeof(child.bytes));
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	people_say(*state, &parent, "x");
	/* The parent goes on; the child has a chain of its own. */
	assert_memory_equal(chain_of(&parent), chain_of(&before), 32);
	assert_int_equal(generation_of(&parent), 1);
	assert_memory_not_equal(chain_of(&child), chain_of(&before), 32);
	assert_int_equal(generation_of(&child), 0);
}

static bool has_same_iv(const struct envelope *a, const struct envelope *b)
{
	return memcmp(a->bytes + CHAT_ENVELOPE_AT_IV,
		      b->bytes + CHAT_ENVELOPE_AT_IV, CHAT_IV_BYTES) == 0;
}

/* Two copies of one machine, whose kernels do not know that they are two. */
static void test_no_iv_comes_twice_when_randomness_does(void **state)
{
	static const struct {
		const char *nick, *text;
		uint64_t time_ms;
	} others[] = {
		{ "nick", "y", 1000 },
		{ "Nick", "x", 1000 },
		{ "nick", "x", 1001 },
		{ "nic", "kx", 1000 },
	};
	struct envelope one, other;

	random_repeats_from = 1;
	people_say(*state, &one, "x");
	for (unsigned int i = 0; i < ARRAY_SIZE(others); i++) {
		struct e2ee_room *copy = people_enter(ROOM, ALICE);

		people_say_as(copy, &other, others[i].nick, others[i].text,
			      others[i].time_ms);
		e2ee_room_destroy(copy);
		/* The keys do. */
		assert_memory_equal(chain_of(&one), chain_of(&other), 32);
		assert_int_equal(generation_of(&one), generation_of(&other));
		assert_false(has_same_iv(&one, &other));
	}
}

static void test_the_iv_is_random_too(void **state)
{
	struct e2ee_room *copy = people_enter(ROOM, ALICE);
	struct envelope one, other;

	random_repeats_from = 32; /* chain ids */
	people_say(*state, &one, "x");
	people_say(copy, &other, "x");
	e2ee_room_destroy(copy);
	assert_memory_equal(chain_of(&one), chain_of(&other), 32);
	assert_false(has_same_iv(&one, &other));
}

static void test_nothing_is_sealed_without_randomness(void **state)
{
	struct e2ee_changes changes;
	struct envelope e;

	/* Neither the first message, which needs a chain ... */
	random_fails = true;
	assert_int_equal(e2ee_seal(*state, &content, e.bytes, &changes),
			 -ENOSYS);
	random_fails = false;
	people_say(*state, &e, "x");
	/* ... nor a later one, which needs an IV only. */
	random_fails = true;
	assert_int_equal(e2ee_seal(*state, &content, e.bytes, &changes),
			 -ENOSYS);
	random_fails = false;
	people_say(*state, &e, "x");
	assert_int_equal(generation_of(&e), 1);
}

static void
test_a_failing_provider_leaves_nothing_and_spends_the_key(void **state)
{
	for (int step = 1; step <= 2; step++) { /* cipher, then mac */
		struct e2ee_room *room = people_enter(ROOM, BOB);
		struct e2ee_changes changes;
		struct envelope e;
		uint8_t *ciphertext = e.bytes + CHAT_ENVELOPE_HEADER_BYTES + 4;

		memset(e.bytes, 0xee, sizeof(e.bytes));
		crypt_fails_at = step;
		assert_int_equal(e2ee_seal(room, &content, e.bytes, &changes),
				 -ENODEV);
		for (unsigned int i = 0; i < 256 + CHAT_TAG_BYTES; i++)
			assert_int_equal(ciphertext[i], 0);
		crypt_fails_at = 0;
		people_say(room, &e, "x");
		assert_int_equal(generation_of(&e), 1);
		e2ee_room_destroy(room);
	}
}

static void test_a_failing_provider_is_not_the_messages_fault(void **state)
{
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct e2ee_opened opened;
	struct envelope e;

	people_say(*state, &e, "x");
	for (int step = 1; step <= 2; step++) {
		crypt_fails_at = step;
		assert_int_equal(people_hear(bob, &e, &opened), E2EE_FAILED);
		assert_int_equal(opened.error, -ENODEV);
	}
	crypt_fails_at = 0;
	assert_int_equal(people_hear(bob, &e, &opened), E2EE_ACCEPTED);
	e2ee_room_destroy(bob);
}

static void test_a_wrong_tag_keeps_the_cipher_key_at_home(void **state)
{
	struct e2ee_room *bob = people_enter(ROOM, BOB);
	struct envelope e;

	people_say(*state, &e, "x");
	e.bytes[e.length - 1] ^= 1;
	crypts = 0;
	assert_int_equal(people_hear(bob, &e, NULL), E2EE_UNDECRYPTABLE);
	assert_int_equal(crypts, 1); /* the MAC; nothing was decrypted */
	e.bytes[e.length - 1] ^= 1;
	crypts = 0;
	assert_int_equal(people_hear(bob, &e, NULL), E2EE_ACCEPTED);
	assert_int_equal(crypts, 2);
	e2ee_room_destroy(bob);
}

static bool was_handed(const uint8_t *key)
{
	for (unsigned int i = 0; i < handed_count; i++)
		if (memcmp(handed[i], key, 32) == 0)
			return true;
	return false;
}

static void
test_a_provider_gets_each_message_key_once_and_no_other(void **state)
{
	struct message_keys keys;
	struct wire_envelope_header header;
	struct craft alice;
	struct envelope e;

	handed_count = 0;
	for (unsigned int i = 0; i < 32; i++)
		people_say(*state, &e, "x");
	assert_int_equal(handed_count, 64);
	for (unsigned int i = 0; i < handed_count; i++)
		for (unsigned int j = 0; j < i; j++)
			assert_memory_not_equal(handed[i], handed[j], 32);
	/* The search finds what was handed over ... */
	craft_init(&alice, ROOM, ALICE);
	wire_envelope_header_decode(&header, e.bytes, e.length);
	key_layer_message_keys(&keys, &alice.room, &header);
	assert_true(was_handed(keys.enc.bytes));
	assert_true(was_handed(keys.mac.bytes));
	/* ... and none of what never may be. */
	assert_false(was_handed(alice.room.epoch_secret.bytes));
	assert_false(was_handed(alice.room.admission.secret));
	assert_false(was_handed(alice.identity.key.secret));
	assert_false(was_handed(alice.identity.device_root.bytes));
	assert_false(was_handed(alice.device.key.secret));
	memset(&keys, ROOM, sizeof(keys));
	assert_false(was_handed(keys.enc.bytes));
	memset(&keys, ALICE, sizeof(keys));
	assert_false(was_handed(keys.enc.bytes));
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_generations_count_from_zero_on_one_chain),
		CLAIM(test_a_chain_ends_after_a_thousand_messages),
		CLAIM(test_a_restarted_process_begins_a_chain),
		CLAIM(test_a_forked_child_begins_a_chain),
		CLAIM(test_no_iv_comes_twice_when_randomness_does),
		CLAIM(test_the_iv_is_random_too),
		CLAIM(test_nothing_is_sealed_without_randomness),
		CLAIM(test_a_failing_provider_leaves_nothing_and_spends_the_key),
		CLAIM(test_a_failing_provider_is_not_the_messages_fault),
		CLAIM(test_a_provider_gets_each_message_key_once_and_no_other),
		CLAIM(test_a_wrong_tag_keeps_the_cipher_key_at_home),
	};

	return cmocka_run_group_tests(tests, people_setup, people_teardown);
}
