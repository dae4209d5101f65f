/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.c - refuse all system calls but those of a list */
#include "sandbox/syscalls.h"

#include "base/mutant.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names by number, for a signal handler. */
enum {
	NUMBERS = 512,
	NAME_ROOM = 32
};
static char names[NUMBERS][NAME_ROOM];
static const char *filtered_name;

static void names_init(const char *name)
{
	filtered_name = name;
	if (names[0][0])
		return;
	for (int i = 0; i < NUMBERS; i++) {
		char *found =
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		snprintf(names[i], NAME_ROOM, "%s", found ? found : "unknown");
		free(found);
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
	char line[192], *at = line;

	at = put_text(at, filtered_name);
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

static bool is_needed(const struct sandbox_filter *filter,
		      const struct sandbox_call *call)
{
	return CHECK(sandbox_process,
		     (call->processes & filter->process) != 0) &&
	       CHECK(sandbox_variant,
		     !call->variant ||
			     strcmp(call->variant, filter->variant) == 0);
}

static int call_add(scmp_filter_ctx context, const struct sandbox_call *call)
{
	uint32_t action = call->answer_errno
				  ? SCMP_ACT_ERRNO(call->answer_errno)
				  : SCMP_ACT_ALLOW;

	struct scmp_arg_cmp argument = call->argument;

	if (call->is_own_pid)
		argument.datum_a = (scmp_datum_t)getpid();
	return seccomp_rule_add_array(context, action, call->number,
				      call->is_compared, &argument);
}

int sandbox_restrict_syscalls(const struct sandbox_filter *filter)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_TRAP);
	int error = context ? handler_init() : -ENOMEM;

	names_init(filter->name);
	/* The kernel logs refusals too, where its audit is on. */
	if (!error)
		error = seccomp_attr_set(context, SCMP_FLTATR_CTL_LOG, 1);
	/* A search tree: some of these are made a million times a second. */
	if (!error)
		error = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (!error)
		error = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
	if (!error)
		error = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH,
					 SCMP_ACT_KILL_PROCESS);
	for (size_t i = 0; !error && i < filter->count; i++)
		if (is_needed(filter, &filter->calls[i]))
			error = call_add(context, &filter->calls[i]);
	if (!error)
		error = seccomp_load(context);
	if (context)
		seccomp_release(context);
	return error;
}
