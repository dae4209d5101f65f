/* SPDX-License-Identifier: Apache-2.0 */
/* memory_file.c - files of a fixed size that live in memory */
#include "base/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int memory_file_create(const char *name, size_t bytes)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ==
		    0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

void *memory_file_map(int fd, size_t bytes)
{
	struct stat there;
	void *base;

	if (fd < 0 || fstat(fd, &there) || (size_t)there.st_size != bytes ||
	    !(fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK))
		return NULL;
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return NULL;
	if (madvise(base, bytes, MADV_DONTDUMP)) {
		munmap(base, bytes);
		return NULL;
	}
	return base;
}
