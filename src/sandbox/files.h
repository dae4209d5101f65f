/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - leave a process the files that it needs, no others (Landlock) */
#ifndef PVX_SANDBOX_FILES_H
#define PVX_SANDBOX_FILES_H

#include <stdbool.h>
#include <stddef.h>

enum sandbox_access {
	SANDBOX_DEVICE,  /* a node: open it, read, write, ioctl */
	SANDBOX_REMOVAL, /* a name: remove it, which is a right to its folder */
	SANDBOX_READ,    /* a file: read it, and what replaces it there */
	SANDBOX_STATE, /* a file: all that one does with files, beside it too */
};

struct sandbox_path {
	const char *path; /* NULL: none */
	enum sandbox_access access;
};

/*
 * For good, in this thread: no other file can be opened, made or removed, no
 * TCP port bound or connected to, and no process outside be signalled, each as
 * far as the kernel's Landlock goes. `keeps_abstract`: sockets of the abstract
 * namespace can still be connected to. 0, 1 when this kernel has no Landlock,
 * or -errno. Needs PR_SET_NO_NEW_PRIVS.
 */
int sandbox_restrict_files(const struct sandbox_path *paths, size_t count,
			   bool keeps_abstract);

#endif
