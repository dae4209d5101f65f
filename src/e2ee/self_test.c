/* SPDX-License-Identifier: Apache-2.0 */
/* self_test.c - whether a provider computes what the suite asks of it */

/*
 * How it works: the cipher is compared with a published answer, the MAC with
 * the HMAC that derives our keys, which no provider computes. A provider that
 * handed the plaintext back as ciphertext would otherwise be believed, and
 * the relay would read along.
 */
#include "e2ee/self_test.h"

#include "base/bytes.h"
#include "base/mutant.h"
#include "e2ee/suite.h"
#include "prim/hkdf.h"

#include <errno.h>
#include <string.h>

#define BYTES     16
#define AAD_BYTES 5

/* NIST SP 800-38A, F.5.5: CTR-AES256.Encrypt, block 1. */
static const struct message_keys keys = {
	.enc = { { 0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe,
		   0x2b, 0x73, 0xae, 0xf0, 0x85, 0x7d, 0x77, 0x81,
		   0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61, 0x08, 0xd7,
		   0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4 } },
	.mac = { "a key of thirty-two bytes: known" },
};
static const uint8_t iv[CHAT_IV_BYTES] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5,
					   0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb,
					   0xfc, 0xfd, 0xfe, 0xff };
static const uint8_t plaintext[BYTES] = { 0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40,
					  0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11,
					  0x73, 0x93, 0x17, 0x2a };
static const uint8_t expected[BYTES] = { 0x60, 0x1e, 0xc3, 0x13, 0x77, 0x57,
					 0x89, 0xa5, 0xb7, 0xa7, 0xf5, 0x04,
					 0xbb, 0xf3, 0xd2, 0x28 };
static const uint8_t aad[AAD_BYTES] = "check";

/* Clause 5.4: each part behind its length. */
static void tag_compute(struct secret *tag)
{
	uint8_t data[12 + AAD_BYTES + CHAT_IV_BYTES + BYTES], *at = data;

	bytes_put_be32(at, AAD_BYTES);
	memcpy(at + 4, aad, AAD_BYTES);
	at += 4 + AAD_BYTES;
	bytes_put_be32(at, CHAT_IV_BYTES);
	memcpy(at + 4, iv, CHAT_IV_BYTES);
	at += 4 + CHAT_IV_BYTES;
	bytes_put_be32(at, BYTES);
	memcpy(at + 4, expected, BYTES);
	hkdf_extract(tag, keys.mac.bytes, sizeof(keys.mac.bytes), data,
		     sizeof(data));
}

int e2ee_provider_check(struct cryptsess_provider *provider)
{
	const struct suite *suite = suite_by_id(SUITE_A);
	uint8_t in[BYTES], ciphertext[BYTES], out[BYTES];
	const struct iovec from = { in, BYTES }, to = { out, BYTES };
	uint8_t tag[CHAT_TAG_BYTES];
	struct suite_job job = {
		.keys = &keys,
		.iv = iv,
		.aad = aad,
		.aad_bytes = AAD_BYTES,
		.plain = &from,
		.plain_count = 1,
		.ciphertext = ciphertext,
		.bytes = BYTES,
	};
	struct secret right;
	bool is_right;
	int err;

	tag_compute(&right);
	memcpy(in, plaintext, BYTES);
	err = suite_seal(suite, provider, &job, tag);
	if (err)
		return err;
	is_right = memcmp(ciphertext, expected, BYTES) == 0 &&
		   memcmp(tag, right.bytes, CHAT_TAG_BYTES) == 0;
	if (!CHECK(provider_answer, is_right))
		return -EBADMSG;
	job.plain = &to;
	err = suite_open(suite, provider, &job, tag);
	if (err)
		return err;
	return CHECK(provider_answer, memcmp(out, plaintext, BYTES) == 0)
		       ? 0
		       : -EBADMSG;
}
