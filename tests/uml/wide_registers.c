/* SPDX-License-Identifier: Apache-2.0 */
/* wide_registers.c - let User-Mode Linux 6.1 run on processors with AMX
 *
 * UML keeps 2696 bytes of floating-point registers for each of its processes.
 * A host with AMX has 11008, and its kernel refuses to set only a part
 * (PTRACE_SETREGSET: EFAULT); UML then kills its init. Preloaded into UML, this
 * reads the whole set first, lays the part over it and sets all of it.
 */

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define WHOLE_MAX 16384

typedef long ptrace_call(enum __ptrace_request request, ...);

static long set_part(ptrace_call *real, pid_t pid, void *set,
		     const struct iovec *part)
{
	/* UML's kernel stacks are small, and it has one thread that traces. */
	static char whole[WHOLE_MAX] __attribute__((aligned(64)));
	struct iovec all = { whole, sizeof(whole) };

	if (real(PTRACE_GETREGSET, pid, set, &all) < 0)
		return -1;
	if (part->iov_len > all.iov_len) {
		errno = EFAULT;
		return -1;
	}
	memcpy(whole, part->iov_base, part->iov_len);
	return real(PTRACE_SETREGSET, pid, set, &all);
}

__attribute__((visibility("default"))) long
ptrace(enum __ptrace_request request, ...)
{
	static ptrace_call *real;
	void *address, *data;
	va_list args;
	pid_t pid;

	if (!real)
		real = (ptrace_call *)dlsym(RTLD_NEXT, "ptrace");
	if (!real)
		abort();
	va_start(args, request);
	pid = va_arg(args, pid_t);
	address = va_arg(args, void *);
	data = va_arg(args, void *);
	va_end(args);
	if (request == PTRACE_SETREGSET &&
	    (unsigned long)address == NT_X86_XSTATE)
		return set_part(real, pid, address, data);
	return real(request, pid, address, data);
}
