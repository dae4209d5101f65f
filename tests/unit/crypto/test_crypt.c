/* SPDX-License-Identifier: Apache-2.0 */
/* test_crypt.c - CIOCCRYPT with a cipher: clauses E1 to E7 and E11 to E15 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/sessions.h"

#define NO_ZC 8u /* COP_FLAG_NO_ZC, which means nothing here */

static struct cryptsess_provider *provider;

/* One operation over plain buffers; `iv` may be NULL. */
static int run(struct cryptsess *s, uint16_t direction, uint16_t flags,
	       const void *src, void *dst, uint32_t bytes, uint8_t *iv,
	       uint8_t *mac)
{
	struct test_pieces from, to;
	struct cryptsess_crypt op = { .direction = direction,
				      .flags = flags,
				      .payload_bytes = bytes,
				      .iv = iv,
				      .mac = mac };

	test_pieces_one(&from, src, bytes);
	test_pieces_one(&to, dst, bytes);
	op.src = from.list;
	op.src_count = src ? 1 : 0;
	op.dst = to.list;
	op.dst_count = dst ? 1 : 0;
	return cryptsess_crypt(s, &op);
}

static struct cryptsess *open_or_skip(uint32_t cipher, uint32_t mac)
{
	struct cryptsess *s = test_session_open(provider, cipher, mac);

	if (!s)
		skip();
	return s;
}

static void e1_an_unknown_direction_is_einval(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t text[16] = { 0 };

	assert_int_equal(run(s, 2, 0, text, text, 16, NULL, NULL), -EINVAL);
	assert_int_equal(run(s, 0xffff, 0, text, text, 16, NULL, NULL),
			 -EINVAL);
	cryptsess_close(s);
}

static void e1_lengths_are_whole_blocks(void **state)
{
	const struct cryptsess_algorithm *a;
	uint8_t text[64] = { 0 };

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		struct cryptsess *s;

		if (a->is_mac || a->is_aead)
			continue;
		s = test_session_open(provider, a->id, 0);
		for (uint32_t n = 0; s && n <= 64; n++)
			assert_int_equal(
				run(s, 0, 0, text, text, n, NULL, NULL),
				n % a->block_bytes ? -EINVAL : 0);
		cryptsess_close(s);
	}
}

static void e2_a_given_iv_replaces_the_sessions(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t text[16] = { 0 }, a[16], b[16], c[16], iv[16] = "an iv";

	assert_int_equal(run(s, 0, 0, text, a, 16, iv, NULL), 0);
	assert_int_equal(run(s, 0, 0, text, b, 16, iv, NULL), 0);
	assert_int_equal(run(s, 0, 0, text, c, 16, NULL, NULL), 0);
	assert_memory_equal(a, b, 16);
	assert_memory_not_equal(a, c, 16);
	assert_string_equal((char *)iv, "an iv"); /* no WRITE_IV */
	cryptsess_close(s);
}

/* The chained IV of every cipher, against one operation over the whole. */
static void chain(const struct cryptsess_algorithm *a, uint16_t direction)
{
	struct cryptsess *s = test_session_open(provider, a->id, 0);
	uint8_t text[512], whole[512], parts[512], iv[16] = "chained from me";
	struct test_random random = { a->id };
	/* A partial block ends a CTR, CFB or OFB operation's key stream. */
	uint32_t step = a->iv_bytes ? a->iv_bytes : 16;

	if (!s)
		return;
	test_random_fill(&random, text, sizeof(text));
	assert_int_equal(run(s, direction, 0, text, whole, 512, iv, NULL), 0);
	for (int round = 0; round < 20; round++) {
		uint32_t at = 0;

		cryptsess_set_iv(s, iv);
		while (at < 512) {
			uint32_t n = step * (1 + test_random_below(&random, 9));

			if (n > 512 - at)
				n = 512 - at;
			assert_int_equal(run(s, direction, 0, text + at,
					     parts + at, n, NULL, NULL),
					 0);
			at += n;
		}
		assert_memory_equal(parts, whole, 512);
	}
	cryptsess_close(s);
}

static void e2_parts_with_the_chained_iv_are_the_whole(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		if (a->is_mac || a->is_aead || a->id == CRYPTSESS_AES_XTS)
			continue;
		chain(a, CRYPTSESS_ENCRYPT);
		chain(a, CRYPTSESS_DECRYPT);
	}
}

static void e2_a_partial_ctr_block_counts_as_one(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CTR, 0);
	uint8_t zeros[48] = { 0 }, stream[48], parts[48], iv[16] = { 0 };

	assert_int_equal(run(s, 0, 0, zeros, stream, 48, iv, NULL), 0);
	assert_int_equal(run(s, 0, 0, zeros, parts, 5, iv, NULL), 0);
	assert_int_equal(run(s, 0, 0, zeros, parts + 16, 17, NULL, NULL), 0);
	assert_memory_equal(parts, stream, 5);
	assert_memory_equal(parts + 16, stream + 16, 17);
	cryptsess_get_iv(s, iv);
	assert_int_equal(iv[15], 3);
	cryptsess_close(s);
}

static void e2_a_failed_operation_leaves_no_chained_iv(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t text[32] = { 0 }, before[16], after[16], iv[16] = "not taken";

	cryptsess_get_iv(s, before);
	assert_int_equal(run(s, 0, 0, text, text, 15, iv, NULL), -EINVAL);
	assert_int_equal(run(s, 0, 0, text, NULL, 16, iv, NULL), -EFAULT);
	cryptsess_get_iv(s, after);
	assert_memory_equal(before, after, 16);
	cryptsess_close(s);
}

static void e3_write_iv_returns_the_chained_iv(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t text[32] = "two blocks of text, encrypted.", iv[16] = "iv";

	assert_int_equal(
		run(s, 0, CRYPTSESS_WRITE_IV, text, text, 32, iv, NULL), 0);
	assert_memory_equal(iv, text + 16, 16);
	cryptsess_close(s);
}

static void e4_in_place_and_apart_agree(void **state)
{
	const struct cryptsess_algorithm *a;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		struct cryptsess *s;
		uint8_t text[96] = "in place", apart[96], iv[16] = "initial";

		if (a->is_mac || a->is_aead)
			continue;
		s = test_session_open(provider, a->id, 0);
		if (!s)
			continue;
		assert_int_equal(run(s, 0, 0, text, apart, 96, iv, NULL), 0);
		assert_int_equal(run(s, 0, 0, text, text, 96, iv, NULL), 0);
		assert_memory_equal(text, apart, 96);
		assert_int_equal(run(s, 1, 0, text, text, 96, iv, NULL), 0);
		assert_string_equal((char *)text, "in place");
		cryptsess_close(s);
	}
}

/* Source and destination `shift` bytes apart in one buffer. */
static void overlap(struct cryptsess *s, uint16_t direction, int shift)
{
	uint8_t buffer[512], text[256], want[256], iv[16] = "initial";
	struct test_random random = { 7 };
	int src = 128, dst = src + shift;

	test_random_fill(&random, buffer, sizeof(buffer));
	memcpy(text, buffer + src, sizeof(text));
	assert_int_equal(run(s, direction, 0, text, want, 256, iv, NULL), 0);
	assert_int_equal(
		run(s, direction, 0, buffer + src, buffer + dst, 256, iv, NULL),
		0);
	assert_memory_equal(buffer + dst, want, 256);
}

static void e4_overlapping_buffers_are_copied_in_then_out(void **state)
{
	static const uint32_t ciphers[] = { CRYPTSESS_AES_CBC,
					    CRYPTSESS_AES_CTR,
					    CRYPTSESS_AES_XTS, CRYPTSESS_NULL };

	for (size_t i = 0; i < 4; i++) {
		struct cryptsess *s =
			test_session_open(provider, ciphers[i], 0);

		for (int shift = -128; s && shift <= 128; shift += 1) {
			overlap(s, CRYPTSESS_ENCRYPT, shift);
			overlap(s, CRYPTSESS_DECRYPT, shift);
		}
		cryptsess_close(s);
	}
}

static void e4_pieces_that_overlap_crosswise_are_copied_first(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t buffer[64], text[64], want[64], iv[16] = "initial";
	struct iovec src[2] = { { buffer, 32 }, { buffer + 32, 32 } };
	struct iovec dst[2] = { { buffer + 32, 32 }, { buffer, 32 } };
	struct cryptsess_crypt op = { .payload_bytes = 64,
				      .src = src,
				      .src_count = 2,
				      .dst = dst,
				      .dst_count = 2,
				      .iv = iv };
	struct test_random random = { 8 };

	test_random_fill(&random, buffer, sizeof(buffer));
	memcpy(text, buffer, sizeof(text));
	assert_int_equal(run(s, 0, 0, text, want, 64, iv, NULL), 0);
	assert_int_equal(cryptsess_crypt(s, &op), 0);
	assert_memory_equal(buffer + 32, want, 32);
	assert_memory_equal(buffer, want + 32, 32);
	cryptsess_close(s);
}

static void e5_the_digest_covers_the_plaintext_both_ways(void **state)
{
	struct cryptsess *s =
		open_or_skip(CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1);
	struct cryptsess *h = open_or_skip(0, CRYPTSESS_HMAC_SHA1);
	uint8_t text[64] = "hashed, then encrypted", iv[16] = "initial";
	uint8_t want[20], got[20];

	assert_int_equal(run(h, 0, 0, text, NULL, 64, NULL, want), 0);
	assert_int_equal(run(s, 0, 0, text, text, 64, iv, got), 0);
	assert_memory_equal(got, want, 20);
	memset(got, 0, sizeof(got));
	assert_int_equal(run(s, 1, 0, text, text, 64, iv, got), 0);
	assert_memory_equal(got, want, 20);
	assert_string_equal((char *)text, "hashed, then encrypted");
	cryptsess_close(s);
	cryptsess_close(h);
}

static void e7_no_data_sets_the_iv_and_succeeds(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t iv[16] = "kept", got[16];

	assert_int_equal(run(s, 0, 0, NULL, NULL, 0, iv, NULL), 0);
	cryptsess_get_iv(s, got);
	assert_memory_equal(got, iv, 16);
	cryptsess_close(s);
}

static void e11_missing_or_short_buffers_are_efault(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_CBC, 0);
	uint8_t text[32] = { 0 };
	struct iovec whole = { text, 32 }, small = { text, 31 };
	struct iovec nowhere = { NULL, 32 };
	struct cryptsess_crypt op = { .payload_bytes = 32,
				      .src = &whole,
				      .src_count = 1,
				      .dst = &whole,
				      .dst_count = 1 };

	assert_int_equal(cryptsess_crypt(s, &op), 0);
	op.src = &small;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.src = &nowhere;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.src = &whole;
	op.dst = &small;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.dst = &nowhere;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.dst_count = 0;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.dst = NULL; /* the list itself */
	op.dst_count = 1;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.dst = &whole;
	op.src = NULL;
	assert_int_equal(cryptsess_crypt(s, &op), -EFAULT);
	op.payload_bytes = 0;
	assert_int_equal(cryptsess_crypt(s, &op), 0);
	cryptsess_close(s);
}

static void e12_an_aead_session_is_einval(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_GCM, 0);
	uint8_t text[16] = { 0 };

	assert_int_equal(run(s, 0, 0, text, text, 16, NULL, NULL), -EINVAL);
	assert_int_equal(run(s, 0, 0, NULL, NULL, 0, NULL, NULL), -EINVAL);
	cryptsess_close(s);
}

static void e13_no_zc_and_unknown_flags_change_nothing(void **state)
{
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_XTS, 0);
	uint8_t *text = calloc(3, 10000), iv[16] = "sector";
	uint8_t *a = text + 10000, *b = text + 20000;

	assert_non_null(text);
	assert_int_equal(run(s, 0, 0, text, a, 9984, iv, NULL), 0);
	assert_int_equal(run(s, 0, NO_ZC | 0xff00, text, b, 9984, iv, NULL), 0);
	assert_memory_equal(a, b, 9984);
	free(text);
	cryptsess_close(s);
}

static void e15_a_mebibyte_is_one_operation(void **state)
{
	enum {
		BYTES = 1 << 20
	};
	static const uint32_t ciphers[] = { CRYPTSESS_AES_CBC,
					    CRYPTSESS_AES_CTR };
	uint8_t *text = calloc(2, BYTES);

	assert_non_null(text);
	for (size_t i = 0; i < 2; i++) {
		struct cryptsess *s =
			test_session_open(provider, ciphers[i], 0);
		uint8_t iv[16] = "initial";

		if (!s)
			continue;
		assert_int_equal(
			run(s, 0, 0, text, text + BYTES, BYTES, iv, NULL), 0);
		assert_int_equal(run(s, 1, 0, text + BYTES, text + BYTES, BYTES,
				     iv, NULL),
				 0);
		assert_memory_equal(text, text + BYTES, BYTES);
		cryptsess_close(s);
	}
	free(text);
}

/* Above and below every limit of a provider, in one piece and cut. */
static void e15_xts_data_units_of_any_length_agree(void **state)
{
	static const uint32_t lengths[] = { 512, 528, 1 << 20, 17 << 20 };
	struct cryptsess *s = open_or_skip(CRYPTSESS_AES_XTS, 0);
	struct test_random random = { 9 };
	uint8_t *text = malloc(17 << 20), first[64], iv[16] = "a data unit";
	struct test_pieces cut;

	assert_non_null(text);
	for (size_t i = 0; i < 4; i++) {
		struct cryptsess_crypt op = { .direction = CRYPTSESS_DECRYPT,
					      .payload_bytes = lengths[i],
					      .src = cut.list,
					      .dst = cut.list,
					      .iv = iv };
		int r;

		test_random_fill(&random, text, 64);
		memset(text + 64, 0, lengths[i] - 64);
		memcpy(first, text, 64);
		r = run(s, 0, 0, text, text, lengths[i], iv, NULL);
		if (r == -E2BIG)
			break;
		assert_int_equal(r, 0);
		test_pieces_cut(&cut, text, lengths[i], 4096, &random);
		op.src_count = op.dst_count = cut.count;
		assert_int_equal(cryptsess_crypt(s, &op), 0);
		assert_memory_equal(text, first, 64);
		for (uint32_t at = 64; at < lengths[i]; at++)
			assert_true(text[at] == 0);
	}
	free(text);
	cryptsess_close(s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(e1_an_unknown_direction_is_einval),
		cmocka_unit_test(e1_lengths_are_whole_blocks),
		cmocka_unit_test(e2_a_given_iv_replaces_the_sessions),
		cmocka_unit_test(e2_parts_with_the_chained_iv_are_the_whole),
		cmocka_unit_test(e2_a_partial_ctr_block_counts_as_one),
		cmocka_unit_test(e2_a_failed_operation_leaves_no_chained_iv),
		cmocka_unit_test(e3_write_iv_returns_the_chained_iv),
		cmocka_unit_test(e4_in_place_and_apart_agree),
		cmocka_unit_test(e4_overlapping_buffers_are_copied_in_then_out),
		cmocka_unit_test(
			e4_pieces_that_overlap_crosswise_are_copied_first),
		cmocka_unit_test(e5_the_digest_covers_the_plaintext_both_ways),
		cmocka_unit_test(e7_no_data_sets_the_iv_and_succeeds),
		cmocka_unit_test(e11_missing_or_short_buffers_are_efault),
		cmocka_unit_test(e12_an_aead_session_is_einval),
		cmocka_unit_test(e13_no_zc_and_unknown_flags_change_nothing),
		cmocka_unit_test(e15_a_mebibyte_is_one_operation),
		cmocka_unit_test(e15_xts_data_units_of_any_length_agree),
	};
	int r;

	provider = test_provider_open(argc, argv);
	r = cmocka_run_group_tests_name("crypt", tests, NULL, NULL);
	cryptsess_provider_close(provider);
	return r;
}
