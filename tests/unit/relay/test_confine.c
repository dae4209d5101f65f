/* SPDX-License-Identifier: Apache-2.0 */
/* test_confine.c - what the relay's process cannot do any more */

#include "base/bytes.h"
#include "relay/confine.h"
#include "relay/options.h"
#include "relay/relay.h"
#include "sandbox/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

/* -1 with errno, as system calls say it. */
typedef long deed_fn(void);

/* How a child ends that is not killed. */
enum {
	DEED_DONE = 0,
	DEED_FAILED = 1,
	NOT_CONFINED = 2
};

static struct relay_options options = { .has_no_history = true };
static struct relay relay = { .options = &options };
static char said[4096]; /* the last child, on standard error */

static int status_fd; /* of the child, opened while it still may */

static void child(deed_fn *deed, int out)
{
	dup2(out, STDERR_FILENO);
	status_fd = open("/proc/self/status", O_RDONLY);
	if (relay_confine(&relay))
		_exit(NOT_CONFINED);
	_exit(deed() < 0 ? DEED_FAILED : DEED_DONE);
}

/* The status of waitpid(2) of a child that is confined or not and does it. */
static int status_of(deed_fn *deed, bool has_sandbox)
{
	size_t used = 0;
	ssize_t got;
	int ends[2], status;
	pid_t pid;

	options.has_sandbox = has_sandbox;
	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child(deed, ends[1]);
	assert_true(pid > 0);
	close(ends[1]);
	while ((got = read(ends[0], said + used, sizeof(said) - 1 - used)) > 0)
		used += (size_t)got;
	said[used] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static char page[8192] __attribute__((aligned(4096)));

static long do_execve(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };

	return execve("/bin/true", argv, NULL);
}

static long do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long do_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long do_connect(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	return 0;
}

static long do_kill(void)
{
	return kill(getpid(), 0);
}

static long do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long do_exec_memory(void)
{
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long do_map_exec(void)
{
	void *at = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? -1 : 0;
}

static long do_unshare(void)
{
	return unshare(CLONE_FILES);
}

/* Others type into the terminal that the relay was started from. */
static long do_ioctl(void)
{
	return ioctl(status_fd, FIOCLEX);
}

static long do_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

static void test_calls_outside_the_list_end_the_relay(void **state)
{
	static const struct {
		const char *name;
		deed_fn *deed;
	} deeds[] = {
		{ "execve", do_execve },
		{ "clone", do_fork },
		{ "socket", do_inet },
		{ "socketpair", do_connect },
		{ "kill", do_kill },
		{ "ptrace", do_ptrace },
		{ "mprotect", do_exec_memory },
		{ "mmap", do_map_exec },
		{ "unshare", do_unshare },
		{ "ioctl", do_ioctl },
		{ "prctl", do_dumpable },
	};

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		char line[128];
		int status;

		/* Without a sandbox it works, so the list is the reason. */
		assert_int_equal(status_of(deeds[i].deed, false), DEED_DONE);
		status = status_of(deeds[i].deed, true);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
		snprintf(line, sizeof(line), "(%s)\n", deeds[i].name);
		assert_non_null(strstr(said, "refused system call"));
		assert_non_null(strstr(said, line));
	}
}

/* Print our own status and core limit. */
static long do_tell(void)
{
	char text[4096];
	struct rlimit core;
	ssize_t got = read(status_fd, text, sizeof(text));

	if (got < 0 || write(STDERR_FILENO, text, (size_t)got) < 0 ||
	    getrlimit(RLIMIT_CORE, &core))
		return -1;
	return dprintf(STDERR_FILENO, "Core:\t%d\n", (int)core.rlim_max);
}

static bool has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}

static void test_no_privilege_is_left(void **state)
{
	assert_int_equal(status_of(do_tell, false), DEED_DONE);
	assert_non_null(strstr(said, "NoNewPrivs:\t0\n"));
	assert_int_equal(status_of(do_tell, true), DEED_DONE);
	assert_non_null(strstr(said, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(said, "CapEff:\t0000000000000000\n"));
	assert_non_null(strstr(said, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(said, "Seccomp:\t2\n"));
	assert_non_null(strstr(said, "Core:\t0\n"));
}

static char folder[64], bans[128], other[128];

static long do_open_bans(void)
{
	return open(bans, O_RDWR | O_CREAT, 0600);
}

static long do_open_other(void)
{
	return open(other, O_RDWR | O_CREAT, 0600);
}

/* And without Landlock that is told. */
static void test_files_that_options_name_are_left(void **state)
{
	int status;

	snprintf(folder, sizeof(folder), "/tmp/pvx-confine-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(bans, sizeof(bans), "%s/bans", folder);
	snprintf(other, sizeof(other), "%s.other", folder);
	options.bans = bans;
	assert_int_equal(status_of(do_open_other, false), DEED_DONE);
	assert_int_equal(status_of(do_open_bans, true), DEED_DONE);
	status = status_of(do_open_other, true);
	assert_int_equal(WEXITSTATUS(status),
			 has_landlock() ? DEED_FAILED : DEED_DONE);
	assert_int_equal(!strstr(said, "has no Landlock"), has_landlock());
	options.bans = NULL;
	(void)unlink(bans);
	(void)unlink(other);
	(void)rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_outside_the_list_end_the_relay),
		cmocka_unit_test(test_no_privilege_is_left),
		cmocka_unit_test(test_files_that_options_name_are_left),
	};

	if (!sandbox_is_possible()) {
		puts("1..0 # SKIP a sanitizer has no sandbox");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
