/* SPDX-License-Identifier: Apache-2.0 */
/* test_content.c - padding and the bytes inside the ciphertext */

#include "e2ee/content.h"

#include "base/bytes.h"
#include "e2ee/identity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_lengths_are_padded_to_buckets_then_padme(void **state)
{
	static const struct {
		size_t bytes, padded;
	} lengths[] = {
		{ 0, 256 },
		{ 1, 256 },
		{ 256, 256 },
		{ 257, 512 },
		{ 513, 1024 },
		{ 2048, 2048 },
		{ 2049, 4096 },
		{ 4096, 4096 },
		/* floor(log2) = 12 has 4 bits, so 8 low bits are rounded */
		{ 4097, 4352 },
		{ 8191, 8192 },
		{ 8193, 8704 },
		{ 10000, 10240 },
		{ 65025, 65536 },
		{ 65536, 65536 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(lengths); i++)
		assert_int_equal(e2ee_padded_bytes(lengths[i].bytes),
				 lengths[i].padded);
}

static void test_padding_never_exceeds_an_eighth_above_the_buckets(void **state)
{
	for (size_t bytes = 4097; bytes <= CHAT_CIPHERTEXT_MAX; bytes++) {
		size_t padded = e2ee_padded_bytes(bytes);

		assert_true(padded >= bytes && padded - bytes <= bytes / 8);
		assert_true(padded <= CHAT_CIPHERTEXT_MAX);
		assert_int_equal(e2ee_padded_bytes(padded), padded);
	}
}

static void test_contents_without_sense_have_no_length(void **state)
{
	static const char nick[65] = "n";
	static const struct {
		struct e2ee_content content;
		size_t expected;
	} contents[] = {
		{ { E2EE_CONTENT_TEXT, 0, "n", 1, "t", 1 }, 256 },
		{ { E2EE_CONTENT_JOIN, 0, "n", 1, NULL, 0 }, 256 },
		{ { E2EE_CONTENT_NICK, 0, "n", 1, NULL, 0 }, 256 },
		{ { E2EE_CONTENT_LEAVE, 0, "n", 1, NULL, 0 }, 256 },
		{ { E2EE_CONTENT_LEAVE, 0, "n", 1, "bye", 3 }, 256 },
		{ { E2EE_CONTENT_TEXT, 0, "n", 1, "", 0 }, 0 },
		{ { E2EE_CONTENT_TEXT, 0, "", 0, "t", 1 }, 0 },
		{ { E2EE_CONTENT_TEXT, 0, nick, 65, "t", 1 }, 0 },
		{ { E2EE_CONTENT_TEXT, 0, nick, 2, "t", 1 }, 0 },
		{ { E2EE_CONTENT_TEXT, 0, "n", 1, "a\0b", 3 }, 0 },
		{ { E2EE_CONTENT_JOIN, 0, "n", 1, "t", 1 }, 0 },
		{ { E2EE_CONTENT_NICK, 0, "n", 1, "t", 1 }, 0 },
		{ { 0, 0, "n", 1, "t", 1 }, 0 },
		{ { E2EE_CONTENT_TYPES, 0, "n", 1, "t", 1 }, 0 },
		{ { 0x80000001u, 0, "n", 1, "t", 1 }, 0 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(contents); i++)
		assert_int_equal(e2ee_plaintext_bytes(&contents[i].content),
				 contents[i].expected);
}

static void test_a_body_is_written_into_exactly_its_length(void **state)
{
	static const uint8_t bytes[SIGN_BYTES];
	struct e2ee_body body = {
		.device_proof = bytes,
		.link = bytes,
		.content = { E2EE_CONTENT_TEXT, 7, "n", 1, "t", 1 },
	};
	uint8_t out[256];

	assert_int_equal(e2ee_body_encode(out, 159, &body), -EINVAL);
	assert_int_equal(e2ee_body_encode(out, 161, &body), -EINVAL);
	memset(out, 0xff, sizeof(out));
	assert_int_equal(e2ee_body_encode(out, 160, &body), 0);
	assert_int_equal(out[159], 0);
	assert_int_equal(out[160], 0xff);
	assert_int_equal(e2ee_body_decode(&body, out, 160), 0);
	assert_int_equal(body.content.sender_time_ms, 7);
}

/* Of the whole path below nothing may depend on anything else. */
static void test_safety_numbers_are_those_of_the_pair(void **state)
{
	uint8_t a[32], b[32], c[32];
	char ab[E2EE_SAFETY_NUMBER_ROOM], ba[E2EE_SAFETY_NUMBER_ROOM];
	char ac[E2EE_SAFETY_NUMBER_ROOM];

	memset(a, 1, sizeof(a));
	memset(b, 2, sizeof(b));
	memcpy(c, b, sizeof(c));
	c[31] ^= 1;
	e2ee_safety_number(ab, a, b);
	e2ee_safety_number(ba, b, a);
	e2ee_safety_number(ac, a, c);
	assert_string_equal(ab, ba);
	assert_string_not_equal(ab, ac);
	assert_int_equal(strlen(ab), 12 * 6 - 1);
	for (unsigned int i = 0; ab[i]; i++)
		assert_true(i % 6 == 5 ? ab[i] == ' '
				       : ab[i] >= '0' && ab[i] <= '9');
}

static void test_fingerprints_are_ten_groups(void **state)
{
	char one[E2EE_FINGERPRINT_ROOM], other[E2EE_FINGERPRINT_ROOM];
	uint8_t key[32] = { 1 };

	e2ee_fingerprint(one, key);
	key[31] = 1;
	e2ee_fingerprint(other, key);
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(one), 49);
	assert_int_equal(one[4], ' ');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths_are_padded_to_buckets_then_padme),
		cmocka_unit_test(
			test_padding_never_exceeds_an_eighth_above_the_buckets),
		cmocka_unit_test(test_contents_without_sense_have_no_length),
		cmocka_unit_test(
			test_a_body_is_written_into_exactly_its_length),
		cmocka_unit_test(test_safety_numbers_are_those_of_the_pair),
		cmocka_unit_test(test_fingerprints_are_ten_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
