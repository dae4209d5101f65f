/* SPDX-License-Identifier: Apache-2.0 */
/* openssl_xts.c - AES-XTS over ECB: IEEE 1619, whole blocks, any key halves */

#include <endian.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/provider_openssl.h"

/*
 * How it works: the IV encrypted under the second key is the first tweak; each
 * next one is the last times x in GF(2^128), little-endian. Blocks go through
 * ECB in batches that keep the cipher's parallel units busy and stay in the
 * first-level cache.
 */
#define BLOCK_BYTES 16
#define BATCH_BYTES (256 * BLOCK_BYTES)

struct tweak {
	uint64_t low; /* as numbers, whatever the machine's order */
	uint64_t high;
};

struct batch {
	struct tweak next;
	uint8_t masks[BATCH_BYTES];
	uint8_t text[BATCH_BYTES];
};

/* A block that the compiler puts into one register: one that is stored in
 * halves and loaded whole would stall the processor. */
typedef uint64_t block __attribute__((vector_size(BLOCK_BYTES)));

static block load(const uint8_t *from)
{
	block b;

	memcpy(&b, from, sizeof(b));
	return b;
}

static void store(uint8_t *to, block b)
{
	memcpy(to, &b, sizeof(b));
}

/* Make the masks of `bytes` bytes, and the text with them on. */
static void mask_text(struct batch *b, const uint8_t *src, size_t bytes)
{
	uint64_t low = b->next.low, high = b->next.high;

	for (size_t at = 0; at < bytes; at += BLOCK_BYTES) {
		block mask = { htole64(low), htole64(high) };
		uint64_t carry = high >> 63;

		store(b->masks + at, mask);
		store(b->text + at, load(src + at) ^ mask);
		high = high << 1 | low >> 63;
		/* x^128 = x^7 + x^2 + x + 1; no branch on the secret bit */
		low = low << 1 ^ (0x87 & (0 - carry));
	}
	b->next.low = low;
	b->next.high = high;
}

static bool ecb(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in,
		size_t bytes)
{
	int done;

	return EVP_CipherUpdate(ctx, out, &done, in, (int)bytes) &&
	       (size_t)done == bytes;
}

static bool run_step(EVP_CIPHER_CTX *ctx, struct batch *b,
		     const struct step *step)
{
	for (size_t at = 0; at < step->bytes; at += BATCH_BYTES) {
		size_t some = step->bytes - at;

		if (some > BATCH_BYTES)
			some = BATCH_BYTES;
		mask_text(b, step->src + at, some);
		if (!ecb(ctx, b->text, b->text, some))
			return false;
		for (size_t i = 0; i < some; i += BLOCK_BYTES)
			store(step->dst + at + i,
			      load(b->text + i) ^ load(b->masks + i));
	}
	return true;
}

int openssl_xts_run(EVP_CIPHER_CTX *ctx, EVP_CIPHER_CTX *tweak_ctx,
		    const struct cipher_job *job)
{
	uint8_t first[BLOCK_BYTES];
	uint64_t numbers[2];
	size_t used = job->bytes < BATCH_BYTES ? job->bytes : BATCH_BYTES;
	struct batch batch;
	struct walk walk;
	struct step step;
	int r = 0;

	if (!ecb(tweak_ctx, first, job->iv, sizeof(first)))
		return openssl_failure();
	memcpy(numbers, first, sizeof(numbers));
	batch.next.low = le64toh(numbers[0]);
	batch.next.high = le64toh(numbers[1]);
	walk_init(&walk, &job->src, &job->dst, job->bytes, BLOCK_BYTES);
	while (r == 0 && walk_next(&walk, &step))
		if (!run_step(ctx, &batch, &step))
			r = openssl_failure();
	secret_wipe(first, sizeof(first));
	secret_wipe(numbers, sizeof(numbers));
	secret_wipe(&batch.next, sizeof(batch.next));
	secret_wipe(batch.masks, used);
	secret_wipe(batch.text, used);
	return r;
}
