/* SPDX-License-Identifier: Apache-2.0 */
/* test_notify.c - what the service manager is told */

#include "base/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

/* A manager's socket in the abstract namespace; `name` receives "@...". */
static int manager(char *name, size_t room)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int bytes = snprintf(name, room, "@paravox-test-%d", (int)getpid());

	assert_true(fd >= 0);
	memcpy(at.sun_path, name, (size_t)bytes);
	at.sun_path[0] = '\0';
	assert_int_equal(
		bind(fd, (struct sockaddr *)&at,
		     (socklen_t)offsetof(struct sockaddr_un, sun_path) +
			     (socklen_t)bytes),
		0);
	return fd;
}

static void test_the_manager_gets_the_state(void **state)
{
	char name[64], got[64];
	int fd = manager(name, sizeof(name));

	setenv("NOTIFY_SOCKET", name, 1);
	assert_int_equal(notify_send("READY=1"), 0);
	assert_int_equal(recv(fd, got, sizeof(got), 0), 7);
	assert_memory_equal(got, "READY=1", 7);
	close(fd);
	/* Nobody is there any more. */
	assert_int_equal(notify_send("READY=1"), -ECONNREFUSED);
}

static void test_without_a_manager_nothing_is_told(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify_send("READY=1"), 0);
}

static void test_a_strange_address_is_refused(void **state)
{
	char path[256];

	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	setenv("NOTIFY_SOCKET", path, 1);
	assert_int_equal(notify_send("READY=1"), -EINVAL);
}

static void set_pid(const char *name, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	setenv(name, text, 1);
}

static void test_the_watchdog_is_for_this_process_only(void **state)
{
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	assert_int_equal(notify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "5000000", 1);
	assert_int_equal(notify_watchdog_us(), 5000000);
	set_pid("WATCHDOG_PID", getpid());
	assert_int_equal(notify_watchdog_us(), 5000000);
	set_pid("WATCHDOG_PID", getppid());
	assert_int_equal(notify_watchdog_us(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog_us(), 0);
}

static void test_sockets_are_for_this_process_only(void **state)
{
	int there = dup(0);

	/* 3 is the next one free in a test, or taken by the runner. */
	assert_true(there >= NOTIFY_FIRST_FD);
	setenv("LISTEN_FDS", "1", 1);
	unsetenv("LISTEN_PID");
	assert_int_equal(notify_listen_fds(), 0);
	set_pid("LISTEN_PID", getppid());
	assert_int_equal(notify_listen_fds(), 0);
	set_pid("LISTEN_PID", getpid());
	assert_int_equal(notify_listen_fds(), 1);
	assert_int_equal(fcntl(NOTIFY_FIRST_FD, F_GETFD), FD_CLOEXEC);
	setenv("LISTEN_FDS", "99", 1);
	assert_int_equal(notify_listen_fds(), -EBADF);
	setenv("LISTEN_FDS", "1000000", 1);
	assert_int_equal(notify_listen_fds(), -EINVAL);
	setenv("LISTEN_FDS", "-1", 1);
	assert_int_equal(notify_listen_fds(), -EINVAL);
	close(there);
}

static void test_sockets_have_names(void **state)
{
	char name[8];

	unsetenv("LISTEN_FDNAMES");
	notify_listen_fd_name(0, name, sizeof(name));
	assert_string_equal(name, "");
	setenv("LISTEN_FDNAMES", "clients::administration", 1);
	notify_listen_fd_name(0, name, sizeof(name));
	assert_string_equal(name, "clients");
	notify_listen_fd_name(1, name, sizeof(name));
	assert_string_equal(name, "");
	notify_listen_fd_name(2, name, sizeof(name));
	assert_string_equal(name, "adminis");
	notify_listen_fd_name(3, name, sizeof(name));
	assert_string_equal(name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_manager_gets_the_state),
		cmocka_unit_test(test_without_a_manager_nothing_is_told),
		cmocka_unit_test(test_a_strange_address_is_refused),
		cmocka_unit_test(test_the_watchdog_is_for_this_process_only),
		cmocka_unit_test(test_sockets_are_for_this_process_only),
		cmocka_unit_test(test_sockets_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
