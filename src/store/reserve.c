/* SPDX-License-Identifier: Apache-2.0 */
/* reserve.c - space on the disk that is kept to be given up */

#include "store/reserve.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define RESERVE_ENDING ".reserve"

/* Its blocks, not its size: a file may have holes. */
static bool has_blocks(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 &&
	       (int64_t)status.st_blocks * 512 >= RESERVE_BYTES;
}

void reserve_open(struct reserve *r, const char *path)
{
	char name[PATH_MAX];
	const char *dot = strrchr(path, '.');
	int stem = dot ? (int)(dot - path) : (int)strlen(path);

	reserve_close(r);
	if (snprintf(name, sizeof(name), "%.*s" RESERVE_ENDING, stem, path) >=
	    (int)sizeof(name))
		return;
	r->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (r->fd <= 0) {
		r->fd = 0;
		return;
	}
	r->is_held = has_blocks(r->fd);
	reserve_take(r);
}

void reserve_close(struct reserve *r)
{
	if (r->fd > 0)
		close(r->fd);
	*r = (struct reserve){ 0 };
}

void reserve_take(struct reserve *r)
{
	struct statvfs disk;

	if (r->fd <= 0 || r->is_held || fstatvfs(r->fd, &disk) ||
	    (uint64_t)disk.f_bavail * disk.f_frsize < 3u * RESERVE_BYTES)
		return;
	if (fallocate(r->fd, 0, 0, RESERVE_BYTES) == 0 && has_blocks(r->fd))
		r->is_held = true;
	else
		(void)!ftruncate(r->fd, 0);
}

bool reserve_give(struct reserve *r)
{
	bool was_held = r->is_held;

	r->is_held = false;
	return was_held && ftruncate(r->fd, 0) == 0;
}
