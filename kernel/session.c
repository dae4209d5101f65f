// SPDX-License-Identifier: GPL-2.0-only
/* session.c - the sessions of an open file: find, lock, run, end */
#include "kernel/session.h"

#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "abi/cryptodev.h"
#include "kernel/device.h"
#include "kernel/orphan.h"

static void on_free(struct kref *refs)
{
	struct vcd_session *s = container_of(refs, struct vcd_session, refs);

	vcd_call_unwatch(s->left);
	kfree(s);
}

/* With the array's lock. */
static struct vcd_session *find(struct vcd_file *f, u32 number)
{
	struct vcd_session *s;

	s = xa_load(&f->sessions, number & VCD_SLOT_MASK);
	return s && s->number == number ? s : NULL;
}

struct vcd_session *vcd_session_get(struct vcd_file *f, u32 number)
{
	struct vcd_session *s;

	xa_lock(&f->sessions);
	s = find(f, number);
	if (s)
		kref_get(&s->refs);
	xa_unlock(&f->sessions);
	return s;
}

void vcd_session_put(struct vcd_session *s)
{
	if (s)
		kref_put(&s->refs, on_free);
}

void vcd_session_leave(struct vcd_session *s, struct vcd_call *call)
{
	vcd_call_unwatch(s->left);
	s->left = vcd_call_watch(call);
}

static int wait_left(struct vcd_session *s)
{
	if (!s->left)
		return 0;
	vcd_queue_await(s->queue, s->left);
	return wait_for_completion_killable(&s->left->done) ? -EINTR : 0;
}

static int look_again(struct vcd_session *s)
{
	if (s->is_freed)
		return -EINVAL;
	/* A device that is gone says so itself. */
	if (READ_ONCE(s->queue->error))
		return READ_ONCE(s->queue->error);
	return READ_ONCE(s->device->generation) == s->generation ? 0 : -EIO;
}

int vcd_session_lock(struct vcd_session *s)
{
	int error;

	if (mutex_lock_killable(&s->lock))
		return -EINTR;
	error = look_again(s);
	if (error)
		mutex_unlock(&s->lock);
	return error;
}

void vcd_session_unlock(struct vcd_session *s)
{
	mutex_unlock(&s->lock);
}

int vcd_session_lock_two(struct vcd_session *a, struct vcd_session *b)
{
	struct vcd_session *first = a < b ? a : b;
	struct vcd_session *second = a < b ? b : a;
	int error;

	error = vcd_session_lock(first);
	if (error)
		goto out;
	if (mutex_lock_killable_nested(&second->lock, SINGLE_DEPTH_NESTING)) {
		error = -EINTR;
		goto undo_first;
	}
	error = look_again(second);
	/* vcd 7.8: nothing of the source may be in flight. */
	if (!error)
		error = wait_left(first);
	if (!error)
		error = wait_left(second);
	if (error)
		goto undo_second;
	return 0;

undo_second:
	mutex_unlock(&second->lock);
undo_first:
	vcd_session_unlock(first);
out:
	return error == -EINVAL ? -ENOENT : error;
}

u32 vcd_session_begin(const struct vcd_session *s, struct vcd_call *call,
		      enum vcd_op op, const void *params, u32 params_bytes)
{
	return vcd_call_begin(call, op, s->generation, s->file_id, s->id,
			      params, params_bytes);
}

int vcd_session_result(const struct vcd_session *s, const struct vcd_call *call,
		       struct vcd_reply *reply)
{
	int error = vcd_call_result(call, reply);

	if (error != -ESTALE)
		return error;
	vcd_device_expired(s->device, s->generation);
	return -EIO;
}

int vcd_session_run(struct vcd_session *s, struct vcd_call *call,
		    struct vcd_reply *reply)
{
	int error;

	error = vcd_queue_run(s->queue, call);
	if (error == -EINTR)
		vcd_session_leave(s, call);
	if (error)
		return error;
	return vcd_session_result(s, call, reply);
}

/* A request without parameters to file or session; nothing is given back. */
static int tell(struct vcd_queue *q, enum vcd_op op, u64 generation,
		u32 file_id, u32 session_id)
{
	struct vcd_call *call;
	int error;

	call = vcd_call_create(sizeof(struct vcd_request),
			       sizeof(struct vcd_reply));
	if (!call)
		return -ENOMEM;
	vcd_call_begin(call, op, generation, file_id, session_id, NULL, 0);
	error = vcd_queue_run(q, call);
	if (error == -ERESTARTSYS)
		vcd_orphan_unsent(q, call);
	vcd_call_put(call);
	return error;
}

void vcd_session_tell_end(struct vcd_session *s)
{
	if (s->id && READ_ONCE(s->device->generation) == s->generation)
		(void)tell(s->queue, VCD_OP_SESSION_CLOSE, s->generation,
			   s->file_id, s->id);
}

/* F1, F2. The number is gone at once; the session after what runs on it. */
int vcd_session_end(struct vcd_file *f, u32 number)
{
	struct vcd_session *s;

	xa_lock(&f->sessions);
	s = find(f, number);
	if (s)
		__xa_erase(&f->sessions, number & VCD_SLOT_MASK);
	xa_unlock(&f->sessions);
	if (!s)
		return 0;
	if (mutex_lock_killable(&s->lock)) {
		vcd_orphan_session(s);
		return -EINTR;
	}
	s->is_freed = true;
	vcd_session_tell_end(s);
	mutex_unlock(&s->lock);
	vcd_session_put(s);
	return 0;
}

int vcd_session_free(struct vcd_file *f, const void __user *argument)
{
	u32 number;

	if (copy_from_user(&number, argument, sizeof(number)))
		return -EFAULT;
	return vcd_session_end(f, number);
}

static int ask_info(struct vcd_session *s, struct vcd_session_info_reply *info)
{
	struct vcd_reply reply;
	struct vcd_call *call;
	int error;

	call = vcd_call_create(sizeof(struct vcd_request), sizeof(*info));
	if (!call)
		return -ENOMEM;
	vcd_session_begin(s, call, VCD_OP_SESSION_INFO, NULL, 0);
	error = vcd_session_lock(s);
	if (error)
		goto out;
	error = vcd_session_run(s, call, &reply);
	vcd_session_unlock(s);
	if (!error)
		vcd_buf_read(&call->out, 0, info, sizeof(*info));
out:
	vcd_call_put(call);
	return error;
}

/* Names from the device end where the room for them does. */
static void take_names(struct alg_info *to, const u8 *name, const u8 *driver)
{
	memset(to, 0, sizeof(*to));
	memcpy(to->cra_name, name, sizeof(to->cra_name) - 1);
	memcpy(to->cra_driver_name, driver, sizeof(to->cra_driver_name) - 1);
}

/* I1 to I4 */
int vcd_session_info(struct vcd_file *f, void __user *argument)
{
	struct vcd_session_info_reply *info;
	struct session_info_op *op;
	struct vcd_session *s;
	int error = -ENOMEM;

	op = kmalloc(sizeof(*op), GFP_KERNEL);
	info = kzalloc(sizeof(*info), GFP_KERNEL);
	if (!op || !info)
		goto out;
	error = -EFAULT;
	if (copy_from_user(op, argument, sizeof(*op)))
		goto out;
	error = -EINVAL;
	s = vcd_session_get(f, op->ses);
	if (!s)
		goto out;
	error = ask_info(s, info);
	if (error)
		goto out_session;
	if (s->traits & VCD_TRAIT_CIPHER)
		take_names(&op->cipher_info, info->cipher_name,
			   info->cipher_driver);
	if (s->traits & VCD_TRAIT_MAC)
		take_names(&op->hash_info, info->mac_name, info->mac_driver);
	op->alignmask = 0; /* we copy or pin whatever comes */
	op->flags = le32_to_cpu(info->flags) & SIOP_FLAG_KERNEL_DRIVER_ONLY;
	if (copy_to_user(argument, op, sizeof(*op)))
		error = -EFAULT;
out_session:
	vcd_session_put(s);
out:
	kfree(info);
	kfree(op);
	return error;
}

static int copy_locked(struct vcd_session *to, struct vcd_session *from)
{
	const struct vcd_hash_copy params = {
		.from_session_id = cpu_to_le32(from->id),
	};
	struct vcd_reply reply;
	struct vcd_call *call;
	int error;

	if (!to->mac || to->mac != from->mac)
		return -EINVAL; /* H1, H2 */
	call = vcd_call_create(sizeof(struct vcd_request) + sizeof(params),
			       sizeof(reply));
	if (!call)
		return -ENOMEM;
	vcd_session_begin(to, call, VCD_OP_HASH_COPY, &params, sizeof(params));
	to->is_hash_open = true;
	error = vcd_session_run(to, call, &reply);
	vcd_call_put(call);
	return error;
}

/* H1 to H3 */
int vcd_session_copy_hash(struct vcd_file *f, const void __user *argument)
{
	struct vcd_session *to, *from;
	struct cphash_op op;
	int error = -ENOENT;

	if (copy_from_user(&op, argument, sizeof(op)))
		return -EFAULT;
	if (op.dst_ses == op.src_ses)
		return -EDEADLK;
	to = vcd_session_get(f, op.dst_ses);
	from = vcd_session_get(f, op.src_ses);
	if (!to || !from)
		goto out;
	error = vcd_session_lock_two(to, from);
	if (error)
		goto out;
	error = copy_locked(to, from);
	vcd_session_unlock(to);
	vcd_session_unlock(from);
out:
	vcd_session_put(to);
	vcd_session_put(from);
	return error;
}

/* CLOSE ends the file's sessions on the device (vcd 5.8). Nobody else can
 * have the file or a session of it any more. */
void vcd_sessions_end(struct vcd_file *f)
{
	struct vcd_session *s;
	unsigned long number;

	xa_for_each(&f->sessions, number, s) vcd_session_put(s);
	xa_destroy(&f->sessions);
	if (f->generation && f->generation == READ_ONCE(f->device->generation))
		(void)tell(vcd_device_queue(f->device), VCD_OP_CLOSE,
			   f->generation, f->file_id, 0);
}
