/* SPDX-License-Identifier: GPL-2.0-only */
/* look.h - look for an answer before sleeping */
#ifndef VCD_LOOK_H
#define VCD_LOOK_H

#include "kernel/queue.h"

/*
 * How it works: to sleep and to be woken costs more than a small request takes,
 * so who waits looks into the ring for poll_us first. Where the answer comes
 * later than that, looking is in vain: after each such miss the queue lets
 * twice as many calls sleep at once, up to 256, before it tries again, and one
 * hit makes it look for all. With one CPU nobody looks: the device, or who
 * interrupts for it, may need just this one.
 */

/* Under the lock, of a call that is handed over: is_looked_for is whether to
 * look for it, and its owner then must. */
void vcd_look_begin(struct vcd_queue *q, struct vcd_call *call);
/* Under the lock: its owner looks no more, or finds it when he does. Till then
 * he may be kept from the CPU, and those of others must not wait for him. */
void vcd_look_over(struct vcd_queue *q, struct vcd_call *call);
/* Look for `call`, without the lock. */
void vcd_look(struct vcd_queue *q, struct vcd_call *call);

#endif
