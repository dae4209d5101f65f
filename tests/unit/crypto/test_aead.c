/* SPDX-License-Identifier: Apache-2.0 */
/* test_aead.c - CIOCAUTHCRYPT with GCM and CCM: clauses A1 to A10 */

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

#define TEXT_BYTES 100
#define ROOM_BYTES 4200

/* A request over buffers of its own, ready to be run or spoiled. */
struct request {
	struct cryptsess *s;
	struct cryptsess_authcrypt op;
	struct iovec src, dst, auth;
	uint8_t text[ROOM_BYTES], out[ROOM_BYTES], aad[ROOM_BYTES], iv[16];
};

static void request_init(struct request *q, uint32_t cipher)
{
	memset(q, 0, sizeof(*q));
	q->s = test_session_open(provider, cipher, 0);
	if (!q->s)
		skip();
	strcpy((char *)q->text, "plaintext of an AEAD");
	strcpy((char *)q->aad, "associated data");
	memcpy(q->iv, "\3nonce of twelv", 15);
	q->src = (struct iovec){ q->text, ROOM_BYTES };
	q->dst = (struct iovec){ q->out, ROOM_BYTES };
	q->auth = (struct iovec){ q->aad, ROOM_BYTES };
	q->op = (struct cryptsess_authcrypt){ .payload_bytes = TEXT_BYTES,
					      .src = &q->src,
					      .src_count = 1,
					      .dst = &q->dst,
					      .dst_count = 1,
					      .auth = &q->auth,
					      .auth_count = 1,
					      .auth_bytes = 15,
					      .iv = q->iv };
}

static int run(struct request *q)
{
	return cryptsess_authcrypt(q->s, &q->op);
}

/* Turn a sealed request into the one that opens it, from `out` to `text`. */
static void turn(struct request *q)
{
	struct iovec src = q->src;

	q->src = q->dst;
	q->dst = src;
	memset(q->text, 0xee, sizeof(q->text));
	q->op.direction = CRYPTSESS_DECRYPT;
	q->op.payload_bytes = q->op.out_bytes;
}

static void each(void (*claim)(uint32_t cipher))
{
	claim(CRYPTSESS_AES_GCM);
	claim(CRYPTSESS_AES_CCM);
}

static void round_trip(uint32_t cipher)
{
	struct request q;

	request_init(&q, cipher);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, TEXT_BYTES + 16);
	assert_int_equal(q.op.tag_bytes, 16);
	turn(&q);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, TEXT_BYTES);
	assert_string_equal((char *)q.text, "plaintext of an AEAD");
	assert_int_equal(q.text[TEXT_BYTES], 0xee); /* and no further */
	cryptsess_close(q.s);
}

static void a7_a8_the_tag_follows_the_text(void **state)
{
	each(round_trip);
}

static void empty_text(uint32_t cipher)
{
	struct request q;

	request_init(&q, cipher);
	q.op.payload_bytes = 0;
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 16);
	turn(&q);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, 0);
	assert_int_equal(q.text[0], 0xee);
	q.out[3] ^= 1;
	assert_int_equal(run(&q), -EBADMSG);
	cryptsess_close(q.s);
}

static void a7_a_tag_alone_is_sealed_and_opened(void **state)
{
	each(empty_text);
}

static void tampered(uint32_t cipher)
{
	struct request q;

	request_init(&q, cipher);
	assert_int_equal(run(&q), 0);
	turn(&q);
	for (uint32_t at = 0; at < TEXT_BYTES + 16; at += 5) {
		memset(q.text, 0xee, sizeof(q.text));
		q.out[at] ^= 0x10;
		assert_int_equal(run(&q), -EBADMSG);
		for (uint32_t i = 0; i < TEXT_BYTES; i++)
			assert_int_equal(q.text[i], 0);
		assert_int_equal(q.text[TEXT_BYTES], 0xee);
		q.out[at] ^= 0x10;
	}
	q.aad[0] ^= 1;
	assert_int_equal(run(&q), -EBADMSG);
	q.aad[0] ^= 1;
	q.iv[5] ^= 1;
	assert_int_equal(run(&q), -EBADMSG);
	q.iv[5] ^= 1;
	assert_int_equal(run(&q), 0);
	assert_string_equal((char *)q.text, "plaintext of an AEAD");
	cryptsess_close(q.s);
}

static void a8_a_wrong_message_is_ebadmsg_and_leaves_zeros(void **state)
{
	each(tampered);
}

static void tampered_in_place(uint32_t cipher)
{
	struct request q;

	request_init(&q, cipher);
	q.dst = q.src;
	assert_int_equal(run(&q), 0);
	q.op.direction = CRYPTSESS_DECRYPT;
	q.op.payload_bytes = q.op.out_bytes;
	q.text[TEXT_BYTES] ^= 1;
	assert_int_equal(run(&q), -EBADMSG);
	for (uint32_t i = 0; i < TEXT_BYTES; i++)
		assert_int_equal(q.text[i], 0);
	cryptsess_close(q.s);
}

static void a10_in_place_a_wrong_message_is_zeroed_too(void **state)
{
	each(tampered_in_place);
}

static void tag_sizes(uint32_t cipher)
{
	static const char gcm[] = "....x...x...xxxxx",
			  ccm[] = "....x.x.x.x.x.x.x";
	const char *legal = cipher == CRYPTSESS_AES_GCM ? gcm : ccm;

	for (uint32_t bytes = 1; bytes < 70; bytes++) {
		bool is_legal = bytes <= 16 && legal[bytes] == 'x';
		struct request q;

		request_init(&q, cipher);
		q.op.tag_bytes = bytes;
		assert_int_equal(run(&q), is_legal ? 0 : -EINVAL);
		assert_int_equal(q.op.tag_bytes, bytes);
		if (is_legal) {
			assert_int_equal(q.op.out_bytes, TEXT_BYTES + bytes);
			turn(&q);
			assert_int_equal(run(&q), 0);
			q.out[TEXT_BYTES] ^= 1;
			assert_int_equal(run(&q), -EBADMSG);
			/* The next size on the same session: not sticky. */
			q.op.tag_bytes = 16;
			q.op.payload_bytes = TEXT_BYTES;
			q.op.direction = CRYPTSESS_ENCRYPT;
			assert_int_equal(run(&q), 0);
		}
		cryptsess_close(q.s);
	}
}

static void a6_tag_sizes_are_the_standards(void **state)
{
	each(tag_sizes);
}

static void lengths(uint32_t cipher)
{
	struct request q;

	request_init(&q, cipher);
	q.op.auth_bytes = 4096;
	assert_int_equal(run(&q), 0);
	q.op.auth_bytes = 4097;
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = 0;
	assert_int_equal(run(&q), 0);
	q.op.auth_count = 0;
	assert_int_equal(run(&q), 0);
	q.op.auth_bytes = 1;
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = 0;
	q.op.direction = CRYPTSESS_DECRYPT;
	q.op.payload_bytes = 15;
	assert_int_equal(run(&q), -EINVAL);
	q.op.payload_bytes = 16;
	assert_int_equal(run(&q), -EBADMSG);
	cryptsess_close(q.s);
}

static void a5_a8_lengths_are_bounded(void **state)
{
	each(lengths);
}

static void short_buffers(uint32_t cipher)
{
	struct request q;

	request_init(&q, cipher);
	q.src.iov_len = TEXT_BYTES - 1;
	assert_int_equal(run(&q), -EFAULT);
	q.src.iov_len = TEXT_BYTES;
	q.dst.iov_len = TEXT_BYTES + 15;
	assert_int_equal(run(&q), -EFAULT);
	q.dst.iov_len = TEXT_BYTES + 16;
	q.auth.iov_len = 14;
	assert_int_equal(run(&q), -EFAULT);
	q.auth.iov_len = 15;
	assert_int_equal(run(&q), 0);
	turn(&q);
	q.dst.iov_len = TEXT_BYTES - 1;
	assert_int_equal(run(&q), -EFAULT);
	q.dst.iov_len = TEXT_BYTES;
	q.src.iov_len = TEXT_BYTES + 15;
	assert_int_equal(run(&q), -EFAULT);
	cryptsess_close(q.s);
}

static void a4_short_buffers_are_efault(void **state)
{
	each(short_buffers);
}

static void a1_direction_is_checked(void **state)
{
	struct request q;

	request_init(&q, CRYPTSESS_AES_GCM);
	q.op.direction = 2;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

static void a1_a2_only_aead_without_flags(void **state)
{
	struct request q;

	request_init(&q, CRYPTSESS_AES_CBC);
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
	request_init(&q, CRYPTSESS_AES_GCM);
	cryptsess_close(q.s);
	q.s = test_session_open(provider, 0, CRYPTSESS_SHA1);
	assert_int_equal(run(&q), -EINVAL);
	assert_int_equal(q.op.tag_bytes, 0); /* clause A3 */
	cryptsess_close(q.s);
}

static void a10_the_tls_flag_wants_one_buffer_then_plain_aead(void **state)
{
	uint8_t want[TEXT_BYTES + 16];
	struct request q;

	request_init(&q, CRYPTSESS_AES_GCM);
	assert_int_equal(run(&q), 0);
	memcpy(want, q.out, sizeof(want));
	q.op.flags = CRYPTSESS_AEAD_TLS;
	assert_int_equal(run(&q), -EINVAL);
	q.dst = q.src;
	assert_int_equal(run(&q), 0);
	assert_memory_equal(q.text, want, sizeof(want));
	cryptsess_close(q.s);
}

static void a9_ccm_checks_its_first_iv_byte(void **state)
{
	for (unsigned int first = 0; first < 256; first++) {
		bool is_legal = first >= 1 && first <= 7;
		struct request q;

		request_init(&q, CRYPTSESS_AES_CCM);
		q.iv[0] = (uint8_t)first;
		assert_int_equal(run(&q), is_legal ? 0 : -EINVAL);
		if (is_legal) {
			turn(&q);
			assert_int_equal(run(&q), 0);
		}
		cryptsess_close(q.s);
	}
}

/* What lies behind the nonce in the IV does not count. */
static void a9_ccm_ignores_the_rest_of_the_iv(void **state)
{
	struct request q;

	request_init(&q, CRYPTSESS_AES_CCM);
	q.iv[0] = 7; /* 7 bytes of nonce follow */
	assert_int_equal(run(&q), 0);
	turn(&q);
	memset(q.iv + 8, 0xff, 8);
	assert_int_equal(run(&q), 0);
	q.iv[7] ^= 1;
	assert_int_equal(run(&q), -EBADMSG);
	cryptsess_close(q.s);
}

static void a9_ccm_texts_above_the_length_field_are_eoverflow(void **state)
{
	uint8_t *text = calloc(1, 70000);
	struct request q;

	assert_non_null(text);
	request_init(&q, CRYPTSESS_AES_CCM);
	q.src = q.dst = (struct iovec){ text, 70000 };
	q.iv[0] = 1; /* two bytes of length */
	q.op.payload_bytes = 65536;
	assert_int_equal(run(&q), -EOVERFLOW);
	q.op.payload_bytes = 65535;
	assert_int_equal(run(&q), 0);
	q.op.payload_bytes = 65536;
	q.iv[0] = 2;
	assert_int_equal(run(&q), 0);
	cryptsess_close(q.s);
	free(text);
}

/* The IV of an AEAD is what was given last; nothing chains. */
static void e2_aeads_do_not_chain(void **state)
{
	uint8_t first[TEXT_BYTES + 16];
	struct request q;

	request_init(&q, CRYPTSESS_AES_GCM);
	q.op.flags = CRYPTSESS_WRITE_IV;
	assert_int_equal(run(&q), 0);
	assert_memory_equal(q.iv, "\3nonce of tw", 12);
	memcpy(first, q.out, sizeof(first));
	q.op.iv = NULL;
	q.op.flags = 0;
	assert_int_equal(run(&q), 0);
	assert_memory_equal(first, q.out, sizeof(first));
	cryptsess_close(q.s);
}

static void overlapping(uint32_t cipher)
{
	for (int shift = -40; shift <= 40; shift++) {
		uint8_t want[TEXT_BYTES + 16];
		struct request q;

		request_init(&q, cipher);
		assert_int_equal(run(&q), 0);
		memcpy(want, q.out, sizeof(want));
		memmove(q.text + 64, q.text, TEXT_BYTES);
		q.src.iov_base = q.text + 64;
		q.src.iov_len = TEXT_BYTES;
		q.dst.iov_base = q.text + 64 + shift;
		q.dst.iov_len = TEXT_BYTES + 16;
		assert_int_equal(run(&q), 0);
		assert_memory_equal(q.text + 64 + shift, want, sizeof(want));
		cryptsess_close(q.s);
	}
}

static void a10_overlapping_buffers_are_copied_in_then_out(void **state)
{
	each(overlapping);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a7_a8_the_tag_follows_the_text),
		cmocka_unit_test(a7_a_tag_alone_is_sealed_and_opened),
		cmocka_unit_test(
			a8_a_wrong_message_is_ebadmsg_and_leaves_zeros),
		cmocka_unit_test(a10_in_place_a_wrong_message_is_zeroed_too),
		cmocka_unit_test(a6_tag_sizes_are_the_standards),
		cmocka_unit_test(a5_a8_lengths_are_bounded),
		cmocka_unit_test(a4_short_buffers_are_efault),
		cmocka_unit_test(a1_direction_is_checked),
		cmocka_unit_test(a1_a2_only_aead_without_flags),
		cmocka_unit_test(
			a10_the_tls_flag_wants_one_buffer_then_plain_aead),
		cmocka_unit_test(a9_ccm_checks_its_first_iv_byte),
		cmocka_unit_test(a9_ccm_ignores_the_rest_of_the_iv),
		cmocka_unit_test(
			a9_ccm_texts_above_the_length_field_are_eoverflow),
		cmocka_unit_test(e2_aeads_do_not_chain),
		cmocka_unit_test(
			a10_overlapping_buffers_are_copied_in_then_out),
	};
	int r;

	provider = test_provider_open(argc, argv);
	r = cmocka_run_group_tests_name("aead", tests, NULL, NULL);
	cryptsess_provider_close(provider);
	return r;
}
