/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c - the IV that an operation leaves behind, from its data */

#include "crypto/chain.h"

#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"

/*
 * How it works: clause E2 in terms of source and destination only, so that it
 * holds for every provider. CBC and CFB chain the last whole block of
 * ciphertext; OFB the last block of key stream, which is source xor
 * destination (and why it is run in whole blocks); CTR adds the blocks begun.
 * ECB and NULL have no IV; XTS and the AEADs keep the one they were given.
 */
enum chaining {
	CHAINS_NOTHING,
	CHAINS_CIPHERTEXT,
	CHAINS_COUNTER,
	CHAINS_KEY_STREAM,
};

static const uint8_t chaining_of[] = {
	[CRYPTSESS_DES_CBC] = CHAINS_CIPHERTEXT,
	[CRYPTSESS_3DES_CBC] = CHAINS_CIPHERTEXT,
	[CRYPTSESS_BLOWFISH_CBC] = CHAINS_CIPHERTEXT,
	[CRYPTSESS_AES_CBC] = CHAINS_CIPHERTEXT,
	[CRYPTSESS_AES_CTR] = CHAINS_COUNTER,
	[CRYPTSESS_AES_CFB] = CHAINS_CIPHERTEXT,
	[CRYPTSESS_AES_OFB] = CHAINS_KEY_STREAM,
	[CRYPTSESS_CAMELLIA_CBC] = CHAINS_CIPHERTEXT,
};

/* The last whole block of a stream of `bytes` bytes. False: there is none. */
static bool read_last_block(const struct cryptsess_algorithm *a,
			    const struct scatter *s, uint32_t bytes,
			    uint8_t *block)
{
	uint32_t whole = bytes - bytes % a->iv_bytes;

	if (whole == 0)
		return false;
	scatter_read(s, whole - a->iv_bytes, block, a->iv_bytes);
	return true;
}

static void counter_add(uint8_t *counter, uint64_t blocks)
{
	uint64_t low = bytes_get_be64(counter + 8) + blocks;

	bytes_put_be64(counter + 8, low);
	if (low < blocks)
		bytes_put_be64(counter, bytes_get_be64(counter) + 1);
}

void chain_begin(struct chain *chain, const struct cryptsess_algorithm *a,
		 const struct cipher_job *job)
{
	enum chaining how = chaining_of[a->id];

	if (a->iv_bytes)
		memcpy(chain->next, job->iv, a->iv_bytes);
	if (how == CHAINS_COUNTER)
		counter_add(chain->next, ((uint64_t)job->bytes + 15) / 16);
	else if (how == CHAINS_KEY_STREAM ||
		 (how == CHAINS_CIPHERTEXT &&
		  job->direction == CRYPTSESS_DECRYPT))
		read_last_block(a, &job->src, job->bytes, chain->next);
}

void chain_end(struct chain *chain, const struct cryptsess_algorithm *a,
	       const struct cipher_job *job, uint8_t *iv)
{
	enum chaining how = chaining_of[a->id];
	uint8_t out[CRYPTSESS_MAX_IV_BYTES];

	if (how == CHAINS_CIPHERTEXT && job->direction == CRYPTSESS_ENCRYPT) {
		read_last_block(a, &job->dst, job->bytes, chain->next);
	} else if (how == CHAINS_KEY_STREAM &&
		   read_last_block(a, &job->dst, job->bytes, out)) {
		for (uint32_t i = 0; i < a->iv_bytes; i++)
			chain->next[i] ^= out[i];
		secret_wipe(out, sizeof(out));
	}
	if (a->iv_bytes)
		memcpy(iv, chain->next, a->iv_bytes);
}
