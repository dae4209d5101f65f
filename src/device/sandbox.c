/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - what a process of the device may still do */
#include "device/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "device/syscalls.h"

/* Descriptors: of 64 queues three each, memory, clients; twice that. */
#define OPEN_FILES 1024u
/* Keys of 65536 sessions, and the record of them. */
#define LOCKED_BYTES  (UINT64_C(256) << 20)
#define PROVIDER_ROOM 16

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

bool sandbox_is_possible(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
	__has_feature(memory_sanitizer)
	return false;
#else
	return true;
#endif
#else
	return true;
#endif
}

/* The provider's name without its path. */
static void provider_name(const struct sandbox *sandbox, char *name)
{
	size_t bytes = strcspn(sandbox->provider, ":");

	if (bytes >= PROVIDER_ROOM)
		bytes = PROVIDER_ROOM - 1;
	memcpy(name, sandbox->provider, bytes);
	name[bytes] = '\0';
}

/* The node that a worker opens, or NULL. */
static const char *provider_path(const struct sandbox *sandbox)
{
	static const char name[] = "cryptodev";

	if (strncmp(sandbox->provider, name, sizeof(name) - 1) != 0)
		return NULL;
	return sandbox->provider[sizeof(name) - 1] == ':'
		       ? sandbox->provider + sizeof(name)
		       : "/dev/crypto";
}

/* --- limits ------------------------------------------------------------ */

static int limits_set(const char *provider)
{
	struct rlimit locked, files;

	if (getrlimit(RLIMIT_MEMLOCK, &locked) ||
	    getrlimit(RLIMIT_NOFILE, &files))
		return -errno;
	if (geteuid() == 0 && locked.rlim_max < LOCKED_BYTES) {
		locked.rlim_max = LOCKED_BYTES;
		/* Not every root may. */
		if (setrlimit(RLIMIT_MEMLOCK, &locked) &&
		    getrlimit(RLIMIT_MEMLOCK, &locked))
			return -errno;
	}
	locked.rlim_cur = locked.rlim_max;
	if (setrlimit(RLIMIT_MEMLOCK, &locked))
		return -errno;
	/* With AF_ALG each session is a descriptor. */
	if (strcmp(provider, "afalg") == 0)
		return 0;
	if (files.rlim_max > OPEN_FILES)
		files.rlim_max = OPEN_FILES;
	files.rlim_cur = files.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &files) ? -errno : 0;
}

/* --- user and capabilities --------------------------------------------- */

static int user_become(const char *name)
{
	const struct passwd *user;

	if (!name || geteuid() != 0)
		return 0;
	errno = 0;
	user = getpwnam(name);
	if (!user) {
		log_error("sandbox: there is no user %s", name);
		return errno ? -errno : -ENOENT;
	}
	if (setgroups(0, NULL) ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return -errno;
	return 0;
}

/* While we may still change the bounding set. */
static void bounding_set_empty(void)
{
	for (unsigned long i = 0; i < 64; i++)
		(void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

static int capabilities_drop(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	/* Kernels before 4.3 have none, and then there is nothing to drop. */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	memset(none, 0, sizeof(none));
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

/* --- files ------------------------------------------------------------- */

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

/* Removing a name is a right to its folder. */
static int rule_add_removal(int ruleset, const char *path)
{
	char *folder = strdup(path), *slash;
	int error;

	if (!folder)
		return -ENOMEM;
	slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	error = rule_add(ruleset, slash ? folder : ".",
			 LANDLOCK_ACCESS_FS_REMOVE_FILE);
	free(folder);
	return error;
}

static int rules_add(int ruleset, const struct sandbox *sandbox, long abi)
{
	const char *node = provider_path(sandbox);
	int error = 0;

	for (size_t i = 0; !error && i < SANDBOX_PATHS_MAX; i++)
		if (sandbox->paths[i])
			error = rule_add_removal(ruleset, sandbox->paths[i]);
	if (!error && node)
		error = rule_add(ruleset, node,
				 LANDLOCK_ACCESS_FS_READ_FILE |
					 LANDLOCK_ACCESS_FS_WRITE_FILE |
					 (abi >= 5 ? FS_IOCTL_DEV : 0));
	return error;
}

/* What the kernel's Landlock can refuse, all of it. */
static struct ruleset everything(long abi, enum sandbox_process process)
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
	/* The service manager's socket may be an abstract one. */
	if (abi >= 6)
		all.scoped = process == SANDBOX_WORKER
				     ? SCOPE_SIGNALS | SCOPE_SOCKETS
				     : SCOPE_SIGNALS;
	return all;
}

static int files_restrict(const struct sandbox *sandbox,
			  enum sandbox_process process)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset all = everything(abi, process);
	int ruleset, error = 0;

	if (abi < 1) {
		if (process == SANDBOX_SUPERVISOR)
			log_warning("sandbox: this kernel has no Landlock");
		return 0;
	}
	/* An older kernel takes the longer structure: what it does not know
	 * is zero. */
	ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (ruleset < 0)
		return -errno;
	if (process == SANDBOX_SUPERVISOR)
		error = rules_add(ruleset, sandbox, abi);
	if (!error && syscall(SYS_landlock_restrict_self, ruleset, 0))
		error = -errno;
	close(ruleset);
	return error;
}

/* --- all of it --------------------------------------------------------- */

static int privileges_drop(const struct sandbox *sandbox, const char *provider)
{
	int error = limits_set(provider);

	bounding_set_empty();
	if (!error)
		error = user_become(sandbox->user);
	return error ? error : capabilities_drop();
}

int sandbox_enter(const struct sandbox *sandbox, enum sandbox_process process)
{
	char provider[PROVIDER_ROOM];
	const char *step = "privileges";
	int error = 0;

	if (!sandbox_is_possible()) {
		if (process == SANDBOX_SUPERVISOR)
			log_warning("sandbox: none beside a sanitizer");
		return 0;
	}
	provider_name(sandbox, provider);
	if (process == SANDBOX_SUPERVISOR)
		error = privileges_drop(sandbox, provider);
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	if (!error) {
		step = "Landlock";
		error = files_restrict(sandbox, process);
	}
	if (!error) {
		step = "seccomp";
		error = syscalls_restrict(process, provider);
	}
	if (error)
		log_error("sandbox: %s: %s", step, strerror(-error));
	return error;
}
