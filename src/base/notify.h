/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - what a service manager and we tell each other (sd-daemon(3)) */
#ifndef PVX_BASE_NOTIFY_H
#define PVX_BASE_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Send `state` ("READY=1", "STOPPING=1") to the socket that $NOTIFY_SOCKET
 * names. 0 also when there is none; -errno when it cannot be told.
 */
int notify_send(const char *state);

/* How often the manager wants to hear "WATCHDOG=1" of this process, in
 * microseconds (sd_watchdog_enabled(3)); 0: never. */
uint64_t notify_watchdog_us(void);

/*
 * Sockets that the manager has opened for this process and passes on as
 * descriptors from 3 on (sd_listen_fds(3)): how many, 0: none. They are made
 * close-on-exec. -errno when the environment contradicts itself.
 */
#define NOTIFY_FIRST_FD 3
int notify_listen_fds(void);
/* The name that the manager gave to the `index`th of them, "" without one, cut
 * to `room` bytes with its NUL. */
void notify_listen_fd_name(unsigned int index, char *name, size_t room);

#endif
