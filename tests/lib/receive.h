/* SPDX-License-Identifier: Apache-2.0 */
/* receive.h - take bytes from a Unix socket, and a descriptor with them */

#pragma once

#include <stddef.h>
#include <sys/types.h>

/* recvmsg(2) with these flags: the count of bytes, 0 at the end of a stream,
 * or -errno. When a descriptor came along, *fd is the first one, close-on-exec
 * and the caller's; else *fd stays as it was. More of them than one are
 * dropped. */
ssize_t receive(int sock, void *data, size_t room, int flags, int *fd);
