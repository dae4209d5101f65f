// SPDX-License-Identifier: GPL-2.0-only
/* queue.c - a virtqueue with the calls that are in flight on it */
#include "kernel/queue.h"

#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "kernel/device.h"
#include "kernel/kick.h"
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
	vcd_kick_init(q);
	q->error = -ENODEV;
}

void vcd_queue_start(struct vcd_queue *q, struct virtqueue *vq)
{
	spin_lock_irq(&q->lock);
	q->vq = vq;
	q->ring_entries = virtqueue_get_vring_size(vq);
	q->error = 0;
	q->is_listening = true;
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

static bool is_quiet(const struct vcd_call *call)
{
	return call->is_job && !call->is_awaited;
}

/* Under the lock. Those who look for answers take those of others along, but
 * may be kept from it: only they, and jobs that nobody waits for, do without
 * the interrupt. */
static bool wants_interrupt(const struct vcd_queue *q)
{
	return q->is_room_wanted || (!q->lookers && !q->quiet) ||
	       q->in_flight_count > q->lookers + q->quiet;
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
		q->is_listening = false;
		while ((call = virtqueue_get_buf(q->vq, &used_bytes))) {
			if (list_is_first(&call->in_flight, &q->in_flight))
				q->oldest_at = jiffies;
			list_del_init(&call->in_flight);
			call->used_bytes = used_bytes;
			finish(call, 0);
			if (is_quiet(call))
				q->quiet--;
			vcd_look_over(q, call);
			vcd_call_put_atomic(call);
			q->in_flight_count--;
			q->returned++;
			has_returned = true;
		}
		if (virtqueue_is_broken(q->vq))
			break;
		if (has_returned)
			q->is_room_wanted = false;
		q->is_listening = wants_interrupt(q);
	} while (q->is_listening && !virtqueue_enable_cb(q->vq));
	if (!has_returned)
		return;
	q->progress_at = jiffies;
	q->is_pinged = false;
	wake_up_all(&q->room);
}

void vcd_queue_listen(struct vcd_queue *q)
{
	if (q->is_listening != wants_interrupt(q))
		vcd_queue_take(q);
}

/* Under the lock: the call is in the ring, and the device is not told yet. */
static void hand_over(struct vcd_queue *q, struct vcd_call *call)
{
	vcd_call_get(call);
	list_add_tail(&call->in_flight, &q->in_flight);
	q->in_flight_count++;
	q->counts.requests++;
	call->number = ++q->added;
	if (is_quiet(call))
		q->quiet++;
	vcd_look_begin(q, call);
	vcd_queue_listen(q);
	vcd_kick_added(q, call);
}

/* Under the lock: who waits for a place in the ring. */
static void want_room(struct vcd_queue *q)
{
	q->is_room_wanted = true;
	vcd_kick(q);
	vcd_queue_take(q);
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
	if (error == -ENOSPC)
		want_room(q);
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

/* Under the lock. */
static void await(struct vcd_queue *q, struct vcd_call *call)
{
	if (is_quiet(call) && !list_empty(&call->in_flight))
		q->quiet--;
	call->is_awaited = true;
}

void vcd_queue_await(struct vcd_queue *q, struct vcd_call *call)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	vcd_queue_take(q);
	if (!call->is_finished) {
		await(q, call);
		vcd_kick(q);
		vcd_queue_listen(q);
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

void vcd_queue_hurry(struct vcd_queue *q, struct vcd_call *call)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	vcd_queue_take(q);
	if (!call->is_finished)
		vcd_kick(q);
	spin_unlock_irqrestore(&q->lock, flags);
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
	list_for_each_entry(call, &q->in_flight, in_flight) await(q, call);
	vcd_kick(q);
	vcd_queue_take(q);
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

	vcd_kick_deinit(q);
	spin_lock_irq(&q->lock);
	list_splice_init(&q->in_flight, &left);
	q->in_flight_count = 0;
	q->is_room_wanted = false;
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
	struct vcd_call *oldest;
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
		oldest = list_first_entry(&q->in_flight, struct vcd_call,
					  in_flight);
		if (vcd_kick_is_untold(q, oldest))
			goto out;
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
