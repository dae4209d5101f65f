/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - what the tests in a guest share: claims, and ioctls in short */
#include "guest/guest.h"

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

int guest_encrypt_block(int fd, uint32_t ses)
{
	uint8_t data[16] = { 0 };
	struct crypt_op op = {
		.ses = ses, .len = 16, .src = data, .dst = data
	};

	return guest_call(fd, CIOCCRYPT, &op);
}

void guest_fill(void *to, size_t bytes, uint32_t seed)
{
	uint8_t *at = to;

	for (size_t i = 0; i < bytes; i++) {
		seed = seed * 1664525u + 1013904223u;
		at[i] = (uint8_t)(seed >> 24);
	}
}

bool guest_are(const uint8_t *at, size_t bytes, uint8_t value)
{
	for (size_t i = 0; i < bytes; i++)
		if (at[i] != value)
			return false;
	return true;
}

bool guest_device(char *name, size_t room)
{
	bool is_found;
	glob_t found;

	is_found = glob(GUEST_DRIVER "virtio*", 0, NULL, &found) == 0;
	if (is_found)
		snprintf(name, room, "%s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return is_found;
}

int guest_write(const char *path, const char *text)
{
	ssize_t bytes = (ssize_t)strlen(text), written;
	int fd = open(path, O_WRONLY), error = 0;

	if (fd < 0)
		return errno;
	written = write(fd, text, (size_t)bytes);
	if (written != bytes)
		error = written < 0 ? errno : EIO;
	close(fd);
	return error;
}
