/* SPDX-License-Identifier: Apache-2.0 */
/* deeds.c - what processes in a sandbox try, in its tests */
#include "lib/deeds.h"

#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static char page[8192] __attribute__((aligned(4096)));

static long do_execve(void)
{
	char name[] = "true";
	char *const argv[] = { name, NULL };

	return execve("/bin/true", argv, NULL);
}

static long do_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
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

static long do_dumpable(void)
{
	return prctl(PR_SET_DUMPABLE, 1);
}

const struct deed deeds[DEEDS] = {
	{ "execve", do_execve },  { "socket", do_inet },
	{ "ptrace", do_ptrace },  { "mprotect", do_exec_memory },
	{ "mmap", do_map_exec },  { "unshare", do_unshare },
	{ "prctl", do_dumpable },
};

long deed_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child;
}

long deed_kill(void)
{
	return kill(getpid(), 0);
}

_Bool deeds_has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}
