/* SPDX-License-Identifier: Apache-2.0 */
/* raw.h - the ioctls as a test writes them; each returns 0 or the errno */
#ifndef PVX_TESTS_EMULATOR_RAW_H
#define PVX_TESTS_EMULATOR_RAW_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/cryptodev.h"

/* No page is ever mapped there. */
#define BAD_POINTER ((uint8_t *)8)

/* The key that most tests use: SP 800-38A's. */
#define KEY_128                                                             \
	((uint8_t[]){ 0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, \
		      0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c })

/* Whether the node is the emulator's; these tests also run on a device. */
static inline int raw_is_emulated(void)
{
	const char *preloaded = getenv("LD_PRELOAD");

	return preloaded && strstr(preloaded, "cryptodev_emulator");
}

static inline int raw(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? errno : 0;
}

static inline int raw_node_open(void)
{
	int fd = open("/dev/crypto", O_RDONLY | O_CLOEXEC); /* D2 */

	assert_true(fd >= 0);
	return fd;
}

static inline int raw_session(int fd, uint32_t cipher, void *key,
			      uint32_t key_bytes, uint32_t mac, void *mac_key,
			      uint32_t mac_key_bytes, uint32_t *ses)
{
	struct session_op op = { .cipher = cipher,
				 .mac = mac,
				 .keylen = key_bytes,
				 .key = key,
				 .mackeylen = mac_key_bytes,
				 .mackey = mac_key,
				 .ses = 0 };
	int error = raw(fd, CIOCGSESSION, &op);

	if (ses)
		*ses = op.ses;
	return error;
}

static inline uint32_t raw_cipher(int fd, uint32_t cipher)
{
	uint32_t ses;

	assert_int_equal(raw_session(fd, cipher, KEY_128, 16, 0, NULL, 0, &ses),
			 0);
	return ses;
}

static inline uint32_t raw_mac(int fd, uint32_t mac, const char *key)
{
	char copy[64];
	uint32_t ses;

	memcpy(copy, key, strlen(key) + 1);
	assert_int_equal(raw_session(fd, 0, NULL, 0, mac, copy,
				     (uint32_t)strlen(key), &ses),
			 0);
	return ses;
}

static inline int raw_free(int fd, uint32_t ses)
{
	return raw(fd, CIOCFSESSION, &ses);
}

static inline void assert_hex(const uint8_t *data, const char *hex)
{
	char text[2 * 128 + 1] = "";
	size_t bytes = strlen(hex) / 2;

	assert_true(bytes <= 128);
	for (size_t i = 0; i < bytes; i++) {
		text[2 * i] = "0123456789abcdef"[data[i] >> 4];
		text[2 * i + 1] = "0123456789abcdef"[data[i] & 15];
	}
	assert_string_equal(text, hex);
}

static inline void from_hex(uint8_t *data, const char *hex)
{
	for (size_t i = 0; hex[2 * i]; i++) {
		char pair[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

		data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

#endif
