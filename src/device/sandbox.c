/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.c - what a process of the device may still do */
#include "device/sandbox.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "sandbox/files.h"
#include "sandbox/privileges.h"

/* Descriptors: of 64 queues three each, memory, clients; twice that. */
#define OPEN_FILES 1024u
/* Keys of 65536 sessions, and the record of them. */
#define LOCKED_BYTES  (UINT64_C(256) << 20)
#define PROVIDER_ROOM 16

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

/* --- all of it --------------------------------------------------------- */

/* A worker needs none. The service manager's socket may be an abstract one. */
static int files_restrict(const struct sandbox *sandbox,
			  enum sandbox_process process)
{
	bool is_worker = process == SANDBOX_WORKER;
	struct sandbox_path paths[SANDBOX_PATHS_MAX + 1] = {
		{ provider_path(sandbox), SANDBOX_DEVICE },
	};
	int error;

	for (size_t i = 0; i < SANDBOX_PATHS_MAX; i++)
		paths[1 + i] = (struct sandbox_path){ sandbox->paths[i],
						      SANDBOX_REMOVAL };
	error = sandbox_restrict_files(paths, is_worker ? 0 : ARRAY_SIZE(paths),
				       !is_worker);
	if (error > 0 && !is_worker)
		log_warning("sandbox: this kernel has no Landlock");
	return error > 0 ? 0 : error;
}

/* A worker is born without any. */
static int privileges_drop(const struct sandbox *sandbox, const char *provider,
			   enum sandbox_process process)
{
	int error;

	if (process == SANDBOX_WORKER)
		return 0;
	error = limits_set(provider);
	return error ? error : sandbox_drop_privileges(sandbox->user);
}

int sandbox_enter(const struct sandbox *sandbox, enum sandbox_process process)
{
	char provider[PROVIDER_ROOM];
	const char *step = "privileges";
	int error;

	if (!sandbox_is_possible()) {
		if (process == SANDBOX_SUPERVISOR)
			log_warning("sandbox: none beside a sanitizer");
		return 0;
	}
	provider_name(sandbox, provider);
	error = privileges_drop(sandbox, provider, process);
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
