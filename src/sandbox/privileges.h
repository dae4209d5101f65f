/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.h - give up what a process may do as a user */
#ifndef PVX_SANDBOX_PRIVILEGES_H
#define PVX_SANDBOX_PRIVILEGES_H

#include <stdbool.h>

/*
 * For good, in a process of one thread: become `user` when started as root
 * (NULL: stay who it is), drop all capabilities, and never gain any again
 * (PR_SET_NO_NEW_PRIVS). 0 or -errno; an unknown user is logged.
 */
int sandbox_drop_privileges(const char *user);

/* Whether this build can be filtered: a sanitizer's runtime makes calls of its
 * own at any time, so with one there is no sandbox. */
bool sandbox_is_possible(void);

#endif
