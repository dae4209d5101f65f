/* SPDX-License-Identifier: Apache-2.0 */
/* test_confine.c - what the relay's process cannot do any more */

#include "base/bytes.h"
#include "lib/deeds.h"
#include "relay/confine.h"
#include "relay/options.h"
#include "relay/relay.h"
#include "sandbox/privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

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

static long do_connect(void)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		return -1;
	return 0;
}

/* Others type into the terminal that the relay was started from. */
static long do_ioctl(void)
{
	return ioctl(status_fd, FIOCLEX);
}

static void try_deed(const struct deed *deed)
{
	char line[128];
	int status;

	/* Without a sandbox it works, so the list is the reason. */
	assert_int_equal(status_of(deed->run, false), DEED_DONE);
	status = status_of(deed->run, true);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	snprintf(line, sizeof(line), "(%s)\n", deed->call);
	assert_non_null(strstr(said, "refused system call"));
	assert_non_null(strstr(said, line));
}

static void test_calls_outside_the_list_end_the_relay(void **state)
{
	static const struct deed own[] = {
		{ "clone", deed_fork },
		{ "socketpair", do_connect },
		{ "kill", deed_kill },
		{ "ioctl", do_ioctl },
	};

	for (size_t i = 0; i < DEEDS; i++)
		try_deed(&deeds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		try_deed(&own[i]);
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
			 deeds_has_landlock() ? DEED_FAILED : DEED_DONE);
	assert_int_equal(!strstr(said, "has no Landlock"),
			 deeds_has_landlock());
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
