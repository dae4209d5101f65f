/* SPDX-License-Identifier: Apache-2.0 */
/* guest.h - what the tests in a guest share: claims, and ioctls in short
 *
 * Needs libc alone, so that the programs can be static.
 */
#ifndef PVX_TESTS_GUEST_H
#define PVX_TESTS_GUEST_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/cryptodev.h"

struct claim {
	const char *name;
	bool (*holds)(void);
};

/* Run each, and print TAP. The program's exit status. */
int guest_run(const struct claim *claims, size_t count);

/* In a claim: when `condition` is false, say where and return false. */
#define EXPECT(condition)                                          \
	do {                                                       \
		if (!(condition)) {                                \
			guest_say(__FILE__, __LINE__, #condition); \
			return false;                              \
		}                                                  \
	} while (0)
void guest_say(const char *file, int line, const char *what);

/* The node under test: $CRYPTODEV or /dev/cryptodev0. Ends the program when
 * it can't be opened. */
int guest_open(void);

/* Each returns 0 or the errno. */
int guest_call(int fd, unsigned long request, void *argument);
int guest_session(int fd, uint32_t cipher, uint32_t key_bytes, uint32_t mac,
		  uint32_t mac_key_bytes, uint32_t *ses);
int guest_free(int fd, uint32_t ses);

/* One block with a session of AES-CBC or AES-CTR: 0 or the errno. */
int guest_encrypt_block(int fd, uint32_t ses);

/* Bytes that look random and are the same in every run. */
void guest_fill(void *to, size_t bytes, uint32_t seed);
/* Whether each of them is `value`. */
bool guest_are(const uint8_t *at, size_t bytes, uint8_t value);

/* The folder of the driver, and the name there of a device that it has; false:
 * it has none. */
#define GUEST_DRIVER "/sys/bus/virtio/drivers/virtio_cryptodev/"
bool guest_device(char *name, size_t room);

/* Write `text`, in one piece, to a file that is there: 0 or the errno. */
int guest_write(const char *path, const char *text);

#define BAD_POINTER ((uint8_t *)8)

#endif
