/* SPDX-License-Identifier: Apache-2.0 */
/* suite.c - how a payload is encrypted and authenticated by crypto sessions */

/*
 * How it works: encrypt-then-MAC with two sessions. A session that has cipher
 * and mac together would authenticate the plaintext, so none is used here.
 * The tag is whole and compared in this process, never by the provider; both
 * keys have a fixed length and labels of their own, so a tag commits to the
 * keys (spec/e2ee.md, clause 5).
 */
#include "e2ee/suite.h"
#include "base/bytes.h"
#include "base/mutant.h"

#include <errno.h>
#include <string.h>

struct suite {
	uint16_t id;
	const char *name;
	uint32_t cipher;
	uint32_t mac;
	bool is_reserved;
};

static const struct suite suites[] = {
	{ SUITE_A, "aes-256-ctr+hmac-sha256", CRYPTSESS_AES_CTR,
	  CRYPTSESS_HMAC_SHA256, false },
	{ SUITE_C, "aes-256-cbc+hmac-sha256", CRYPTSESS_AES_CBC,
	  CRYPTSESS_HMAC_SHA256, true },
};

const struct suite *suite_by_id(uint16_t id)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(suites); i++)
		if (suites[i].id == id && !suites[i].is_reserved)
			return &suites[i];
	return NULL;
}

/* Encrypt `plain` to the ciphertext, or the other way round. */
static int cipher_run(const struct suite *suite,
		      struct cryptsess_provider *provider,
		      const struct suite_job *job,
		      enum cryptsess_direction direction)
{
	const struct iovec ciphertext = { job->ciphertext, job->bytes };
	bool seals = direction == CRYPTSESS_ENCRYPT;
	const struct cryptsess_params params = {
		.cipher = suite->cipher,
		.key = job->keys->enc.bytes,
		.key_bytes = sizeof(job->keys->enc.bytes),
	};
	uint8_t iv[CHAT_IV_BYTES];
	struct cryptsess_crypt op = {
		.direction = (uint16_t)direction,
		.payload_bytes = job->bytes,
		.src = seals ? job->plain : &ciphertext,
		.src_count = seals ? job->plain_count : 1,
		.dst = seals ? &ciphertext : job->plain,
		.dst_count = seals ? 1 : job->plain_count,
		.iv = iv,
	};
	struct cryptsess *session;
	int err;

	memcpy(iv, job->iv, sizeof(iv));
	err = cryptsess_open(&session, provider, &params);
	if (err)
		return err;
	err = cryptsess_crypt(session, &op);
	cryptsess_close(session);
	return err;
}

/* HMAC over AAD, IV and ciphertext, each behind its length (u32). */
static int mac_run(const struct suite *suite,
		   struct cryptsess_provider *provider,
		   const struct suite_job *job, uint8_t tag[CHAT_TAG_BYTES])
{
	uint8_t aad_length[4], iv_length[4], length[4];
	const struct iovec parts[] = {
		{ aad_length, 4 },
		{ (void *)(uintptr_t)job->aad, job->aad_bytes },
		{ iv_length, 4 },
		{ (void *)(uintptr_t)job->iv, CHAT_IV_BYTES },
		{ length, 4 },
		{ job->ciphertext, job->bytes },
	};
	const struct cryptsess_params params = {
		.mac = suite->mac,
		.mac_key = job->keys->mac.bytes,
		.mac_key_bytes = sizeof(job->keys->mac.bytes),
	};
	struct cryptsess_crypt op = {
		.payload_bytes =
			12 + job->aad_bytes + CHAT_IV_BYTES + job->bytes,
		.src = parts,
		.src_count = ARRAY_SIZE(parts),
		.mac = tag,
	};
	struct cryptsess *session;
	int err;

	bytes_put_be32(aad_length, job->aad_bytes);
	bytes_put_be32(iv_length, CHAT_IV_BYTES);
	bytes_put_be32(length, job->bytes);
	err = cryptsess_open(&session, provider, &params);
	if (err)
		return err;
	err = cryptsess_crypt(session, &op);
	cryptsess_close(session);
	return !err && !op.has_digest ? -EIO : err;
}

int suite_seal(const struct suite *suite, struct cryptsess_provider *provider,
	       const struct suite_job *job, uint8_t tag[CHAT_TAG_BYTES])
{
	int err = cipher_run(suite, provider, job, CRYPTSESS_ENCRYPT);

	if (!err)
		err = mac_run(suite, provider, job, tag);
	if (err) {
		secret_wipe(job->ciphertext, job->bytes);
		secret_wipe(tag, CHAT_TAG_BYTES);
	}
	return err;
}

int suite_open(const struct suite *suite, struct cryptsess_provider *provider,
	       const struct suite_job *job, const uint8_t tag[CHAT_TAG_BYTES])
{
	uint8_t expected[CHAT_TAG_BYTES];
	bool is_equal;
	int err;

	err = mac_run(suite, provider, job, expected);
	if (err)
		return err;
	is_equal = bytes_equal_ct(expected, tag, sizeof(expected));
	secret_wipe(expected, sizeof(expected));
	if (!CHECK(mac_compare, is_equal))
		return -EBADMSG;
	return cipher_run(suite, provider, job, CRYPTSESS_DECRYPT);
}
