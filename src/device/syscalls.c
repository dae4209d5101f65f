/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.c - the system calls that the device makes */
#include "device/syscalls.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

#define S    SANDBOX_SUPERVISOR
#define W    SANDBOX_WORKER
#define BOTH (S | W)

#define NAMESPACES                                                   \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

/*
 * The list. A worker lives in its supervisor's filter and its own, so what it
 * does before it enters must be in the supervisor's rows too. With a provider's
 * name a row holds for that provider alone. An argument, when named, must
 * satisfy the comparison; two rows of one call are alternatives.
 */
static const struct call {
	int number;
	unsigned int processes;
	const char *why;
	const char *provider;  /* NULL: any */
	bool is_compared;      /* with `argument` */
	uint32_t answer_errno; /* not 0: is refused with that, quietly */
	struct scmp_arg_cmp argument;
} calls[] = {
/* clang-format off */
#define CALL(name, who, why) { SCMP_SYS(name), who, why }
#define CALL_OF(provider, name, who, why) \
	{ SCMP_SYS(name), who, why, provider }
#define CALL_IF(name, who, n, mask, value, why)     \
	{ SCMP_SYS(name), who, why, NULL, true, 0,  \
	  { n, SCMP_CMP_MASKED_EQ, mask, value } }
#define CALL_FAILS(name, who, error, why) \
	{ SCMP_SYS(name), who, why, NULL, false, error }
#define ALL UINT32_MAX
	/* waiting and being woken */
	CALL(epoll_wait, S, "loop.c: the supervisor's turn"),
	CALL(epoll_pwait, S, "the same, as other libcs call it"),
	CALL(epoll_ctl, S, "loop.c: watches of connections and links"),
	CALL(ppoll, BOTH, "queue.c: sleep until a kick"),
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
	CALL(sendto, BOTH, "event.c: calls of UML; notify.c"),
	CALL(recvmsg, BOTH, "channel.c, link.c: messages"),
	CALL(sendmsg, BOTH, "channel.c, link.c: messages"),
	CALL(close, BOTH, "descriptors that were replaced"),
	CALL(fcntl, BOTH, "event.c: O_NONBLOCK; memory.c: seals"),
	CALL(fstat, BOTH, "event.c: what it is; memory.c: its size"),
	CALL_IF(newfstatat, BOTH, 3, AT_EMPTY_PATH, AT_EMPTY_PATH,
		"fstat(3) of glibc"),
	CALL(getsockopt, S, "listen.c: what --fd is; SO_PEERCRED"),
	CALL(accept4, S, "listen.c, stats: connections"),
	CALL(accept, S, "the same"),
	CALL_IF(setsockopt, S, 1, ALL, SOL_SOCKET, "stats: small buffers"),
	CALL(unlink, S, "listen.c: its sockets, at its end"),
	CALL(eventfd2, BOTH, "queue.c: the stop of a thread"),
	CALL_IF(socket, S, 0, ALL, AF_UNIX, "notify.c: the manager"),
	CALL(memfd_create, S, "inflight.c: the front end asks for it"),
	CALL(ftruncate, S, "inflight.c: its size"),
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
	CALL(tgkill, BOTH, "raise(3), abort(3)"),
	CALL(sched_getaffinity, BOTH, "malloc(3): how many arenas"),
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
	CALL_OF("cryptodev", ioctl, BOTH, "CIOC*"),
	{ SCMP_SYS(socket), BOTH, "sessions", "afalg", true, 0,
	  { 0, SCMP_CMP_EQ, AF_ALG } },
	CALL_OF("afalg", bind, BOTH, "the algorithm"),
	CALL_OF("afalg", setsockopt, BOTH, "the key"),
	CALL_OF("afalg", accept4, BOTH, "a session; copies of hashes"),
	CALL_OF("afalg", accept, BOTH, "the same"),
	/* clang-format on */
};

/* Names by number, for a signal handler. */
enum {
	NUMBERS = 512,
	NAME_ROOM = 32
};
static char names[NUMBERS][NAME_ROOM];
static const char *process_name;

static void names_init(enum sandbox_process process)
{
	process_name = process == SANDBOX_WORKER ? "worker" : "supervisor";
	if (names[0][0])
		return;
	for (int i = 0; i < NUMBERS; i++) {
		char *name =
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		snprintf(names[i], NAME_ROOM, "%s", name ? name : "unknown");
		free(name);
	}
}

static char *put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

static char *put_number(char *at, unsigned int number)
{
	char digits[12];
	int count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	while (count)
		*at++ = digits[--count];
	return at;
}

/* Only what is safe in a handler, and only calls of the list. */
static void on_refused(int signal_number, siginfo_t *info, void *context)
{
	unsigned int number = (unsigned int)info->si_syscall;
	char line[128], *at = line;

	at = put_text(at, "vhost-user-cryptodev: error: ");
	at = put_text(at, process_name);
	at = put_text(at, ": the sandbox refused system call ");
	at = put_number(at, number);
	at = put_text(at, " (");
	at = put_text(at, number < NUMBERS ? names[number] : "unknown");
	at = put_text(at, ")\n");
	if (write(STDERR_FILENO, line, (size_t)(at - line)) < 0)
		line[0] = '\0'; /* nobody listens: die all the same */
	(void)signal(SIGSYS, SIG_DFL);
	(void)raise(SIGSYS); /* is blocked until we return */
}

static int handler_init(void)
{
	struct sigaction action = { .sa_sigaction = on_refused,
				    .sa_flags = SA_SIGINFO };

	sigfillset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) ? -errno : 0;
}

static bool is_needed(const struct call *call, enum sandbox_process process,
		      const char *provider)
{
	return (call->processes & process) != 0 &&
	       (!call->provider || strcmp(call->provider, provider) == 0);
}

static int call_add(scmp_filter_ctx filter, const struct call *call)
{
	uint32_t action = call->answer_errno
				  ? SCMP_ACT_ERRNO(call->answer_errno)
				  : SCMP_ACT_ALLOW;

	return seccomp_rule_add_array(filter, action, call->number,
				      call->is_compared, &call->argument);
}

int syscalls_restrict(enum sandbox_process process, const char *provider)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int error = filter ? handler_init() : -ENOMEM;

	names_init(process);
	/* The kernel logs refusals too, where its audit is on. */
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	/* A search tree: some of these are made a million times a second. */
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0);
	if (!error)
		error = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
					 SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; !error && i < ARRAY_SIZE(calls); i++)
		if (is_needed(&calls[i], process, provider))
			error = call_add(filter, &calls[i]);
	if (!error)
		error = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return error;
}
