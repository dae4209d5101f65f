/* SPDX-License-Identifier: Apache-2.0 */
/* victim.h - a program that has work done by a device that lies, and looks at
 * every byte around it */
#ifndef PVX_TESTS_GUEST_VICTIM_H
#define PVX_TESTS_GUEST_VICTIM_H

#include "guest/guest.h"
#include "hostile/lies.h"

#define VICTIM_GUARD  0xa5  /* in what is not to be touched */
#define VICTIM_LARGE  65536 /* pages of the program are used, not copied */
#define VICTIM_SMALL  64
#define VICTIM_DIGEST 20

/* The operation. */
struct victim {
	uint32_t bytes;
	uint8_t src[VICTIM_LARGE], dst[VICTIM_LARGE + VICTIM_SMALL];
	uint8_t mac[64], iv[32];
};
extern struct victim victim;

/* A lie, and the errno that it ends in. */
struct victim_row {
	enum lie lie;
	const char *name;
	int error;
};

/* Find the device; false: there is none. Then claims, as TAP; and the program's
 * exit status. */
bool victim_begin(void);
void victim_tell(bool holds, const char *what, uint32_t bytes);
int victim_end(void);

/* Claim run(row, bytes) of each row. */
#define VICTIM_ROWS(rows, run, bytes)                                 \
	for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) \
	victim_tell(run(&(rows)[i], bytes), (rows)[i].name, bytes)

/* Take the driver from the device, and give it back: 0 or the errno. */
int victim_unbind(void);
int victim_bind(void);
/* Both, and then the device is as good as new, and honest. */
bool victim_rebind(void);

/* A session that is lied to, of AES-CBC with a hash or of another cipher. 0 or
 * the errno. */
int victim_session(int fd, enum lie lie, uint32_t cipher, uint32_t *ses);

/* CIOCCRYPT, or CIOCAUTHCRYPT of GCM. 0 or the errno. */
int victim_crypt(int fd, uint32_t ses, uint32_t bytes);
int victim_auth(int fd, uint32_t ses, uint32_t bytes);

/* Whether nothing was written around its results; whether these are what the
 * device makes when it does not lie. */
bool victim_is_whole(void);
bool victim_is_right(void);

#endif
