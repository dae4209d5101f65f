/* SPDX-License-Identifier: Apache-2.0 */
/* crypt.c - CIOCCRYPT */

#include "emulator.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "abi/cryptodev.h"

struct call {
	struct crypt_op op;
	uint8_t iv[IV_MAX];
	uint8_t digest[DIGEST_MAX];
	bool has_digest;
};

/* E4, E5, E6: copy in, compute, copy out; the hash is of the plaintext. */
static int data_phase(struct session *s, struct call *call)
{
	bool is_encrypt = call->op.op == COP_ENCRYPT;
	struct hash_state *hash = s->hash.row ? &s->hash : NULL;
	uint32_t len = call->op.len;
	uint8_t *in = scratch_alloc(len);
	uint8_t *out = scratch_alloc(len);
	int ret = -ENOMEM;

	if (!in || !out)
		goto out;
	ret = user_read(in, call->op.src, len);
	if (!ret && s->cipher.row)
		ret = user_probe(call->op.dst, len);
	if (!ret && hash && (is_encrypt || !s->cipher.row))
		ret = hash_update(hash, in, len);
	if (!ret && s->cipher.row)
		ret = cipher_run(&s->cipher, is_encrypt, in, out, len);
	if (!ret && hash && !is_encrypt && s->cipher.row)
		ret = hash_update(hash, out, len);
	if (!ret && s->cipher.row)
		ret = user_write(call->op.dst, out, len);
out:
	scratch_free(in, len);
	scratch_free(out, len);
	return ret;
}

static bool wants_digest(const struct crypt_op *op)
{
	return (op->flags & COP_FLAG_FINAL) || !(op->flags & COP_FLAG_UPDATE) ||
	       op->len == 0;
}

/* E1 from the second look-up on; called with the session taken. */
static int run(struct session *s, struct call *call)
{
	const struct cipher_row *cipher = s->cipher.row;
	const struct crypt_op *op = &call->op;
	int ret = 0;

	if (cipher && cipher_is_aead(cipher))
		return -EINVAL; /* E12 */
	if (s->hash.row && (op->flags == 0 || (op->flags & COP_FLAG_RESET) ||
			    s->hash.is_finished)) /* E9, E10 */
		ret = hash_reset(&s->hash);
	if (ret)
		return ret;
	if (cipher && op->len % cipher->block)
		return -EINVAL;
	if (cipher && op->iv)
		for (uint32_t i = 0; i < cipher->iv; i++)
			s->cipher.iv[i] = call->iv[i];
	if (op->len)
		ret = data_phase(s, call);
	if (!ret && s->hash.row && wants_digest(op)) {
		ret = hash_final(&s->hash, call->digest);
		call->has_digest = true;
	}
	if (cipher)
		for (uint32_t i = 0; i < cipher->iv; i++)
			call->iv[i] = s->cipher.iv[i];
	return ret;
}

int ioctl_crypt(struct open_file *f, void *arg)
{
	struct call call = { 0 };
	uint32_t iv_bytes;
	struct session *s;
	int ret;

	if (user_read(&call.op, arg, sizeof(call.op)))
		return -EFAULT;
	s = session_get(f, call.op.ses);
	if (!s)
		return -EINVAL;
	iv_bytes = s->cipher.row ? s->cipher.row->iv : 0;
	ret = call.op.iv ? user_read(call.iv, call.op.iv, iv_bytes) : 0;
	if (!ret && call.op.op != COP_ENCRYPT && call.op.op != COP_DECRYPT)
		ret = -EINVAL;
	if (!ret)
		ret = session_enter(s);
	if (ret)
		goto out;
	if (control_is_wrong("cipher"))
		call.iv[0] ^= 1;
	ret = run(s, &call);
	if (control_is_wrong("mac"))
		call.digest[0] ^= 1;
	session_leave(s);
	/* E8, E3, then the argument; the order is E1's. */
	if (!ret && call.has_digest)
		ret = user_write(call.op.mac, call.digest, s->hash.row->digest);
	if (!ret && (call.op.flags & COP_FLAG_WRITE_IV) && call.op.iv)
		ret = user_write(call.op.iv, call.iv, iv_bytes);
	if (!ret)
		ret = user_write(arg, &call.op, sizeof(call.op));
out:
	session_put(f, s);
	OPENSSL_cleanse(&call, sizeof(call));
	return ret;
}
