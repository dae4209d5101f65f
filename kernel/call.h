/* SPDX-License-Identifier: GPL-2.0-only */
/* call.h - one request to the device, and all memory that it may touch */
#ifndef VCD_CALL_H
#define VCD_CALL_H

#include <linux/completion.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/scatterlist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "abi/virtio_cryptodev.h"
#include "kernel/buf.h"
#include "kernel/pin.h"

struct vcd_device;

/*
 * How it works: a call is made with one reference, its maker's; the queue
 * takes another while the device has it (vcd 5.5). So a maker may go away at
 * any time, killed, and buffers and pins stay until the device has returned
 * them or its rings are gone. The last reference may be dropped in interrupt
 * context: what must sleep is left to a workqueue. Who only waits for the end
 * watches: that keeps `done` and no page of a program.
 *
 * Readable bytes: `in` up to in_split, the pages of in_pin, the rest of `in`.
 * Writable bytes likewise. Without pins the splits have no meaning.
 *
 * Under the queue's lock: in_flight, number, is_finished, is_awaited. `error`
 * and `used_bytes` are written before `done` is completed and read after.
 */
struct vcd_call {
	refcount_t refs;     /* of buffers and pins */
	refcount_t watchers; /* of this memory; all refs are one of them */
	struct completion done;
	struct list_head in_flight;
	u32 number; /* of those that were added to the ring */
	bool is_finished;
	bool is_job;        /* nobody waits for it yet: see kick.h */
	bool is_of_large;   /* its job is of VCD_KICK_BYTES or more */
	bool is_awaited;    /* a job for which somebody does */
	bool may_look;      /* its owner is to wait for it: vcd_queue_run() */
	bool is_looked_for; /* and does so without sleeping at first */
	bool is_looker;     /* one of its queue's lookers, under the lock */
	int error; /* 0: the device answered; -ENODEV, -EIO, -ETIMEDOUT */
	u32 used_bytes;
	struct vcd_buf in, out;
	u32 in_split, out_split;
	struct vcd_pin in_pin, out_pin;
	/* When it is finished, in interrupt context with the queue's lock. */
	void (*on_finished)(struct vcd_call *call);
	void *owner; /* of on_finished; borrowed */
	struct work_struct free_work;
};

/* A call with zeroed buffers of these sizes, or NULL. */
struct vcd_call *vcd_call_create(u32 in_bytes, u32 out_bytes);
struct vcd_call *vcd_call_get(struct vcd_call *call);
void vcd_call_put(struct vcd_call *call); /* may sleep */
void vcd_call_put_atomic(struct vcd_call *call);

struct vcd_call *vcd_call_watch(struct vcd_call *call);
void vcd_call_unwatch(struct vcd_call *call); /* in any context */

/* A finished call that its device has returned may be sent once more. */
void vcd_call_again(struct vcd_call *call);

/* Header and parameters to the start of `in`: how many bytes they are. */
u32 vcd_call_begin(struct vcd_call *call, enum vcd_op op, u64 generation,
		   u32 file_id, u32 session_id, const void *params,
		   u32 params_bytes);

/* Entries of its chain, at most: what vcd_call_map() takes. */
u32 vcd_call_segments(const struct vcd_call *call);
/* Fill `sg`: the readable list, then the writable one; returns where that
 * begins. */
struct scatterlist *vcd_call_map(const struct vcd_call *call,
				 struct scatterlist *sg);

/*
 * What the finished call gave, as 0 or -errno, with `reply` filled: all checks
 * of vcd 5.6 that do not depend on the op. -ESTALE: EXPIRED.
 */
int vcd_call_result(const struct vcd_call *call, struct vcd_reply *reply);

/* The running hash died with the device's worker, and is fresh (vcd 9.4). */
static inline bool vcd_reply_is_lost(const struct vcd_reply *reply)
{
	return reply->status == cpu_to_le32(VCD_STATUS_LOST);
}

/* The workqueue of all that must not run in interrupt context. */
void vcd_call_later(struct work_struct *work);
int vcd_call_setup(void);
void vcd_call_cleanup(void);

#endif
