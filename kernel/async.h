/* SPDX-License-Identifier: GPL-2.0-only */
/* async.h - CIOCASYNCCRYPT, CIOCASYNCFETCH, poll(2) */
#ifndef VCD_ASYNC_H
#define VCD_ASYNC_H

#include <linux/poll.h>
#include <linux/types.h>

#include "kernel/node.h"

/* Q1: 0 at once, with the job under way; -EBUSY: too many not fetched. */
int vcd_async_submit(struct vcd_file *f, const void __user *argument,
		     bool is_narrow);
/* Q4: the oldest job's outcome; -EBUSY: it is not done. */
int vcd_async_fetch(struct vcd_file *f, void __user *argument, bool is_narrow);
/* Q5 */
__poll_t vcd_async_poll(struct vcd_file *f);
/* At the last close; what the device still has stays pinned until it ends. */
void vcd_async_discard(struct vcd_file *f);

#endif
