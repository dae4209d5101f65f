/* SPDX-License-Identifier: Apache-2.0 */
/* confine.c - what the relay's process may still do */

#include "relay/confine.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/process.h"
#include "relay/credentials.h"
#include "relay/options.h"
#include "relay/relay.h"
#include "relay/state.h"
#include "sandbox/files.h"
#include "sandbox/privileges.h"
#include "sandbox/syscalls.h"

#include <errno.h>
#include <linux/limits.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define R    1u /* there is one process */
#define NAME "paravoxd: error"

/* The list: what the relay and its libraries call once it serves. */
static const struct sandbox_call calls[] = {
	/* clang-format off */
	/* waiting, and time */
	CALL(epoll_wait, R, "loop.c: a turn; libmicrohttpd"),
	CALL(epoll_pwait, R, "the same, as other libcs call it"),
	CALL(epoll_ctl, R, "loop.c: watches; libmicrohttpd"),
	CALL(poll, R, "libcrypto: randomness that is not there yet"),
	CALL(futex, R, "pthread: the store's locks"),
	CALL(restart_syscall, R, "the kernel: a wait that was stopped"),
	CALL(clock_gettime, R, "where the vDSO has no clock"),
	CALL(gettimeofday, R, "the same; SQLite"),
	CALL(clock_nanosleep, R, "SQLite: a lock that another has"),
	CALL(nanosleep, R, "the same"),
	/* clients, operators, monitoring */
	CALL(accept4, R, "relay.c, listener.c, libmicrohttpd"),
	CALL(accept, R, "the same"),
	CALL(recvfrom, R, "transport.c, query.c, takeover.c"),
	CALL(recvmsg, R, "transport.c"),
	CALL(sendto, R, "transport.c, query.c, notify.c"),
	CALL(sendmsg, R, "transport.c, takeover.c"),
	CALL(read, R, "signals.c, files; libcrypto"),
	CALL(readv, R, "stdio"),
	CALL(write, R, "log.c, files"),
	CALL(writev, R, "libmicrohttpd"),
	CALL(shutdown, R, "conn.c: the last word is said"),
	CALL(getsockopt, R, "admin.c: SO_PEERCRED; clock.c: TCP_INFO"),
	CALL(setsockopt, R, "conn.c: TCP_NODELAY; libmicrohttpd"),
	CALL(getsockname, R, "listen.c"),
	CALL(getpeername, R, "libmicrohttpd"),
	CALL_IF(ioctl, R, 1, CALL_ALL_BITS, SIOCOUTQ, "clock.c"),
	CALL_IF(ioctl, R, 1, CALL_ALL_BITS, TCGETS, "stdio: a terminal?"),
	CALL(close, R, "connections that end; files"),
	CALL(fcntl, R, "takeover.c: a duplicate; SQLite's locks"),
	CALL_IF(socket, R, 0, CALL_ALL_BITS, AF_UNIX, "notify.c: the manager"),
	CALL(eventfd2, R, "libmicrohttpd; the store's threads"),
	/* files: configuration, certificates, bans, state */
	CALL(openat, R, "config.c, ban.c, SQLite; what Landlock leaves"),
	CALL(open, R, "the same, as other libcs call it"),
	CALL(fstat, R, "stdio, file.c, SQLite"),
	CALL(stat, R, "SQLite: whether a file is still the same"),
	CALL(lstat, R, "the same; listen.c: whether a path is ours"),
	CALL(newfstatat, R, "the same, as glibc calls them"),
	CALL(statx, R, "the same"),
	CALL(access, R, "SQLite: whether a journal is there"),
	CALL(faccessat, R, "the same"),
	CALL(faccessat2, R, "the same"),
	CALL(readlink, R, "SQLite: the whole name of a file"),
	CALL(readlinkat, R, "the same"),
	CALL(getcwd, R, "the same"),
	CALL(flock, R, "store: one relay at a time"),
	CALL(lseek, R, "stdio, SQLite"),
	CALL(pread64, R, "SQLite"),
	CALL(pwrite64, R, "SQLite"),
	CALL(preadv, R, "SQLite"),
	CALL(pwritev, R, "SQLite"),
	CALL(fsync, R, "SQLite; file.c"),
	CALL(fdatasync, R, "SQLite; file.c"),
	CALL(ftruncate, R, "SQLite: its logs"),
	CALL(fallocate, R, "SQLite: the size of its index"),
	CALL(fstatfs, R, "SQLite: what kind of disk it is"),
	CALL(statfs, R, "the same; whether there is room"),
	CALL(fchmod, R, "SQLite, file.c: as private as the first"),
	CALL(fchown, R, "SQLite: as root, whose the first is"),
	CALL(mkdir, R, "state.c"),
	CALL(rename, R, "ban.c: a list as a whole"),
	CALL(renameat, R, "the same"),
	CALL(renameat2, R, "the same"),
	CALL(link, R, "file.c: a file as a whole"),
	CALL(unlink, R, "listen.c: sockets at the end; SQLite"),
	CALL(getdents64, R, "state.c: a folder"),
	/* memory, threads, identity */
	CALL_IF(mmap, R, 2, PROT_EXEC, 0, "malloc; SQLite; stacks"),
	CALL_IF(mprotect, R, 2, PROT_EXEC, 0, "malloc; stacks' guards"),
	CALL(munmap, R, "the same"),
	CALL(mremap, R, "realloc(3)"),
	CALL(brk, R, "malloc(3)"),
	CALL(madvise, R, "free(3); secret.c"),
	CALL(mlock, R, "secret.c"),
	CALL(mlock2, R, "the same"),
	CALL(munlock, R, "the same"),
	CALL(getrandom, R, "nonces; libcrypto"),
	CALL_IF(clone, R, 0, CLONE_THREAD, CLONE_THREAD, "the store's threads"),
	CALL_FAILS(clone3, R, ENOSYS, "glibc then calls clone"),
	CALL(set_robust_list, R, "pthread_create(3)"),
	CALL(rseq, R, "the same"),
	CALL_IF(prctl, R, 0, CALL_ALL_BITS, PR_SET_NAME, "threads' names"),
	CALL(sched_getaffinity, R, "malloc(3): how many arenas"),
	CALL(sched_yield, R, "locks"),
	CALL(gettid, R, "raise(3)"),
	CALL(getpid, R, "SQLite; libcrypto: whether it was forked"),
	CALL(getuid, R, "file.c: whose a file is"),
	CALL(geteuid, R, "the same; admin.c"),
	CALL(getgid, R, "libcrypto: whether it is set-user-ID"),
	CALL(getegid, R, "the same"),
	CALL(uname, R, "options.c: the host's name, read again"),
	CALL(prlimit64, R, "relay.c: descriptors for more clients"),
	CALL(setrlimit, R, "the same, as other libcs call it"),
	CALL(getrlimit, R, "the same"),
	CALL(sysinfo, R, "SQLite; qsort(3): how much memory there is"),
	CALL(rt_sigaction, R, "what dies of SIGSYS"),
	CALL(rt_sigprocmask, R, "pthread, raise(3)"),
	CALL(rt_sigreturn, R, "handlers"),
	CALL(tgkill, R, "raise(3), abort(3)"),
	CALL(exit, R, "the end of a thread"),
	CALL(exit_group, R, "the end"),
	/* clang-format on */
};

/* Paths in a list of rights; NULL is left out. */
struct rights {
	struct sandbox_path path[RELAY_LISTENERS_MAX + 8];
	size_t count;
};

static void allow(struct rights *rights, const char *path,
		  enum sandbox_access access)
{
	if (path)
		rights->path[rights->count++] =
			(struct sandbox_path){ path, access };
}

/* Where links lead: a renewed certificate is another file in that folder. */
static int allow_certificate(struct rights *rights, const struct relay *relay,
			     char files[2][PATH_MAX])
{
	struct credentials_paths paths;
	int error;

	if (!relay->tls)
		return 0;
	error = credentials_find(&paths, relay->options);
	if (error)
		return error;
	if (!realpath(paths.certificate, files[0]) ||
	    !realpath(paths.key, files[1]))
		return -errno;
	allow(rights, files[0], SANDBOX_READ);
	allow(rights, files[1], SANDBOX_READ);
	return 0;
}

static int confine_files(const struct relay *relay)
{
	const struct relay_options *o = relay->options;
	struct rights rights = { .count = 0 };
	char state[PATH_MAX], files[2][PATH_MAX];
	int error;

	allow(&rights, o->config, SANDBOX_READ);
	allow(&rights, o->bans, SANDBOX_STATE);
	allow(&rights, relay->admin.listener.path, SANDBOX_REMOVAL);
	allow(&rights, relay->metrics.listener.path, SANDBOX_REMOVAL);
	for (unsigned int i = 0; i < relay->listener_count; i++)
		allow(&rights, relay->listeners[i].path, SANDBOX_REMOVAL);
	if (!o->has_no_history) {
		error = relay_state_path(state, sizeof(state), o->state,
					 "history");
		if (error)
			return error;
		allow(&rights, state, SANDBOX_STATE);
	}
	error = allow_certificate(&rights, relay, files);
	if (error)
		return error;
	/* The service manager's socket may be an abstract one. */
	error = sandbox_restrict_files(rights.path, rights.count, true);
	if (error > 0)
		log_warning("sandbox: this kernel has no Landlock");
	return error > 0 ? 0 : error;
}

static int confine_calls(void)
{
	const struct sandbox_filter filter = {
		.calls = calls,
		.count = ARRAY_SIZE(calls),
		.process = R,
		.name = NAME,
	};

	return sandbox_restrict_syscalls(&filter);
}

int relay_confine(const struct relay *relay)
{
	const char *step = "privileges";
	int error;

	if (!relay->options->has_sandbox)
		return 0;
	if (!sandbox_is_possible()) {
		log_warning("sandbox: none beside a sanitizer");
		return 0;
	}
	if (geteuid() == 0)
		log_warning("started as root: any other user will do");
	error = process_hide();
	if (!error)
		error = sandbox_drop_privileges(NULL);
	if (!error) {
		step = "Landlock";
		error = confine_files(relay);
	}
	if (!error) {
		step = "seccomp";
		error = confine_calls();
	}
	if (error)
		log_error("sandbox: %s: %s", step, strerror(-error));
	return error;
}
