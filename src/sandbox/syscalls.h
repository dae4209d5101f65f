/* SPDX-License-Identifier: Apache-2.0 */
/* syscalls.h - refuse all system calls but those of a list */
#ifndef PVX_SANDBOX_SYSCALLS_H
#define PVX_SANDBOX_SYSCALLS_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A row of a program's list. An argument, when named, must satisfy the
 * comparison; two rows of one call are alternatives. */
struct sandbox_call {
	int number;
	unsigned int processes; /* bits: which of the program's it is for */
	const char *why;
	const char *variant;   /* it holds for that one alone; NULL: any */
	bool is_compared;      /* with `argument` */
	uint32_t answer_errno; /* not 0: is refused with that, quietly */
	struct scmp_arg_cmp argument;
	bool is_own_pid; /* `argument` is compared with it instead */
};

#define CALL(name, who, why)             \
	{                                \
		SCMP_SYS(name), who, why \
	}
#define CALL_OF(variant, name, who, why)          \
	{                                         \
		SCMP_SYS(name), who, why, variant \
	}
#define CALL_IF(name, who, n, mask, value, why)            \
	{                                                  \
		SCMP_SYS(name), who, why, NULL, true, 0,   \
		{                                          \
			n, SCMP_CMP_MASKED_EQ, mask, value \
		}                                          \
	}
#define CALL_ON_SELF(name, who, n, why)                                      \
	{                                                                    \
		SCMP_SYS(name), who, why, NULL, true, 0, { n, SCMP_CMP_EQ }, \
			true                                                 \
	}
#define CALL_FAILS(name, who, error, why)                    \
	{                                                    \
		SCMP_SYS(name), who, why, NULL, false, error \
	}
#define CALL_ALL_BITS UINT32_MAX

/* A list, and who is to be held to it. */
struct sandbox_filter {
	const struct sandbox_call *calls;
	size_t count;
	unsigned int process; /* one bit */
	const char *variant;
	const char *name; /* begins the line of a refusal; not copied */
};

/*
 * For good, in this process: a call outside the list is not executed; its name
 * is written to standard error behind "NAME: the sandbox refused system call",
 * and the process dies of SIGSYS. 0 or -errno. Needs PR_SET_NO_NEW_PRIVS. A
 * second filter narrows the first.
 */
int sandbox_restrict_syscalls(const struct sandbox_filter *filter);

#endif
