/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - one process at a time uses a store */

#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define LOCK_TRIES   50
#define LOCK_WAIT_US 20000

int store_lock(const char *folder)
{
	char path[PATH_MAX];
	int fd, error = -EBUSY;

	if (snprintf(path, sizeof(path), "%s/history.lock", folder) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (int i = 0; i < LOCK_TRIES && error == -EBUSY; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (errno != EWOULDBLOCK)
			error = -errno;
		else
			usleep(LOCK_WAIT_US);
	}
	close(fd);
	return error;
}
