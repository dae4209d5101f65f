/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.c - the system calls that the device makes */
#include "device/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "sandbox/syscalls.h"

#define S    SANDBOX_SUPERVISOR
#define W    SANDBOX_WORKER
#define BOTH (S | W)

#define NAMESPACES                                                   \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

/*
 * The list. A worker lives in its supervisor's filter and its own, so what it
 * does before it enters must be in the supervisor's rows too. A row's variant
 * is the provider.
 */
static const struct sandbox_call calls[] = {
/* clang-format off */
#define ALL CALL_ALL_BITS
	/* waiting and being woken */
	CALL(epoll_wait, BOTH, "loop.c: a turn; queue.c: until a kick"),
	CALL(epoll_pwait, BOTH, "the same, as other libcs call it"),
	CALL(epoll_ctl, BOTH, "loop.c: watches; queue.c: the kick"),
	CALL(epoll_create1, S, "queue.c: for each queue"),
	CALL(ppoll, BOTH, "queue.c: sleep for a time"),
	CALL(poll, BOTH, "channel.c: the rest of a message"),
	CALL(futex, BOTH, "pthread: locks, thread ends"),
	CALL(restart_syscall, BOTH, "the kernel: a wait that was stopped"),
	CALL(clock_gettime, BOTH, "where the vDSO has no clock"),
	CALL(clock_nanosleep, BOTH, "throttle, pauses"),
	CALL(sched_yield, BOTH, "polling threads give way"),
	/* descriptors that are open */
	CALL(read, BOTH, "event.c: kicks; signalfd"),
	CALL(write, BOTH, "event.c: calls; log.c"),
	CALL(recvfrom, BOTH, "event.c: kicks of UML are sockets"),
	CALL(sendto, S, "event.c: calls of UML; link.c"),
	/* To whoever it is connected with: the manager and the journal have
	 * sockets too. */
	CALL_IF(sendto, W, 4, UINT64_MAX, 0, "the same"),
	CALL(recvmsg, BOTH, "channel.c, link.c: messages"),
	/* A worker that was taken over shall not give its state away. */
	CALL(sendmsg, S, "channel.c, link.c: messages with descriptors"),
	CALL(close, BOTH, "descriptors that were replaced"),
	CALL(fcntl, S, "event.c: O_NONBLOCK; state.c: its lock"),
	/* Not F_SETOWN, which sends signals to others. */
	CALL_IF(fcntl, W, 1, ALL, F_ADD_SEALS, "memory.c: seals"),
	CALL(fstat, BOTH, "event.c: what it is; memory.c: its size"),
	CALL_IF(newfstatat, BOTH, 3, AT_EMPTY_PATH, AT_EMPTY_PATH,
		"fstat(3) of glibc"),
	CALL(getsockopt, S, "listen.c: what --fd is; SO_PEERCRED"),
	CALL(accept4, S, "listen.c, stats: connections"),
	CALL(accept, S, "the same"),
	CALL_IF(setsockopt, S, 1, ALL, SOL_SOCKET,
		"stats: small buffers; channel.c: where to peek"),
	CALL(splice, S, "answer.c: from the pipe to the socket"),
	CALL(shutdown, S, "supervisor.c: the end of a connection"),
	CALL(unlink, S, "listen.c: its sockets, at its end"),
	CALL(eventfd2, BOTH, "queue.c: the stop of a thread"),
	CALL_IF(socket, S, 0, ALL, AF_UNIX, "notify.c: the manager"),
	CALL(memfd_create, S, "inflight.c: the front end asks for it"),
	CALL(ftruncate, S, "inflight.c: its size"),
	CALL_IF(fallocate, S, 1, ALL,
		FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		"state.c: what a worker left where nothing is"),
	/* memory */
	CALL_IF(mmap, BOTH, 2, PROT_EXEC, 0, "memory.c; malloc; stacks"),
	CALL_IF(mprotect, BOTH, 2, PROT_EXEC, 0, "malloc, stacks' guards"),
	CALL(fstatfs, BOTH, "memory.c: the size of huge pages"),
	CALL(munmap, BOTH, "memory.c: guest memory that goes; malloc"),
	CALL(mremap, BOTH, "realloc(3)"),
	CALL(brk, BOTH, "malloc(3)"),
	CALL(madvise, BOTH, "secret.c, memory.c: not in core files"),
	CALL(mlock, BOTH, "secret.c: keys stay in memory"),
	CALL(mlock2, BOTH, "state.c: the record's keys too"),
	CALL(munlock, BOTH, "secret.c"),
	CALL(getrandom, BOTH, "generations; malloc(3)"),
	/* threads and their end */
	CALL_IF(clone, BOTH, 0, CLONE_THREAD, CLONE_THREAD,
		"queue.c: a thread for each queue"),
	CALL_FAILS(clone3, BOTH, ENOSYS, "glibc then calls clone"),
	CALL(set_robust_list, BOTH, "pthread_create(3)"),
	CALL(rseq, BOTH, "pthread_create(3)"),
	CALL(exit, BOTH, "the end of a thread"),
	CALL(exit_group, BOTH, "the end of a process"),
	CALL(rt_sigaction, BOTH, "fault.c: SIGBUS; what dies of SIGSYS"),
	CALL(rt_sigprocmask, BOTH, "pthread, raise(3)"),
	CALL(rt_sigreturn, BOTH, "fault.c: after the page was patched"),
	CALL(sigaltstack, BOTH, "pthread"),
	CALL(getpid, BOTH, "raise(3)"),
	CALL(gettid, BOTH, "raise(3)"),
	CALL(tgkill, S, "raise(3), abort(3)"),
	CALL_ON_SELF(tgkill, W, 0, "the same"),
	/* a worker's birth and death */
	CALL_IF(clone, S, 0, CLONE_THREAD | CLONE_VM | NAMESPACES | 0xff, SIGCHLD,
		"crew.c: fork a worker"),
	CALL(wait4, S, "crew.c: collect it"),
	CALL(waitid, S, "the same"),
	CALL(kill, S, "crew.c: end it"),
	CALL(socketpair, S, "crew.c: its link"),
	CALL(dup2, S, "worker.c: the link's place"),
	CALL(close_range, S, "worker.c: nothing else is kept"),
	CALL(getppid, S, "worker.c: whether the supervisor lives"),
	CALL_IF(prctl, S, 0, ALL, PR_SET_PDEATHSIG, "worker.c: die with it"),
	CALL_IF(prctl, S, 0, ALL, PR_SET_NO_NEW_PRIVS, "a worker enters"),
	CALL(landlock_create_ruleset, S, "a worker enters"),
	CALL(landlock_restrict_self, S, "a worker enters"),
	CALL(seccomp, S, "a worker enters"),
	/* providers */
	CALL_OF("cryptodev", openat, S, "its node, which Landlock leaves"),
	{ SCMP_SYS(ioctl), BOTH, "CIOC*", "cryptodev", true, 0,
	  { 1, SCMP_CMP_MASKED_EQ, 0xff00, 'c' << 8 } },
	{ SCMP_SYS(socket), BOTH, "sessions", "afalg", true, 0,
	  { 0, SCMP_CMP_EQ, AF_ALG } },
	CALL_OF("afalg", sendmsg, W, "operations"),
	CALL_OF("afalg", bind, BOTH, "the algorithm"),
	CALL_OF("afalg", setsockopt, BOTH, "the key"),
	CALL_OF("afalg", accept4, BOTH, "a session; copies of hashes"),
	CALL_OF("afalg", accept, BOTH, "the same"),
	/* clang-format on */
};

int syscalls_restrict(enum sandbox_process process, const char *provider)
{
	const struct sandbox_filter filter = {
		.calls = calls,
		.count = ARRAY_SIZE(calls),
		.process = process,
		.variant = provider,
		.name = process == SANDBOX_WORKER
				? "vhost-user-cryptodev: error: worker"
				: "vhost-user-cryptodev: error: supervisor",
	};

	return sandbox_restrict_syscalls(&filter);
}
