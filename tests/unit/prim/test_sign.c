/* SPDX-License-Identifier: Apache-2.0 */
/* test_sign.c - Ed25519 signatures: RFC 8032, 7.1, and what must be refused */

#include "base/bytes.h"
#include "prim/sign.h"

#include <sodium.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *seed, *public_key, *message, *signature;
} rfc8032[] = {
	{ "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
	  "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
	  "",
	  "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
	  "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
	{ "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
	  "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
	  "72",
	  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
	  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
	{ "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
	  "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
	  "af82",
	  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
	  "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a" },
};

/* The points of order 1, 2, 4 and 8 in every encoding, canonical or not. */
static const char *const small_order[] = {
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

/* The group order L, little-endian. */
static const char order[] =
	"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

static void key_of(struct sign_key *key, unsigned int row)
{
	struct secret seed;

	assert_int_equal(bytes_from_hex(seed.bytes, 32, rfc8032[row].seed), 32);
	sign_key_from_seed(key, &seed);
}

static void test_gives_the_vectors_of_rfc_8032(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rfc8032); i++) {
		uint8_t expected[SIGN_BYTES], made[SIGN_BYTES], message[8];
		uint8_t public_key[SIGN_PUBLIC_BYTES];
		struct sign_key key;
		int bytes = bytes_from_hex(message, sizeof(message),
					   rfc8032[i].message);

		assert_true(bytes >= 0);
		key_of(&key, i);
		bytes_from_hex(public_key, 32, rfc8032[i].public_key);
		assert_memory_equal(key.public_key, public_key, 32);
		bytes_from_hex(expected, 64, rfc8032[i].signature);
		sign_make(made, &key, message, (size_t)bytes);
		assert_memory_equal(made, expected, SIGN_BYTES);
		assert_true(sign_is_valid(made, public_key, message,
					  (size_t)bytes));
		assert_true(sign_public_is_acceptable(public_key));
	}
}

static void test_refuses_every_flipped_bit(void **state)
{
	uint8_t message[4] = "abc", signature[SIGN_BYTES];
	struct sign_key key;

	key_of(&key, 0);
	sign_make(signature, &key, message, sizeof(message));
	assert_true(sign_is_valid(signature, key.public_key, message, 4));
	for (unsigned int bit = 0; bit < 8 * SIGN_BYTES; bit++) {
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(
			sign_is_valid(signature, key.public_key, message, 4));
		signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (unsigned int bit = 0; bit < 8 * sizeof(message); bit++) {
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(
			sign_is_valid(signature, key.public_key, message, 4));
		message[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_false(sign_is_valid(signature, key.public_key, message, 3));
	assert_true(sign_is_valid(signature, key.public_key, message, 4));
}

static void test_refuses_another_key(void **state)
{
	uint8_t signature[SIGN_BYTES];
	struct sign_key mine, other;

	key_of(&mine, 0);
	key_of(&other, 1);
	sign_make(signature, &mine, "x", 1);
	assert_true(sign_is_valid(signature, mine.public_key, "x", 1));
	assert_false(sign_is_valid(signature, other.public_key, "x", 1));
}

/* S + L satisfies the equation as well: a second form of one signature. */
static void test_refuses_s_plus_the_group_order(void **state)
{
	uint8_t signature[SIGN_BYTES], l[32];
	unsigned int carry = 0;
	struct sign_key key;

	key_of(&key, 0);
	sign_make(signature, &key, "x", 1);
	assert_true(sign_is_valid(signature, key.public_key, "x", 1));
	assert_int_equal(bytes_from_hex(l, 32, order), 32);
	for (unsigned int i = 0; i < 32; i++) {
		carry += signature[32 + i] + l[i];
		signature[32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_false(sign_is_valid(signature, key.public_key, "x", 1));
}

/* With A = R = a small-order point and S = 0 the equation holds for one
 * message in at most eight, whatever was "signed"; with the identity for
 * every message. */
static void test_refuses_keys_and_r_of_small_order(void **state)
{
	for (unsigned int a = 0; a < ARRAY_SIZE(small_order); a++) {
		uint8_t public_key[32], signature[SIGN_BYTES] = { 0 };

		bytes_from_hex(public_key, 32, small_order[a]);
		assert_false(sign_public_is_acceptable(public_key));
		for (unsigned int r = 0; r < ARRAY_SIZE(small_order); r++) {
			bytes_from_hex(signature, 32, small_order[r]);
			for (uint8_t m = 0; m < 32; m++)
				assert_false(sign_is_valid(signature,
							   public_key, &m, 1));
		}
	}
}

/* An honest key plus a point of order 8: on the curve, but no honest key. */
static void test_refuses_to_import_keys_outside_the_subgroup(void **state)
{
	uint8_t mixed[32], order_8[32];
	struct sign_key key;

	key_of(&key, 0);
	assert_true(sign_public_is_acceptable(key.public_key));
	assert_int_equal(bytes_from_hex(order_8, 32, small_order[4]), 32);
	assert_int_equal(
		crypto_core_ed25519_add(mixed, key.public_key, order_8), 0);
	assert_false(sign_public_is_acceptable(mixed));
}

/* The 19 values of y from p to 2^255 - 1 are second forms of 0 to 18. */
static void test_refuses_to_import_keys_that_are_not_canonical(void **state)
{
	uint8_t key[32];

	memset(key, 0xff, sizeof(key));
	for (unsigned int low = 0xed; low <= 0xff; low++)
		for (unsigned int sign = 0; sign < 2; sign++) {
			key[0] = (uint8_t)low;
			key[31] = sign ? 0xff : 0x7f;
			assert_false(sign_public_is_acceptable(key));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gives_the_vectors_of_rfc_8032),
		cmocka_unit_test(test_refuses_every_flipped_bit),
		cmocka_unit_test(test_refuses_another_key),
		cmocka_unit_test(test_refuses_s_plus_the_group_order),
		cmocka_unit_test(test_refuses_keys_and_r_of_small_order),
		cmocka_unit_test(
			test_refuses_to_import_keys_outside_the_subgroup),
		cmocka_unit_test(
			test_refuses_to_import_keys_that_are_not_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
