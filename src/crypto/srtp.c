/* SPDX-License-Identifier: Apache-2.0 */
/* srtp.c - the SRTP form: encrypt a part of a packet, then MAC all of it */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "crypto/session.h"

#define HEADER_MAX 256 /* bytes before the payload, clause A15 */

static int mac_packet(struct cryptsess *s, const struct cryptsess_authcrypt *op,
		      uint8_t *digest)
{
	struct scatter packet = { op->auth, op->auth_count };
	int r = session_hash_begin(s, true);

	if (r == 0)
		r = session_hash_final(s, &packet, op->auth_bytes, digest);
	return r;
}

/* Clauses A15 to A17, before any byte is touched. */
static int srtp_check(const struct cryptsess *s,
		      const struct cryptsess_authcrypt *op)
{
	struct scatter packet = { op->auth, op->auth_count };
	struct scatter dst = { op->dst, op->dst_count };
	uint32_t offset = op->auth_payload_offset;

	if (!s->cipher->is_stream || s->aead_state || op->auth_bytes == 0)
		return -EINVAL;
	if (op->payload_bytes == 0 &&
	    (op->direction == CRYPTSESS_DECRYPT || op->tag_bytes == 0))
		return -EINVAL;
	if (offset > HEADER_MAX || offset > op->auth_bytes ||
	    op->payload_bytes > op->auth_bytes - offset)
		return -EINVAL;
	if (s->mac && op->tag_bytes > s->mac->digest_bytes)
		return -EINVAL;
	if (op->direction == CRYPTSESS_DECRYPT &&
	    op->tag_bytes > op->payload_bytes)
		return -EINVAL;
	if (!scatter_holds(&packet, op->auth_bytes))
		return -EFAULT;
	if (!scatter_is_same(&packet, offset, &dst, op->payload_bytes))
		return -EINVAL;
	return s->mac && op->tag_bytes && !op->tag ? -EFAULT : 0;
}

static int srtp_encrypt(struct cryptsess *s, struct cryptsess_authcrypt *op,
			uint8_t *digest)
{
	struct scatter dst = { op->dst, op->dst_count };
	int r = session_cipher(s, op->direction, &dst, &dst, op->payload_bytes);

	if (r || !s->mac)
		return r;
	r = mac_packet(s, op, digest);
	if (r == 0)
		memcpy(op->tag, digest, op->tag_bytes);
	return r;
}

/* The packet's MAC first: a wrong one leaves the payload as it was. */
static int srtp_decrypt(struct cryptsess *s, struct cryptsess_authcrypt *op,
			uint8_t *digest)
{
	struct scatter dst = { op->dst, op->dst_count };
	int r;

	if (s->mac) {
		r = mac_packet(s, op, digest);
		if (r)
			return r;
		if (!CHECK(aead_tag_compare,
			   bytes_equal_ct(digest, op->tag, op->tag_bytes)))
			return -EBADMSG;
	}
	return session_cipher(s, op->direction, &dst, &dst, op->payload_bytes);
}

int session_srtp(struct cryptsess *s, struct cryptsess_authcrypt *op)
{
	uint8_t digest[CRYPTSESS_MAX_DIGEST_BYTES];
	int r;

	if (!s->mac)
		op->tag_bytes = 0;
	r = srtp_check(s, op);
	if (r)
		return r;
	if (op->iv)
		cryptsess_set_iv(s, op->iv);
	if (op->direction == CRYPTSESS_ENCRYPT)
		r = srtp_encrypt(s, op, digest);
	else
		r = srtp_decrypt(s, op, digest);
	secret_wipe(digest, sizeof(digest));
	if (r == 0)
		op->out_bytes = op->payload_bytes;
	return r;
}
