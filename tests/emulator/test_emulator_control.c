/* SPDX-License-Identifier: Apache-2.0 */
/* test_emulator_control.c - trace, failures on demand, the vanishing node */

#include "raw.h"

#include "emulator/steer.h"

static void test_the_trace_names_calls_and_results(void **state)
{
	char secret[] = "never in the trace";
	int fd = raw_node_open();
	uint32_t ses;

	assert_int_equal(raw_session(fd, 0, NULL, 0, CRYPTO_SHA1_HMAC, secret,
				     sizeof(secret), &ses),
			 0);
	assert_int_equal(raw_free(fd, ses), 0);
	assert_int_equal(raw(fd, CIOCCRYPT, BAD_POINTER), EFAULT);
	assert_int_equal(raw(fd, _IO('c', 1), NULL), EINVAL);
	close(fd);
	assert_string_equal(steer_trace(), "# open 0\n"
					   "CIOCGSESSION 0\n"
					   "CIOCFSESSION 0\n"
					   "CIOCCRYPT EFAULT\n"
					   "unknown EINVAL\n"
					   "# close open-sessions 0\n");
}

static void test_a_leaked_session_is_told(void **state)
{
	int fd = raw_node_open();

	raw_cipher(fd, CRYPTO_AES_CBC);
	close(fd);
	assert_non_null(strstr(steer_trace(), "# close open-sessions 1\n"));
}

static void test_the_nth_call_fails_as_planned(void **state)
{
	int fd = raw_node_open();
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };

	steer_plan("CIOCCRYPT 2 EIO\nCIOCGSESSION 1 ENOMEM\n");
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EIO);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	assert_int_equal(
		raw_session(fd, CRYPTO_AES_CBC, KEY_128, 16, 0, NULL, 0, NULL),
		ENOMEM);
	steer_plan("CIOCCRYPT 0 EBUSY");
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EBUSY);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EBUSY);
	steer_plan("");
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	close(fd);
}

static void test_a_node_that_vanished(void **state)
{
	int fd = raw_node_open();
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };

	steer_gone(true);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), ENODEV);
	assert_int_equal(open("/dev/crypto", O_RDWR), -1);
	assert_int_equal(errno, ENOENT);
	steer_gone(false);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	close(fd);
}

static void test_every_way_to_open_is_served(void **state)
{
	/* Not constants, or the compiler takes another symbol. */
	volatile int flags = O_RDWR;
	const char *path = "/dev/crypto";
	uint32_t features;
	int fds[] = { open(path, flags), open64(path, flags),
		      openat(AT_FDCWD, path, flags),
		      openat64(AT_FDCWD, path, flags | O_CLOEXEC) };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		assert_true(fds[i] >= 0);
		assert_int_equal(raw(fds[i], CIOCASYMFEAT, &features), 0);
		close(fds[i]);
	}
	/* And nothing else is. */
	fds[0] = open("/dev/null", flags);
	assert_int_equal(raw(fds[0], CIOCASYMFEAT, &features), ENOTTY);
	close(fds[0]);
}

static int setup(void **state)
{
	return steer_init();
}

static int teardown(void **state)
{
	return steer_deinit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_trace_names_calls_and_results),
		cmocka_unit_test(test_a_leaked_session_is_told),
		cmocka_unit_test(test_the_nth_call_fails_as_planned),
		cmocka_unit_test(test_a_node_that_vanished),
		cmocka_unit_test(test_every_way_to_open_is_served),
	};

	return cmocka_run_group_tests_name("emulator_control", tests, setup,
					   teardown);
}
