// SPDX-License-Identifier: GPL-2.0-only
/* call.c - one request to the device, and all memory that it may touch */
#include "kernel/call.h"

#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/slab.h>

static struct workqueue_struct *free_queue;

int vcd_call_setup(void)
{
	free_queue = alloc_workqueue("virtio_cryptodev", 0, 0);
	return free_queue ? 0 : -ENOMEM;
}

void vcd_call_cleanup(void)
{
	destroy_workqueue(free_queue);
}

void vcd_call_later(struct work_struct *work)
{
	queue_work(free_queue, work);
}

/* Unpinning may sleep, and wiping takes its time. */
static void release(struct vcd_call *call)
{
	vcd_pin_deinit(&call->in_pin);
	vcd_pin_deinit(&call->out_pin);
	vcd_buf_deinit(&call->in);
	vcd_buf_deinit(&call->out);
	vcd_call_unwatch(call);
}

static void on_release(struct work_struct *work)
{
	release(container_of(work, struct vcd_call, free_work));
}

struct vcd_call *vcd_call_create(u32 in_bytes, u32 out_bytes)
{
	struct vcd_call *call;

	call = kzalloc(sizeof(*call), GFP_KERNEL_ACCOUNT);
	if (!call)
		return NULL;
	refcount_set(&call->refs, 1);
	refcount_set(&call->watchers, 1);
	init_completion(&call->done);
	INIT_LIST_HEAD(&call->in_flight);
	INIT_WORK(&call->free_work, on_release);
	if (vcd_buf_init(&call->in, in_bytes))
		goto undo_call;
	if (vcd_buf_init(&call->out, out_bytes))
		goto undo_in;
	return call;

undo_in:
	vcd_buf_deinit(&call->in);
undo_call:
	kfree(call);
	return NULL;
}

struct vcd_call *vcd_call_get(struct vcd_call *call)
{
	refcount_inc(&call->refs);
	return call;
}

void vcd_call_again(struct vcd_call *call)
{
	reinit_completion(&call->done);
	call->is_finished = false;
	call->on_finished = NULL;
}

void vcd_call_put(struct vcd_call *call)
{
	if (call && refcount_dec_and_test(&call->refs))
		release(call);
}

void vcd_call_put_atomic(struct vcd_call *call)
{
	if (refcount_dec_and_test(&call->refs))
		vcd_call_later(&call->free_work);
}

struct vcd_call *vcd_call_watch(struct vcd_call *call)
{
	refcount_inc(&call->watchers);
	return call;
}

void vcd_call_unwatch(struct vcd_call *call)
{
	if (call && refcount_dec_and_test(&call->watchers))
		kfree(call);
}

u32 vcd_call_begin(struct vcd_call *call, enum vcd_op op, u64 generation,
		   u32 file_id, u32 session_id, const void *params,
		   u32 params_bytes)
{
	const struct vcd_request request = {
		.op = cpu_to_le32(op),
		.generation = cpu_to_le64(generation),
		.file_id = cpu_to_le32(file_id),
		.session_id = cpu_to_le32(session_id),
	};

	vcd_buf_write(&call->in, 0, &request, sizeof(request));
	vcd_buf_write(&call->in, sizeof(request), params, params_bytes);
	return sizeof(request) + params_bytes;
}

static u32 side_segments(const struct vcd_buf *buf, u32 split,
			 const struct vcd_pin *pin)
{
	if (!pin->count)
		return vcd_buf_segments(0, buf->bytes);
	return vcd_buf_segments(0, split) + pin->count +
	       vcd_buf_segments(split, buf->bytes - split);
}

static struct scatterlist *side_map(const struct vcd_buf *buf, u32 split,
				    const struct vcd_pin *pin,
				    struct scatterlist *sg)
{
	struct scatterlist *end;

	sg_init_table(sg, side_segments(buf, split, pin));
	if (!pin->count)
		return vcd_buf_map(buf, 0, buf->bytes, sg);
	end = vcd_buf_map(buf, 0, split, sg);
	end = vcd_pin_map(pin, end);
	end = vcd_buf_map(buf, split, buf->bytes - split, end);
	/* Pages may have taken fewer entries than there are. */
	sg_mark_end(end - 1);
	return end;
}

u32 vcd_call_segments(const struct vcd_call *call)
{
	return side_segments(&call->in, call->in_split, &call->in_pin) +
	       side_segments(&call->out, call->out_split, &call->out_pin);
}

struct scatterlist *vcd_call_map(const struct vcd_call *call,
				 struct scatterlist *sg)
{
	struct scatterlist *out;

	out = side_map(&call->in, call->in_split, &call->in_pin, sg);
	side_map(&call->out, call->out_split, &call->out_pin, out);
	return out;
}

/* vcd 8.1 */
static const int status_errors[VCD_STATUSES] = {
	[VCD_STATUS_OK] = 0,
	[VCD_STATUS_INVALID] = -EINVAL,
	[VCD_STATUS_FAULT] = -EFAULT,
	[VCD_STATUS_BAD_MESSAGE] = -EBADMSG,
	[VCD_STATUS_NO_MEMORY] = -ENOMEM,
	[VCD_STATUS_NO_SPACE] = -ENOSPC,
	[VCD_STATUS_TOO_BIG] = -E2BIG,
	[VCD_STATUS_OVERFLOW] = -EOVERFLOW,
	[VCD_STATUS_NO_ENTRY] = -ENOENT,
	[VCD_STATUS_DEADLOCK] = -EDEADLK,
	[VCD_STATUS_NOT_POSSIBLE] = -ENOSYS,
	[VCD_STATUS_BUSY] = -EBUSY,
	[VCD_STATUS_IO] = -EIO,
	[VCD_STATUS_NO_DEVICE] = -ENODEV,
	[VCD_STATUS_LOST] = -EIO,
	[VCD_STATUS_KILLS] = -EIO,
	[VCD_STATUS_EXPIRED] = -ESTALE,
	[VCD_STATUS_MALFORMED] = -EIO,
	[VCD_STATUS_UNSUPPORTED] = -EOPNOTSUPP,
	[VCD_STATUS_WRONG_QUEUE] = -EIO,
};

int vcd_call_result(const struct vcd_call *call, struct vcd_reply *reply)
{
	u64 writable = (u64)call->out.bytes + call->out_pin.bytes;
	u32 status;

	memset(reply, 0, sizeof(*reply));
	if (call->error)
		return call->error;
	if (call->used_bytes < sizeof(*reply))
		return -EIO;
	vcd_buf_read(&call->out, 0, reply, sizeof(*reply));
	status = le32_to_cpu(reply->status);
	if (status >= VCD_STATUSES)
		return -EIO;
	/* vcd 5.4: nothing less than all counts as written. */
	if (status == VCD_STATUS_OK && call->used_bytes != writable)
		return -EIO;
	return status_errors[status];
}
