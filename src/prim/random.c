/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - random bytes of the kernel */

#include "prim/random.h"
#include "base/secret.h"

#include <errno.h>
#include <stdint.h>
#include <sys/random.h>

int random_bytes(void *out, size_t bytes)
{
	uint8_t *at = out;
	size_t left = bytes;

	while (left) {
		ssize_t got = getrandom(at, left, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			int error = got < 0 ? errno : EIO;

			secret_wipe(out, bytes);
			return -error;
		}
		at += got;
		left -= (size_t)got;
	}
	return 0;
}
