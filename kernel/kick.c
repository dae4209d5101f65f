// SPDX-License-Identifier: GPL-2.0-only
/* kick.c - when the device is told of what is in a ring */
#include "kernel/kick.h"

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "kernel/compat.h"

#define KICK_US_MAX 3600000000u

static unsigned int kick_us = 1000;
module_param(kick_us, uint, 0644);
MODULE_PARM_DESC(
	kick_us,
	"how long jobs wait for others to be told with (1000; 0: not)");

static u64 kick_ns(void)
{
	return min(READ_ONCE(kick_us), KICK_US_MAX) * (u64)NSEC_PER_USEC;
}

bool vcd_kick_is_untold(const struct vcd_queue *q, const struct vcd_call *call)
{
	return (s32)(call->number - q->told) > 0;
}

void vcd_kick(struct vcd_queue *q)
{
	struct vcd_call *oldest;

	if (q->told == q->added || !q->vq)
		return;
	oldest = list_first_entry_or_null(&q->in_flight, struct vcd_call,
					  in_flight);
	if (oldest && vcd_kick_is_untold(q, oldest))
		q->progress_at = q->oldest_at = jiffies;
	q->told = q->added;
	if (virtqueue_kick_prepare(q->vq)) {
		q->counts.kicks++;
		virtqueue_notify(q->vq);
	}
}

/* Whether telling of this job cannot wait. */
static bool is_urgent(const struct vcd_queue *q, const struct vcd_call *call)
{
	u32 untold = q->added - q->told;

	return !kick_ns() || call->is_of_large || untold >= VCD_KICK_JOBS ||
	       untold >= q->in_flight_count;
}

/* See that on_timer() runs when the last job has waited long enough. */
static void arm(struct vcd_queue *q)
{
	u64 due_ns = q->added_at_ns + kick_ns();

	if (q->timer_at_ns && q->timer_at_ns <= due_ns)
		return;
	q->timer_at_ns = due_ns;
	hrtimer_start(&q->kick_timer, ns_to_ktime(due_ns),
		      HRTIMER_MODE_ABS_SOFT);
}

void vcd_kick_added(struct vcd_queue *q, const struct vcd_call *call)
{
	if (!call->is_job || call->is_awaited || is_urgent(q, call)) {
		vcd_kick(q);
		return;
	}
	q->added_at_ns = ktime_get_ns();
	arm(q);
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct vcd_queue *q = container_of(timer, struct vcd_queue, kick_timer);
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	q->timer_at_ns = 0;
	if (ktime_get_ns() - q->added_at_ns >= kick_ns())
		vcd_kick(q);
	else if (q->told != q->added)
		arm(q);
	spin_unlock_irqrestore(&q->lock, flags);
	return HRTIMER_NORESTART;
}

void vcd_kick_init(struct vcd_queue *q)
{
	vcd_timer_init(&q->kick_timer, on_timer);
}

void vcd_kick_deinit(struct vcd_queue *q)
{
	hrtimer_cancel(&q->kick_timer);
	spin_lock_irq(&q->lock);
	q->told = q->added;
	q->timer_at_ns = 0;
	spin_unlock_irq(&q->lock);
}
