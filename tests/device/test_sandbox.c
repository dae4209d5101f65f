/* SPDX-License-Identifier: Apache-2.0 */
/* test_sandbox.c - what the device's processes cannot do any more */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "device/driver.h"
#include "device/sandbox.h"
#include "lib/deeds.h"
#include "sandbox/privileges.h"

#define NOBODY 65534

/* How a child ended, and what it wrote to standard error. */
struct outcome {
	int status; /* of waitpid(2) */
	char text[4096];
};

/* A child's exit status says what the deed came to. */
enum {
	DEED_DONE = 0,
	DEED_FAILED = 1, /* an errno is printed */
	NOT_ENTERED = 2
};

static const struct sandbox plain = { .provider = "openssl" };

static void read_all(int fd, char *text, size_t room)
{
	size_t used = 0;
	ssize_t got;

	while ((got = read(fd, text + used, room - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(fd);
}

static void run_deed(const struct sandbox *sandbox,
		     enum sandbox_process process, deed_fn *deed)
{
	char line[64];
	long result;
	int bytes;

	if (deeds_prepare())
		_exit(NOT_ENTERED);
	if (sandbox && sandbox_enter(sandbox, process))
		_exit(NOT_ENTERED);
	errno = 0;
	result = deed();
	if (result >= 0)
		_exit(DEED_DONE);
	bytes = snprintf(line, sizeof(line), "errno %s\n",
			 strerrorname_np(errno));
	_exit(write(STDERR_FILENO, line, (size_t)bytes) < 0 ? NOT_ENTERED
							    : DEED_FAILED);
}

/* In a child, in that sandbox (NULL: none), as root or as `uid`. */
static struct outcome in_child(const struct sandbox *sandbox,
			       enum sandbox_process process, uid_t uid,
			       deed_fn *deed)
{
	struct outcome outcome = { 0 };
	int ends[2];
	pid_t child;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		if (uid && geteuid() == 0 &&
		    (setgroups(0, NULL) || setresgid(uid, uid, uid) ||
		     setresuid(uid, uid, uid)))
			_exit(NOT_ENTERED);
		run_deed(sandbox, process, deed);
	}
	assert_true(child > 0);
	close(ends[1]);
	read_all(ends[0], outcome.text, sizeof(outcome.text));
	assert_int_equal(waitpid(child, &outcome.status, 0), child);
	return outcome;
}

/* --- system calls ------------------------------------------------------ */

static long do_uname(void)
{
	struct utsname name;

	return uname(&name);
}

static long do_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long do_unix(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

/* Beside `deeds`, which both are refused. */
static const struct {
	struct deed deed;
	unsigned int refused_by; /* SANDBOX_* */
} own_deeds[] = {
	{ { "uname", do_uname }, SANDBOX_SUPERVISOR | SANDBOX_WORKER },
	{ { "openat", do_open }, SANDBOX_SUPERVISOR | SANDBOX_WORKER },
	{ { "clone", deed_fork }, SANDBOX_WORKER },
	{ { "socket", do_unix }, SANDBOX_WORKER },
	{ { "kill", deed_kill }, SANDBOX_WORKER },
	{ { "sendmsg", deed_pass }, SANDBOX_WORKER },
	{ { "sendto", deed_send_connected }, 0 },
	{ { "sendto", deed_send_elsewhere }, SANDBOX_WORKER },
	{ { "fcntl", deed_own }, SANDBOX_WORKER },
	{ { "tgkill", deed_signal_another }, SANDBOX_WORKER },
	{ { "tgkill", deed_signal_itself }, 0 },
};

static void assert_refused(const struct outcome *outcome, const char *process,
			   const char *name)
{
	char line[128];

	assert_true(WIFSIGNALED(outcome->status));
	assert_int_equal(WTERMSIG(outcome->status), SIGSYS);
	snprintf(line, sizeof(line), "%s: the sandbox refused system call ",
		 process);
	assert_non_null(strstr(outcome->text, line));
	snprintf(line, sizeof(line), "(%s)\n", name);
	assert_non_null(strstr(outcome->text, line));
}

static void try_deed(const struct deed *deed, unsigned int refused_by)
{
	static const struct {
		enum sandbox_process process;
		const char *name;
	} processes[] = { { SANDBOX_SUPERVISOR, "supervisor" },
			  { SANDBOX_WORKER, "worker" } };
	struct outcome free_one = in_child(NULL, 0, 0, deed->run);

	/* Without a sandbox it works, so the list is the reason. */
	assert_int_equal(free_one.status, DEED_DONE);
	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		struct outcome o =
			in_child(&plain, processes[i].process, 0, deed->run);

		if (refused_by & processes[i].process)
			assert_refused(&o, processes[i].name, deed->call);
		else if (o.status != DEED_DONE)
			fail_msg("%s %s: %s", processes[i].name, deed->call,
				 o.text);
	}
}

static void test_calls_outside_the_list_end_the_process(void **state)
{
	for (size_t i = 0; i < DEEDS; i++)
		try_deed(&deeds[i], SANDBOX_SUPERVISOR | SANDBOX_WORKER);
	for (size_t i = 0; i < ARRAY_SIZE(own_deeds); i++)
		try_deed(&own_deeds[i].deed, own_deeds[i].refused_by);
}

static void test_the_list_holds_for_other_users(void **state)
{
	struct outcome o;

	o = in_child(&plain, SANDBOX_SUPERVISOR, NOBODY, do_uname);
	assert_refused(&o, "supervisor", "uname");
	o = in_child(&plain, SANDBOX_WORKER, NOBODY, do_uname);
	assert_refused(&o, "worker", "uname");
}

/* --- files ------------------------------------------------------------- */

static long do_open_null(void)
{
	return open("/dev/null", O_RDWR);
}

static long do_open_zero(void)
{
	return open("/dev/zero", O_RDWR);
}

/* A kernel without it is told of, and the rest holds. */
static void assert_landlock_is_missed(void)
{
	struct outcome o = in_child(&plain, SANDBOX_SUPERVISOR, 0, do_uname);

	assert_non_null(strstr(o.text, "this kernel has no Landlock"));
	assert_refused(&o, "supervisor", "uname");
}

static void test_a_node_s_ioctls_are_those_of_cryptodev(void **state)
{
	const struct sandbox node = { .provider = "cryptodev:/dev/null" };
	struct outcome o = in_child(NULL, 0, 0, deed_type);

	assert_int_equal(o.status, DEED_DONE);
	o = in_child(&node, SANDBOX_WORKER, 0, deed_type);
	assert_refused(&o, "worker", "ioctl");
	o = in_child(&node, SANDBOX_WORKER, 0, deed_ask_node);
	assert_string_equal(o.text, "errno ENOTTY\n");
}

/* Other providers than openssl may open their node, and nothing else. */
static void test_landlock_leaves_the_node_only(void **state)
{
	const struct sandbox node = { .provider = "cryptodev:/dev/null" };
	struct outcome o;

	if (!deeds_has_landlock()) {
		assert_landlock_is_missed();
		return;
	}
	o = in_child(NULL, 0, NOBODY, do_open_zero);
	assert_int_equal(o.status, DEED_DONE);
	o = in_child(&node, SANDBOX_SUPERVISOR, NOBODY, do_open_null);
	assert_int_equal(o.status, DEED_DONE);
	o = in_child(&node, SANDBOX_SUPERVISOR, NOBODY, do_open_zero);
	assert_int_equal(WEXITSTATUS(o.status), DEED_FAILED);
	assert_string_equal(o.text, "errno EACCES\n");
}

static const char *victim, *bystander;

static long do_unlink_victim(void)
{
	return unlink(victim);
}

static long do_unlink_bystander(void)
{
	return unlink(bystander);
}

static void test_the_supervisor_removes_its_socket_alone(void **state)
{
	char own[] = "/tmp/pvx-sandbox-XXXXXX";
	char other[] = "/tmp/pvx-sandbox-XXXXXX";
	char own_file[64], other_file[64];
	struct sandbox sandbox = { .provider = "openssl" };
	struct outcome o;

	if (!deeds_has_landlock()) {
		assert_landlock_is_missed();
		return;
	}
	assert_non_null(mkdtemp(own));
	assert_non_null(mkdtemp(other));
	snprintf(own_file, sizeof(own_file), "%s/socket", own);
	snprintf(other_file, sizeof(other_file), "%s/socket", other);
	close(open(own_file, O_CREAT | O_WRONLY, 0600));
	close(open(other_file, O_CREAT | O_WRONLY, 0600));
	victim = own_file;
	bystander = other_file;
	sandbox.paths[0] = own_file;
	o = in_child(&sandbox, SANDBOX_SUPERVISOR, 0, do_unlink_bystander);
	assert_string_equal(o.text, "errno EACCES\n");
	o = in_child(&sandbox, SANDBOX_SUPERVISOR, 0, do_unlink_victim);
	assert_int_equal(o.status, DEED_DONE);
	o = in_child(NULL, 0, 0, do_unlink_bystander);
	assert_int_equal(o.status, DEED_DONE);
	(void)rmdir(own);
	(void)rmdir(other);
}

/* --- privileges -------------------------------------------------------- */

static int status_fd;

/* Print our own /proc/self/status, which was opened before. */
static long do_tell(void)
{
	char text[4096];
	ssize_t got = read(status_fd, text, sizeof(text));

	return got < 0 ? -1 : write(STDERR_FILENO, text, (size_t)got);
}

/* /proc/self means whoever opens it. */
static long do_open_and_tell(void)
{
	status_fd = open("/proc/self/status", O_RDONLY);
	if (status_fd < 0 || sandbox_enter(&plain, SANDBOX_SUPERVISOR))
		return -1;
	return do_tell();
}

static long do_become_and_tell(void)
{
	const struct sandbox nobody = { .provider = "openssl",
					.user = "nobody" };

	status_fd = open("/proc/self/status", O_RDONLY);
	if (status_fd < 0 || sandbox_enter(&nobody, SANDBOX_SUPERVISOR))
		return -1;
	return do_tell();
}

static long do_only_tell(void)
{
	status_fd = open("/proc/self/status", O_RDONLY);
	return status_fd < 0 ? -1 : do_tell();
}

static void assert_line(const struct outcome *o, const char *line)
{
	if (!strstr(o->text, line))
		print_error("no line \"%s\" in:\n%s", line, o->text);
	assert_non_null(strstr(o->text, line));
}

static void assert_powerless(const struct outcome *o)
{
	assert_int_equal(o->status, DEED_DONE);
	assert_line(o, "CapInh:\t0000000000000000\n");
	assert_line(o, "CapPrm:\t0000000000000000\n");
	assert_line(o, "CapEff:\t0000000000000000\n");
	assert_line(o, "CapAmb:\t0000000000000000\n");
	assert_line(o, "NoNewPrivs:\t1\n");
	assert_line(o, "Seccomp:\t2\n");
}

static void test_no_capability_is_left(void **state)
{
	struct outcome o = in_child(NULL, 0, 0, do_only_tell);

	assert_line(&o, "NoNewPrivs:\t0\n");
	if (geteuid() == 0)
		assert_null(strstr(o.text, "CapEff:\t0000000000000000\n"));
	o = in_child(NULL, 0, 0, do_open_and_tell);
	assert_powerless(&o);
	if (geteuid() == 0)
		assert_line(&o, "CapBnd:\t0000000000000000\n");
	o = in_child(NULL, 0, NOBODY, do_open_and_tell);
	assert_powerless(&o);
}

/* And who is not root stays who it is. */
static void test_root_becomes_somebody_else(void **state)
{
	struct outcome o = in_child(NULL, 0, 0, do_become_and_tell);
	unsigned int uid = geteuid() == 0 ? NOBODY : geteuid();
	char line[64];

	assert_powerless(&o);
	snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u\n", uid, uid, uid,
		 uid);
	assert_line(&o, line);
	o = in_child(NULL, 0, NOBODY - 1, do_become_and_tell);
	assert_powerless(&o);
	if (geteuid() == 0) {
		assert_line(&o, "Uid:\t65533\t65533\t65533\t65533\n");
		assert_line(&o, "Groups:\t \n");
	}
}

/* For root alone: others do not look it up. */
static void test_an_unknown_user_is_an_error(void **state)
{
	const struct sandbox sandbox = { .provider = "openssl",
					 .user = "no-such-user" };
	struct outcome o = in_child(&sandbox, SANDBOX_SUPERVISOR, 0, do_uname);

	if (geteuid() == 0) {
		assert_int_equal(WEXITSTATUS(o.status), NOT_ENTERED);
		assert_non_null(strstr(o.text, "no user no-such-user"));
	}
	o = in_child(&sandbox, SANDBOX_SUPERVISOR, NOBODY, do_uname);
	assert_refused(&o, "supervisor", "uname");
}

/* --- the daemon -------------------------------------------------------- */

static unsigned int *left_to_break; /* shared with the worker */

static void break_out(unsigned int queue, enum journal_moment moment)
{
	if (moment == MOMENT_EXECUTED && queue == 1 && *left_to_break) {
		--*left_to_break;
		(void)do_uname();
	}
}

/* PINGs on two queues of a daemon, the first of which breaks out. No cmocka:
 * runs in a child, too. 0 or -1. */
static long try_daemon(bool has_sandbox)
{
	struct driver driver;
	enum vcd_status first, second;
	bool is_served;

	left_to_break = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (left_to_break == MAP_FAILED)
		return -1;
	*left_to_break = 3;
	driver_init(&driver);
	driver.options.has_sandbox = has_sandbox;
	driver.expects_deaths = has_sandbox;
	driver.at_moment = break_out;
	is_served = !driver_start(&driver) &&
		    !driver_connect(&driver, DRIVER_FEATURES) &&
		    !driver_hello(&driver);
	first = driver_simple(&driver, 1, VCD_OP_PING, 0, 0);
	second = driver_simple(&driver, 0, VCD_OP_PING, 0, 0);
	is_served = driver_stop(&driver) == 0 && is_served;
	munmap(left_to_break, 4096);
	return is_served && second == VCD_STATUS_OK &&
			       first == (has_sandbox ? VCD_STATUS_KILLS
						     : VCD_STATUS_OK)
		       ? 0
		       : -1;
}

static long do_device(void)
{
	return try_daemon(true);
}

/* The request in which a worker breaks out kills three workers; others are
 * served, and the log says why. */
static void test_a_worker_that_breaks_out_is_replaced(void **state)
{
	struct outcome o;

	assert_int_equal(try_daemon(false), 0);
	o = in_child(NULL, 0, 0, do_device);
	assert_int_equal(o.status, DEED_DONE);
	assert_non_null(strstr(o.text, "worker: the sandbox refused system "
				       "call 63 (uname)\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls_outside_the_list_end_the_process),
		cmocka_unit_test(test_the_list_holds_for_other_users),
		cmocka_unit_test(test_a_node_s_ioctls_are_those_of_cryptodev),
		cmocka_unit_test(test_landlock_leaves_the_node_only),
		cmocka_unit_test(test_the_supervisor_removes_its_socket_alone),
		cmocka_unit_test(test_no_capability_is_left),
		cmocka_unit_test(test_root_becomes_somebody_else),
		cmocka_unit_test(test_an_unknown_user_is_an_error),
		cmocka_unit_test(test_a_worker_that_breaks_out_is_replaced),
	};

	if (!sandbox_is_possible()) {
		puts("1..0 # SKIP no sandbox beside a sanitizer");
		return 0; /* meson reads the line */
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
