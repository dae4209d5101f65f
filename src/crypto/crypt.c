/* SPDX-License-Identifier: Apache-2.0 */
/* crypt.c - CIOCCRYPT: a cipher, a hash, or both over one payload */

#include <errno.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/chain.h"
#include "crypto/scratch.h"
#include "crypto/session.h"

/* One call of the provider, in one piece each where it needs that. */
static int run_provider(struct cryptsess *s, struct cipher_job *job)
{
	const struct scatter dst = job->dst;
	struct scratch scratch = { 0 };
	int r;

	if (!s->ops->needs_contiguous || (scatter_one(&job->src, job->bytes) &&
					  scatter_one(&job->dst, job->bytes)))
		return s->ops->cipher_run(s->cipher_state, job);
	r = scratch_copy(&scratch, &job->src, job->bytes);
	if (r)
		return r;
	job->src = scratch.list;
	job->dst = scratch.list;
	r = s->ops->cipher_run(s->cipher_state, job);
	if (r == 0)
		scatter_write(&dst, 0, scratch.piece.iov_base, job->bytes);
	job->dst = dst;
	scratch_deinit(&scratch);
	return r;
}

static int run_chained(struct cryptsess *s, uint16_t direction,
		       const struct scatter *src, const struct scatter *dst,
		       uint32_t bytes)
{
	struct cipher_job job = { .direction = direction,
				  .iv = s->iv,
				  .src = *src,
				  .dst = *dst,
				  .bytes = bytes };
	struct chain chain;
	int r;

	chain_begin(&chain, s->cipher, &job);
	r = run_provider(s, &job);
	if (r == 0)
		chain_end(&chain, s->cipher, &job, s->iv);
	secret_wipe(&chain, sizeof(chain));
	return r;
}

/* The last, partial block of an OFB operation, run as a whole one so that its
 * key stream can be chained. */
static int run_tail(struct cryptsess *s, uint16_t direction,
		    const struct scatter *src, const struct scatter *dst,
		    uint32_t offset, uint32_t bytes)
{
	uint8_t block[CRYPTSESS_MAX_IV_BYTES] = { 0 };
	struct iovec piece = { block, s->cipher->iv_bytes };
	struct scatter list = { &piece, 1 };
	int r;

	scatter_read(src, offset, block, bytes);
	r = run_chained(s, direction, &list, &list, s->cipher->iv_bytes);
	if (r == 0)
		scatter_write(dst, offset, block, bytes);
	secret_wipe(block, sizeof(block));
	return r;
}

int session_cipher(struct cryptsess *s, uint16_t direction,
		   const struct scatter *src, const struct scatter *dst,
		   uint32_t bytes)
{
	uint32_t tail = 0;
	int r = 0;

	if (s->cipher->id == CRYPTSESS_AES_OFB)
		tail = bytes % s->cipher->iv_bytes;
	if (bytes - tail)
		r = run_chained(s, direction, src, dst, bytes - tail);
	if (r == 0 && tail)
		r = run_tail(s, direction, src, dst, bytes - tail, tail);
	return r;
}

int session_hash_begin(struct cryptsess *s, bool must_reset)
{
	int r;

	if (!must_reset && s->hash_phase == HASH_RUNNING)
		return 0;
	r = s->ops->hash_reset(s->hash_state);
	if (r == 0)
		s->hash_phase = HASH_FRESH;
	return r;
}

/* The data of a hash in one piece, if the provider needs that. */
static int hash_list(struct cryptsess *s, const struct scatter *data,
		     uint32_t bytes, struct scratch *scratch,
		     struct scatter *list)
{
	int r;

	*list = *data;
	if (!s->ops->needs_contiguous || scatter_one(data, bytes))
		return 0;
	r = scratch_copy(scratch, data, bytes);
	*list = scratch->list;
	return r;
}

int session_hash_update(struct cryptsess *s, const struct scatter *data,
			uint32_t bytes)
{
	struct scratch scratch = { 0 };
	struct scatter list;
	int r;

	s->hash_phase = HASH_RUNNING;
	if (bytes == 0)
		return 0;
	r = hash_list(s, data, bytes, &scratch, &list);
	if (r == 0)
		r = s->ops->hash_update(s->hash_state, &list, bytes);
	scratch_deinit(&scratch);
	return r;
}

int session_hash_final(struct cryptsess *s, const struct scatter *data,
		       uint32_t bytes, uint8_t *digest)
{
	struct scratch scratch = { 0 };
	struct scatter list;
	int r;

	s->hash_phase = HASH_FINISHED;
	r = hash_list(s, data, bytes, &scratch, &list);
	if (r == 0)
		r = s->ops->hash_final(s->hash_state, &list, bytes, digest);
	scratch_deinit(&scratch);
	return r;
}

/* Clause E11. */
static int check_buffers(const struct cryptsess *s,
			 const struct cryptsess_crypt *op,
			 const struct scatter *src, const struct scatter *dst)
{
	if (!scatter_holds(src, op->payload_bytes))
		return -EFAULT;
	if (s->cipher && !scatter_holds(dst, op->payload_bytes))
		return -EFAULT;
	return 0;
}

/* The hash's share: its data, and the digest when it is due. */
static int hash_part(struct cryptsess *s, const struct cryptsess_crypt *op,
		     const struct scatter *data, bool is_due, uint8_t *digest)
{
	if (!s->mac)
		return 0;
	if (is_due)
		return session_hash_final(s, data, op->payload_bytes, digest);
	return session_hash_update(s, data, op->payload_bytes);
}

/* Clause E5: the digest covers the plaintext in both directions. */
static int run_data(struct cryptsess *s, const struct cryptsess_crypt *op,
		    const struct scatter *src, const struct scatter *dst,
		    bool is_due, uint8_t *digest)
{
	int r;

	if (!s->cipher)
		return hash_part(s, op, src, is_due, digest);
	if (op->direction == CRYPTSESS_ENCRYPT) {
		r = hash_part(s, op, src, is_due, digest);
		return r ? r
			 : session_cipher(s, op->direction, src, dst,
					  op->payload_bytes);
	}
	r = session_cipher(s, op->direction, src, dst, op->payload_bytes);
	return r ? r : hash_part(s, op, dst, is_due, digest);
}

/* Source and destination overlap crosswise: copy in first (clause E4). */
static int run_copied(struct cryptsess *s, const struct cryptsess_crypt *op,
		      const struct scatter *src, const struct scatter *dst,
		      bool is_due, uint8_t *digest)
{
	struct scratch scratch = { 0 };
	int r;

	if (!s->cipher ||
	    !scatter_overlaps(src, op->payload_bytes, dst, op->payload_bytes))
		return run_data(s, op, src, dst, is_due, digest);
	r = scratch_copy(&scratch, src, op->payload_bytes);
	if (r == 0)
		r = run_data(s, op, &scratch.list, dst, is_due, digest);
	scratch_deinit(&scratch);
	return r;
}

/* Clause E8. */
static bool is_digest_due(const struct cryptsess *s,
			  const struct cryptsess_crypt *op)
{
	return s->mac &&
	       (op->flags & CRYPTSESS_FINAL ||
		!(op->flags & CRYPTSESS_UPDATE) || op->payload_bytes == 0);
}

/* Clauses E1 and E12, in that order. */
static int begin(struct cryptsess *s, const struct cryptsess_crypt *op)
{
	int r;

	if (op->direction > CRYPTSESS_DECRYPT)
		return -EINVAL;
	if (s->aead_state)
		return -EINVAL;
	if (s->mac) {
		r = session_hash_begin(s, op->flags == 0 ||
						  op->flags & CRYPTSESS_RESET);
		if (r)
			return r;
	}
	if (s->cipher && op->payload_bytes % s->cipher->block_bytes)
		return -EINVAL;
	return 0;
}

int cryptsess_crypt(struct cryptsess *s, struct cryptsess_crypt *op)
{
	struct scatter src = { op->src, op->src_count };
	struct scatter dst = { op->dst, op->dst_count };
	uint8_t digest[CRYPTSESS_MAX_DIGEST_BYTES];
	bool is_due = is_digest_due(s, op);
	int r;

	op->has_digest = false;
	r = begin(s, op);
	if (r == 0)
		r = check_buffers(s, op, &src, &dst);
	if (r)
		return r;
	if (s->cipher && op->iv)
		cryptsess_set_iv(s, op->iv);
	r = run_copied(s, op, &src, &dst, is_due, digest);
	if (r == 0 && is_due && !op->mac)
		r = -EFAULT;
	if (r == 0 && is_due) {
		memcpy(op->mac, digest, s->mac->digest_bytes);
		op->has_digest = true;
	}
	if (r == 0 && op->iv && op->flags & CRYPTSESS_WRITE_IV)
		cryptsess_get_iv(s, op->iv);
	if (is_due)
		secret_wipe(digest, sizeof(digest));
	return r;
}
