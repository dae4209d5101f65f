/* SPDX-License-Identifier: Apache-2.0 */
/* confine.h - what the relay's process may still do */
#ifndef PVX_RELAY_CONFINE_H
#define PVX_RELAY_CONFINE_H

struct relay;

/*
 * How it works: when the sockets are open and before the store begins its
 * threads, the process gives up what it will not need: capabilities, new
 * privileges, files but its configuration, certificates, bans and state
 * (Landlock, where the kernel has it), system calls but those of the list in
 * confine.c (seccomp), and being looked into by others of its user.
 *
 * A call outside the list is not executed: its name is logged, and the process
 * dies of SIGSYS (docs/decisions/0072).
 *
 * 0, or -errno after a line in the log.
 */
int relay_confine(const struct relay *relay);

#endif
