/* SPDX-License-Identifier: Apache-2.0 */
/* stand.h - a device with a file and sessions on it, for cmocka tests */
#ifndef PVX_TESTS_STAND_H
#define PVX_TESTS_STAND_H

#include "device/driver.h"

/* The device of the test program; each test begins with a HELLO and a file. */
extern struct driver stand;
extern uint32_t stand_file;

/* What a group's set-up calls, its tests' set-up, and its end. */
int stand_open(void);
int stand_begin(void **state);
int stand_close(void **state);

/* All cmocka: a transport that fails fails the test. */

/* Send what was built; the answer's bytes go to `data`, cut to `room`. */
enum vcd_status stand_send(unsigned int queue, struct driver_request *r,
			   void *data, size_t room);

/* Sessions with the keys 0, 1, 2, ...; `key_bytes` 0: no cipher's key. */
uint32_t stand_session(unsigned int queue, uint32_t cipher, uint32_t key_bytes,
		       uint32_t mac, uint32_t mac_key_bytes);

/* CRYPT of `bytes` bytes; the answer behind its head goes to `out`, which has
 * room for all of it. */
enum vcd_status stand_crypt(unsigned int queue, uint32_t session,
			    const struct driver_crypt *op, void *out);
enum vcd_status stand_auth(unsigned int queue, uint32_t session,
			   const struct driver_auth *op, void *out);

/* On queue 0: a session of AES-128-CBC, and a CRYPT that is correct for it. */
uint32_t stand_cbc_session(void);
struct driver_crypt stand_cbc(const void *src, uint32_t bytes);

/* On queue 0: hash `text`; a digest of 32 bytes is asked for unless `digest` is
 * NULL. */
enum vcd_status stand_update(uint32_t session, const char *text, uint16_t flags,
			     void *digest);

/* The device still works. */
void stand_works(void);

#endif
