// SPDX-License-Identifier: GPL-2.0-only
/* auth.c - CIOCAUTHCRYPT: the AEAD, TLS and SRTP forms */
#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "abi/cryptodev.h"
#include "kernel/algorithm.h"
#include "kernel/device.h"
#include "kernel/op.h"
#include "kernel/session.h"
#include "kernel/user.h"

#define SRTP_OFFSET_MAX 256 /* A15 */

/* One CIOCAUTHCRYPT. All of it is copied: source and destination are most
 * often the same memory, and a tag must not be seen before it is judged. */
struct auth {
	struct crypt_auth_op op;
	struct vcd_session *session;
	u8 iv[VCD_MAX_IV_BYTES];
	bool is_decrypting;
	/* Lengths of the request's parts, as in struct vcd_authcrypt. */
	u32 iv_bytes, source_bytes, tag_in_bytes;
	u32 dst_bytes, tag_out_bytes, iv_out_bytes;
	u32 offset;       /* SRTP: of the payload in the packet */
	u32 result_least; /* of result_bytes; the most is dst_bytes */
};

/* A form of CIOCAUTHCRYPT: what it demands, and which errno an unreadable
 * auth_src has (A4). */
struct form {
	int (*plan)(struct auth *a);
	int auth_error;
};

/* A5 to A8 */
static int aead_plan(struct auth *a)
{
	struct crypt_auth_op *op = &a->op;

	if (op->auth_len > VCD_MAX_AAD_BYTES || (op->auth_len && !op->auth_src))
		return -EINVAL;
	if (!vcd_aead_takes_tag(vcd_cipher_find(a->session->cipher),
				op->tag_len))
		return -EINVAL;
	if (a->is_decrypting && op->len < op->tag_len)
		return -EINVAL;
	a->source_bytes = op->len;
	a->dst_bytes = a->is_decrypting ? op->len - op->tag_len
					: op->len + op->tag_len;
	a->result_least = a->dst_bytes;
	return 0;
}

/* A11 to A14 */
static int tls_plan(struct auth *a)
{
	const struct vcd_session *s = a->session;
	struct crypt_auth_op *op = &a->op;
	u32 body = op->len + op->tag_len;

	if (op->auth_len > VCD_MAX_AAD_BYTES || !op->dst ||
	    op->tag_len > s->digest_bytes)
		return -EINVAL;
	a->source_bytes = op->len;
	if (a->is_decrypting) {
		if (!op->len || op->len % s->block_bytes)
			return -EINVAL;
		a->dst_bytes = op->len;
		return 0;
	}
	a->dst_bytes = body;
	if (s->block_bytes > 1)
		a->dst_bytes += s->block_bytes - body % s->block_bytes;
	a->result_least = a->dst_bytes;
	return a->dst_bytes ? 0 : -EINVAL;
}

/* A15 to A17 */
static int srtp_plan(struct auth *a)
{
	const struct vcd_session *s = a->session;
	struct crypt_auth_op *op = &a->op;
	unsigned long packet = (unsigned long)op->auth_src;
	unsigned long payload = (unsigned long)op->src;

	if (!(s->traits & VCD_TRAIT_STREAM) || s->traits & VCD_TRAIT_AEAD ||
	    !op->auth_len || op->tag_len > s->digest_bytes)
		return -EINVAL;
	/* A packet to send may have nothing to encrypt, but a tag then. */
	if (!op->len && (a->is_decrypting || !op->tag_len))
		return -EINVAL;
	if (a->is_decrypting && op->tag_len > op->len)
		return -EINVAL;
	if (payload < packet || payload - packet > SRTP_OFFSET_MAX)
		return -EINVAL;
	a->offset = payload - packet;
	if (a->offset > op->auth_len || op->len > op->auth_len - a->offset)
		return -EINVAL;
	a->dst_bytes = op->len;
	a->result_least = op->len;
	a->tag_in_bytes = a->is_decrypting ? op->tag_len : 0;
	a->tag_out_bytes = a->is_decrypting ? 0 : op->tag_len;
	return 0;
}

static const struct form aead_form = { aead_plan, -EFAULT };
static const struct form tls_form = { tls_plan, -EFAULT };
static const struct form srtp_form = { srtp_plan, -EINVAL };

/* A2 */
static const struct form *form_of(const struct auth *a)
{
	const struct vcd_session *s = a->session;

	if (!s->cipher)
		return NULL;
	if (a->op.flags & COP_FLAG_AEAD_SRTP)
		return &srtp_form;
	if (s->traits & VCD_TRAIT_AEAD)
		return &aead_form;
	return a->op.flags & COP_FLAG_AEAD_TLS ? &tls_form : NULL;
}

/* What one request takes (E15): payload, packet, and the chain itself. */
static int check_size(const struct auth *a)
{
	const struct vcd_device *device = a->session->device;
	u32 most = vcd_device_request_bytes(device);
	u32 chunks;

	if (a->op.len > most || a->op.auth_len > most)
		return -E2BIG;
	chunks = vcd_buf_segments(0, a->op.auth_len + a->source_bytes + 256) +
		 vcd_buf_segments(0, a->dst_bytes + 256);
	return chunks > vcd_device_segments(device) ? -E2BIG : 0;
}

static struct vcd_call *build(const struct auth *a, u32 *begun)
{
	const struct vcd_authcrypt params = {
		.direction = cpu_to_le16(a->op.op),
		.flags = cpu_to_le16(a->op.flags),
		.payload_bytes = cpu_to_le32(a->op.len),
		.iv_bytes = cpu_to_le32(a->iv_bytes),
		.auth_bytes = cpu_to_le32(a->op.auth_len),
		.auth_payload_offset = cpu_to_le32(a->offset),
		.tag_bytes = cpu_to_le32(a->op.tag_len),
		.tag_in_bytes = cpu_to_le32(a->tag_in_bytes),
		.dst_bytes = cpu_to_le32(a->dst_bytes),
		.tag_out_bytes = cpu_to_le32(a->tag_out_bytes),
		.iv_out_bytes = cpu_to_le32(a->iv_out_bytes),
	};
	struct vcd_call *call;

	call = vcd_call_create(sizeof(struct vcd_request) + sizeof(params) +
				       a->iv_bytes + a->op.auth_len +
				       a->source_bytes + a->tag_in_bytes,
			       sizeof(struct vcd_reply) + a->dst_bytes +
				       a->tag_out_bytes + a->iv_out_bytes);
	if (!call)
		return NULL;
	*begun = vcd_session_begin(a->session, call, VCD_OP_AUTHCRYPT, &params,
				   sizeof(params));
	vcd_buf_write(&call->in, *begun, a->iv, a->iv_bytes);
	*begun += a->iv_bytes;
	return call;
}

/* The program's bytes; A4 says which errno each has. */
static int fill(const struct auth *a, const struct form *form,
		struct vcd_call *call, u32 at)
{
	const struct crypt_auth_op *op = &a->op;
	u32 source_at = at + op->auth_len;
	u32 tag_at = source_at + a->source_bytes;

	if (vcd_buf_from_user(&call->in, source_at, op->src, a->source_bytes))
		return -EINVAL;
	if (vcd_buf_from_user(&call->in, at, op->auth_src, op->auth_len))
		return form->auth_error;
	return vcd_buf_from_user(&call->in, tag_at, op->tag, a->tag_in_bytes);
}

/* The answer to the program. A3: what the argument becomes. */
static int deliver(struct auth *a, const struct vcd_call *call,
		   const struct vcd_reply *reply)
{
	struct crypt_auth_op *op = &a->op;
	u32 result = le32_to_cpu(reply->result_bytes);
	u32 tag_at = sizeof(*reply) + a->dst_bytes;

	if (result < a->result_least || result > a->dst_bytes ||
	    le32_to_cpu(reply->value) != op->tag_len)
		return -EIO;
	if (vcd_buf_to_user(&call->out, sizeof(*reply), op->dst, result))
		return -EINVAL;
	if (vcd_buf_to_user(&call->out, tag_at, op->tag, a->tag_out_bytes))
		return -EFAULT;
	if (vcd_buf_to_user(&call->out, tag_at + a->tag_out_bytes, op->iv,
			    a->iv_out_bytes))
		return -EFAULT;
	if (a->session->traits & VCD_TRAIT_AEAD)
		op->tag = op->dst +
			  (a->is_decrypting ? result : result - op->tag_len);
	op->len = result;
	return 0;
}

static int run(struct auth *a, const struct form *form)
{
	struct vcd_reply reply;
	struct vcd_call *call;
	int error;
	u32 at;

	error = form->plan(a);
	if (!error)
		error = check_size(a);
	if (error)
		return error;
	call = build(a, &at);
	if (!call)
		return -ENOMEM;
	error = fill(a, form, call, at);
	if (!error)
		error = vcd_session_run(a->session, call, &reply);
	if (!error)
		error = deliver(a, call, &reply);
	vcd_call_put(call);
	return error;
}

/* A1, up to where the session is looked for again. */
static int take(struct auth *a)
{
	const struct vcd_session *s = a->session;
	struct crypt_auth_op *op = &a->op;

	if (op->flags & (COP_FLAG_AEAD_TLS | COP_FLAG_AEAD_SRTP) &&
	    op->src != op->dst)
		return -EINVAL;
	if (!op->tag_len)
		op->tag_len = s->mac ? s->digest_bytes : s->tag_bytes;
	a->iv_bytes = op->iv ? s->iv_bytes : 0;
	if (copy_from_user(a->iv, op->iv, a->iv_bytes))
		return -EFAULT;
	if (op->flags & COP_FLAG_WRITE_IV)
		a->iv_out_bytes = a->iv_bytes;
	a->is_decrypting = op->op == COP_DECRYPT;
	return op->op > COP_DECRYPT ? -EINVAL : 0;
}

int vcd_auth(struct vcd_file *f, void __user *argument, bool is_narrow)
{
	struct auth a = { 0 };
	const struct form *form;
	int error;

	if (vcd_user_read_auth(&a.op, argument, is_narrow))
		return -EFAULT;
	a.session = vcd_session_get(f, a.op.ses);
	if (!a.session)
		return -EINVAL;
	error = take(&a);
	if (error)
		goto out;
	error = vcd_session_lock(a.session);
	if (error)
		goto out;
	form = form_of(&a);
	a.session->is_hash_open = true;
	error = form ? run(&a, form) : -EINVAL;
	vcd_session_unlock(a.session);
	if (!error)
		error = vcd_user_write_auth(&a.op, argument, is_narrow);
out:
	vcd_session_put(a.session);
	memzero_explicit(&a, sizeof(a));
	return error;
}
