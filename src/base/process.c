/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what every program of ours does first */

#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

int process_init(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
		if (fd < 0)
			return -errno;
	} while (fd <= STDERR_FILENO);
	close(fd);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	return 0;
}

int process_hide(void)
{
	struct rlimit no_core = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	if (prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	return process_init();
}

int process_harden(void)
{
	struct rlimit locked;

	/* Whole-process locking is a bonus where nothing limits it: under a
	 * limit that the process fits in now, the 256 MiB of a passphrase
	 * would be refused later. */
	if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0 &&
	    locked.rlim_cur == RLIM_INFINITY)
		(void)mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
	return process_hide();
}
