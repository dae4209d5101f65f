/* SPDX-License-Identifier: Apache-2.0 */
/* openssl_aead.c - GCM and CCM of the openssl provider */

#include <errno.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "base/mutant.h"
#include "base/secret.h"
#include "crypto/provider_openssl.h"
#include "crypto/scratch.h"

/*
 * How it works: GCM is a stream and takes any pieces. CCM wants its lengths
 * first and its AAD and text in one piece each; what is scattered is copied.
 * OpenSSL fixes the lengths of CCM's tag and nonce with the key schedule, so
 * an operation with other ones than the last makes a new schedule.
 */
#define TAG_MAX 16

static int get_context(struct openssl_aead *a, uint16_t direction,
		       EVP_CIPHER_CTX **ctx)
{
	*ctx = a->ctx[direction];
	if (*ctx)
		return 0;
	*ctx = EVP_CIPHER_CTX_new();
	if (!*ctx)
		return -ENOMEM;
	if (!EVP_CipherInit_ex(*ctx, a->evp, NULL, NULL, NULL,
			       direction == CRYPTSESS_ENCRYPT) ||
	    (a->algorithm->id == CRYPTSESS_AES_GCM &&
	     !EVP_CipherInit_ex(*ctx, NULL, NULL, a->key, NULL, -1))) {
		EVP_CIPHER_CTX_free(*ctx);
		return openssl_failure();
	}
	a->ctx[direction] = *ctx;
	return 0;
}

int openssl_aead_open(void *provider, void *aead,
		      const struct cryptsess_algorithm *algorithm,
		      const uint8_t *key, uint32_t key_bytes)
{
	struct openssl_aead *a = aead;
	EVP_CIPHER_CTX *ctx;

	a->algorithm = algorithm;
	a->evp = openssl_cipher(provider, algorithm, key_bytes);
	if (!a->evp)
		return -EINVAL;
	a->key_bytes = key_bytes;
	memcpy(a->key, key, key_bytes);
	return get_context(a, CRYPTSESS_ENCRYPT, &ctx);
}

static bool set_tag(EVP_CIPHER_CTX *ctx, uint8_t *tag, uint32_t bytes)
{
	return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)bytes,
				   tag) > 0;
}

/* As EVP_CTRL_AEAD_GET_TAG does, which finds the way there first. */
static bool get_tag(EVP_CIPHER_CTX *ctx, uint8_t *tag, uint32_t bytes)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
						  tag, bytes),
		OSSL_PARAM_construct_end(),
	};

	return EVP_CIPHER_CTX_get_params(ctx, params) > 0;
}

static bool gcm_auth(EVP_CIPHER_CTX *ctx, const struct aead_job *job)
{
	uint32_t left = job->auth_bytes;
	int out;

	for (unsigned int i = 0; i < job->auth.count && left; i++) {
		size_t some = job->auth.pieces[i].iov_len;

		if (some > left)
			some = left;
		if (some &&
		    !EVP_CipherUpdate(ctx, NULL, &out,
				      job->auth.pieces[i].iov_base, (int)some))
			return false;
		left -= (uint32_t)some;
	}
	return true;
}

static bool gcm_text(EVP_CIPHER_CTX *ctx, const struct aead_job *job)
{
	struct walk walk;
	struct step step;
	bool ok = true;
	int out;

	walk_init(&walk, &job->src, &job->dst, job->text_bytes, 1);
	while (ok && walk_next(&walk, &step))
		ok = EVP_CipherUpdate(ctx, step.dst, &out, step.src,
				      (int)step.bytes);
	return ok;
}

static int gcm_run(EVP_CIPHER_CTX *ctx, const struct aead_job *job)
{
	uint8_t tag[TAG_MAX], nothing[TAG_MAX];
	int out;

	if (!EVP_CipherInit_ex(ctx, NULL, NULL, NULL, job->iv, -1) ||
	    !gcm_auth(ctx, job) || !gcm_text(ctx, job))
		return openssl_failure();
	if (job->direction == CRYPTSESS_ENCRYPT) {
		if (!EVP_CipherFinal_ex(ctx, nothing, &out) ||
		    !get_tag(ctx, tag, job->tag_bytes))
			return openssl_failure();
		scatter_write(&job->dst, job->text_bytes, tag, job->tag_bytes);
		return 0;
	}
	scatter_read(&job->src, job->text_bytes, tag, job->tag_bytes);
	if (!set_tag(ctx, tag, job->tag_bytes))
		return openssl_failure();
	if (CHECK(aead_final, EVP_CipherFinal_ex(ctx, nothing, &out) > 0))
		return 0;
	openssl_failure(); /* empties the queue; there is one reason only */
	return -EBADMSG;
}

/* Nonce and tag length, and the key when they changed. */
static bool ccm_begin(struct openssl_aead *a, EVP_CIPHER_CTX *ctx,
		      const struct aead_job *job, uint8_t *tag)
{
	uint32_t nonce_bytes = 14 - job->iv[0];
	bool is_other = a->nonce_bytes[job->direction] != nonce_bytes ||
			a->tag_bytes[job->direction] != job->tag_bytes;

	a->nonce_bytes[job->direction] = 0;
	if (is_other && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN,
					    (int)nonce_bytes, NULL) <= 0)
		return false;
	if ((is_other || tag) && !set_tag(ctx, tag, job->tag_bytes))
		return false;
	if (!EVP_CipherInit_ex(ctx, NULL, NULL, is_other ? a->key : NULL,
			       job->iv + 1, -1))
		return false;
	a->nonce_bytes[job->direction] = nonce_bytes;
	a->tag_bytes[job->direction] = job->tag_bytes;
	return true;
}

/* With text and AAD in one piece each. The tag goes to `tag`, or is there. */
static int ccm_pieces(struct openssl_aead *a, EVP_CIPHER_CTX *ctx,
		      const struct aead_job *job, const uint8_t *auth,
		      const uint8_t *src, uint8_t *dst, uint8_t *tag)
{
	bool decrypts = job->direction == CRYPTSESS_DECRYPT;
	int out;

	if (!ccm_begin(a, ctx, job, decrypts ? tag : NULL) ||
	    !EVP_CipherUpdate(ctx, NULL, &out, NULL, (int)job->text_bytes) ||
	    (job->auth_bytes &&
	     !EVP_CipherUpdate(ctx, NULL, &out, auth, (int)job->auth_bytes)))
		return openssl_failure();
	/* Decrypting, this compares the tag: its only way to fail. */
	if (!CHECK(aead_final, EVP_CipherUpdate(ctx, dst, &out, src,
						(int)job->text_bytes) > 0)) {
		int r = openssl_failure();

		return decrypts ? -EBADMSG : r;
	}
	return decrypts || get_tag(ctx, tag, job->tag_bytes)
		       ? 0
		       : openssl_failure();
}

/* The list's memory if it is one piece, else a copy. NULL: no memory. */
static uint8_t *one_piece(const struct scatter *list, uint32_t bytes,
			  struct scratch *scratch)
{
	uint8_t *piece = scatter_one(list, bytes);

	if (!piece && scratch_copy(scratch, list, bytes) == 0)
		piece = scratch->piece.iov_base;
	return piece;
}

static int ccm_run(struct openssl_aead *a, EVP_CIPHER_CTX *ctx,
		   const struct aead_job *job)
{
	struct scratch auth = { 0 }, src = { 0 }, dst = { 0 };
	uint8_t *auth_piece, *src_piece, *dst_piece;
	uint8_t tag[TAG_MAX];
	int r = -ENOMEM;

	if (job->text_bytes > SCATTER_STEP_MAX)
		return -E2BIG;
	auth_piece = one_piece(&job->auth, job->auth_bytes, &auth);
	src_piece = one_piece(&job->src, job->text_bytes, &src);
	dst_piece = one_piece(&job->dst, job->text_bytes, &dst);
	if (!auth_piece || !src_piece || !dst_piece)
		goto out;
	if (job->direction == CRYPTSESS_DECRYPT)
		scatter_read(&job->src, job->text_bytes, tag, job->tag_bytes);
	r = ccm_pieces(a, ctx, job, auth_piece, src_piece, dst_piece, tag);
	if (r)
		goto out;
	if (dst.piece.iov_base)
		scatter_write(&job->dst, 0, dst_piece, job->text_bytes);
	if (job->direction == CRYPTSESS_ENCRYPT)
		scatter_write(&job->dst, job->text_bytes, tag, job->tag_bytes);
out:
	scratch_deinit(&auth);
	scratch_deinit(&src);
	scratch_deinit(&dst);
	return r;
}

int openssl_aead_run(void *aead, const struct aead_job *job)
{
	struct openssl_aead *a = aead;
	EVP_CIPHER_CTX *ctx;
	int r = get_context(a, job->direction, &ctx);

	if (r)
		return r;
	if (a->algorithm->id == CRYPTSESS_AES_GCM)
		return gcm_run(ctx, job);
	return ccm_run(a, ctx, job);
}

void openssl_aead_close(void *aead)
{
	struct openssl_aead *a = aead;

	EVP_CIPHER_CTX_free(a->ctx[CRYPTSESS_ENCRYPT]); /* wipes */
	EVP_CIPHER_CTX_free(a->ctx[CRYPTSESS_DECRYPT]);
	memset(a, 0, sizeof(*a));
}
