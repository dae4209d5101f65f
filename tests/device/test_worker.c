/* SPDX-License-Identifier: Apache-2.0 */
/* test_worker.c - no library needs a file once a worker is in its sandbox */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cryptsess.h"
#include "device/reaper.h"
#include "device/stand.h"

#define SESSIONS   1000 /* on each queue: more than malloc(3) keeps */
#define TEXT_BYTES 64

static uint8_t text[TEXT_BYTES], iv[VCD_MAX_IV_BYTES] = { 3, 1 };

static int setup(void **state)
{
	driver_init(&stand);
	(void)reaper_create(&stand);
	return stand_open();
}

static uint32_t session_of(unsigned int queue,
			   const struct cryptsess_algorithm *a)
{
	if (a->is_mac)
		return stand_session(queue, 0, 0, a->id, a->is_keyed ? 20 : 0);
	return stand_session(queue, a->id, a->key_min_bytes, 0, 0);
}

/* One operation in that direction, whatever its data comes to. */
static void work(unsigned int queue, uint32_t session,
		 const struct cryptsess_algorithm *a, uint16_t direction)
{
	uint32_t tag_bytes = a->is_aead ? 16 : 0;
	struct driver_crypt crypt = {
		.direction = direction,
		.iv = iv,
		.iv_bytes = a->iv_bytes,
		.src = text,
		.src_bytes = TEXT_BYTES,
		.dst_bytes = a->is_mac ? 0 : TEXT_BYTES,
		.digest_bytes = a->is_mac ? a->digest_bytes : 0,
	};
	struct driver_auth auth = {
		.direction = direction,
		.iv = iv,
		.iv_bytes = a->iv_bytes,
		.src = text,
		.payload_bytes = TEXT_BYTES,
		.tag_bytes = tag_bytes,
		.dst_bytes = direction == VCD_DECRYPT ? TEXT_BYTES - tag_bytes
						      : TEXT_BYTES + tag_bytes,
	};
	enum vcd_status status =
		a->is_aead ? stand_auth(queue, session, &auth, NULL)
			   : stand_crypt(queue, session, &crypt, NULL);

	assert_int_equal(status, a->is_aead && direction == VCD_DECRYPT
					 ? VCD_STATUS_BAD_MESSAGE
					 : VCD_STATUS_OK);
}

/* Whatever libcrypto loads late, it finds without opening a file. */
static void test_every_algorithm_may_be_a_worker_s_first(void **state)
{
	const struct cryptsess_algorithm *a;
	unsigned int count = 0;

	for (unsigned int i = 0; (a = cryptsess_algorithm_at(i)); i++) {
		uint32_t session = session_of(i % stand.queues, a);
		uint16_t last = a->is_mac ? VCD_ENCRYPT : VCD_DECRYPT;

		for (uint16_t way = VCD_ENCRYPT; way <= last; way++) {
			pid_t worker;

			reaper_kill(&stand);
			worker = driver_worker(&stand);
			work(i % stand.queues, session, a, way);
			assert_int_equal(driver_worker(&stand), worker);
			count++;
		}
	}
	assert_in_range(count, 40, 100);
}

/* malloc(3) of glibc looks into /proc before it gives a thread's memory
 * back. */
static void test_memory_is_given_back_without_a_file(void **state)
{
	const struct cryptsess_algorithm *a =
		cryptsess_cipher_by_id(CRYPTSESS_AES_CBC);
	pid_t worker;

	reaper_kill(&stand);
	worker = driver_worker(&stand);
	for (unsigned int queue = 0; queue < stand.queues; queue++)
		for (int i = 0; i < SESSIONS; i++)
			work(queue, session_of(queue, a), a, VCD_ENCRYPT);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, stand_file, 0),
			 VCD_STATUS_OK);
	stand_works();
	assert_int_equal(driver_worker(&stand), worker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			test_every_algorithm_may_be_a_worker_s_first,
			stand_begin),
		cmocka_unit_test_setup(test_memory_is_given_back_without_a_file,
				       stand_begin),
	};

	return cmocka_run_group_tests(tests, setup, stand_close);
}
