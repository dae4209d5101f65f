/* SPDX-License-Identifier: GPL-2.0-only */
/* orphan.h - what killed programs left half done on the device */
#ifndef VCD_ORPHAN_H
#define VCD_ORPHAN_H

#include "kernel/call.h"
#include "kernel/queue.h"
#include "kernel/session.h"

/*
 * How it works: a killed program waits for nothing. What it made on the
 * device, and nobody knows of, would stay there; so a work item takes its place
 * and waits until the device has answered or was given up. It holds the
 * device's memory. When there is no memory for it, what was left ends with its
 * file, or with the next HELLO.
 */

/* `call` is an OPEN or SESSION_OPEN that `q` has: end what it makes. */
void vcd_orphan_made(struct vcd_queue *q, struct vcd_call *call);
/* `call` was refused by `q` since its maker was killed: run it. */
void vcd_orphan_unsent(struct vcd_queue *q, struct vcd_call *call);
/* No file has the session any more: end it behind what runs on it. The
 * reference is taken over. */
void vcd_orphan_session(struct vcd_session *s);

int vcd_orphan_setup(void);
/* All devices are gone: wait for the last work items. */
void vcd_orphan_cleanup(void);

#endif
