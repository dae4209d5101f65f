/* SPDX-License-Identifier: GPL-2.0-only */
/* kick.h - when the device is told of what is in a ring */
#ifndef VCD_KICK_H
#define VCD_KICK_H

#include "kernel/queue.h"

/*
 * How it works: to tell the device (a kick) leaves the guest, and to be told by
 * it (an interrupt) comes back, so neither is done for an asynchronous job
 * alone, for which nobody waits. While the device has another one, as far as
 * we know, it lies in the ring untold, and many are told of at once:
 *
 * - WHOEVER SLEEPS TELLS FIRST, and asks for the interrupt. These sleep: the
 *   owner of any other request, which tells of all before it
 *   (vcd_kick_added()); poll(2), and who needs a session's last call to be over
 *   (vcd_queue_await()); who finds the ring full (want_room()); and who takes
 *   the queue out of service (vcd_queue_break()). Nobody sleeps at the last
 *   close, but what is pinned for its jobs should not stay so.
 * - CIOCASYNCFETCH that finds nothing tells too: who asks wants it done.
 * - When VCD_KICK_JOBS of them lie there, or one is of VCD_KICK_BYTES, the
 *   device has enough to do: the next one will find it busy.
 * - When none was added for kick_us, by a timer: the program does other things,
 *   which the device need not wait for. It is not stopped when the device is
 *   told, and finds nothing to do then: to start and to stop it for each job
 *   would cost what the kick does.
 *
 * epoll(7), and who is in poll(2) already, sleep without asking for what comes
 * then: a job that is a file's oldest when it is added, while somebody is in
 * the file's wait queue, is waited for from the beginning.
 *
 * The device may look into the ring for itself and take what it was not told
 * of; all of this holds then, too. All functions are called with the queue's
 * lock, but for init and deinit.
 */
#define VCD_KICK_JOBS  16
#define VCD_KICK_BYTES (64u << 10)

void vcd_kick_init(struct vcd_queue *q);
/* The rings are gone. */
void vcd_kick_deinit(struct vcd_queue *q);

/* `call` is the newest in the ring: tell now or later. */
void vcd_kick_added(struct vcd_queue *q, const struct vcd_call *call);
/* Tell of all. */
void vcd_kick(struct vcd_queue *q);

/* Whether the device was not told of this call in the ring, whose time has not
 * begun then. */
bool vcd_kick_is_untold(const struct vcd_queue *q, const struct vcd_call *call);

#endif
