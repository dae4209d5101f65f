/* SPDX-License-Identifier: Apache-2.0 */
/* output.h - write to somebody who may not be reading */
#ifndef PVX_CLIENT_OUTPUT_H
#define PVX_CLIENT_OUTPUT_H

#include <stddef.h>

/*
 * Write all to the blocking descriptor `fd`, but give up when `wake_fd` (of
 * signals: loop/signals.h) becomes readable while the reader is not ready. 0,
 * -EINTR in that case, or -errno.
 */
int output_write(int fd, const char *data, size_t bytes, int wake_fd);

#endif
