/* SPDX-License-Identifier: Apache-2.0 */
/* test_emulator_control.c - trace, failures on demand, the vanishing node */

#include "raw.h"

#include <stdio.h>

static char folder[] = "/tmp/pvx-emulator-XXXXXX";
static char trace_path[64], gone_path[64], control_path[64], next_path[64];

/* The file's text; it is emptied. */
static const char *trace_take(void)
{
	static char text[2048];
	FILE *file = fopen(trace_path, "r+");
	size_t got;

	assert_non_null(file);
	got = fread(text, 1, sizeof(text) - 1, file);
	text[got] = '\0';
	assert_int_equal(ftruncate(fileno(file), 0), 0);
	fclose(file);
	return text;
}

static void control_put(const char *plan)
{
	FILE *file = fopen(next_path, "w");

	assert_non_null(file);
	fputs(plan, file);
	fclose(file);
	assert_int_equal(rename(next_path, control_path), 0);
}

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
	assert_string_equal(trace_take(), "# open 0\n"
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
	assert_non_null(strstr(trace_take(), "# close open-sessions 1\n"));
}

static void test_the_nth_call_fails_as_planned(void **state)
{
	int fd = raw_node_open();
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };

	control_put("CIOCCRYPT 2 EIO\nCIOCGSESSION 1 ENOMEM\n");
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EIO);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	assert_int_equal(
		raw_session(fd, CRYPTO_AES_CBC, KEY_128, 16, 0, NULL, 0, NULL),
		ENOMEM);
	control_put("CIOCCRYPT 0 EBUSY");
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EBUSY);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), EBUSY);
	control_put("");
	assert_int_equal(raw(fd, CIOCCRYPT, &op), 0);
	close(fd);
}

static void test_a_node_that_vanished(void **state)
{
	int fd = raw_node_open();
	uint32_t ses = raw_cipher(fd, CRYPTO_AES_CBC);
	struct crypt_op op = { .ses = ses };
	FILE *file = fopen(gone_path, "w");

	assert_non_null(file);
	fclose(file);
	assert_int_equal(raw(fd, CIOCCRYPT, &op), ENODEV);
	assert_int_equal(open("/dev/crypto", O_RDWR), -1);
	assert_int_equal(errno, ENOENT);
	unlink(gone_path);
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
	if (!mkdtemp(folder))
		return -1;
	snprintf(trace_path, sizeof(trace_path), "%s/trace", folder);
	snprintf(gone_path, sizeof(gone_path), "%s/gone", folder);
	snprintf(control_path, sizeof(control_path), "%s/control", folder);
	snprintf(next_path, sizeof(next_path), "%s/next", folder);
	setenv("PVX_EMULATOR_TRACE", trace_path, 1);
	setenv("PVX_EMULATOR_GONE", gone_path, 1);
	setenv("PVX_EMULATOR_CONTROL", control_path, 1);
	return 0;
}

static int teardown(void **state)
{
	unlink(trace_path);
	unlink(control_path);
	return rmdir(folder);
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
