// SPDX-License-Identifier: GPL-2.0-only
/* crypt.c - CIOCCRYPT as pieces that the device takes */
#include "kernel/crypt.h"

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "kernel/algorithm.h"
#include "kernel/device.h"
#include "kernel/op.h"
#include "kernel/user.h"

/* Entries of a chain that are not payload: two ends on each side. */
#define OTHER_SEGMENTS 4

static unsigned int pin_bytes = 16384;
module_param(pin_bytes, uint, 0644);
MODULE_PARM_DESC(pin_bytes,
		 "payload from which a program's pages are used (16384)");

/* What a piece is a multiple of: blocks, and all that a request may be. */
#define PIECE_STEP 4096u
/* The least that an entry of a chain has room for. */
#define ENTRY_BYTES min_t(u32, PAGE_SIZE, VCD_CHUNK_BYTES)

/* Pages, or chunks, that a side has room for. */
static u32 side_segments(const struct vcd_plan *c)
{
	return (vcd_device_segments(c->session->device) - OTHER_SEGMENTS) / 2;
}

int vcd_crypt_take(struct vcd_plan *c, struct vcd_file *f,
		   const void __user *argument, bool is_narrow)
{
	u32 iv_bytes;

	if (vcd_user_read_crypt(&c->op, argument, is_narrow))
		return -EFAULT;
	c->session = vcd_session_get(f, c->op.ses);
	if (!c->session)
		return -EINVAL;
	iv_bytes = c->session->iv_bytes;
	c->has_iv = c->op.iv;
	if (c->has_iv && copy_from_user(c->iv, c->op.iv, iv_bytes)) {
		vcd_session_put(c->session);
		c->session = NULL;
		return -EFAULT;
	}
	return 0;
}

static bool may_cut(const struct vcd_session *s)
{
	const struct vcd_algorithm *cipher;

	if (!s->cipher)
		return true;
	cipher = vcd_cipher_find(s->cipher);
	return cipher && cipher->flags & VCD_IS_CUT;
}

static bool ranges_meet(unsigned long a, unsigned long b, u32 bytes)
{
	return (a < b ? b - a : a - b) < bytes;
}

/* E1, E8, E12, E15 */
int vcd_crypt_plan(struct vcd_plan *c)
{
	const struct vcd_session *s = c->session;
	const struct crypt_op *op = &c->op;
	unsigned long src = (unsigned long)op->src;
	unsigned long dst = (unsigned long)op->dst;
	u32 most = vcd_device_request_bytes(s->device);

	if (op->op != COP_ENCRYPT && op->op != COP_DECRYPT)
		return -EINVAL;
	if (s->traits & VCD_TRAIT_AEAD)
		return -EINVAL;
	if (s->cipher && op->len % s->block_bytes)
		return -EINVAL;
	c->is_due = s->mac && (op->flags & COP_FLAG_FINAL ||
			       !(op->flags & COP_FLAG_UPDATE) || !op->len);
	c->gives_iv = op->flags & COP_FLAG_WRITE_IV && op->iv && s->iv_bytes;
	c->meets = s->cipher && ranges_meet(src, dst, op->len);
	c->is_whole = s->mac && (!op->flags || op->flags & COP_FLAG_RESET ||
				 !s->is_hash_open);
	c->piece_bytes = op->len;
	if (may_cut(s))
		c->piece_bytes =
			min3(op->len, (side_segments(c) - 1) * ENTRY_BYTES,
			     round_down(most, PIECE_STEP));
	if (c->piece_bytes > most)
		return -E2BIG;
	c->is_hash_cut = s->mac && c->piece_bytes < op->len;
	/* A piece's result would be the next one's source. */
	if (c->meets && dst > src && c->piece_bytes < op->len)
		return -E2BIG;
	return 0;
}

u32 vcd_crypt_piece_bytes(const struct vcd_plan *c, u32 at)
{
	return min(c->piece_bytes, c->op.len - at);
}

/* vcd 6.7. One piece alone keeps the program's flags. */
static u16 piece_flags(const struct vcd_plan *c, bool is_first, bool is_last)
{
	u16 flags = 0;

	if (is_first && is_last)
		return c->op.flags;
	if (is_first && (!c->op.flags || c->op.flags & COP_FLAG_RESET))
		flags |= VCD_FLAG_RESET;
	flags |= is_last && c->is_due ? VCD_FLAG_FINAL : VCD_FLAG_UPDATE;
	if (is_last)
		flags |= c->op.flags & VCD_FLAG_WRITE_IV;
	return flags;
}

/* What the piece at `at` is made of, in bytes. */
struct shape {
	u32 payload, iv, dst, digest, iv_out;
	bool pins_src, pins_dst;
};

static bool is_pinnable(const struct vcd_plan *c, const u8 __user *at,
			u32 bytes)
{
	return vcd_pin_pages((unsigned long)at, bytes) <= side_segments(c);
}

static void shape_init(struct shape *shape, const struct vcd_plan *c, u32 at)
{
	const struct vcd_session *s = c->session;
	u32 n = vcd_crypt_piece_bytes(c, at);
	bool is_last = n == c->op.len - at;
	bool is_large = n && n >= READ_ONCE(pin_bytes) &&
			!(c->op.flags & COP_FLAG_NO_ZC);

	*shape = (struct shape){
		.payload = n,
		.iv = !at && c->has_iv ? s->iv_bytes : 0,
		.dst = s->cipher ? n : 0,
		.digest = is_last && c->is_due ? s->digest_bytes : 0,
		.iv_out = is_last && c->gives_iv ? s->iv_bytes : 0,
	};
	shape->pins_src =
		is_large && !c->meets && is_pinnable(c, c->op.src + at, n);
	shape->pins_dst = shape->dst && (is_large || c->is_async) &&
			  is_pinnable(c, c->op.dst + at, n);
}

static struct vcd_call *shape_call(const struct vcd_plan *c,
				   const struct shape *shape, u32 at)
{
	bool is_last = shape->payload == c->op.len - at;
	const struct vcd_crypt params = {
		.direction = cpu_to_le16(c->op.op),
		.flags = cpu_to_le16(piece_flags(c, !at, is_last)),
		.payload_bytes = cpu_to_le32(shape->payload),
		.iv_bytes = cpu_to_le32(shape->iv),
		.dst_bytes = cpu_to_le32(shape->dst),
		.digest_bytes = cpu_to_le32(shape->digest),
		.iv_out_bytes = cpu_to_le32(shape->iv_out),
	};
	struct vcd_call *call;
	u32 begun;

	call = vcd_call_create(
		sizeof(struct vcd_request) + sizeof(params) + shape->iv +
			(shape->pins_src ? 0 : shape->payload),
		sizeof(struct vcd_reply) + (shape->pins_dst ? 0 : shape->dst) +
			shape->digest + shape->iv_out);
	if (!call)
		return NULL;
	begun = vcd_session_begin(c->session, call, VCD_OP_CRYPT, &params,
				  sizeof(params));
	vcd_buf_write(&call->in, begun, c->iv, shape->iv);
	call->in_split = begun + shape->iv;
	call->out_split = sizeof(struct vcd_reply);
	return call;
}

/* Pages of the program, or copies. A job's pages are held until somebody
 * fetches it (P4). */
static int fill(const struct vcd_plan *c, struct vcd_call *call,
		const struct shape *shape, u32 at)
{
	const unsigned int gup_flags = c->is_async ? FOLL_LONGTERM : 0;
	const u8 __user *src = c->op.src + at;
	int error = 0;

	if (shape->pins_src)
		error = vcd_pin_init(&call->in_pin, (unsigned long)src,
				     shape->payload, gup_flags);
	else if (shape->payload)
		error = vcd_buf_from_user(&call->in, call->in_split, src,
					  shape->payload);
	if (!error && shape->pins_dst)
		error = vcd_pin_init(&call->out_pin,
				     (unsigned long)(c->op.dst + at),
				     shape->dst, gup_flags | FOLL_WRITE);
	return error;
}

struct vcd_call *vcd_crypt_piece(const struct vcd_plan *c, u32 at)
{
	struct vcd_call *call;
	struct shape shape;
	int error;

	shape_init(&shape, c, at);
	for (;;) {
		call = shape_call(c, &shape, at);
		if (!call)
			return ERR_PTR(-ENOMEM);
		error = fill(c, call, &shape, at);
		if (!error)
			return call;
		vcd_call_put(call);
		if (error != -EDQUOT && error != -EFAULT)
			return ERR_PTR(error);
		if (!shape.pins_src && !shape.pins_dst)
			return ERR_PTR(error);
		/* A job would rather have its destination pinned. */
		shape.pins_dst &= shape.pins_src && c->is_async;
		shape.pins_src = false;
	}
}

bool vcd_crypt_is_copied(const struct vcd_plan *c, const struct vcd_call *call)
{
	return c->session->cipher && c->op.len && !call->out_pin.count;
}

int vcd_crypt_collect(struct vcd_plan *c, struct vcd_call *call, u32 at)
{
	struct vcd_reply reply;
	struct shape shape;
	u32 behind = sizeof(reply);
	int error;

	error = vcd_session_result(c->session, call, &reply);
	if (error)
		return error;
	shape_init(&shape, c, at);
	if (le32_to_cpu(reply.result_bytes) != shape.dst ||
	    !(le32_to_cpu(reply.flags) & VCD_REPLY_HAS_DIGEST) != !shape.digest)
		return -EIO;
	if (!call->out_pin.count) {
		error = vcd_buf_to_user(&call->out, behind, c->op.dst + at,
					shape.dst);
		behind += shape.dst;
	}
	vcd_buf_read(&call->out, behind, c->digest, shape.digest);
	vcd_buf_read(&call->out, behind + shape.digest, c->iv, shape.iv_out);
	return error;
}

int vcd_crypt_deliver(const struct vcd_plan *c)
{
	const struct vcd_session *s = c->session;

	if (c->is_due && copy_to_user(c->op.mac, c->digest, s->digest_bytes))
		return -EFAULT;
	if (c->gives_iv && copy_to_user(c->op.iv, c->iv, s->iv_bytes))
		return -EFAULT;
	return 0;
}

/* The piece at `at`: made now, or kept from the time before. */
static struct vcd_call *piece_get(struct vcd_plan *c, u32 at)
{
	u32 index = c->kept ? at / c->piece_bytes : 0;
	struct vcd_call *call;

	if (index < c->kept_count) {
		vcd_call_again(c->kept[index]);
		return vcd_call_get(c->kept[index]);
	}
	call = vcd_crypt_piece(c, at);
	if (c->kept && !IS_ERR(call))
		c->kept[c->kept_count++] = vcd_call_get(call);
	return call;
}

static int run_piece(struct vcd_plan *c, u32 at, bool *is_lost)
{
	struct vcd_reply reply = { 0 };
	struct vcd_call *call;
	int error;

	call = piece_get(c, at);
	if (IS_ERR(call))
		return PTR_ERR(call);
	error = vcd_session_run(c->session, call, &reply);
	*is_lost = error && vcd_reply_is_lost(&reply);
	if (!error)
		error = vcd_crypt_collect(c, call, at);
	vcd_call_put(call);
	return error;
}

static int run_pieces(struct vcd_plan *c, bool *is_lost)
{
	u32 at = 0;
	int error;

	do {
		error = run_piece(c, at, is_lost);
		if (error)
			return error;
		at += vcd_crypt_piece_bytes(c, at);
		/* Where every look finds its answer nobody waits. */
		if (fatal_signal_pending(current))
			return -EINTR;
	} while (at < c->op.len);
	return 0;
}

/* An operation of nothing that hashes nothing tells the chained IV; what was
 * hashed before is dropped, as the operation itself would do first. */
static int learn_iv(struct vcd_plan *c)
{
	const struct vcd_session *s = c->session;
	const struct vcd_crypt params = {
		.direction = cpu_to_le16(c->op.op),
		.flags = cpu_to_le16(VCD_FLAG_RESET | VCD_FLAG_WRITE_IV),
		.digest_bytes = cpu_to_le32(s->digest_bytes),
		.iv_out_bytes = cpu_to_le32(s->iv_bytes),
	};
	struct vcd_reply reply;
	struct vcd_call *call;
	int error;

	call = vcd_call_create(sizeof(struct vcd_request) + sizeof(params),
			       sizeof(reply) + s->digest_bytes + s->iv_bytes);
	if (!call)
		return -ENOMEM;
	vcd_session_begin(s, call, VCD_OP_CRYPT, &params, sizeof(params));
	error = vcd_session_run(c->session, call, &reply);
	if (!error) {
		vcd_buf_read(&call->out, sizeof(reply) + s->digest_bytes, c->iv,
			     s->iv_bytes);
		c->has_iv = true;
	}
	vcd_call_put(call);
	return error;
}

/* What running all pieces again will need: IV and source. */
static int may_begin_again(struct vcd_plan *c, bool *may)
{
	const struct vcd_session *s = c->session;
	int error = 0;

	*may = c->is_hash_cut && c->is_whole;
	if (!*may)
		return 0;
	if (s->cipher && s->iv_bytes && !c->has_iv)
		error = learn_iv(c);
	if (error || !c->meets)
		return error;
	*may = c->op.len <= VCD_KEPT_BYTES_MAX;
	if (!*may)
		return 0;
	c->kept = kcalloc(DIV_ROUND_UP(c->op.len, c->piece_bytes),
			  sizeof(*c->kept), GFP_KERNEL_ACCOUNT);
	return c->kept ? 0 : -ENOMEM;
}

static void drop_kept(struct vcd_plan *c)
{
	while (c->kept_count)
		vcd_call_put(c->kept[--c->kept_count]);
	kfree(c->kept);
	c->kept = NULL;
}

int vcd_crypt_run(struct vcd_plan *c)
{
	unsigned int attempts = VCD_ATTEMPTS_MAX;
	bool is_lost = false, may = false;
	int error;

	error = may_begin_again(c, &may);
	if (error)
		return error;
	do {
		error = run_pieces(c, &is_lost);
	} while (is_lost && may && --attempts);
	drop_kept(c);
	/* After a failure nobody knows, but that what is lost is fresh. */
	c->session->is_hash_open = error ? !is_lost : !c->is_due;
	return error;
}

static int run_locked(struct vcd_plan *c)
{
	int error;

	error = vcd_crypt_plan(c);
	return error ? error : vcd_crypt_run(c);
}

int vcd_crypt(struct vcd_file *f, void __user *argument, bool is_narrow)
{
	struct vcd_plan c = { 0 };
	int error;

	error = vcd_crypt_take(&c, f, argument, is_narrow);
	if (error)
		return error;
	error = -EINVAL;
	if (c.op.op > COP_DECRYPT)
		goto out;
	error = vcd_session_lock(c.session);
	if (error)
		goto out;
	error = run_locked(&c);
	vcd_session_unlock(c.session);
	if (!error)
		error = vcd_crypt_deliver(&c);
	if (!error)
		error = vcd_user_write_crypt(&c.op, argument, is_narrow);
out:
	vcd_session_put(c.session);
	memzero_explicit(&c, sizeof(c));
	return error;
}
