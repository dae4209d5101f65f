// SPDX-License-Identifier: GPL-2.0-only
/* look.c - look for an answer before sleeping */
#include "kernel/look.h"

#include <linux/cpumask.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/processor.h>
#include <linux/sched/signal.h>

#define POLL_US_MAX     1000u
#define LOOK_MISSES_MAX 8u

static unsigned int poll_us = 200;
module_param(poll_us, uint, 0644);
MODULE_PARM_DESC(
	poll_us,
	"how long to look for an answer before sleeping (200; 0: not)");

void vcd_look_begin(struct vcd_queue *q, struct vcd_call *call)
{
	call->is_looked_for = false;
	if (!call->may_look || !READ_ONCE(poll_us) || num_online_cpus() < 2)
		return;
	if (q->look_skips) {
		q->look_skips--;
		return;
	}
	q->lookers++;
	q->counts.looks++;
	call->is_looked_for = call->is_looker = true;
}

void vcd_look_over(struct vcd_queue *q, struct vcd_call *call)
{
	if (call->is_looker)
		q->lookers--;
	call->is_looker = false;
}

static void look_end(struct vcd_queue *q, struct vcd_call *call, bool is_hit)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	vcd_look_over(q, call);
	if (is_hit) {
		q->counts.hits++;
		q->look_misses = 0;
		q->look_skips = 0;
	} else {
		q->look_misses = min(q->look_misses + 1, LOOK_MISSES_MAX);
		q->look_skips = 1u << q->look_misses;
	}
	vcd_queue_listen(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* One look, unless another is just looking. */
static void look_once(struct vcd_queue *q)
{
	unsigned long flags;

	if (!spin_trylock_irqsave(&q->lock, flags))
		return;
	vcd_queue_take(q);
	spin_unlock_irqrestore(&q->lock, flags);
}

void vcd_look(struct vcd_queue *q, struct vcd_call *call)
{
	u64 poll_ns = min(READ_ONCE(poll_us), POLL_US_MAX) * NSEC_PER_USEC;
	u64 begun = ktime_get_ns();
	bool is_hit;

	while (!(is_hit = completion_done(&call->done)) &&
	       ktime_get_ns() - begun < poll_ns && !need_resched() &&
	       !fatal_signal_pending(current)) {
		look_once(q);
		cpu_relax();
	}
	look_end(q, call, is_hit);
}
