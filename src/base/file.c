/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - files that only their owner may read, written whole or not at all */

#include "base/file.h"

#include "base/mutant.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_owner_and_mode(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return FILE_IS_NOT_REGULAR;
	if (st.st_uid != geteuid())
		return FILE_IS_ANOTHERS;
	if (!CHECK(private_file, !(st.st_mode & (S_IRWXG | S_IRWXO))))
		return FILE_IS_OPEN_TO_OTHERS;
	return 0;
}

/* Read to the end of the file; FILE_IS_TOO_LARGE when it is not within. */
static int read_whole(int fd, uint8_t *to, size_t room, size_t *bytes)
{
	uint8_t beyond;
	ssize_t got;

	*bytes = 0;
	for (;;) {
		bool is_full = *bytes == room;

		got = read(fd, is_full ? &beyond : to + *bytes,
			   is_full ? 1 : room - *bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return 0;
		if (is_full)
			return FILE_IS_TOO_LARGE;
		*bytes += (size_t)got;
	}
}

int file_read_private(const char *path, void *to, size_t room, size_t *bytes)
{
	int fd, result;

	*bytes = 0;
	/* O_NONBLOCK: a FIFO must not hold us before it is refused. */
	fd = open(path,
		  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = check_owner_and_mode(fd);
	if (!result)
		result = read_whole(fd, to, room, bytes);
	close(fd);
	return result;
}

static int write_whole(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		ssize_t put = write(fd, data, bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		data += put;
		bytes -= (size_t)put;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Make the new name durable as well. */
static int sync_folder_of(const char *path)
{
	char folder[4096];
	char *slash;
	int fd, error = 0;

	snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	if (!slash)
		strcpy(folder, ".");
	else
		slash[slash == folder] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Some file systems cannot sync a folder; there is nothing to add. */
	if (fsync(fd) < 0 && errno != EINVAL)
		error = -errno;
	close(fd);
	return error;
}

/* `put` brings the finished file to its place, link(2) or rename(2). */
static int write_private(const char *path, const void *data, size_t bytes,
			 int (*put)(const char *from, const char *to))
{
	char temporary[4096];
	int fd, error;

	if ((size_t)snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >=
	    sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0)
		return -errno;
	error = write_whole(fd, data, bytes);
	if (close(fd) < 0 && !error)
		error = -errno;
	if (!error && put(temporary, path) < 0)
		error = -errno;
	unlink(temporary); /* a second name, or what failed; else absent */
	return error ? error : sync_folder_of(path);
}

/* link(2), unlike rename(2), leaves alone what is already there. */
int file_create_private(const char *path, const void *data, size_t bytes)
{
	return write_private(path, data, bytes, link);
}

int file_replace_private(const char *path, const void *data, size_t bytes)
{
	return write_private(path, data, bytes, rename);
}

const char *file_explain(int result)
{
	static const char *const problems[FILE_PROBLEMS] = {
		[FILE_IS_OPEN_TO_OTHERS] =
			"others can read it; close it with chmod 600",
		[FILE_IS_ANOTHERS] = "it belongs to another user",
		[FILE_IS_NOT_REGULAR] = "it is not a regular file",
		[FILE_HAS_NO_HOME] =
			"HOME is not set, nor the XDG variable for it; set "
			"HOME",
		[FILE_IS_TOO_LARGE] = "it is too large to be one of ours",
		[FILE_HAS_OPEN_FOLDER] =
			"others can write to the folder that it is in; close "
			"that with chmod go-w",
	};

	if (result > 0 && result < FILE_PROBLEMS)
		return problems[result];
	if (result == -ELOOP)
		return "it is a symbolic link, which is not followed";
	return strerror(-result);
}

/* mkdir -p -m 700 of the folder that `path` is in. */
static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0700) < 0 && errno != EEXIST;
		*slash = '/';
		if (failed)
			return -errno;
	}
	return 0;
}

/* Whoever can write there can hand us no keys of his own (they must be ours),
 * but can take away what we remember. */
static int check_folder_of(char *path)
{
	char *slash = strrchr(path, '/');
	struct stat st;
	int failed;

	*slash = '\0';
	failed = stat(path, &st) < 0;
	*slash = '/';
	if (failed)
		return -errno;
	if (!CHECK(private_file, st.st_uid == geteuid() &&
					 !(st.st_mode & (S_IWGRP | S_IWOTH))))
		return FILE_HAS_OPEN_FOLDER;
	return 0;
}

/* A path of `length` characters was printed. */
static int finish_path(char *path, int length, size_t room)
{
	int error;

	if (length < 0 || (size_t)length >= room)
		return -ENAMETOOLONG;
	error = make_folders(path);
	return error ? error : check_folder_of(path);
}

int file_own_path(char *path, size_t room, const char *variable,
		  const char *fallback, const char *name)
{
	const char *base = getenv(variable), *home = getenv("HOME");
	int length;

	/* XDG Base Directory Specification: a relative path is ignored. */
	if (base && *base == '/')
		length = snprintf(path, room, "%s/%s", base, name);
	else if (home && *home == '/')
		length = snprintf(path, room, "%s/%s/%s", home, fallback, name);
	else
		length = -1;
	if (length >= 0)
		return finish_path(path, length, room);
	snprintf(path, room, "~/%s/%s", fallback, name);
	return FILE_HAS_NO_HOME;
}

int file_path_in(char *path, size_t room, const char *folder, const char *name)
{
	return finish_path(path, snprintf(path, room, "%s/%s", folder, name),
			   room);
}
