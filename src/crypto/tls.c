/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - the TLS form: MAC, then pad, then encrypt, in place */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "crypto/session.h"

/*
 * How it works, opening: MAC-then-encrypt lets an attacker learn plaintext from
 * how long a wrong padding takes (Vaudenay; Lucky Thirteen). So everything
 * after decryption takes the same steps whatever the padding says: the last
 * bytes are copied once; padding and MAC are read with masks; and the MAC is
 * computed for every length that some padding could mean, keeping the one that
 * counts, where the provider copies hash states cheaply. Wrong padding and
 * wrong MAC end in the same -EBADMSG. A wrong padding goes on as if it were
 * none.
 */
#define PADDING_MAX 256 /* with its length byte */
#define TAG_MAX     CRYPTSESS_MAX_DIGEST_BYTES

struct tls_record {
	struct scatter dst;
	struct scatter auth;
	uint32_t auth_bytes;
	uint32_t bytes; /* of ciphertext */
	uint32_t tag_bytes;
	uint32_t padding_max; /* 0: a stream cipher, no padding */
	/* Secrets: no branch and no index may depend on them. */
	uint32_t padding_bytes; /* with its length byte; 0: it is wrong */
	uint32_t is_good;       /* all ones or zero */
	/* The last tail_bytes bytes: what padding and MAC may reach. */
	uint32_t tail_bytes;
	uint8_t tail[PADDING_MAX + TAG_MAX];
	uint8_t received[TAG_MAX];
	uint8_t computed[TAG_MAX];
};

/* A value that the compiler knows nothing about: it cannot make a branch of
 * the masks below. */
static uint32_t opaque(uint32_t value)
{
	__asm__("" : "+r"(value));
	return value;
}

/* All ones if a == b, else zero; a and b below 2^31. */
static uint32_t mask_equal(uint32_t a, uint32_t b)
{
	uint32_t x = a ^ b;

	return opaque(((x | (0 - x)) >> 31) - 1);
}

/* All ones if a <= b, else zero; a and b below 2^31. */
static uint32_t mask_at_most(uint32_t a, uint32_t b)
{
	return opaque(((b - a) >> 31) - 1);
}

static int tls_check(const struct cryptsess *s,
		     const struct cryptsess_authcrypt *op, uint64_t out_bytes)
{
	struct scatter auth = { op->auth, op->auth_count };
	struct scatter dst = { op->dst, op->dst_count };

	if (op->auth_bytes > CRYPTSESS_MAX_AAD_BYTES)
		return -EINVAL;
	if (op->auth_bytes && op->auth_count == 0)
		return -EINVAL;
	if (op->dst_count == 0 || out_bytes == 0)
		return -EINVAL;
	if (s->mac && op->tag_bytes > s->mac->digest_bytes)
		return -EINVAL; /* clause A13 */
	if (out_bytes > UINT32_MAX)
		return -E2BIG;
	return scatter_holds(&auth, op->auth_bytes) &&
			       scatter_holds(&dst, out_bytes)
		       ? 0
		       : -EFAULT;
}

/* MAC over AAD and the first `bytes` bytes of the record. */
static int mac_record(struct cryptsess *s, const struct scatter *auth,
		      uint32_t auth_bytes, const struct scatter *text,
		      uint32_t bytes, uint8_t *digest)
{
	int r = session_hash_begin(s, true);

	if (r == 0)
		r = session_hash_update(s, auth, auth_bytes);
	if (r == 0)
		r = session_hash_final(s, text, bytes, digest);
	return r;
}

/* Clause A12. */
static int tls_seal(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	struct scatter dst = { op->dst, op->dst_count };
	struct scatter auth = { op->auth, op->auth_count };
	uint32_t block_bytes = s->cipher->block_bytes;
	uint64_t total = (uint64_t)op->payload_bytes + op->tag_bytes;
	uint8_t end[TAG_MAX + CRYPTSESS_MAX_IV_BYTES];
	uint32_t padding_bytes = 0;
	int r;

	if (block_bytes > 1)
		padding_bytes = block_bytes - (uint32_t)(total % block_bytes);
	total += padding_bytes;
	r = tls_check(s, op, total);
	if (r)
		return r;
	if (s->mac)
		r = mac_record(s, &auth, op->auth_bytes, &dst,
			       op->payload_bytes, end);
	if (r)
		goto out;
	if (op->iv)
		cryptsess_set_iv(s, op->iv);
	memset(end + op->tag_bytes, (int)padding_bytes - 1, padding_bytes);
	scatter_write(&dst, op->payload_bytes, end,
		      op->tag_bytes + padding_bytes);
	r = session_cipher(s, op->direction, &dst, &dst, (uint32_t)total);
	if (r == 0)
		op->out_bytes = (uint32_t)total;
out:
	secret_wipe(end, sizeof(end));
	return r;
}

/* The padding's length byte, and whether all its bytes agree. */
static void read_padding(struct tls_record *rec)
{
	const uint8_t *end = rec->tail + rec->tail_bytes;
	uint32_t length, good;

	rec->is_good = UINT32_MAX;
	if (rec->padding_max == 0)
		return;
	length = end[-1];
	good = mask_at_most(length + 1, rec->padding_max);
	for (uint32_t i = 0; i < rec->padding_max; i++)
		good &= mask_equal(end[-1 - (int)i], length) |
			~mask_at_most(i, length);
	rec->padding_bytes = (length + 1) & good;
	rec->is_good = good;
}

/* The MAC in front of the padding, wherever that begins. */
static void read_tag(struct tls_record *rec)
{
	for (uint32_t p = 0; p <= rec->padding_max; p++) {
		uint32_t mask = mask_equal(p, rec->padding_bytes);
		const uint8_t *at =
			rec->tail + rec->tail_bytes - p - rec->tag_bytes;

		for (uint32_t i = 0; i < rec->tag_bytes; i++)
			rec->received[i] |= at[i] & (uint8_t)mask;
	}
}

/* The running hash, finished on a copy; kept where the mask says so. */
static int keep_digest(struct cryptsess *s, struct tls_record *rec,
		       uint32_t mask)
{
	const struct scatter nothing = { NULL, 0 };
	uint8_t digest[TAG_MAX];
	int r = s->ops->hash_copy(s->spare_hash, s->hash_state);

	if (r == 0)
		r = s->ops->hash_final(s->spare_hash, &nothing, 0, digest);
	for (uint32_t i = 0; r == 0 && i < rec->tag_bytes; i++)
		rec->computed[i] |= digest[i] & (uint8_t)mask;
	secret_wipe(digest, sizeof(digest));
	return r;
}

/* The MAC of the record without its padding, in constant time: from the
 * shortest text that a padding could leave to the longest. */
static int compute_tag(struct cryptsess *s, struct tls_record *rec)
{
	uint32_t longest = rec->bytes - rec->tag_bytes;
	uint32_t shortest = longest - rec->padding_max;
	uint8_t *at =
		rec->tail + rec->tail_bytes - rec->tag_bytes - rec->padding_max;
	int r = session_hash_begin(s, true);

	if (r == 0)
		r = session_hash_update(s, &rec->auth, rec->auth_bytes);
	if (r == 0)
		r = session_hash_update(s, &rec->dst, shortest);
	for (uint32_t length = shortest; r == 0; length++, at++) {
		struct iovec piece = { at, 1 };
		struct scatter one = { &piece, 1 };

		r = keep_digest(
			s, rec,
			mask_equal(longest - length, rec->padding_bytes));
		if (length == longest)
			break;
		if (r == 0)
			r = session_hash_update(s, &one, 1);
	}
	s->hash_phase = HASH_FINISHED;
	return r;
}

/* Without padding there is one length. And a provider that copies states dearly
 * waits for a device at every step: one MAC, of the length that counts, is all
 * that makes sense (clause T5). */
static int compute_tag_plainly(struct cryptsess *s, struct tls_record *rec)
{
	uint32_t bytes = rec->bytes - rec->tag_bytes - rec->padding_bytes;

	return mac_record(s, &rec->auth, rec->auth_bytes, &rec->dst, bytes,
			  rec->computed);
}

static int open_record(struct cryptsess *s, struct tls_record *rec)
{
	uint32_t reach = rec->tag_bytes + rec->padding_max;
	int r;

	r = session_cipher(s, CRYPTSESS_DECRYPT, &rec->dst, &rec->dst,
			   rec->bytes);
	if (r)
		return r;
	rec->tail_bytes = reach;
	scatter_read(&rec->dst, rec->bytes - reach, rec->tail, reach);
	read_padding(rec);
	if (s->mac) {
		read_tag(rec);
		r = s->spare_hash ? compute_tag(s, rec)
				  : compute_tag_plainly(s, rec);
		if (r)
			return r;
	}
	rec->is_good &=
		0 - (uint32_t)bytes_equal_ct(rec->received, rec->computed,
					     rec->tag_bytes);
	return CHECK(aead_tag_compare, rec->is_good != 0) ? 0 : -EBADMSG;
}

/* Clause A14. */
static int tls_open(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	uint32_t block_bytes = s->cipher->block_bytes;
	uint32_t least = op->tag_bytes + (block_bytes > 1 ? 1 : 0);
	struct tls_record rec = { .dst = { op->dst, op->dst_count },
				  .auth = { op->auth, op->auth_count },
				  .auth_bytes = op->auth_bytes,
				  .bytes = op->payload_bytes,
				  .tag_bytes = op->tag_bytes };
	int r = tls_check(s, op, op->payload_bytes);

	if (r == 0 && (rec.bytes % block_bytes || rec.bytes < least))
		r = -EINVAL;
	if (r)
		return r;
	if (block_bytes > 1)
		rec.padding_max = rec.bytes - rec.tag_bytes;
	if (rec.padding_max > PADDING_MAX)
		rec.padding_max = PADDING_MAX;
	if (op->iv)
		cryptsess_set_iv(s, op->iv);
	r = open_record(s, &rec);
	if (r)
		scatter_zero(&rec.dst, rec.bytes);
	else
		op->out_bytes = rec.bytes - rec.tag_bytes - rec.padding_bytes;
	secret_wipe(&rec, sizeof(rec));
	return r;
}

int session_tls(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	if (!s->mac)
		op->tag_bytes = 0;
	if (op->direction == CRYPTSESS_ENCRYPT)
		return tls_seal(s, op);
	return tls_open(s, op);
}
