/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.h - the system calls that the device makes */
#ifndef PVX_DEVICE_SYSCALLS_H
#define PVX_DEVICE_SYSCALLS_H

#include "device/sandbox.h"

/*
 * Refuse all system calls of this process but those that its rows of the list
 * allow, for good. `provider` is a name without a path. 0 or -errno. Needs
 * PR_SET_NO_NEW_PRIVS.
 */
int syscalls_restrict(enum sandbox_process process, const char *provider);

#endif
