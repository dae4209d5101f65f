/* SPDX-License-Identifier: Apache-2.0 */
/* deeds.c - what processes in a sandbox try, in its tests */
#include "lib/deeds.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define NODE_ASK _IOWR('c', 101, uint32_t) /* CRIOGET */

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

/* --- what would reach another process ---------------------------------- */

static int pair[2];     /* of sockets */
static pid_t other_one; /* our parent */

int deeds_prepare(void)
{
	other_one = getppid();
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
}

long deed_pass(void)
{
	char byte = 0;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };

	return sendmsg(pair[0], &message, 0);
}

long deed_send_connected(void)
{
	return send(pair[0], "x", 1, 0);
}

/* Any datagram socket reaches whoever has a name. */
long deed_send_elsewhere(void)
{
	const struct sockaddr_un nobody = { .sun_family = AF_UNIX,
					    .sun_path = "/nowhere" };
	long sent = sendto(pair[0], "x", 1, 0, (const void *)&nobody,
			   sizeof(nobody));

	return sent < 0 && errno == ENOENT ? 0 : sent;
}

long deed_own(void)
{
	return fcntl(pair[0], F_SETOWN, other_one);
}

long deed_signal_another(void)
{
	long done = syscall(SYS_tgkill, other_one, other_one, 0);

	/* Who gave its user up may ask, too. */
	return done < 0 && errno == EPERM ? 0 : done;
}

long deed_signal_itself(void)
{
	return raise(0);
}

/* What a terminal would do as if it had been typed. */
long deed_type(void)
{
	int bytes;

	return ioctl(pair[0], FIONREAD, &bytes);
}

long deed_ask_node(void)
{
	uint32_t fd;

	return ioctl(pair[0], NODE_ASK, &fd);
}

_Bool deeds_has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}
