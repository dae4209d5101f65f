/* SPDX-License-Identifier: Apache-2.0 */
/* hangup.c - wait in poll(2) until the device goes
 *
 * hangup READY: makes the file READY, then sleeps with no job under way.
 * Exit status 0: poll said POLLERR and POLLHUP, and so does another.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "guest/guest.h"

int main(int argc, char **argv)
{
	struct pollfd p = { .fd = guest_open() };
	short gone = POLLERR | POLLHUP;

	if (argc < 2 || poll(&p, 1, 0) != 0) {
		puts("# gone before it began");
		return 1;
	}
	close(open(argv[1], O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	/* For ever: at a time limit poll looks once more by itself. */
	if (poll(&p, 1, -1) != 1 || (p.revents & gone) != gone) {
		printf("# poll said %#x\n", (unsigned int)p.revents);
		return 1;
	}
	p.events = POLLIN;
	return poll(&p, 1, 0) == 1 && (p.revents & gone) == gone ? 0 : 1;
}
