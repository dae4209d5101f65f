/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - files that only their owner may read, written whole or not at all */
#ifndef PVX_BASE_FILE_H
#define PVX_BASE_FILE_H

#include <stddef.h>

/* What can be wrong with a file besides an errno. */
enum file_problem {
	FILE_IS_OPEN_TO_OTHERS = 1, /* a mode that lets others read or write */
	FILE_IS_ANOTHERS,
	FILE_IS_NOT_REGULAR,
	FILE_IS_TOO_LARGE,
	FILE_HAS_NO_HOME,     /* nothing says in which folder it is */
	FILE_HAS_OPEN_FOLDER, /* others can put another file in its place */
	FILE_PROBLEMS
};

/*
 * Read the private file `path`, at most `room` bytes, into `to`; `bytes`
 * becomes their number. A symbolic link is not followed (-ELOOP); the file
 * must belong to the effective user and be closed to everybody else. Returns
 * 0, an enum file_problem or -errno.
 */
int file_read_private(const char *path, void *to, size_t room, size_t *bytes);

/*
 * Create `path` with mode 0600 and these bytes. It appears at once and whole,
 * after they are on the disk; a file that is already there stays as it is
 * (-EEXIST). Returns 0 or -errno.
 */
int file_create_private(const char *path, const void *data, size_t bytes);

/* The same, in the place of whatever is there. */
int file_replace_private(const char *path, const void *data, size_t bytes);

/* A sentence about a result of those above, to stand behind a path and a
 * colon; says what to do where that is known. Static or strerror(3)'s. */
const char *file_explain(int result);

/*
 * The path of our file `name` ("paravox/identity") below $`variable`, or below
 * $HOME/`fallback` when that is not set or not absolute, with the folders made
 * (mode 0700).
 * The last folder must be the user's, and others may not write to it. Returns
 * 0, FILE_HAS_NO_HOME, -ENAMETOOLONG, -errno of mkdir(2) or stat(2), or
 * FILE_HAS_OPEN_FOLDER; `path` is fit for the message of these, too.
 */
int file_own_path(char *path, size_t room, const char *variable,
		  const char *fallback, const char *name);

/* The same for a `folder` that is known: "FOLDER/NAME". */
int file_path_in(char *path, size_t room, const char *folder, const char *name);

#endif
