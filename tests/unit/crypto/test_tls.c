/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls.c - the TLS form of CIOCAUTHCRYPT: clauses A1, A3, A11 to A14 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/sessions.h"

static struct cryptsess_provider *provider;

#define ROOM_BYTES 4400

struct record {
	struct cryptsess *s;
	struct cryptsess_authcrypt op;
	struct iovec dst, auth;
	uint8_t data[ROOM_BYTES], aad[4097], iv[16];
};

static void record_init(struct record *q, uint32_t cipher, uint32_t mac,
			uint32_t bytes)
{
	memset(q, 0, sizeof(*q));
	q->s = test_session_open(provider, cipher, mac);
	if (!q->s)
		skip();
	memcpy(q->aad, "thirteen byte", 13);
	memset(q->data, 't', bytes);
	q->dst = (struct iovec){ q->data, ROOM_BYTES };
	q->auth = (struct iovec){ q->aad, sizeof(q->aad) };
	q->op = (struct cryptsess_authcrypt){ .flags = CRYPTSESS_AEAD_TLS,
					      .payload_bytes = bytes,
					      .src = &q->dst,
					      .src_count = 1,
					      .dst = &q->dst,
					      .dst_count = 1,
					      .auth = &q->auth,
					      .auth_count = 1,
					      .auth_bytes = 13,
					      .iv = q->iv };
}

static int run(struct record *q)
{
	return cryptsess_authcrypt(q->s, &q->op);
}

static void turn(struct record *q)
{
	q->op.direction = CRYPTSESS_DECRYPT;
	q->op.payload_bytes = q->op.out_bytes;
}

static void a12_padding_is_1_to_a_block_and_all_lengths_open(void **state)
{
	for (uint32_t bytes = 0; bytes <= 70; bytes++) {
		struct record q;
		uint32_t total = bytes + 20, sealed;

		record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, bytes);
		assert_int_equal(run(&q), 0);
		sealed = total + 16 - total % 16;
		assert_int_equal(q.op.out_bytes, sealed);
		assert_int_equal(q.op.tag_bytes, 20);
		assert_int_equal(q.data[sealed], 0); /* and no further */
		turn(&q);
		assert_int_equal(run(&q), 0);
		assert_int_equal(q.op.out_bytes, bytes);
		for (uint32_t i = 0; i < bytes; i++)
			assert_int_equal(q.data[i], 't');
		cryptsess_close(q.s);
	}
}

static void a12_a_stream_cipher_pads_nothing(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1, 50);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 70);
	turn(&q);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 50);
	cryptsess_close(q.s);
}

static void a13_a_tag_above_the_digest_is_einval(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 50);
	q.op.tag_bytes = 21;
	assert_int_equal(run(&q), -EINVAL);
	assert_int_equal(q.op.tag_bytes, 21);
	q.op.tag_bytes = UINT32_MAX;
	assert_int_equal(run(&q), -EINVAL);
	assert_int_equal(q.data[50], 0); /* nothing was written */
	q.op.tag_bytes = 10;
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 64);
	turn(&q);
	q.op.tag_bytes = 21;
	assert_int_equal(run(&q), -EINVAL);
	q.op.tag_bytes = 10;
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 50);
	cryptsess_close(q.s);
}

static void a14_a_wrong_record_is_ebadmsg_and_zeroed(void **state)
{
	uint8_t sealed[96];
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 60);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 96);
	memcpy(sealed, q.data, sizeof(sealed));
	turn(&q);
	for (uint32_t at = 0; at < 96; at++) {
		memcpy(q.data, sealed, sizeof(sealed));
		q.data[at] ^= 0x20;
		assert_int_equal(run(&q), -EBADMSG);
		for (uint32_t i = 0; i < 96; i++)
			assert_int_equal(q.data[i], 0);
	}
	memcpy(q.data, sealed, sizeof(sealed));
	q.aad[12] ^= 1;
	assert_int_equal(run(&q), -EBADMSG);
	memcpy(q.data, sealed, sizeof(sealed));
	q.aad[12] ^= 1;
	assert_int_equal(run(&q), 0);
	cryptsess_close(q.s);
}

/* Encrypt `bytes` bytes as they are, with the record's key and IV: a record of
 * the test's own making. */
static void encrypt_as_is(struct record *q, uint32_t cipher, uint32_t bytes)
{
	struct cryptsess *s = test_session_open(provider, cipher, 0);
	struct cryptsess_crypt op = { .payload_bytes = bytes,
				      .src = &q->dst,
				      .src_count = 1,
				      .dst = &q->dst,
				      .dst_count = 1,
				      .iv = q->iv };

	assert_int_equal(cryptsess_crypt(s, &op), 0);
	cryptsess_close(s);
}

/* A record with a right MAC and `padding` bytes of padding. */
static void make_record(struct record *q, uint32_t text_bytes,
			uint32_t padding_bytes)
{
	struct cryptsess *h =
		test_session_open(provider, 0, CRYPTSESS_HMAC_SHA1);
	uint32_t total = text_bytes + 20 + padding_bytes;
	struct iovec pieces[2] = { { q->aad, 13 }, { q->data, text_bytes } };
	struct cryptsess_crypt op = { .payload_bytes = 13 + text_bytes,
				      .src = pieces,
				      .src_count = 2,
				      .mac = q->data + text_bytes };

	assert_int_equal(cryptsess_crypt(h, &op), 0);
	memset(q->data + text_bytes + 20, (int)padding_bytes - 1,
	       padding_bytes);
	q->op.direction = CRYPTSESS_DECRYPT;
	q->op.payload_bytes = total;
	cryptsess_close(h);
}

static void a14_padding_may_be_up_to_256_bytes(void **state)
{
	for (uint32_t padding = 1; padding <= 256; padding++) {
		/* What makes the record whole blocks. */
		uint32_t bytes = 16 * 20 - (padding + 20) % 16;
		struct record q;

		record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, bytes);
		make_record(&q, bytes, padding);
		encrypt_as_is(&q, CRYPTSESS_AES_CBC, q.op.payload_bytes);
		assert_int_equal(run(&q), 0);
		assert_int_equal(q.op.out_bytes, bytes);
		cryptsess_close(q.s);
	}
}

static void a14_every_padding_byte_counts(void **state)
{
	for (uint32_t at = 1; at < 44; at++) {
		struct record q;

		record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
		make_record(&q, 64, 44);
		q.data[64 + 20 + 44 - 1 - at] ^= 1;
		encrypt_as_is(&q, CRYPTSESS_AES_CBC, 128);
		assert_int_equal(run(&q), -EBADMSG);
		cryptsess_close(q.s);
	}
}

static void a14_padding_longer_than_the_record_is_ebadmsg(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 0);
	memset(q.data, 255, 32);
	encrypt_as_is(&q, CRYPTSESS_AES_CBC, 32);
	q.op.direction = CRYPTSESS_DECRYPT;
	q.op.payload_bytes = 32;
	assert_int_equal(run(&q), -EBADMSG);
	/* One that leaves less than a MAC. */
	memset(q.data, 12, 32);
	encrypt_as_is(&q, CRYPTSESS_AES_CBC, 32);
	assert_int_equal(run(&q), -EBADMSG);
	cryptsess_close(q.s);
}

static void a14_without_a_mac_wrong_padding_is_ebadmsg(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, 0, 30);
	q.op.tag_bytes = 7; /* there is no tag */
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 32);
	assert_int_equal(q.op.tag_bytes, 0);
	turn(&q);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 30);
	memset(q.data, 5, 32);
	q.data[28] = 6;
	encrypt_as_is(&q, CRYPTSESS_AES_CBC, 32);
	assert_int_equal(run(&q), -EBADMSG);
	cryptsess_close(q.s);
}

static void a14_lengths_that_cannot_be_are_einval(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 0);
	q.op.direction = CRYPTSESS_DECRYPT;
	q.op.payload_bytes = 0;
	assert_int_equal(run(&q), -EINVAL);
	q.op.payload_bytes = 33; /* no whole blocks */
	assert_int_equal(run(&q), -EINVAL);
	q.op.payload_bytes = 16; /* less than a MAC and a byte of padding */
	assert_int_equal(run(&q), -EINVAL);
	q.op.payload_bytes = 32;
	assert_int_equal(run(&q), -EBADMSG);
	cryptsess_close(q.s);
}

static void a11_bounds_of_aad_and_destination(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
	q.op.auth_bytes = 4097;
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = 4096;
	q.auth.iov_len = 4095;
	assert_int_equal(run(&q), -EFAULT);
	q.auth.iov_len = 4096;
	assert_int_equal(run(&q), 0);
	q.op.auth_bytes = 13;
	q.op.auth_count = 0;
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = 0;
	assert_int_equal(run(&q), 0);
	q.dst.iov_len = 95; /* 64 + 20 + 12 are needed */
	assert_int_equal(run(&q), -EFAULT);
	q.dst.iov_len = 96;
	assert_int_equal(run(&q), 0);
	q.op.src_count = q.op.dst_count = 0;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

static void a1_source_and_destination_are_one(void **state)
{
	uint8_t other[ROOM_BYTES] = { 0 };
	struct iovec src = { other, sizeof(other) };
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
	q.op.src = &src;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

static void a1_without_a_cipher_is_einval(void **state)
{
	struct record q;

	record_init(&q, 0, CRYPTSESS_HMAC_SHA1, 64);
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

static void a3_the_iv_chains_and_is_written_back(void **state)
{
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
	q.op.flags |= CRYPTSESS_WRITE_IV;
	assert_int_equal(run(&q), 0);
	assert_memory_equal(q.iv, q.data + q.op.out_bytes - 16, 16);
	cryptsess_close(q.s);
}

static void e2_a_refused_record_leaves_the_iv(void **state)
{
	uint8_t before[16], after[16];
	struct record q;

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
	memset(q.iv, 'i', sizeof(q.iv));
	cryptsess_get_iv(q.s, before);
	q.op.tag_bytes = 21;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_get_iv(q.s, after);
	assert_memory_equal(before, after, 16);
	cryptsess_close(q.s);
}

static void a3_a_refused_record_still_ends_the_older_hash(void **state)
{
	uint8_t want[20], got[20], out[16];
	struct iovec dst = { out, sizeof(out) };
	struct record q;
	struct cryptsess_crypt op = { .payload_bytes = 16,
				      .src = &q.auth,
				      .src_count = 1,
				      .dst = &dst,
				      .dst_count = 1,
				      .mac = want };

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
	assert_int_equal(cryptsess_crypt(q.s, &op), 0);
	op.flags = CRYPTSESS_UPDATE;
	assert_int_equal(cryptsess_crypt(q.s, &op), 0);
	q.op.tag_bytes = 21;
	assert_int_equal(run(&q), -EINVAL);
	op.flags = CRYPTSESS_FINAL;
	op.mac = got;
	assert_int_equal(cryptsess_crypt(q.s, &op), 0);
	assert_memory_equal(got, want, 20);
	cryptsess_close(q.s);
}

static void a1_an_older_hash_state_does_not_matter(void **state)
{
	uint8_t want[96], mac[20];
	struct record q;
	struct cryptsess_crypt op = { .flags = CRYPTSESS_UPDATE, .mac = mac };

	record_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1, 64);
	assert_int_equal(run(&q), 0);
	memcpy(want, q.data, 96);
	memset(q.data, 't', 64);
	op.payload_bytes = 16;
	op.src = op.dst = &q.auth;
	op.src_count = op.dst_count = 1;
	assert_int_equal(cryptsess_crypt(q.s, &op), 0);
	memset(q.aad, 0, sizeof(q.aad));
	memcpy(q.aad, "thirteen byte", 13);
	assert_int_equal(run(&q), 0);
	assert_memory_equal(q.data, want, 96);
	cryptsess_close(q.s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a12_padding_is_1_to_a_block_and_all_lengths_open),
		cmocka_unit_test(a12_a_stream_cipher_pads_nothing),
		cmocka_unit_test(a13_a_tag_above_the_digest_is_einval),
		cmocka_unit_test(a14_a_wrong_record_is_ebadmsg_and_zeroed),
		cmocka_unit_test(a14_padding_may_be_up_to_256_bytes),
		cmocka_unit_test(a14_every_padding_byte_counts),
		cmocka_unit_test(a14_padding_longer_than_the_record_is_ebadmsg),
		cmocka_unit_test(a14_without_a_mac_wrong_padding_is_ebadmsg),
		cmocka_unit_test(a14_lengths_that_cannot_be_are_einval),
		cmocka_unit_test(a11_bounds_of_aad_and_destination),
		cmocka_unit_test(a1_source_and_destination_are_one),
		cmocka_unit_test(a1_without_a_cipher_is_einval),
		cmocka_unit_test(a3_the_iv_chains_and_is_written_back),
		cmocka_unit_test(e2_a_refused_record_leaves_the_iv),
		cmocka_unit_test(a3_a_refused_record_still_ends_the_older_hash),
		cmocka_unit_test(a1_an_older_hash_state_does_not_matter),
	};
	int r;

	provider = test_provider_open(argc, argv);
	r = cmocka_run_group_tests_name("tls", tests, NULL, NULL);
	cryptsess_provider_close(provider);
	return r;
}
