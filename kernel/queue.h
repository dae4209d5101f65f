/* SPDX-License-Identifier: GPL-2.0-only */
/* queue.h - a virtqueue with the calls that are in flight on it */
#ifndef VCD_QUEUE_H
#define VCD_QUEUE_H

#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/wait.h>

#include "kernel/call.h"

/*
 * How it works: a submitted call is in the queue's list until the device
 * returns it. Whoever waits is released earlier when the queue breaks (a
 * request that takes too long, a device that breaks virtio's rules) or the
 * device goes: the call is then finished with an errno but stays in the list,
 * since the device could still write its memory, until queue_deinit() is told
 * that the rings are gone.
 *
 * Whoever waits for a call looks for the answer himself for a while (look.c),
 * and meanwhile the device need not interrupt, unless others wait as well. Nor
 * need it for jobs that nobody waits for, nor is it told of each: see kick.h.
 *
 * The lock guards all fields but `room` and `kick_timer`, and is taken in
 * interrupts.
 */
struct vcd_queue_counts {
	u64 requests;   /* handed to the device */
	u64 kicks;      /* it was told of them */
	u64 interrupts; /* it told us */
	u64 looks;      /* waits that began with looking */
	u64 hits;       /* and ended with it */
};

struct vcd_queue {
	struct vcd_device *device; /* borrowed */
	unsigned int index;
	unsigned int ring_entries;
	spinlock_t lock;
	struct virtqueue *vq; /* NULL before and after */
	struct list_head in_flight;
	unsigned int in_flight_count;
	int error;                 /* sticky: why nothing is taken any more */
	u32 returned;              /* calls, ever */
	unsigned long progress_at; /* jiffies: last return, or first telling */
	unsigned long oldest_at;   /* jiffies: since when the oldest is it */
	bool is_pinged;
	u32 added, told; /* calls in the ring, ever; up to which it was told */
	u64 added_at_ns; /* the last that was not told of at once */
	u64 timer_at_ns; /* when kick_timer ends; 0: it does not run */
	bool is_listening;        /* the device may interrupt */
	bool is_room_wanted;      /* somebody waits for it */
	unsigned int quiet;       /* jobs in flight that nobody waits for */
	unsigned int lookers;     /* calls whose owner looks for the answer */
	unsigned int look_misses; /* in a row; beyond some they do not count */
	unsigned int look_skips;  /* calls that will not be looked for */
	struct vcd_queue_counts counts;
	struct hrtimer kick_timer;
	wait_queue_head_t room; /* the ring was full */
};

void vcd_queue_init(struct vcd_queue *q, struct vcd_device *device,
		    unsigned int index);
/* From now on calls are taken. */
void vcd_queue_start(struct vcd_queue *q, struct virtqueue *vq);

/*
 * Hand the call over; the device takes a reference. Waits, killably, while
 * the ring is full. 0; the queue's errno; -ERESTARTSYS: killed before the
 * device saw it; -E2BIG: more than the ring holds; -ENOMEM.
 */
int vcd_queue_submit(struct vcd_queue *q, struct vcd_call *call);

/* The same without waiting: -ENOSPC while the ring is full. */
int vcd_queue_try_submit(struct vcd_queue *q, struct vcd_call *call);

/* Submit and wait for the end: 0 when `call` is finished, or as above;
 * -EINTR: killed while the device had it. */
int vcd_queue_run(struct vcd_queue *q, struct vcd_call *call);

/* Somebody is about to wait for `call`, which is with the queue or soon will
 * be: tell the device, and have it interrupt. What it returned is taken back.
 * Called again for each wait. */
void vcd_queue_await(struct vcd_queue *q, struct vcd_call *call);
/* The same without an interrupt: somebody will ask again. */
void vcd_queue_hurry(struct vcd_queue *q, struct vcd_call *call);

/* Take back what the device returned. In any context. */
void vcd_queue_drain(struct vcd_queue *q);
/* The same under the lock. */
void vcd_queue_take(struct vcd_queue *q);
/* Under the lock: whether the device is to interrupt may have changed. */
void vcd_queue_listen(struct vcd_queue *q);
/* The device's interrupt. */
void vcd_queue_interrupt(struct vcd_queue *q);

/* Release all who wait with `error` and refuse others with `later`. The first
 * break counts. */
void vcd_queue_break(struct vcd_queue *q, int error, int later);

/* Wait for the calls in flight, at most until `deadline` (jiffies); whether
 * none is left. */
bool vcd_queue_wait_idle(struct vcd_queue *q, unsigned long deadline);

/* Before the rings go: forget the descriptors. The queue is broken already. */
void vcd_queue_detach(struct vcd_queue *q);
/* The rings are gone: drop the device's references. */
void vcd_queue_deinit(struct vcd_queue *q);

enum vcd_queue_health {
	VCD_QUEUE_IDLE,
	VCD_QUEUE_BUSY,
	VCD_QUEUE_SLOW, /* told once: half of the time is over */
	VCD_QUEUE_STUCK,
	VCD_QUEUE_BROKEN, /* by the device, against virtio's rules */
};

enum vcd_queue_health vcd_queue_check(struct vcd_queue *q,
				      unsigned long timeout_jiffies);

#endif
