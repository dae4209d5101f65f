/* SPDX-License-Identifier: Apache-2.0 */
/* output.c - write to somebody who may not be reading */

#include "client/output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

/* A pipe that is ready takes PIPE_BUF bytes without blocking (pipe(7)). The
 * descriptor is shared with others and must stay blocking. */
int output_write(int fd, const char *data, size_t bytes, int wake_fd)
{
	struct pollfd ready[] = { { .fd = fd, .events = POLLOUT },
				  { .fd = wake_fd, .events = POLLIN } };

	while (bytes) {
		ssize_t put = 0;

		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			return -errno;
		if (ready[0].revents)
			put = write(fd, data,
				    bytes < PIPE_BUF ? bytes : PIPE_BUF);
		else if (ready[1].revents)
			return -EINTR;
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (put > 0) {
			data += put;
			bytes -= (size_t)put;
		}
	}
	return 0;
}
