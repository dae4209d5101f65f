// SPDX-License-Identifier: GPL-2.0-only
/* orphan.c - what killed programs left half done on the device */
#include "kernel/orphan.h"

#include <linux/errno.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "kernel/device.h"

static struct workqueue_struct *orphan_queue;

struct orphan {
	struct work_struct work;
	struct vcd_device *device;   /* counted */
	struct vcd_queue *queue;     /* the device's */
	struct vcd_call *call;       /* counted; or NULL */
	struct vcd_session *session; /* counted; or NULL */
};

int vcd_orphan_setup(void)
{
	orphan_queue =
		alloc_workqueue("virtio_cryptodev_orphans", WQ_UNBOUND, 0);
	return orphan_queue ? 0 : -ENOMEM;
}

void vcd_orphan_cleanup(void)
{
	destroy_workqueue(orphan_queue);
}

/* CLOSE for an OPEN, SESSION_CLOSE for a SESSION_OPEN. */
static struct vcd_call *opposite(const struct vcd_call *call)
{
	struct vcd_session_reply answer;
	struct vcd_request request;
	struct vcd_reply reply;
	struct vcd_call *undo;

	if (vcd_call_result(call, &reply))
		return NULL;
	undo = vcd_call_create(sizeof(request), sizeof(reply));
	if (!undo)
		return NULL;
	vcd_buf_read(&call->in, 0, &request, sizeof(request));
	if (request.op == cpu_to_le32(VCD_OP_OPEN)) {
		vcd_call_begin(undo, VCD_OP_CLOSE,
			       le64_to_cpu(request.generation),
			       le32_to_cpu(reply.value), 0, NULL, 0);
		return undo;
	}
	vcd_buf_read(&call->out, 0, &answer, sizeof(answer));
	vcd_call_begin(undo, VCD_OP_SESSION_CLOSE,
		       le64_to_cpu(request.generation),
		       le32_to_cpu(request.file_id),
		       le32_to_cpu(answer.session_id), NULL, 0);
	return undo;
}

static void orphan_destroy(struct orphan *orphan)
{
	vcd_call_put(orphan->call);
	vcd_session_put(orphan->session);
	vcd_device_put(orphan->device);
	kfree(orphan);
}

/* Each of these ends: the device answers, or its queue is broken in time. */
static void on_made(struct work_struct *work)
{
	struct orphan *orphan = container_of(work, struct orphan, work);
	struct vcd_call *undo;

	wait_for_completion(&orphan->call->done);
	undo = opposite(orphan->call);
	if (undo)
		(void)vcd_queue_run(orphan->queue, undo);
	vcd_call_put(undo);
	orphan_destroy(orphan);
}

static void on_unsent(struct work_struct *work)
{
	struct orphan *orphan = container_of(work, struct orphan, work);

	(void)vcd_queue_run(orphan->queue, orphan->call);
	orphan_destroy(orphan);
}

static void on_session(struct work_struct *work)
{
	struct orphan *orphan = container_of(work, struct orphan, work);
	struct vcd_session *s = orphan->session;

	mutex_lock(&s->lock);
	s->is_freed = true;
	vcd_session_tell_end(s);
	mutex_unlock(&s->lock);
	orphan_destroy(orphan);
}

static void take(struct vcd_queue *q, struct vcd_call *call,
		 struct vcd_session *session, work_func_t run)
{
	struct orphan *orphan;

	orphan = kzalloc(sizeof(*orphan), GFP_KERNEL);
	if (!orphan) {
		vcd_session_put(session);
		return;
	}
	INIT_WORK(&orphan->work, run);
	orphan->device = vcd_device_get(q->device);
	orphan->queue = q;
	orphan->call = call ? vcd_call_get(call) : NULL;
	orphan->session = session;
	queue_work(orphan_queue, &orphan->work);
}

void vcd_orphan_made(struct vcd_queue *q, struct vcd_call *call)
{
	take(q, call, NULL, on_made);
}

void vcd_orphan_unsent(struct vcd_queue *q, struct vcd_call *call)
{
	take(q, call, NULL, on_unsent);
}

void vcd_orphan_session(struct vcd_session *s)
{
	take(s->queue, NULL, s, on_session);
}
