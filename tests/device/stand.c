/* SPDX-License-Identifier: Apache-2.0 */
/* stand.c - a device with a file and sessions on it, for cmocka tests */
#include "device/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "cryptsess.h"

struct driver stand;
uint32_t stand_file;

int stand_open(void)
{
	return driver_start(&stand) || driver_connect(&stand, DRIVER_FEATURES);
}

int stand_begin(void **state)
{
	enum vcd_status status;

	stand.manner = LAYOUT_RANDOM;
	stand.is_indirect = false;
	stand.is_in_place = false;
	if (driver_hello(&stand))
		return -1;
	stand_file = driver_open(&stand, 0, &status);
	return status == VCD_STATUS_OK ? 0 : -1;
}

int stand_close(void **state)
{
	return driver_stop(&stand);
}

enum vcd_status stand_send(unsigned int queue, struct driver_request *r,
			   void *data, size_t room)
{
	struct driver_answer answer;
	enum vcd_status status;

	assert_int_equal(driver_send(&stand, queue, r, &answer), 0);
	status = answer.status;
	if (data)
		memcpy(data, answer.data,
		       answer.bytes < room ? answer.bytes : room);
	driver_answer_free(&answer);
	return status;
}

uint32_t stand_session(unsigned int queue, uint32_t cipher, uint32_t key_bytes,
		       uint32_t mac, uint32_t mac_key_bytes)
{
	struct driver_key key = { .cipher = cipher,
				  .mac = mac,
				  .key_bytes = key_bytes,
				  .mac_key_bytes = mac_key_bytes };
	struct vcd_session_reply reply;
	uint8_t bytes[VCD_MAX_MAC_KEY_BYTES];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	key.key = bytes;
	key.mac_key = bytes;
	assert_int_equal(
		driver_session_open(&stand, queue, stand_file, &key, &reply),
		VCD_STATUS_OK);
	return reply.session_id;
}

/* The status; what came with it goes to `out`, unless that is NULL. */
static enum vcd_status answer_take(struct driver_answer *answer, void *out)
{
	enum vcd_status status = answer->status;

	if (out)
		memcpy(out, answer->data + sizeof(struct vcd_reply),
		       answer->bytes - sizeof(struct vcd_reply));
	driver_answer_free(answer);
	return status;
}

enum vcd_status stand_crypt(unsigned int queue, uint32_t session,
			    const struct driver_crypt *op, void *out)
{
	struct driver_answer answer;

	assert_int_equal(
		driver_crypt(&stand, queue, stand_file, session, op, &answer),
		0);
	return answer_take(&answer, out);
}

enum vcd_status stand_auth(unsigned int queue, uint32_t session,
			   const struct driver_auth *op, void *out)
{
	struct driver_answer answer;

	assert_int_equal(
		driver_auth(&stand, queue, stand_file, session, op, &answer),
		0);
	return answer_take(&answer, out);
}

uint32_t stand_cbc_session(void)
{
	return stand_session(0, CRYPTSESS_AES_CBC, 16, 0, 0);
}

struct driver_crypt stand_cbc(const void *src, uint32_t bytes)
{
	static const uint8_t iv[16] = { 9, 8, 7, 6, 5, 4, 3, 2, 1 };

	return (struct driver_crypt){ .iv = iv,
				      .iv_bytes = sizeof(iv),
				      .src = src,
				      .src_bytes = bytes,
				      .dst_bytes = bytes };
}

enum vcd_status stand_update(uint32_t session, const char *text, uint16_t flags,
			     void *digest)
{
	struct driver_crypt op = { .flags = flags,
				   .src = text,
				   .src_bytes = (uint32_t)strlen(text),
				   .digest_bytes = digest ? 32 : 0 };

	return stand_crypt(0, session, &op, digest);
}

void stand_works(void)
{
	for (unsigned int i = 0; i < stand.queues; i++)
		assert_int_equal(driver_simple(&stand, i, VCD_OP_PING, 0, 0),
				 VCD_STATUS_OK);
}
