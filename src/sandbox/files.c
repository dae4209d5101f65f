/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - leave a process the files that it needs, no others (Landlock) */
#include "sandbox/files.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of newer kernels than our headers; asked for when the kernel is as new. */
#define FS_TRUNCATE   (UINT64_C(1) << 14) /* ABI 3 */
#define FS_IOCTL_DEV  (UINT64_C(1) << 15) /* ABI 5 */
#define NET_ALL       UINT64_C(3)         /* ABI 4: bind, connect in TCP */
#define SCOPE_SOCKETS (UINT64_C(1) << 0)  /* ABI 6: abstract ones */
#define SCOPE_SIGNALS (UINT64_C(1) << 1)  /* ABI 6 */

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static const struct {
	uint64_t rights;
	bool is_of_folder; /* that the name is in */
} accesses[] = {
	[SANDBOX_DEVICE] = { LANDLOCK_ACCESS_FS_READ_FILE |
				     LANDLOCK_ACCESS_FS_WRITE_FILE |
				     FS_IOCTL_DEV,
			     false },
	[SANDBOX_REMOVAL] = { LANDLOCK_ACCESS_FS_REMOVE_FILE, true },
	[SANDBOX_READ] = { LANDLOCK_ACCESS_FS_READ_FILE, true },
	[SANDBOX_STATE] = { LANDLOCK_ACCESS_FS_READ_FILE |
				    LANDLOCK_ACCESS_FS_READ_DIR |
				    LANDLOCK_ACCESS_FS_WRITE_FILE |
				    LANDLOCK_ACCESS_FS_REMOVE_FILE |
				    LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE,
			    true },
};

/* What the kernel's Landlock can refuse, all of it. */
static struct ruleset everything(long abi, bool keeps_abstract)
{
	struct ruleset all = { .fs = LANDLOCK_ACCESS_FS_REFER - 1 };

	if (abi >= 2)
		all.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		all.fs |= FS_TRUNCATE;
	if (abi >= 4)
		all.net = NET_ALL;
	if (abi >= 5)
		all.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		all.scoped = keeps_abstract ? SCOPE_SIGNALS
					    : SCOPE_SIGNALS | SCOPE_SOCKETS;
	return all;
}

static int rule_add(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = rights };
	int error = 0;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -errno;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0))
		error = -errno;
	close(rule.parent_fd);
	return error;
}

static int rule_add_to_folder(int ruleset, const char *path, uint64_t rights)
{
	char *folder = strdup(path), *slash;
	int error;

	if (!folder)
		return -ENOMEM;
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	error = rule_add(ruleset, slash ? folder : ".", rights);
	free(folder);
	return error;
}

static int path_add(int ruleset, const struct sandbox_path *path,
		    uint64_t known)
{
	uint64_t rights = accesses[path->access].rights & known;
	int error;

	if (!path->path)
		return 0;
	if (accesses[path->access].is_of_folder)
		error = rule_add_to_folder(ruleset, path->path, rights);
	else
		error = rule_add(ruleset, path->path, rights);
	if (error)
		log_error("sandbox: %s cannot be left open to us: %s",
			  path->path, strerror(-error));
	return error;
}

int sandbox_restrict_files(const struct sandbox_path *paths, size_t count,
			   bool keeps_abstract)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset all = everything(abi, keeps_abstract);
	int ruleset, error = 0;

	if (abi < 1)
		return 1;
	/* An older kernel takes the longer structure: what it does not know
	 * is zero. */
	ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return -errno;
	for (size_t i = 0; !error && i < count; i++)
		error = path_add(ruleset, &paths[i], all.fs);
	if (!error && syscall(SYS_landlock_restrict_self, ruleset, 0))
		error = -errno;
	close(ruleset);
	return error;
}
