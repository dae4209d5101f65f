/* SPDX-License-Identifier: Apache-2.0 */
/* op_auth.c - AUTHCRYPT: AEAD, and the TLS and SRTP forms */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "device/task.h"

#define SRTP_OFFSET_MAX 256u /* vcd 7.5 */

/* The parameters in the host's order, and what follows from them. */
struct auth {
	uint16_t direction;
	uint16_t flags;
	bool is_decrypting;
	uint32_t payload_bytes;
	uint32_t iv_bytes;
	uint32_t auth_bytes;
	uint32_t offset;
	uint32_t tag_bytes; /* that the form uses */
	uint32_t tag_in_bytes;
	uint32_t dst_bytes;
	uint32_t tag_out_bytes;
	uint32_t iv_out_bytes;
	const struct engine_crypto *crypto;
	uint8_t iv[VCD_MAX_IV_BYTES];
	uint8_t tag[VCD_MAX_DIGEST_BYTES];
	struct iovec piece[2]; /* in the lane's scratch */
	struct cryptsess_authcrypt op;
};

/* A form: its lengths (vcd 7.3), and how it is run. */
struct form {
	enum vcd_status (*judge)(const struct auth *auth, uint64_t *dst_bytes);
	enum vcd_status (*run)(struct task *task, struct auth *auth);
};

enum vcd_status op_auth_announce(const struct task *task,
				 struct announced *parts)
{
	const struct vcd_authcrypt *p = &task->params.authcrypt;
	uint32_t limit = task->state->limits.max_request_bytes;
	uint32_t payload_bytes = le32toh(p->payload_bytes);
	uint32_t auth_bytes = le32toh(p->auth_bytes);
	bool is_srtp = le16toh(p->flags) & VCD_FLAG_SRTP;

	if (p->reserved || (!is_srtp && p->auth_payload_offset))
		return VCD_STATUS_MALFORMED;
	if (!CHECK(device_request_bound, payload_bytes <= limit) ||
	    !CHECK(device_auth_bound,
		   auth_bytes <= (is_srtp ? limit : VCD_MAX_AAD_BYTES)))
		return VCD_STATUS_TOO_BIG;
	parts->readable_bytes = (uint64_t)le32toh(p->iv_bytes) + auth_bytes +
				(is_srtp ? 0 : payload_bytes) +
				le32toh(p->tag_in_bytes);
	parts->writable_bytes = (uint64_t)le32toh(p->dst_bytes) +
				le32toh(p->tag_out_bytes) +
				le32toh(p->iv_out_bytes);
	return VCD_STATUS_OK;
}

static void auth_init(struct auth *auth, const struct task *task)
{
	const struct vcd_authcrypt *p = &task->params.authcrypt;

	/* IV, tag and pieces are written before they are read. */
	memset(&auth->op, 0, sizeof(auth->op));
	auth->crypto = task->crypto;
	auth->direction = le16toh(p->direction);
	auth->flags = le16toh(p->flags);
	auth->is_decrypting = auth->direction == VCD_DECRYPT;
	auth->payload_bytes = le32toh(p->payload_bytes);
	auth->iv_bytes = le32toh(p->iv_bytes);
	auth->auth_bytes = le32toh(p->auth_bytes);
	auth->offset = le32toh(p->auth_payload_offset);
	auth->tag_bytes = le32toh(p->tag_bytes);
	auth->tag_in_bytes = le32toh(p->tag_in_bytes);
	auth->dst_bytes = le32toh(p->dst_bytes);
	auth->tag_out_bytes = le32toh(p->tag_out_bytes);
	auth->iv_out_bytes = le32toh(p->iv_out_bytes);
	if (auth->tag_bytes)
		return;
	/* vcd 7.2 */
	if (auth->crypto->mac)
		auth->tag_bytes = auth->crypto->mac->digest_bytes;
	else if (auth->crypto->cipher && auth->crypto->cipher->is_aead)
		auth->tag_bytes = auth->crypto->cipher->digest_bytes;
}

static enum vcd_status aead_judge(const struct auth *auth, uint64_t *dst_bytes)
{
	if (auth->is_decrypting && auth->payload_bytes < auth->tag_bytes)
		return VCD_STATUS_INVALID;
	*dst_bytes = auth->is_decrypting
			     ? auth->payload_bytes - auth->tag_bytes
			     : (uint64_t)auth->payload_bytes + auth->tag_bytes;
	return VCD_STATUS_OK;
}

static enum vcd_status mac_tag_judge(const struct auth *auth)
{
	uint32_t most = auth->crypto->mac ? auth->crypto->mac->digest_bytes : 0;

	return CHECK(device_tag_bound, auth->tag_bytes <= most)
		       ? VCD_STATUS_OK
		       : VCD_STATUS_INVALID;
}

static enum vcd_status tls_judge(const struct auth *auth, uint64_t *dst_bytes)
{
	uint32_t block = auth->crypto->cipher->block_bytes;
	uint64_t body = (uint64_t)auth->payload_bytes + auth->tag_bytes;

	if (auth->is_decrypting) {
		*dst_bytes = auth->payload_bytes;
		if (!auth->payload_bytes || auth->payload_bytes % block)
			return VCD_STATUS_INVALID;
	} else {
		*dst_bytes = block > 1 ? body + block - body % block : body;
	}
	return mac_tag_judge(auth);
}

static enum vcd_status srtp_judge(const struct auth *auth, uint64_t *dst_bytes)
{
	uint64_t end = (uint64_t)auth->offset + auth->payload_bytes;

	if (!auth->crypto->cipher->is_stream || auth->crypto->cipher->is_aead ||
	    !auth->auth_bytes || auth->offset > SRTP_OFFSET_MAX ||
	    end > auth->auth_bytes)
		return VCD_STATUS_INVALID;
	if (!auth->payload_bytes && (auth->is_decrypting || !auth->tag_bytes))
		return VCD_STATUS_INVALID;
	*dst_bytes = auth->payload_bytes;
	return mac_tag_judge(auth);
}

/* What all forms have in common: IVs, tags, destination. */
static enum vcd_status judge(const struct auth *auth, const struct form *form)
{
	uint32_t iv_bytes = auth->crypto->cipher->iv_bytes;
	bool is_srtp = auth->flags & VCD_FLAG_SRTP;
	uint32_t tag_in = is_srtp && auth->is_decrypting ? auth->tag_bytes : 0;
	uint32_t tag_out =
		is_srtp && !auth->is_decrypting ? auth->tag_bytes : 0;
	uint64_t dst_bytes = 0;
	enum vcd_status status = form->judge(auth, &dst_bytes);

	if (status != VCD_STATUS_OK)
		return status;
	if (!CHECK(device_destination_bound, auth->dst_bytes == dst_bytes) ||
	    !CHECK(device_tag_bound, auth->tag_in_bytes == tag_in) ||
	    !CHECK(device_tag_bound, auth->tag_out_bytes == tag_out))
		return VCD_STATUS_MALFORMED;
	if (auth->iv_bytes &&
	    !CHECK(device_iv_bound, auth->iv_bytes == iv_bytes))
		return VCD_STATUS_MALFORMED;
	if (auth->iv_out_bytes &&
	    (!(auth->flags & VCD_FLAG_WRITE_IV) ||
	     !CHECK(device_iv_bound, auth->iv_out_bytes == iv_bytes)))
		return VCD_STATUS_MALFORMED;
	return VCD_STATUS_OK;
}

static int take_auth(struct task *task, struct auth *auth)
{
	int count = span_take(&task->in, auth->auth_bytes, task->lane->auth,
			      VRING_PIECES_MAX);

	auth->op.auth = task->lane->auth;
	auth->op.auth_count = count < 0 ? 0 : (unsigned int)count;
	auth->op.auth_bytes = auth->auth_bytes;
	return count < 0 ? count : 0;
}

/* Straight from and to guest memory; libcryptsess clears the destination of a
 * bad tag (vcd 7.6). */
static enum vcd_status aead_run(struct task *task, struct auth *auth)
{
	struct cryptsess_authcrypt *op = &auth->op;
	int count = take_auth(task, auth);

	if (!count)
		count = span_take(&task->in, auth->payload_bytes,
				  task->lane->source, VRING_PIECES_MAX);
	if (count < 0)
		return VCD_STATUS_MALFORMED;
	op->src = task->lane->source;
	op->src_count = (unsigned int)count;
	count = span_take(&task->out, auth->dst_bytes, task->lane->target,
			  VRING_PIECES_MAX);
	if (count < 0)
		return VCD_STATUS_MALFORMED;
	op->dst = task->lane->target;
	op->dst_count = (unsigned int)count;
	op->flags &= (uint16_t)~VCD_FLAG_TLS; /* does not apply, vcd 7.1 */
	return task_status(cryptsess_authcrypt(task->crypto->session, op));
}

/* In the lane's scratch, because the form works in place: the source is not
 * to be written, and a destination that changes while its padding is looked
 * at would be trusted. */
static enum vcd_status tls_run(struct task *task, struct auth *auth)
{
	uint8_t *scratch = task->lane->scratch;
	struct cryptsess_authcrypt *op = &auth->op;
	enum vcd_status status;

	if (take_auth(task, auth) ||
	    span_read(&task->in, scratch, auth->payload_bytes))
		return VCD_STATUS_MALFORMED;
	auth->piece[0] = (struct iovec){ scratch, auth->dst_bytes };
	op->src = auth->piece;
	op->src_count = 1;
	op->dst = auth->piece;
	op->dst_count = 1;
	status = task_status(cryptsess_authcrypt(task->crypto->session, op));
	if (status == VCD_STATUS_OK)
		(void)span_write(&task->out, scratch, op->out_bytes);
	if (status == VCD_STATUS_OK || status == VCD_STATUS_BAD_MESSAGE)
		(void)span_zero(&task->out, auth->dst_bytes - op->out_bytes);
	secret_wipe(scratch, auth->dst_bytes);
	return status;
}

/* The same; the packet is whole in the scratch, the payload in its place. */
static enum vcd_status srtp_run(struct task *task, struct auth *auth)
{
	uint8_t *scratch = task->lane->scratch;
	struct cryptsess_authcrypt *op = &auth->op;
	enum vcd_status status;

	if (span_read(&task->in, scratch, auth->auth_bytes) ||
	    span_read(&task->in, auth->tag, auth->tag_in_bytes))
		return VCD_STATUS_MALFORMED;
	auth->piece[0] = (struct iovec){ scratch, auth->auth_bytes };
	auth->piece[1] =
		(struct iovec){ scratch + auth->offset, auth->payload_bytes };
	op->auth = &auth->piece[0];
	op->auth_count = 1;
	op->auth_bytes = auth->auth_bytes;
	op->auth_payload_offset = auth->offset;
	op->src = &auth->piece[1];
	op->src_count = 1;
	op->dst = &auth->piece[1];
	op->dst_count = 1;
	op->tag = auth->tag;
	status = task_status(cryptsess_authcrypt(task->crypto->session, op));
	if (status == VCD_STATUS_OK)
		(void)span_write(&task->out, scratch + auth->offset,
				 auth->payload_bytes);
	secret_wipe(scratch, auth->auth_bytes);
	return status;
}

/* vcd 7.1 */
static const struct form *form_of(const struct auth *auth)
{
	static const struct form aead = { aead_judge, aead_run };
	static const struct form tls = { tls_judge, tls_run };
	static const struct form srtp = { srtp_judge, srtp_run };

	if (!auth->crypto->cipher || auth->direction > VCD_DECRYPT)
		return NULL;
	if (auth->flags & VCD_FLAG_SRTP)
		return &srtp;
	if (auth->crypto->cipher->is_aead)
		return &aead;
	return auth->flags & VCD_FLAG_TLS ? &tls : NULL;
}

static enum vcd_status write_rest(struct task *task, const struct auth *auth)
{
	struct vcd_reply *head = &task->answer.head;

	if (span_write(&task->out, auth->tag, auth->tag_out_bytes) ||
	    span_write(&task->out, task->slot->iv, auth->iv_out_bytes))
		return VCD_STATUS_MALFORMED;
	head->result_bytes = htole32(auth->op.out_bytes);
	head->value = htole32(auth->tag_bytes);
	return VCD_STATUS_OK;
}

/* The IV, and the form itself. */
static enum vcd_status run(struct task *task, struct auth *auth,
			   const struct form *form)
{
	enum vcd_status status;

	if (span_read(&task->in, auth->iv, auth->iv_bytes))
		return VCD_STATUS_MALFORMED;
	auth->op.direction = auth->direction;
	auth->op.flags = auth->flags;
	auth->op.payload_bytes = auth->payload_bytes;
	auth->op.tag_bytes = auth->tag_bytes;
	auth->op.iv = auth->iv_bytes ? auth->iv : NULL;
	task->payload_bytes = auth->payload_bytes;
	task->worked_bytes = auth->auth_bytes;
	if (!(auth->flags & VCD_FLAG_SRTP)) /* else it is a part of that */
		task->worked_bytes += auth->payload_bytes;
	status = form->run(task, auth);
	/* vcd 7.6 */
	if (status == VCD_STATUS_BAD_MESSAGE && !(auth->flags & VCD_FLAG_SRTP))
		task->slot->zero_bytes = auth->dst_bytes;
	task_leave_iv(task);
	if (auth->crypto->mac)
		task_leave_hash(task, task->session, 0);
	return status == VCD_STATUS_OK ? write_rest(task, auth) : status;
}

enum vcd_status op_auth_run(struct task *task)
{
	struct auth auth;
	const struct form *form;
	enum vcd_status status;

	auth_init(&auth, task);
	form = form_of(&auth);
	if (!form)
		return VCD_STATUS_INVALID;
	status = judge(&auth, form);
	return status == VCD_STATUS_OK ? run(task, &auth, form) : status;
}
