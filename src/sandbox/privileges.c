/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.c - give up what a process may do as a user */
#include "sandbox/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

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

int sandbox_drop_privileges(const char *user)
{
	int error;

	bounding_set_empty();
	error = user_become(user);
	if (!error)
		error = capabilities_drop();
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	return error;
}
