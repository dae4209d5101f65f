/* SPDX-License-Identifier: Apache-2.0 */
/* auth.c - CIOCAUTHCRYPT: the AEAD, TLS and SRTP forms */

#include "emulator.h"

#include <errno.h>
#include <string.h>
#include <openssl/crypto.h>

#include "abi/cryptodev.h"

#define AEAD_TAG_MAX    16
#define SRTP_OFFSET_MAX 256
#define TLS_PADDING_MAX 16
#define TAG_MAX         64
#define UNVERIFIED_BYTE 0xee

static uint32_t digest_bytes(const struct session *s)
{
	return s->hash.row ? s->hash.row->digest : 0;
}

/* A6, S11 */
static bool is_tag_legal(const struct cipher_row *row, uint32_t bytes)
{
	if (bytes < 4 || bytes > AEAD_TAG_MAX)
		return false;
	if (row->mode == MODE_CCM)
		return bytes % 2 == 0;
	return bytes == 4 || bytes == 8 || bytes >= 12;
}

/* A4: what the reference pins gives EINVAL, not EFAULT. */
static int pin(void *copy, const void *user, size_t bytes)
{
	return user_read(copy, user, bytes) ? -EINVAL : 0;
}

/* A8. What a node leaves in dst after a bad tag is nobody's promise: here it
 * is noise, so that a caller who trusts it is found out. */
static int aead_compute(struct session *s, struct crypt_auth_op *op,
			const uint8_t *aad, const uint8_t *in, uint8_t *out)
{
	bool is_encrypt = op->op == COP_ENCRYPT;
	uint32_t text_bytes = is_encrypt ? op->len : op->len - op->tag_len;
	uint32_t out_bytes = is_encrypt ? op->len + op->tag_len : text_bytes;
	uint8_t tag[AEAD_TAG_MAX] = { 0 };
	int ret;

	if (!is_encrypt)
		memcpy(tag, in + text_bytes, op->tag_len);
	ret = aead_run(&s->cipher, is_encrypt, aad, op->auth_len, in,
		       text_bytes, out, tag, op->tag_len);
	if (ret == -EBADMSG)
		memset(out, UNVERIFIED_BYTE, out_bytes);
	else if (!ret && is_encrypt)
		memcpy(out + text_bytes, tag, op->tag_len);
	if ((!ret || ret == -EBADMSG) && user_write(op->dst, out, out_bytes))
		return -EINVAL;
	if (ret)
		return ret;
	op->tag = op->dst + text_bytes; /* A3 */
	op->len = out_bytes;
	return 0;
}

static int aead(struct session *s, struct crypt_auth_op *op)
{
	size_t room = (size_t)op->len + AEAD_TAG_MAX + 16;
	uint8_t aad[PAGE_BYTES];
	uint8_t *in, *out;
	size_t out_bytes;
	int ret = -ENOMEM;

	if (op->auth_len > sizeof(aad) || (op->auth_len && !op->auth_src))
		return -EINVAL; /* A5 */
	if (!is_tag_legal(s->cipher.row, op->tag_len) ||
	    (control_has_sticky_tags() && op->tag_len > s->tag_limit))
		return -EINVAL;
	s->tag_limit = op->tag_len;
	if (op->op == COP_DECRYPT && op->len < op->tag_len)
		return -EINVAL;
	if (op->op == COP_ENCRYPT && op->len > UINT32_MAX - op->tag_len)
		return -EINVAL;
	out_bytes = op->op == COP_ENCRYPT ? (size_t)op->len + op->tag_len
					  : op->len - op->tag_len;
	in = scratch_alloc(room);
	out = scratch_alloc(room);
	if (in && out)
		ret = pin(in, op->src, op->len);
	if (!ret && user_probe(op->dst, out_bytes))
		ret = -EINVAL;
	if (!ret)
		ret = user_read(aad, op->auth_src, op->auth_len);
	if (!ret)
		ret = aead_compute(s, op, aad, in, out);
	scratch_free(in, room);
	scratch_free(out, room);
	return ret;
}

static int mac(struct session *s, const uint8_t *first, size_t first_bytes,
	       const uint8_t *second, size_t second_bytes,
	       uint8_t digest[DIGEST_MAX])
{
	int ret = hash_reset(&s->hash);

	if (!ret)
		ret = hash_update(&s->hash, first, first_bytes);
	if (!ret)
		ret = hash_update(&s->hash, second, second_bytes);
	return ret ? ret : hash_final(&s->hash, digest);
}

/* A12: MAC, pad with p bytes of value p - 1, encrypt. */
static int tls_encrypt(struct session *s, struct crypt_auth_op *op,
		       const uint8_t *aad, uint8_t *data, uint32_t out_bytes)
{
	uint32_t tag_end = op->len + op->tag_len;
	uint8_t digest[DIGEST_MAX];
	int ret = 0;

	if (s->hash.row)
		ret = mac(s, aad, op->auth_len, data, op->len, digest);
	if (ret)
		return ret;
	memcpy(data + op->len, digest, op->tag_len);
	for (uint32_t i = tag_end; i < out_bytes; i++)
		data[i] = (uint8_t)(out_bytes - tag_end - 1);
	ret = cipher_run(&s->cipher, true, data, data, out_bytes);
	if (!ret && user_write(op->dst, data, out_bytes))
		ret = -EINVAL;
	if (!ret)
		op->len = out_bytes;
	return ret;
}

static uint32_t padding_bytes(const uint8_t *data, uint32_t bytes)
{
	uint32_t padding = data[bytes - 1] + 1u;

	if (padding > bytes)
		return 0;
	for (uint32_t i = bytes - padding; i < bytes; i++)
		if (data[i] != padding - 1)
			return 0;
	return padding;
}

/* A14. The decrypted bytes reach dst whatever the check says (A3). */
static int tls_decrypt(struct session *s, struct crypt_auth_op *op,
		       const uint8_t *aad, uint8_t *data)
{
	bool has_padding = s->cipher.row->block > 1;
	uint8_t digest[DIGEST_MAX];
	uint32_t left = op->len, padding;
	bool is_good = true;
	int ret;

	if (op->len % s->cipher.row->block)
		return -EINVAL;
	ret = cipher_run(&s->cipher, false, data, data, op->len);
	if (!ret && user_write(op->dst, data, op->len))
		ret = -EINVAL;
	if (ret)
		return ret;
	if (has_padding) {
		padding = padding_bytes(data, op->len);
		is_good = padding != 0;
		left -= padding;
	}
	if (s->hash.row) {
		if (op->tag_len > left)
			return is_good ? -EINVAL : -EBADMSG;
		left -= op->tag_len;
		ret = mac(s, aad, op->auth_len, data, left, digest);
		if (ret)
			return ret;
		is_good &= CRYPTO_memcmp(digest, data + left, op->tag_len) == 0;
	}
	if (!is_good)
		return -EBADMSG;
	op->len = left;
	return 0;
}

static int tls(struct session *s, struct crypt_auth_op *op)
{
	size_t room = (size_t)op->len + TAG_MAX + TLS_PADDING_MAX;
	uint32_t block = s->cipher.row->block;
	size_t out_bytes = op->len;
	uint8_t aad[PAGE_BYTES];
	int ret = -ENOMEM;
	uint8_t *data;

	if (op->auth_len > sizeof(aad) || !op->dst)
		return -EINVAL; /* A11 */
	if (op->tag_len > digest_bytes(s))
		return -EINVAL; /* A13 */
	if (op->op == COP_ENCRYPT) {
		out_bytes += op->tag_len;
		if (block > 1)
			out_bytes += block - out_bytes % block;
	}
	if (out_bytes == 0 || out_bytes > UINT32_MAX)
		return -EINVAL;
	data = scratch_alloc(room);
	if (data)
		ret = pin(data, op->src, op->len);
	if (!ret && user_probe(op->dst, out_bytes))
		ret = -EINVAL;
	if (!ret)
		ret = user_read(aad, op->auth_src, op->auth_len);
	if (!ret && op->op == COP_ENCRYPT)
		ret = tls_encrypt(s, op, aad, data, (uint32_t)out_bytes);
	else if (!ret)
		ret = tls_decrypt(s, op, aad, data);
	scratch_free(data, room);
	return ret;
}

/* A15 */
static int srtp_check(const struct session *s, const struct crypt_auth_op *op,
		      size_t *offset)
{
	uintptr_t packet = (uintptr_t)op->auth_src;
	uintptr_t payload = (uintptr_t)op->src;

	if (!cipher_is_stream(s->cipher.row) || cipher_is_aead(s->cipher.row))
		return -EINVAL;
	if (op->auth_len == 0 || op->tag_len > digest_bytes(s))
		return -EINVAL;
	if (op->op == COP_ENCRYPT ? op->len + op->tag_len == 0 : op->len == 0)
		return -EINVAL;
	if (op->op == COP_DECRYPT && op->tag_len > op->len)
		return -EINVAL; /* A17 */
	if (payload < packet || payload - packet > SRTP_OFFSET_MAX)
		return -EINVAL;
	*offset = payload - packet;
	if (*offset > op->auth_len || op->len > op->auth_len - *offset)
		return -EINVAL;
	return 0;
}

/* A16: encrypt, then MAC. A17: MAC, then decrypt. */
static int srtp_compute(struct session *s, struct crypt_auth_op *op,
			uint8_t *packet, size_t offset)
{
	bool is_encrypt = op->op == COP_ENCRYPT;
	uint8_t digest[DIGEST_MAX], tag[TAG_MAX];
	int ret = 0;

	if (is_encrypt)
		ret = cipher_run(&s->cipher, true, packet + offset,
				 packet + offset, op->len);
	else if (s->hash.row)
		ret = user_read(tag, op->tag, op->tag_len);
	if (!ret && s->hash.row)
		ret = mac(s, packet, op->auth_len, NULL, 0, digest);
	if (!ret && !is_encrypt && s->hash.row &&
	    CRYPTO_memcmp(digest, tag, op->tag_len))
		return -EBADMSG;
	if (!ret && !is_encrypt)
		ret = cipher_run(&s->cipher, false, packet + offset,
				 packet + offset, op->len);
	if (!ret && user_write(op->dst, packet + offset, op->len))
		ret = -EINVAL;
	if (!ret && is_encrypt && s->hash.row)
		ret = user_write(op->tag, digest, op->tag_len);
	return ret;
}

static int srtp(struct session *s, struct crypt_auth_op *op)
{
	uint8_t *packet;
	size_t offset;
	int ret;

	ret = srtp_check(s, op, &offset);
	if (ret)
		return ret;
	packet = scratch_alloc(op->auth_len);
	if (!packet)
		return -ENOMEM;
	ret = pin(packet, op->auth_src, op->auth_len);
	if (!ret && user_probe(op->dst, op->len))
		ret = -EINVAL;
	if (!ret)
		ret = srtp_compute(s, op, packet, offset);
	scratch_free(packet, op->auth_len);
	return ret;
}

/* A1 from the second look-up on, A2; called with the session taken. */
static int run(struct session *s, struct crypt_auth_op *op, uint8_t *iv)
{
	const struct cipher_row *cipher = s->cipher.row;
	int ret = 0;

	if (!cipher)
		return -EINVAL;
	if (s->hash.row)
		ret = hash_reset(&s->hash);
	if (ret)
		return ret;
	if (op->iv)
		memcpy(s->cipher.iv, iv, cipher->iv);
	if (op->flags & COP_FLAG_AEAD_SRTP)
		ret = srtp(s, op);
	else if (cipher_is_aead(cipher))
		ret = aead(s, op);
	else if (op->flags & COP_FLAG_AEAD_TLS)
		ret = tls(s, op);
	else
		ret = -EINVAL;
	memcpy(iv, s->cipher.iv, cipher->iv);
	return ret;
}

static uint32_t tag_default(const struct session *s)
{
	if (s->hash.row)
		return s->hash.row->digest;
	return s->cipher.row && cipher_is_aead(s->cipher.row) ? AEAD_TAG_MAX
							      : 0;
}

int ioctl_authcrypt(struct open_file *f, void *arg)
{
	struct crypt_auth_op op;
	uint8_t iv[IV_MAX] = { 0 };
	uint32_t iv_bytes;
	struct session *s;
	int ret = -EINVAL;

	if (user_read(&op, arg, sizeof(op)))
		return -EFAULT;
	s = session_get(f, op.ses);
	if (!s)
		return -EINVAL;
	if ((op.flags & (COP_FLAG_AEAD_TLS | COP_FLAG_AEAD_SRTP)) &&
	    op.src != op.dst)
		goto out;
	if (op.tag_len == 0)
		op.tag_len = tag_default(s);
	iv_bytes = s->cipher.row ? s->cipher.row->iv : 0;
	ret = op.iv ? user_read(iv, op.iv, iv_bytes) : 0;
	if (!ret && op.op != COP_ENCRYPT && op.op != COP_DECRYPT)
		ret = -EINVAL;
	if (!ret)
		ret = session_enter(s);
	if (ret)
		goto out;
	ret = run(s, &op, iv);
	session_leave(s);
	if (!ret && (op.flags & COP_FLAG_WRITE_IV) && op.iv)
		ret = user_write(op.iv, iv, iv_bytes);
	if (!ret)
		ret = user_write(arg, &op, sizeof(op));
out:
	session_put(f, s);
	return ret;
}
