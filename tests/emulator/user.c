/* SPDX-License-Identifier: Apache-2.0 */
/* user.c - the caller's memory, touched as a kernel would */

#include "emulator.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <openssl/crypto.h>

/* The system call on our own process: it looks at the page tables, as
 * copy_from_user() does, and not at what a sanitizer thinks of the bytes. */
static int copy(long call, const void *ours, const void *user, size_t bytes)
{
	struct iovec local = { (void *)(uintptr_t)ours, bytes };
	struct iovec remote = { (void *)(uintptr_t)user, bytes };

	if (bytes == 0)
		return 0;
	if (!user)
		return -EFAULT;
	if (syscall(call, getpid(), &local, 1UL, &remote, 1UL, 0UL) !=
	    (long)bytes)
		return -EFAULT;
	return 0;
}

int user_read(void *to, const void *user, size_t bytes)
{
	return copy(SYS_process_vm_readv, to, user, bytes);
}

int user_write(void *user, const void *from, size_t bytes)
{
	return copy(SYS_process_vm_writev, from, user, bytes);
}

int user_probe(void *user, size_t bytes)
{
	void *seen = scratch_alloc(bytes);
	int ret;

	if (!seen)
		return -ENOMEM;
	ret = user_read(seen, user, bytes);
	if (!ret)
		ret = user_write(user, seen, bytes);
	scratch_free(seen, bytes);
	return ret;
}

void *scratch_alloc(size_t bytes)
{
	return calloc(1, bytes ? bytes : 1);
}

void scratch_free(void *memory, size_t bytes)
{
	if (memory)
		OPENSSL_cleanse(memory, bytes);
	free(memory);
}
