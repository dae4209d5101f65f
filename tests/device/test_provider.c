/* SPDX-License-Identifier: Apache-2.0 */
/* test_provider.c - the device's provider fails, or goes away */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "cryptsess.h"
#include "device/stand.h"
#include "emulator/steer.h"

#define BYTES 256u

static uint8_t text[BYTES];
static uint32_t cipher, digest, aead;

static int setup(void **state)
{
	/* Workers close the trace, as every descriptor that is not theirs. */
	if (steer_init() || unsetenv("PVX_EMULATOR_TRACE"))
		return -1;
	driver_init(&stand);
	return stand_open();
}

static int teardown(void **state)
{
	return stand_close(state) || steer_deinit();
}

static int begin(void **state)
{
	if (stand_begin(state))
		return -1;
	cipher = stand_session(1, CRYPTSESS_AES_CBC, 16, 0, 0);
	digest = stand_session(2, 0, 0, CRYPTSESS_SHA256, 0);
	aead = stand_session(3, CRYPTSESS_AES_GCM, 16, 0, 0);
	return 0;
}

static enum vcd_status encrypt(void)
{
	static const uint8_t iv[16];
	const struct driver_crypt op = { .iv = iv,
					 .iv_bytes = sizeof(iv),
					 .src = text,
					 .src_bytes = BYTES,
					 .dst_bytes = BYTES };
	uint8_t out[BYTES];

	return stand_crypt(1, cipher, &op, out);
}

static enum vcd_status hash(void)
{
	const struct driver_crypt op = { .src = text,
					 .src_bytes = BYTES,
					 .digest_bytes = 32 };
	uint8_t out[32];

	return stand_crypt(2, digest, &op, out);
}

static enum vcd_status seal(void)
{
	static const uint8_t iv[12];
	const struct driver_auth op = { .iv = iv,
					.iv_bytes = sizeof(iv),
					.src = text,
					.payload_bytes = BYTES,
					.tag_bytes = 16,
					.dst_bytes = BYTES + 16 };
	uint8_t out[BYTES + 16];

	return stand_auth(3, aead, &op, out);
}

static enum vcd_status open_session(void)
{
	const struct driver_key key = { .mac = CRYPTSESS_SHA1 };
	struct vcd_session_reply reply;

	return driver_session_open(&stand, 0, stand_file, &key, &reply);
}

static enum vcd_status (*const needs_provider[])(void) = { encrypt, hash, seal,
							   open_session };

static void all_answer(enum vcd_status expected)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs_provider); i++)
		assert_int_equal(needs_provider[i](), expected);
}

/* Whatever needs the node says so; whatever does not goes on; and no worker
 * has died of it (stand_close() looks). */
static void test_a_node_that_is_gone_is_told_to_the_guest(void **state)
{
	struct driver_request r;
	enum vcd_status status;
	uint32_t file;

	all_answer(VCD_STATUS_OK);
	steer_gone(true);
	for (unsigned int i = 0; i < 3; i++)
		all_answer(VCD_STATUS_NO_DEVICE);
	stand_works();
	file = driver_open(&stand, 0, &status);
	assert_int_equal(status, VCD_STATUS_OK);
	driver_begin(&stand, &r, VCD_OP_SESSION_INFO, stand_file, cipher);
	r.writable_bytes = sizeof(struct vcd_session_info_reply);
	assert_int_equal(stand_send(1, &r, NULL, 0), VCD_STATUS_OK);
	assert_int_equal(driver_simple(&stand, 1, VCD_OP_SESSION_CLOSE,
				       stand_file, cipher),
			 VCD_STATUS_OK);
	assert_int_equal(driver_simple(&stand, 0, VCD_OP_CLOSE, file, 0),
			 VCD_STATUS_OK);
	steer_gone(false);
}

/* It came back: nothing has to be opened anew. */
static void test_a_node_that_comes_back_serves_again(void **state)
{
	steer_gone(true);
	all_answer(VCD_STATUS_NO_DEVICE);
	steer_gone(false);
	all_answer(VCD_STATUS_OK);
}

/* One failure is that request's, whichever it is. */
static void test_a_failure_of_the_node_is_one_requests(void **state)
{
	static const struct {
		const char *plan;
		enum vcd_status status;
	} failures[] = {
		{ "CIOCCRYPT 1 ENODEV", VCD_STATUS_NO_DEVICE },
		{ "CIOCCRYPT 1 EIO", VCD_STATUS_NO_DEVICE },
		{ "CIOCCRYPT 1 ENOMEM", VCD_STATUS_NO_MEMORY },
		{ "CIOCCRYPT 1 EBUSY", VCD_STATUS_IO },
	};

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		steer_plan(failures[i].plan);
		assert_int_equal(encrypt(), failures[i].status);
		assert_int_equal(encrypt(), VCD_STATUS_OK);
	}
	steer_plan("");
}

/* There is no other provider to fall back to: a worker that has to be made
 * without the node ends the device, and says why. */
static void test_without_its_node_there_is_no_next_worker(void **state)
{
	struct vhost_message reply;
	struct driver d;
	int status;

	driver_init(&d);
	assert_int_equal(driver_start(&d), 0);
	assert_int_equal(driver_connect(&d, DRIVER_FEATURES), 0);
	assert_int_equal(driver_hello(&d), 0);
	steer_gone(true);
	assert_int_equal(kill(driver_worker(&d), SIGKILL), 0);
	assert_int_equal(frontend_receive(&d.fe, &reply), -EPIPE);
	assert_int_equal(waitpid(d.daemon, &status, 0), d.daemon);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	steer_gone(false);
	driver_disconnect(&d);
	(void)unlink(d.path);
}

#define TEST(name) cmocka_unit_test_setup(test_##name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_node_that_is_gone_is_told_to_the_guest),
		TEST(a_node_that_comes_back_serves_again),
		TEST(a_failure_of_the_node_is_one_requests),
		TEST(without_its_node_there_is_no_next_worker),
	};

	return cmocka_run_group_tests_name("provider", tests, setup, teardown);
}
