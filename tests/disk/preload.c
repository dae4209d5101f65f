/* SPDX-License-Identifier: Apache-2.0 */
/* preload.c - a disk that fails, is slow, or loses its power, for a test */

/*
 * How it works: preloaded into a program, it looks at what is written to and
 * synced in one folder, $PVX_DISK. With $PVX_DISK_SNAPSHOT each file that was
 * synced is copied there before the call returns: that folder has what a disk
 * must have after a loss of power, and nothing that was not synced. Each sync
 * adds a byte to $PVX_DISK_COUNT. What to do
 * wrong is read from the file $PVX_DISK_FAULTS at every call, so that a test
 * can change it: lines "sync ERRNO", "write ERRNO", "slow MILLISECONDS".
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path when it is of the folder or of a file in it. */
static int is_watched(int fd, char *path)
{
	const char *folder = getenv("PVX_DISK");
	char link[64];
	struct stat st;
	ssize_t bytes;

	if (!folder || fstat(fd, &st) ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	bytes = readlink(link, path, PATH_MAX - 1);
	if (bytes <= 0)
		return 0;
	path[bytes] = '\0';
	if (S_ISDIR(st.st_mode))
		return strcmp(path, folder) == 0;
	return strncmp(path, folder, strlen(folder)) == 0 &&
	       path[strlen(folder)] == '/';
}

/* The number behind this word in the file of faults, or 0. */
static int fault(const char *wanted)
{
	const char *path = getenv("PVX_DISK_FAULTS");
	FILE *file = path ? fopen(path, "re") : NULL;
	char word[16];
	int number, found = 0;

	while (file && fscanf(file, "%15s %d", word, &number) == 2)
		if (strcmp(word, wanted) == 0)
			found = number;
	if (file)
		fclose(file);
	return found;
}

static void *next(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (!function)
		abort();
	return function;
}

/* All of it under its name, at once. */
static void snapshot(const char *path)
{
	const char *folder = getenv("PVX_DISK_SNAPSHOT");
	char to[PATH_MAX], temporary[PATH_MAX + 8], room[65536];
	int from_fd, to_fd;
	ssize_t bytes;

	if (!folder)
		return;
	snprintf(to, sizeof(to), "%s/%s", folder, strrchr(path, '/') + 1);
	snprintf(temporary, sizeof(temporary), "%s.new", to);
	from_fd = open(path, O_RDONLY | O_CLOEXEC);
	to_fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (from_fd < 0 || to_fd < 0)
		abort();
	while ((bytes = read(from_fd, room, sizeof(room))) > 0)
		if (((ssize_t(*)(int, const void *, size_t))next("write"))(
			    to_fd, room, (size_t)bytes) != bytes)
			abort();
	close(from_fd);
	close(to_fd);
	if (rename(temporary, to))
		abort();
}

/* The folder was synced: what is gone from it stays away. */
static void snapshot_names(void)
{
	const char *folder = getenv("PVX_DISK_SNAPSHOT");
	DIR *list = folder ? opendir(folder) : NULL;
	char path[PATH_MAX];

	for (struct dirent *e; list && (e = readdir(list));) {
		snprintf(path, sizeof(path), "%s/%s", getenv("PVX_DISK"),
			 e->d_name);
		if (access(path, F_OK) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		unlink(path);
	}
	if (list)
		closedir(list);
}

/* A byte for each sync, for who counts them. */
static void count(void)
{
	const char *path = getenv("PVX_DISK_COUNT");
	int fd;

	if (!path)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0 || ((ssize_t(*)(int, const void *, size_t))next("write"))(
			      fd, ".", 1) != 1)
		abort();
	close(fd);
}

static int sync_with(const char *name, int fd)
{
	int (*real)(int) = (int (*)(int))next(name);
	char path[PATH_MAX];
	int result, error;

	if (!is_watched(fd, path))
		return real(fd);
	usleep((useconds_t)fault("slow") * 1000);
	error = fault("sync");
	if (error) {
		errno = error;
		return -1;
	}
	count();
	result = real(fd);
	if (result == 0 && strcmp(path, getenv("PVX_DISK")) == 0)
		snapshot_names();
	else if (result == 0)
		snapshot(path);
	return result;
}

int fsync(int fd)
{
	return sync_with("fsync", fd);
}

int fdatasync(int fd)
{
	return sync_with("fdatasync", fd);
}

static int fails_to_write(int fd)
{
	char path[PATH_MAX];
	int error = is_watched(fd, path) ? fault("write") : 0;

	errno = error ? error : errno;
	return error;
}

ssize_t write(int fd, const void *data, size_t bytes)
{
	return fails_to_write(fd)
		       ? -1
		       : ((ssize_t(*)(int, const void *, size_t))next("write"))(
				 fd, data, bytes);
}

/* With 64-bit offsets, which the build asks for, this is pwrite64(). */
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t at)
{
	return fails_to_write(fd)
		       ? -1
		       : ((ssize_t(*)(int, const void *, size_t, off_t))next(
				 "pwrite64"))(fd, data, bytes, at);
}
