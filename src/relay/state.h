/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - the folder in which a relay keeps its files */
#ifndef PVX_RELAY_STATE_H
#define PVX_RELAY_STATE_H

#include <stddef.h>

/*
 * The path of `name` in `folder` (of --state; may be NULL), else in
 * $STATE_DIRECTORY, which systemd sets, else in paravoxd below $XDG_STATE_HOME
 * or ~/.local/state. Makes the folder, mode 0700; others may not write to it.
 * 0, or -errno after a line in the log.
 */
int relay_state_path(char *path, size_t room, const char *folder,
		     const char *name);

#endif
