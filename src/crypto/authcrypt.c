/* SPDX-License-Identifier: Apache-2.0 */
/* authcrypt.c - CIOCAUTHCRYPT: which form it is, and the AEAD form */

#include <errno.h>
#include <string.h>

#include "crypto/scratch.h"
#include "crypto/session.h"

#define AEAD_TAG_MAX 16

static struct scatter src_of(const struct cryptsess_authcrypt *op)
{
	return (struct scatter){ op->src, op->src_count };
}

static struct scatter dst_of(const struct cryptsess_authcrypt *op)
{
	return (struct scatter){ op->dst, op->dst_count };
}

/* Clause A6: GCM 4, 8, 12 to 16; CCM 4, 6, ... 16. */
static bool is_aead_tag(const struct cryptsess_algorithm *a, uint32_t bytes)
{
	if (bytes < 4 || bytes > AEAD_TAG_MAX)
		return false;
	if (a->id == CRYPTSESS_AES_CCM)
		return bytes % 2 == 0;
	return bytes >= 12 || bytes % 4 == 0;
}

/* Clause A9: whether the length fits CCM's field of iv[0] + 1 bytes. */
static int check_ccm(const uint8_t *iv, uint32_t text_bytes)
{
	unsigned int field_bytes = iv[0] + 1u;

	if (iv[0] < 1 || iv[0] > 7)
		return -EINVAL;
	if (field_bytes < 4 && text_bytes >> (8 * field_bytes))
		return -EOVERFLOW;
	return 0;
}

/* Clauses A5 to A9, before any byte is touched. */
static int aead_check(const struct cryptsess *s,
		      const struct cryptsess_authcrypt *op,
		      struct aead_job *job)
{
	bool decrypts = op->direction == CRYPTSESS_DECRYPT;

	if (op->auth_bytes > CRYPTSESS_MAX_AAD_BYTES)
		return -EINVAL;
	if (op->auth_bytes && op->auth_count == 0)
		return -EINVAL;
	if (!is_aead_tag(s->cipher, op->tag_bytes))
		return -EINVAL;
	if (decrypts && op->payload_bytes < op->tag_bytes)
		return -EINVAL;
	if (!decrypts && op->payload_bytes > UINT32_MAX - op->tag_bytes)
		return -E2BIG;
	job->text_bytes = op->payload_bytes - (decrypts ? op->tag_bytes : 0);
	if (s->cipher->id == CRYPTSESS_AES_CCM)
		return check_ccm(op->iv ? op->iv : s->iv, job->text_bytes);
	return 0;
}

/* One call of the provider, in one piece each where it needs that. */
static int aead_run(struct cryptsess *s, struct aead_job *job,
		    uint32_t src_bytes, uint32_t dst_bytes)
{
	struct scratch src = { 0 }, dst = { 0 }, auth = { 0 };
	const struct scatter to = job->dst;
	bool needs_one = s->ops->needs_contiguous;
	int r = 0;

	if (needs_one && !scatter_one(&job->auth, job->auth_bytes)) {
		r = scratch_copy(&auth, &job->auth, job->auth_bytes);
		job->auth = auth.list;
	}
	if (r == 0 &&
	    ((needs_one && !scatter_one(&job->src, src_bytes)) ||
	     scatter_overlaps(&job->src, src_bytes, &job->dst, dst_bytes))) {
		r = scratch_copy(&src, &job->src, src_bytes);
		job->src = src.list;
	}
	if (r == 0 && needs_one && !scatter_one(&job->dst, dst_bytes)) {
		r = scratch_init(&dst, dst_bytes);
		job->dst = dst.list;
	}
	if (r)
		goto out;
	r = s->ops->aead_run(s->aead_state, job);
	if (r == 0 && dst.piece.iov_base)
		scatter_write(&to, 0, dst.piece.iov_base, dst_bytes);
	/* Plaintext that nothing vouches for is not handed out (clause A8). */
	if (r && r != -E2BIG && job->direction == CRYPTSESS_DECRYPT)
		scatter_zero(&to, dst_bytes);
out:
	scratch_deinit(&src);
	scratch_deinit(&dst);
	scratch_deinit(&auth);
	return r;
}

int session_aead(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	struct aead_job job = { .direction = op->direction,
				.iv = s->iv,
				.auth = { op->auth, op->auth_count },
				.auth_bytes = op->auth_bytes,
				.src = src_of(op),
				.dst = dst_of(op),
				.tag_bytes = op->tag_bytes };
	uint32_t out_bytes;
	int r = aead_check(s, op, &job);

	if (r)
		return r;
	out_bytes = op->direction == CRYPTSESS_ENCRYPT
			    ? op->payload_bytes + op->tag_bytes
			    : job.text_bytes;
	if (!scatter_holds(&job.auth, op->auth_bytes) ||
	    !scatter_holds(&job.src, op->payload_bytes) ||
	    !scatter_holds(&job.dst, out_bytes))
		return -EFAULT;
	if (op->iv)
		cryptsess_set_iv(s, op->iv);
	r = aead_run(s, &job, op->payload_bytes, out_bytes);
	if (r == 0)
		op->out_bytes = out_bytes;
	return r;
}

/* Clause A1: the same memory, as far as the payload goes. */
static bool is_in_place(const struct cryptsess_authcrypt *op)
{
	struct scatter src = src_of(op), dst = dst_of(op);

	return scatter_holds(&src, op->payload_bytes) &&
	       scatter_holds(&dst, op->payload_bytes) &&
	       scatter_is_same(&src, 0, &dst, op->payload_bytes);
}

/* Clause A1, and the form of clause A2. */
static int run_form(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	if (op->flags & (CRYPTSESS_AEAD_TLS | CRYPTSESS_AEAD_SRTP) &&
	    !is_in_place(op))
		return -EINVAL;
	if (op->tag_bytes == 0)
		op->tag_bytes = s->mac          ? s->mac->digest_bytes
				: s->aead_state ? s->cipher->digest_bytes
						: 0;
	if (op->direction > CRYPTSESS_DECRYPT || !s->cipher)
		return -EINVAL;
	s->hash_phase = HASH_FINISHED; /* whatever happens: clause A3 */
	if (op->flags & CRYPTSESS_AEAD_SRTP)
		return session_srtp(s, op);
	if (s->aead_state)
		return session_aead(s, op);
	if (op->flags & CRYPTSESS_AEAD_TLS)
		return session_tls(s, op);
	return -EINVAL;
}

int cryptsess_authcrypt(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	uint32_t tag_bytes = op->tag_bytes;
	int r = run_form(s, op);

	if (r) { /* nothing is written back: clause A3 */
		op->tag_bytes = tag_bytes;
		return r;
	}
	if (op->iv && op->flags & CRYPTSESS_WRITE_IV)
		cryptsess_get_iv(s, op->iv);
	return 0;
}
