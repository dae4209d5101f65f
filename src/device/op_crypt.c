/* SPDX-License-Identifier: Apache-2.0 */
/* op_crypt.c - CRYPT: a cipher, a hash, or both over one payload */
#include <endian.h>
#include <string.h>

#include "base/mutant.h"
#include "base/secret.h"
#include "device/task.h"

enum vcd_status op_crypt_announce(const struct task *task,
				  struct announced *parts)
{
	const struct vcd_crypt *p = &task->params.crypt;
	uint32_t payload_bytes = le32toh(p->payload_bytes);

	if (p->reserved)
		return VCD_STATUS_MALFORMED;
	if (!CHECK(device_request_bound,
		   payload_bytes <= task->state->limits.max_request_bytes))
		return VCD_STATUS_TOO_BIG;
	parts->readable_bytes = (uint64_t)le32toh(p->iv_bytes) + payload_bytes;
	parts->writable_bytes = (uint64_t)le32toh(p->dst_bytes) +
				le32toh(p->digest_bytes) +
				le32toh(p->iv_out_bytes);
	return VCD_STATUS_OK;
}

/* vcd 6.4. */
static bool is_digest_due(const struct engine_crypto *crypto, uint16_t flags,
			  uint32_t payload_bytes)
{
	return crypto->mac &&
	       (flags & VCD_FLAG_FINAL || !(flags & VCD_FLAG_UPDATE) ||
		payload_bytes == 0);
}

/* vcd 6.1, 6.2, 6.4: what the session makes of the lengths. */
static enum vcd_status judge(const struct task *task,
			     const struct engine_crypto *crypto)
{
	const struct vcd_crypt *p = &task->params.crypt;
	uint32_t payload_bytes = le32toh(p->payload_bytes);
	uint32_t iv_bytes = crypto->cipher ? crypto->cipher->iv_bytes : 0;
	uint32_t iv_out_bytes = le32toh(p->iv_out_bytes);
	uint16_t flags = le16toh(p->flags);
	bool is_due = is_digest_due(crypto, flags, payload_bytes);
	uint32_t digest_bytes = is_due ? crypto->mac->digest_bytes : 0;

	if (le16toh(p->direction) > VCD_DECRYPT ||
	    (crypto->cipher && crypto->cipher->is_aead) ||
	    (crypto->cipher && payload_bytes % crypto->cipher->block_bytes))
		return VCD_STATUS_INVALID;
	if (!CHECK(device_destination_bound,
		   le32toh(p->dst_bytes) ==
			   (crypto->cipher ? payload_bytes : 0)))
		return VCD_STATUS_MALFORMED;
	if (p->iv_bytes &&
	    !CHECK(device_iv_bound, le32toh(p->iv_bytes) == iv_bytes))
		return VCD_STATUS_MALFORMED;
	if (iv_out_bytes && (!(flags & VCD_FLAG_WRITE_IV) ||
			     !CHECK(device_iv_bound, iv_out_bytes == iv_bytes)))
		return VCD_STATUS_MALFORMED;
	if (p->digest_bytes && !CHECK(device_digest_bound,
				      le32toh(p->digest_bytes) == digest_bytes))
		return VCD_STATUS_MALFORMED;
	return VCD_STATUS_OK;
}

/* vcd 6.4: whether the hash begins afresh by itself. */
static bool starts_afresh(uint16_t flags)
{
	return flags == 0 || flags & VCD_FLAG_RESET;
}

/* After the operation: what the commit changes in the session. */
static void leave(struct task *task, const struct engine_crypto *crypto,
		  bool is_due)
{
	if (crypto->cipher && crypto->cipher->iv_bytes)
		task_leave_iv(task);
	if (crypto->mac)
		task_leave_hash(task, task->session,
				is_due ? 0 : task->engine->worker);
}

/* Digest and IV behind the destination, as far as they are asked for. */
static enum vcd_status write_rest(struct task *task,
				  const struct cryptsess_crypt *op,
				  const struct engine_crypto *crypto)
{
	const struct vcd_crypt *p = &task->params.crypt;

	if (op->has_digest) {
		if (span_write(&task->out, op->mac, crypto->mac->digest_bytes))
			return VCD_STATUS_MALFORMED;
		task->answer.head.flags = htole32(VCD_REPLY_HAS_DIGEST);
	}
	task->answer.head.result_bytes = p->dst_bytes;
	if (p->iv_out_bytes &&
	    span_write(&task->out, task->slot->iv, crypto->cipher->iv_bytes))
		return VCD_STATUS_MALFORMED;
	return VCD_STATUS_OK;
}

/* The pieces of source and destination. */
static int take_pieces(struct task *task, struct cryptsess_crypt *op)
{
	const struct vcd_crypt *p = &task->params.crypt;
	struct engine_lane *lane = task->lane;
	int count;

	count = span_take(&task->in, op->payload_bytes, lane->source,
			  VRING_PIECES_MAX);
	if (count < 0)
		return count;
	op->src = lane->source;
	op->src_count = (unsigned int)count;
	count = span_take(&task->out, le32toh(p->dst_bytes), lane->target,
			  VRING_PIECES_MAX);
	if (count < 0)
		return count;
	op->dst = lane->target;
	op->dst_count = (unsigned int)count;
	return 0;
}

enum vcd_status op_crypt_run(struct task *task)
{
	const struct vcd_crypt *p = &task->params.crypt;
	uint8_t digest[VCD_MAX_DIGEST_BYTES];
	uint8_t iv[VCD_MAX_IV_BYTES];
	struct cryptsess_crypt op = {
		.direction = le16toh(p->direction),
		.flags = le16toh(p->flags),
		.payload_bytes = le32toh(p->payload_bytes),
		.mac = p->digest_bytes ? digest : NULL,
		.iv = p->iv_bytes ? iv : NULL,
	};
	enum vcd_status status;
	bool is_due;

	status = judge(task, task->crypto);
	if (status != VCD_STATUS_OK)
		return status;
	is_due = is_digest_due(task->crypto, op.flags, op.payload_bytes);
	if (task->crypto->mac && task_is_hash_lost(task, task->session) &&
	    !starts_afresh(op.flags)) {
		task_leave_hash(task, task->session, 0);
		return VCD_STATUS_LOST;
	}
	if ((op.iv && span_read(&task->in, iv, le32toh(p->iv_bytes))) ||
	    take_pieces(task, &op))
		return VCD_STATUS_MALFORMED;
	task->payload_bytes = op.payload_bytes;
	task->worked_bytes = op.payload_bytes;
	status = task_status(cryptsess_crypt(task->crypto->session, &op));
	leave(task, task->crypto, is_due);
	if (status == VCD_STATUS_OK)
		status = write_rest(task, &op, task->crypto);
	secret_wipe(digest, sizeof(digest));
	return status;
}
