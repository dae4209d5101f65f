// SPDX-License-Identifier: GPL-2.0-only
/* queue.c - a virtqueue with the calls that are in flight on it */
#include "kernel/queue.h"

#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kernel/device.h"
#include "kernel/look.h"

/* A list of entries that most calls fit in. */
#define INLINE_SEGMENTS 8
/* A device that serves others and never the oldest is stuck after these. */
#define OLDEST_TIMEOUTS 3

void vcd_queue_init(struct vcd_queue *q, struct vcd_device *device,
		    unsigned int index)
{
	q->device = device;
	q->index = index;
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->in_flight);
	init_waitqueue_head(&q->room);
	q->error = -ENODEV;
}

void vcd_queue_start(struct vcd_queue *q, struct virtqueue *vq)
{
	spin_lock_irq(&q->lock);
	q->vq = vq;
	q->ring_entries = virtqueue_get_vring_size(vq);
	q->error = 0;
	spin_unlock_irq(&q->lock);
}

/* Under the lock. */
static void finish(struct vcd_call *call, int error)
{
	if (call->is_finished)
		return;
	call->is_finished = true;
	call->error = error;
	if (call->on_finished)
		call->on_finished(call);
	complete(&call->done);
}

/* Under the lock. Those who look for answers take those of others along, but
 * may be kept from it: only they do without the interrupt. */
static bool wants_interrupt(const struct vcd_queue *q)
{
	return !q->lookers || q->in_flight_count > q->lookers;
}

void vcd_queue_take(struct vcd_queue *q)
{
	struct vcd_call *call;
	bool has_returned = false;
	u32 used_bytes;

	if (!q->vq)
		return;
	do {
		virtqueue_disable_cb(q->vq);
		while ((call = virtqueue_get_buf(q->vq, &used_bytes))) {
			if (list_is_first(&call->in_flight, &q->in_flight))
				q->oldest_at = jiffies;
			list_del_init(&call->in_flight);
			call->used_bytes = used_bytes;
			finish(call, 0);
			vcd_call_put_atomic(call);
			q->in_flight_count--;
			q->returned++;
			has_returned = true;
		}
		if (virtqueue_is_broken(q->vq))
			break;
	} while (wants_interrupt(q) && !virtqueue_enable_cb(q->vq));
	if (!has_returned)
		return;
	q->progress_at = jiffies;
	q->is_pinged = false;
	wake_up_all(&q->room);
}

/* Under the lock: the call is in the ring, and the device is not told yet. */
static void hand_over(struct vcd_queue *q, struct vcd_call *call)
{
	vcd_call_get(call);
	if (list_empty(&q->in_flight))
		q->progress_at = q->oldest_at = jiffies;
	list_add_tail(&call->in_flight, &q->in_flight);
	q->in_flight_count++;
	q->counts.requests++;
	call->is_looked_for = call->may_look && vcd_look_begin(q);
	/* Whether it interrupts may have to change with that. */
	if (q->lookers)
		vcd_queue_take(q);
	if (virtqueue_kick_prepare(q->vq)) {
		q->counts.kicks++;
		virtqueue_notify(q->vq);
	}
}

/* One try: -ENOSPC when the ring is full, with `seen` to wait for a change. */
static int try_submit(struct vcd_queue *q, struct vcd_call *call,
		      struct scatterlist **lists, u32 *seen)
{
	unsigned long flags;
	int error;

	spin_lock_irqsave(&q->lock, flags);
	error = q->error;
	if (error)
		goto out;
	*seen = q->returned;
	error = virtqueue_add_sgs(q->vq, lists, 1, 1, call, GFP_ATOMIC);
	if (error)
		goto out;
	hand_over(q, call);
	/* Under the lock: not after the break that ends the watch. */
	vcd_device_watch(q->device);
out:
	spin_unlock_irqrestore(&q->lock, flags);
	return error;
}

static bool has_changed(struct vcd_queue *q, u32 seen)
{
	return READ_ONCE(q->returned) != seen || READ_ONCE(q->error);
}

static int submit_lists(struct vcd_queue *q, struct vcd_call *call,
			struct scatterlist **lists)
{
	u32 seen = 0;
	int error;

	for (;;) {
		error = try_submit(q, call, lists, &seen);
		if (error != -ENOSPC)
			return error;
		error = wait_event_killable(q->room, has_changed(q, seen));
		if (error)
			return error;
	}
}

static int submit(struct vcd_queue *q, struct vcd_call *call, bool may_wait)
{
	struct scatterlist few[INLINE_SEGMENTS], *all = few, *lists[2];
	u32 segments = vcd_call_segments(call), seen = 0;
	int error;

	if (segments > vcd_device_segments(q->device))
		return -E2BIG;
	if (segments > INLINE_SEGMENTS) {
		all = kmalloc_array(segments, sizeof(*all), GFP_KERNEL);
		if (!all)
			return -ENOMEM;
	}
	lists[0] = all;
	lists[1] = vcd_call_map(call, all);
	error = may_wait ? submit_lists(q, call, lists)
			 : try_submit(q, call, lists, &seen);
	if (all != few)
		kfree(all);
	return error;
}

int vcd_queue_submit(struct vcd_queue *q, struct vcd_call *call)
{
	return submit(q, call, true);
}

int vcd_queue_try_submit(struct vcd_queue *q, struct vcd_call *call)
{
	return submit(q, call, false);
}

int vcd_queue_run(struct vcd_queue *q, struct vcd_call *call)
{
	int error;

	call->may_look = true;
	error = vcd_queue_submit(q, call);
	if (error)
		return error;
	if (call->is_looked_for)
		vcd_look(q, call);
	return wait_for_completion_killable(&call->done) ? -EINTR : 0;
}

static void drain(struct vcd_queue *q, unsigned int interrupts)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	q->counts.interrupts += interrupts;
	vcd_queue_take(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

void vcd_queue_drain(struct vcd_queue *q)
{
	drain(q, 0);
}

void vcd_queue_interrupt(struct vcd_queue *q)
{
	drain(q, 1);
}

void vcd_queue_break(struct vcd_queue *q, int error, int later)
{
	struct vcd_call *call;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	if (!q->error || later == -ENODEV)
		q->error = later;
	list_for_each_entry(call, &q->in_flight, in_flight) finish(call, error);
	spin_unlock_irqrestore(&q->lock, flags);
	wake_up_all(&q->room);
}

static bool is_idle(struct vcd_queue *q)
{
	bool idle;

	vcd_queue_drain(q);
	spin_lock_irq(&q->lock);
	idle = list_empty(&q->in_flight) || !q->vq ||
	       virtqueue_is_broken(q->vq);
	spin_unlock_irq(&q->lock);
	return idle;
}

bool vcd_queue_wait_idle(struct vcd_queue *q, unsigned long deadline)
{
	long left = deadline - jiffies;

	return wait_event_timeout(q->room, is_idle(q), max(left, 0L)) != 0;
}

void vcd_queue_detach(struct vcd_queue *q)
{
	spin_lock_irq(&q->lock);
	while (q->vq && virtqueue_detach_unused_buf(q->vq))
		;
	q->vq = NULL;
	spin_unlock_irq(&q->lock);
}

void vcd_queue_deinit(struct vcd_queue *q)
{
	struct vcd_call *call, *next;
	LIST_HEAD(left);

	spin_lock_irq(&q->lock);
	list_splice_init(&q->in_flight, &left);
	q->in_flight_count = 0;
	spin_unlock_irq(&q->lock);
	list_for_each_entry_safe(call, next, &left, in_flight)
	{
		list_del_init(&call->in_flight);
		vcd_call_put(call);
	}
}

enum vcd_queue_health vcd_queue_check(struct vcd_queue *q,
				      unsigned long timeout_jiffies)
{
	enum vcd_queue_health health = VCD_QUEUE_IDLE;
	unsigned long waited;

	/* An interrupt may have been lost on the way. */
	vcd_queue_drain(q);
	spin_lock_irq(&q->lock);
	waited = jiffies - q->progress_at;
	if (q->error || !q->vq)
		goto out;
	if (virtqueue_is_broken(q->vq)) {
		health = VCD_QUEUE_BROKEN;
	} else if (!list_empty(&q->in_flight)) {
		health = VCD_QUEUE_BUSY;
		if (waited >= timeout_jiffies ||
		    jiffies - q->oldest_at >=
			    OLDEST_TIMEOUTS * timeout_jiffies) {
			health = VCD_QUEUE_STUCK;
		} else if (waited >= timeout_jiffies / 2 && !q->is_pinged) {
			q->is_pinged = true;
			health = VCD_QUEUE_SLOW;
		}
	}
out:
	spin_unlock_irq(&q->lock);
	return health;
}
