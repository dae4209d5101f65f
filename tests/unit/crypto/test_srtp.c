/* SPDX-License-Identifier: Apache-2.0 */
/* test_srtp.c - the SRTP form of CIOCAUTHCRYPT: clauses A1 and A15 to A17 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/sessions.h"

static struct cryptsess_provider *provider;

#define HEADER_BYTES  12
#define PAYLOAD_BYTES 100
#define PACKET_BYTES  120

struct packet {
	struct cryptsess *s;
	struct cryptsess_authcrypt op;
	struct iovec payload, auth;
	uint8_t data[1024], tag[64], iv[16];
};

static void packet_init(struct packet *q, uint32_t cipher, uint32_t mac)
{
	memset(q, 0, sizeof(*q));
	q->s = test_session_open(provider, cipher, mac);
	if (!q->s)
		skip();
	memset(q->data, 'p', PACKET_BYTES);
	q->payload = (struct iovec){ q->data + HEADER_BYTES, PAYLOAD_BYTES };
	q->auth = (struct iovec){ q->data, sizeof(q->data) };
	q->op = (struct cryptsess_authcrypt){
		.flags = CRYPTSESS_AEAD_SRTP,
		.payload_bytes = PAYLOAD_BYTES,
		.src = &q->payload,
		.src_count = 1,
		.dst = &q->payload,
		.dst_count = 1,
		.auth = &q->auth,
		.auth_count = 1,
		.auth_bytes = PACKET_BYTES,
		.auth_payload_offset = HEADER_BYTES,
		.tag = q->tag,
		.iv = q->iv,
	};
}

static int run(struct packet *q)
{
	return cryptsess_authcrypt(q->s, &q->op);
}

static void a16_a17_a_packet_is_sealed_and_opened(void **state)
{
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.op.out_bytes, PAYLOAD_BYTES);
	assert_int_equal(q.op.tag_bytes, 20);
	assert_int_equal(q.data[HEADER_BYTES - 1], 'p');
	assert_int_equal(q.data[HEADER_BYTES + PAYLOAD_BYTES], 'p');
	q.op.direction = CRYPTSESS_DECRYPT;
	assert_int_equal(run(&q), 0);
	for (uint32_t i = 0; i < PACKET_BYTES; i++)
		assert_int_equal(q.data[i], 'p');
	cryptsess_close(q.s);
}

static void a17_a_wrong_packet_is_ebadmsg_and_untouched(void **state)
{
	uint8_t before[PACKET_BYTES];
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	q.op.tag_bytes = 10;
	assert_int_equal(run(&q), 0);
	q.op.direction = CRYPTSESS_DECRYPT;
	for (uint32_t at = 0; at < PACKET_BYTES; at++) {
		q.data[at] ^= 4;
		memcpy(before, q.data, PACKET_BYTES);
		assert_int_equal(run(&q), -EBADMSG);
		assert_memory_equal(q.data, before, PACKET_BYTES);
		q.data[at] ^= 4;
	}
	for (uint32_t at = 0; at < 10; at++) {
		q.tag[at] ^= 4;
		assert_int_equal(run(&q), -EBADMSG);
		q.tag[at] ^= 4;
	}
	q.tag[10] ^= 4; /* behind the tag */
	assert_int_equal(run(&q), 0);
	cryptsess_close(q.s);
}

static void a15_only_stream_ciphers(void **state)
{
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1);
	q.op.payload_bytes = 96;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
	packet_init(&q, CRYPTSESS_AES_GCM, 0);
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
	packet_init(&q, CRYPTSESS_NULL, CRYPTSESS_HMAC_SHA1);
	assert_int_equal(run(&q), 0);
	assert_int_equal(q.data[HEADER_BYTES], 'p');
	cryptsess_close(q.s);
}

static void a15_the_payload_lies_in_the_packet(void **state)
{
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	q.op.auth_payload_offset = HEADER_BYTES + 1; /* not where dst is */
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_payload_offset = HEADER_BYTES;
	q.op.auth_bytes = HEADER_BYTES + PAYLOAD_BYTES - 1;
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = HEADER_BYTES + PAYLOAD_BYTES;
	assert_int_equal(run(&q), 0);
	q.op.auth_bytes = 0;
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = 8; /* ends before the payload begins */
	assert_int_equal(run(&q), -EINVAL);
	q.op.auth_bytes = PACKET_BYTES;
	q.op.auth_payload_offset = UINT32_MAX;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

static void a15_the_header_is_at_most_256_bytes(void **state)
{
	struct packet q;

	for (uint32_t header = 256; header <= 257; header++) {
		packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
		q.payload.iov_base = q.data + header;
		q.op.auth_payload_offset = header;
		q.op.auth_bytes = header + PAYLOAD_BYTES;
		assert_int_equal(run(&q), header == 256 ? 0 : -EINVAL);
		cryptsess_close(q.s);
	}
}

static void a15_an_empty_output_is_einval(void **state)
{
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	q.op.payload_bytes = 0;
	assert_int_equal(run(&q), 0); /* the tag is output */
	q.op.direction = CRYPTSESS_DECRYPT;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

static void a16_a17_tag_lengths(void **state)
{
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	q.op.tag_bytes = 21;
	assert_int_equal(run(&q), -EINVAL);
	q.op.tag_bytes = 20;
	q.op.tag = NULL;
	assert_int_equal(run(&q), -EFAULT);
	q.op.tag = q.tag;
	q.op.payload_bytes = 19;
	assert_int_equal(run(&q), 0);
	q.op.direction = CRYPTSESS_DECRYPT;
	assert_int_equal(run(&q), -EINVAL); /* longer than the payload */
	cryptsess_close(q.s);
}

static void a4_short_packets_are_efault(void **state)
{
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	q.auth.iov_len = PACKET_BYTES - 1;
	assert_int_equal(run(&q), -EFAULT);
	cryptsess_close(q.s);
}

static void a1_source_and_destination_are_one(void **state)
{
	struct iovec elsewhere = { (uint8_t[PAYLOAD_BYTES]){ 0 },
				   PAYLOAD_BYTES };
	struct packet q;

	packet_init(&q, CRYPTSESS_AES_CTR, CRYPTSESS_HMAC_SHA1);
	q.op.src = &elsewhere;
	assert_int_equal(run(&q), -EINVAL);
	cryptsess_close(q.s);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a16_a17_a_packet_is_sealed_and_opened),
		cmocka_unit_test(a17_a_wrong_packet_is_ebadmsg_and_untouched),
		cmocka_unit_test(a15_only_stream_ciphers),
		cmocka_unit_test(a15_the_payload_lies_in_the_packet),
		cmocka_unit_test(a15_the_header_is_at_most_256_bytes),
		cmocka_unit_test(a15_an_empty_output_is_einval),
		cmocka_unit_test(a16_a17_tag_lengths),
		cmocka_unit_test(a4_short_packets_are_efault),
		cmocka_unit_test(a1_source_and_destination_are_one),
	};
	int r;

	provider = test_provider_open(argc, argv);
	r = cmocka_run_group_tests_name("srtp", tests, NULL, NULL);
	cryptsess_provider_close(provider);
	return r;
}
