/* SPDX-License-Identifier: Apache-2.0 */
/* test_hash.c - hashes in sessions: clauses E6 to E10, H, S7 and S8 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/sessions.h"

static struct cryptsess_provider *provider;

/* Hash a text; `mac` receives the digest if one is due. */
static int run(struct cryptsess *s, uint16_t flags, const char *text,
	       uint8_t *mac, bool *has_digest)
{
	struct test_pieces from;
	struct cryptsess_crypt op = { .flags = flags, .mac = mac };
	int r;

	test_pieces_one(&from, text, text ? strlen(text) : 0);
	op.src = from.list;
	op.src_count = text ? 1 : 0;
	op.payload_bytes = text ? (uint32_t)strlen(text) : 0;
	r = cryptsess_crypt(s, &op);
	if (has_digest)
		*has_digest = op.has_digest;
	return r;
}

static struct cryptsess *open_or_skip(uint32_t mac)
{
	struct cryptsess *s = test_session_open(provider, 0, mac);

	if (!s)
		skip();
	return s;
}

/* The digest of a text, from a session of its own. */
static void digest_of(uint32_t mac, const char *text, uint8_t *digest)
{
	struct cryptsess *s = open_or_skip(mac);

	assert_int_equal(run(s, 0, text, digest, NULL), 0);
	cryptsess_close(s);
}

static void expect(struct cryptsess *s, uint16_t flags, const char *text,
		   const uint8_t *want)
{
	uint8_t got[64] = { 0 };
	struct cryptsess_info info;
	bool has_digest;

	cryptsess_get_info(s, &info);
	assert_int_equal(run(s, flags, text, got, &has_digest), 0);
	assert_int_equal(has_digest, want != NULL);
	if (want)
		assert_memory_equal(got, want, info.mac->digest_bytes);
}

#define UPDATE CRYPTSESS_UPDATE
#define FINAL  CRYPTSESS_FINAL
#define RESET  CRYPTSESS_RESET
#define NO_ZC  8u

static void e6_a_hash_ignores_direction_and_destination(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);
	uint8_t text[3] = "abc", untouched[3] = { 0 }, want[20], got[20];
	struct iovec src = { text, 3 }, dst = { untouched, 3 };
	struct cryptsess_crypt op = { .direction = CRYPTSESS_DECRYPT,
				      .payload_bytes = 3,
				      .src = &src,
				      .src_count = 1,
				      .dst = &dst,
				      .dst_count = 1,
				      .mac = got };

	digest_of(CRYPTSESS_SHA1, "abc", want);
	assert_int_equal(cryptsess_crypt(s, &op), 0);
	assert_memory_equal(got, want, 20);
	assert_int_equal(untouched[0], 0);
	cryptsess_close(s);
}

static void e7_the_hash_of_nothing_is_a_digest(void **state)
{
	static const uint8_t sha1_of_nothing[20] = {
		0xda, 0x39, 0xa3, 0xee, 0x5e, 0x6b, 0x4b, 0x0d, 0x32, 0x55,
		0xbf, 0xef, 0x95, 0x60, 0x18, 0x90, 0xaf, 0xd8, 0x07, 0x09
	};
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);

	expect(s, 0, NULL, sha1_of_nothing);
	expect(s, UPDATE, NULL, sha1_of_nothing); /* clause E8: len 0 */
	cryptsess_close(s);
}

static void e8_update_gives_a_digest_only_without_data(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);
	uint8_t abc[20];

	digest_of(CRYPTSESS_SHA1, "abc", abc);
	expect(s, UPDATE, "a", NULL);
	expect(s, UPDATE, "bc", NULL);
	expect(s, UPDATE, NULL, abc);
	cryptsess_close(s);
}

static void e8_without_room_for_the_digest_is_efault(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);
	uint8_t abc[20];
	bool has_digest;

	digest_of(CRYPTSESS_SHA1, "abc", abc);
	assert_int_equal(run(s, UPDATE, "ab", NULL, &has_digest), 0);
	assert_int_equal(run(s, FINAL, "c", NULL, &has_digest), -EFAULT);
	assert_false(has_digest);
	/* The state was finished all the same. */
	expect(s, FINAL, "abc", abc);
	cryptsess_close(s);
}

static void e8_the_data_was_processed_before_that_efault(void **state)
{
	struct cryptsess *s =
		test_session_open(provider, CRYPTSESS_AES_CBC, CRYPTSESS_SHA1);
	uint8_t text[16] = "sixteen bytes..", dst[16] = { 0 };
	struct iovec from = { text, 16 }, to = { dst, 16 };
	struct cryptsess_crypt op = { .payload_bytes = 16,
				      .src = &from,
				      .src_count = 1,
				      .dst = &to,
				      .dst_count = 1 };

	if (!s)
		skip();
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	assert_memory_not_equal(dst, (uint8_t[16]){ 0 }, 16);
	cryptsess_close(s);
}

static void e9_parts_then_final_are_the_whole(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		uint8_t want[64];
		struct cryptsess *s;

		if (!a->is_mac || !cryptsess_provider_has(provider, a))
			continue;
		digest_of(a->id, "one two three", want);
		s = open_or_skip(a->id);
		/* A: FINAL without data; B: FINAL with data. */
		expect(s, UPDATE, "one ", NULL);
		expect(s, UPDATE, "two three", NULL);
		expect(s, FINAL, NULL, want);
		expect(s, RESET | UPDATE, "one ", NULL);
		expect(s, FINAL, "two three", want);
		cryptsess_close(s);
	}
}

static void e9_no_flags_or_reset_start_afresh(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_HMAC_SHA1);
	uint8_t abc[20], xabc[20];

	digest_of(CRYPTSESS_HMAC_SHA1, "abc", abc);
	digest_of(CRYPTSESS_HMAC_SHA1, "xabc", xabc);
	expect(s, UPDATE, "x", NULL);
	expect(s, 0, "abc", abc);
	expect(s, UPDATE, "x", NULL);
	expect(s, RESET, "abc", abc);
	expect(s, UPDATE, "x", NULL);
	expect(s, RESET | UPDATE, "ab", NULL);
	expect(s, FINAL, "c", abc);
	expect(s, RESET | FINAL, "abc", abc);
	cryptsess_close(s);
}

static void e9_other_flags_continue_an_older_state(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);
	uint8_t xabc[20];

	digest_of(CRYPTSESS_SHA1, "xabc", xabc);
	expect(s, UPDATE, "x", NULL);
	expect(s, NO_ZC, "abc", xabc);
	expect(s, UPDATE, "x", NULL);
	expect(s, CRYPTSESS_WRITE_IV, "abc", xabc);
	expect(s, UPDATE | NO_ZC, "x", NULL);
	expect(s, FINAL, "abc", xabc);
	cryptsess_close(s);
}

static void e10_after_a_final_the_next_starts_afresh(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_HMAC_SHA256);
	uint8_t abc[32];

	digest_of(CRYPTSESS_HMAC_SHA256, "abc", abc);
	for (int i = 0; i < 3; i++) {
		expect(s, CRYPTSESS_WRITE_IV, "abc", abc);
		expect(s, FINAL, "abc", abc);
		expect(s, UPDATE, "ab", NULL);
		expect(s, UPDATE | FINAL, "c", abc);
	}
	cryptsess_close(s);
}

static void s8_the_first_update_starts_fresh(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA256);
	uint8_t abc[32];

	digest_of(CRYPTSESS_SHA256, "abc", abc);
	expect(s, UPDATE, "abc", NULL);
	expect(s, FINAL, NULL, abc);
	cryptsess_close(s);
}

static void s6_keys_of_hashes_are_ignored(void **state)
{
	struct cryptsess_params params = { .mac = CRYPTSESS_SHA1,
					   .mac_key = (const uint8_t *)"key",
					   .mac_key_bytes = 3 };
	struct cryptsess *s;
	uint8_t abc[20];

	digest_of(CRYPTSESS_SHA1, "abc", abc);
	assert_int_equal(cryptsess_open(&s, provider, &params), 0);
	expect(s, 0, "abc", abc);
	cryptsess_close(s);
}

static void a_short_source_is_efault(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);
	uint8_t text[3] = "abc", mac[20];
	struct iovec src = { text, 3 };
	struct cryptsess_crypt op = {
		.payload_bytes = 4, .src = &src, .src_count = 1, .mac = mac
	};

	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.payload_bytes = 3;
	assert_int_equal(cryptsess_crypt(s, &op), 0);
	cryptsess_close(s);
}

/* Whether the provider copies states at all; else the test is skipped. */
static void copy_or_skip(struct cryptsess *to, const struct cryptsess *from)
{
	int r = cryptsess_hash_copy(to, from);

	if (r == -ENOSYS)
		skip();
	assert_int_equal(r, 0);
}

static void h1_a_copy_continues_on_its_own(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		uint8_t abc[64], abd[64];
		struct cryptsess *s, *t;

		if (!a->is_mac || !cryptsess_provider_has(provider, a))
			continue;
		digest_of(a->id, "abc", abc);
		digest_of(a->id, "abd", abd);
		s = open_or_skip(a->id);
		t = open_or_skip(a->id);
		expect(t, UPDATE, "thrown away", NULL);
		expect(s, UPDATE, "ab", NULL);
		copy_or_skip(t, s);
		expect(s, FINAL, "c", abc);
		expect(t, FINAL, "d", abd);
		cryptsess_close(s);
		cryptsess_close(t);
	}
}

static void h1_fresh_and_finished_states_copy_as_such(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_HMAC_SHA1);
	struct cryptsess *t = open_or_skip(CRYPTSESS_HMAC_SHA1);
	uint8_t abc[20];

	digest_of(CRYPTSESS_HMAC_SHA1, "abc", abc);
	expect(t, UPDATE, "thrown away", NULL);
	copy_or_skip(t, s);
	expect(t, FINAL, "abc", abc);
	expect(s, 0, "abc", abc);
	expect(t, UPDATE, "thrown away", NULL);
	copy_or_skip(t, s);
	expect(t, FINAL, "abc", abc);
	cryptsess_close(s);
	cryptsess_close(t);
}

static void h1_the_destination_keeps_its_outer_key(void **state)
{
	struct cryptsess_params params = { .mac = CRYPTSESS_HMAC_SHA1,
					   .mac_key = (const uint8_t *)"other",
					   .mac_key_bytes = 5 };
	struct cryptsess *s = open_or_skip(CRYPTSESS_HMAC_SHA1), *t;
	uint8_t ours[20], theirs[20], mixed[20];

	assert_int_equal(cryptsess_open(&t, provider, &params), 0);
	digest_of(CRYPTSESS_HMAC_SHA1, "abc", ours);
	assert_int_equal(run(t, 0, "abc", theirs, NULL), 0);
	expect(s, UPDATE, "ab", NULL);
	copy_or_skip(t, s);
	assert_int_equal(run(t, FINAL, "c", mixed, NULL), 0);
	assert_memory_not_equal(mixed, ours, 20);
	assert_memory_not_equal(mixed, theirs, 20);
	/* And it is whole again with the next reset. */
	expect(t, RESET, "abc", theirs);
	cryptsess_close(s);
	cryptsess_close(t);
}

static void h1_h2_what_cannot_be_copied(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_SHA1);
	struct cryptsess *t = open_or_skip(CRYPTSESS_SHA256);
	struct cryptsess *h = open_or_skip(CRYPTSESS_HMAC_SHA1);
	struct cryptsess *c = test_session_open(provider, CRYPTSESS_AES_CBC, 0);

	assert_int_equal(cryptsess_hash_copy(s, s), -EDEADLK);
	assert_int_equal(cryptsess_hash_copy(NULL, s), -ENOENT);
	assert_int_equal(cryptsess_hash_copy(s, NULL), -ENOENT);
	assert_int_equal(cryptsess_hash_copy(s, t), -EINVAL);
	assert_int_equal(cryptsess_hash_copy(s, h), -EINVAL);
	if (c) {
		assert_int_equal(cryptsess_hash_copy(s, c), -EINVAL);
		assert_int_equal(cryptsess_hash_copy(c, s), -EINVAL);
	}
	cryptsess_close(s);
	cryptsess_close(t);
	cryptsess_close(h);
	cryptsess_close(c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e6_a_hash_ignores_direction_and_destination),
		cmocka_unit_test(e7_the_hash_of_nothing_is_a_digest),
		cmocka_unit_test(e8_update_gives_a_digest_only_without_data),
		cmocka_unit_test(e8_without_room_for_the_digest_is_efault),
		cmocka_unit_test(e8_the_data_was_processed_before_that_efault),
		cmocka_unit_test(e9_parts_then_final_are_the_whole),
		cmocka_unit_test(e9_no_flags_or_reset_start_afresh),
		cmocka_unit_test(e9_other_flags_continue_an_older_state),
		cmocka_unit_test(e10_after_a_final_the_next_starts_afresh),
		cmocka_unit_test(s8_the_first_update_starts_fresh),
		cmocka_unit_test(s6_keys_of_hashes_are_ignored),
		cmocka_unit_test(a_short_source_is_efault),
		cmocka_unit_test(h1_a_copy_continues_on_its_own),
		cmocka_unit_test(h1_fresh_and_finished_states_copy_as_such),
		cmocka_unit_test(h1_the_destination_keeps_its_outer_key),
		cmocka_unit_test(h1_h2_what_cannot_be_copied),
	};
	int r;

	provider = test_provider_open(argc, argv);
	r = cmocka_run_group_tests_name("hash", tests, NULL, NULL);
	cryptsess_provider_close(provider);
	return r;
}
