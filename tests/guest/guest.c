/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - what the tests in a guest share: claims, and ioctls in short */
#include "guest/guest.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

void guest_say(const char *file, int line, const char *what)
{
	printf("# %s:%d: not so: %s\n", file, line, what);
}

int guest_run(const struct claim *claims, size_t count)
{
	int status = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("1..%zu\n", count);
	for (size_t i = 0; i < count; i++) {
		bool holds = claims[i].holds();

		printf("%sok %zu - %s\n", holds ? "" : "not ", i + 1,
		       claims[i].name);
		status |= !holds;
	}
	return status;
}

int guest_open(void)
{
	const char *path = getenv("CRYPTODEV");
	int fd = open(path ? path : "/dev/cryptodev0", O_RDONLY); /* D2 */

	if (fd < 0) {
		perror("the node");
		exit(1);
	}
	return fd;
}

int guest_call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? errno : 0;
}

int guest_session(int fd, uint32_t cipher, uint32_t key_bytes, uint32_t mac,
		  uint32_t mac_key_bytes, uint32_t *ses)
{
	uint8_t key[64], mac_key[512];
	struct session_op op = { .cipher = cipher,
				 .keylen = key_bytes,
				 .key = key,
				 .mac = mac,
				 .mackeylen = mac_key_bytes,
				 .mackey = mac_key };
	int error;

	guest_fill(key, sizeof(key), 1);
	guest_fill(mac_key, sizeof(mac_key), 2);
	error = guest_call(fd, CIOCGSESSION, &op);
	*ses = op.ses;
	return error;
}

int guest_free(int fd, uint32_t ses)
{
	return guest_call(fd, CIOCFSESSION, &ses);
}

void guest_fill(void *to, size_t bytes, uint32_t seed)
{
	uint8_t *at = to;

	for (size_t i = 0; i < bytes; i++) {
		seed = seed * 1664525u + 1013904223u;
		at[i] = (uint8_t)(seed >> 24);
	}
}
