/* SPDX-License-Identifier: Apache-2.0 */
/* test_cryptodev.c - what the cryptodev provider asks of its node, and what it
 * does when the node fails; against the emulator */

#include "emulator/steer.h"
#include "lib/sessions.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static struct cryptsess_provider *provider;

/* The trace begins with it. */
static void node_open(void)
{
	char why[200];

	steer_trace();
	assert_int_equal(cryptsess_provider_open(&provider, "cryptodev", why,
						 sizeof(why)),
			 0);
}

/* One operation over `text` in place; a digest goes to `digest`. */
static int run_crypt(struct cryptsess *s, uint16_t flags, void *text,
		     uint32_t bytes, uint8_t *digest)
{
	struct iovec piece = { text, bytes };
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES] = { 1 };
	struct cryptsess_crypt op = { .flags = flags,
				      .payload_bytes = bytes,
				      .src = &piece,
				      .src_count = 1,
				      .dst = &piece,
				      .dst_count = 1,
				      .mac = digest,
				      .iv = iv };

	return cryptsess_crypt(s, &op);
}

static int run_gcm(struct cryptsess *s, uint8_t text[48], uint32_t tag_bytes)
{
	uint8_t iv[CRYPTSESS_MAX_IV_BYTES] = { 1 };
	struct iovec piece = { text, 48 };
	struct cryptsess_authcrypt op = { .payload_bytes = 16,
					  .src = &piece,
					  .src_count = 1,
					  .dst = &piece,
					  .dst_count = 1,
					  .tag_bytes = tag_bytes,
					  .iv = iv };

	return cryptsess_authcrypt(s, &op);
}

static unsigned int count(const char *trace, const char *line)
{
	unsigned int found = 0;

	for (const char *at = strstr(trace, line); at;
	     at = strstr(at + 1, line))
		found++;
	return found;
}

/* What an envelope needs: CTR, then HMAC, each in one operation. */
static void test_one_shots_are_one_ioctl_each(void **state)
{
	struct cryptsess *cipher, *mac;
	uint8_t text[100] = { 0 }, digest[32];
	char known[] = "#CIOCGSESSIONCIOCCRYPTCIOCFSESSION", name[32];
	const char *trace;
	int used;

	node_open();
	assert_string_equal(steer_trace(), "# open 0\n");
	cipher = test_session_open(provider, CRYPTSESS_AES_CTR, 0);
	mac = test_session_open(provider, 0, CRYPTSESS_HMAC_SHA256);
	/* One to ask and one to use, for each. */
	trace = steer_trace();
	assert_int_equal(count(trace, "CIOCGSESSION 0"), 4);
	assert_int_equal(count(trace, "CIOCFSESSION 0"), 2);
	assert_int_equal(run_crypt(cipher, 0, text, 100, NULL), 0);
	assert_string_equal(steer_trace(), "CIOCCRYPT 0\n");
	assert_int_equal(run_crypt(mac, 0, text, 100, digest), 0);
	assert_string_equal(steer_trace(), "CIOCCRYPT 0\n");
	cryptsess_close(cipher);
	/* What was asked once is known. */
	cipher = test_session_open(provider, CRYPTSESS_AES_CTR, 0);
	assert_string_equal(steer_trace(), "CIOCFSESSION 0\nCIOCGSESSION 0\n");
	cryptsess_close(cipher);
	cryptsess_close(mac);
	cryptsess_provider_close(provider);
	trace = steer_trace();
	assert_non_null(strstr(trace, "# close open-sessions 0"));
	for (; sscanf(trace, "%31s %*[^\n]\n%n", name, &used) == 1;
	     trace += used)
		assert_non_null(strstr(known, name));
}

static void test_a_vanished_node_is_ENODEV(void **state)
{
	struct cryptsess_provider *other;
	struct cryptsess *s, *again = NULL;
	uint8_t text[16] = { 0 };
	char why[200];

	node_open();
	s = test_session_open(provider, CRYPTSESS_AES_CTR, 0);
	assert_int_equal(run_crypt(s, 0, text, 16, NULL), 0);
	steer_gone(true);
	assert_int_equal(run_crypt(s, 0, text, 16, NULL), -ENODEV);
	/* Also where nothing was known of the algorithm. */
	assert_int_equal(cryptsess_open(&again, provider,
					&(struct cryptsess_params){
						.mac = CRYPTSESS_SHA1 }),
			 -ENODEV);
	assert_null(again);
	assert_int_equal(
		cryptsess_provider_open(&other, "cryptodev", why, sizeof(why)),
		-ENODEV);
	assert_non_null(strstr(why, "/dev/crypto: No such file"));
	cryptsess_close(s);
	cryptsess_provider_close(provider);
	steer_gone(false);
}

static void test_what_is_no_node_is_refused_with_the_reason(void **state)
{
	char name[] = "cryptodev:/tmp/paravox-test-XXXXXX", why[200];
	char *path = strchr(name, '/');
	struct cryptsess *s = NULL;
	int fd = mkstemp(path);

	assert_true(fd >= 0); /* ours: it can be opened, and is no node */
	close(fd);
	assert_int_equal(cryptsess_provider_open(&provider,
						 "cryptodev:/no/such/node", why,
						 sizeof(why)),
			 -ENODEV);
	assert_non_null(strstr(why, "/no/such/node"));
	assert_int_equal(
		cryptsess_provider_open(&provider, name, why, sizeof(why)),
		-ENODEV);
	unlink(path);
	assert_non_null(strstr(why, "not a character device"));
	assert_int_equal(cryptsess_provider_open(&provider, "cryptodev:", why,
						 sizeof(why)),
			 -EINVAL);
	/* Another kind of device: seen at the first ioctl. */
	assert_int_equal(cryptsess_provider_open(&provider,
						 "cryptodev:/dev/zero", why,
						 sizeof(why)),
			 0);
	assert_int_equal(cryptsess_open(&s, provider,
					&(struct cryptsess_params){
						.mac = CRYPTSESS_SHA1 }),
			 -ENODEV);
	cryptsess_provider_close(provider);
}

/* Everything that the provider ever asks for, in a fixed order. The first
 * error ends it; all that was opened is closed. */
static int run_everything(void)
{
	struct cryptsess *both = NULL, *copy = NULL, *gcm = NULL;
	uint8_t key[16] = { 1 }, text[48] = { 0 }, digest[32];
	struct cryptsess_params params = { .cipher = CRYPTSESS_AES_CBC,
					   .mac = CRYPTSESS_SHA256,
					   .key = key,
					   .key_bytes = 16 };
	int r;

	r = cryptsess_open(&both, provider, &params);
	if (r == 0)
		r = run_crypt(both, 0, text, 16, digest);
	params.cipher = 0;
	if (r == 0)
		r = cryptsess_open(&copy, provider, &params);
	if (r == 0)
		r = run_crypt(both, CRYPTSESS_RESET | CRYPTSESS_UPDATE, text,
			      16, NULL);
	if (r == 0)
		r = cryptsess_hash_copy(copy, both);
	if (r == 0)
		r = run_crypt(copy, CRYPTSESS_FINAL, text, 5, digest);
	params.cipher = CRYPTSESS_AES_GCM;
	params.mac = 0;
	if (r == 0)
		r = cryptsess_open(&gcm, provider, &params);
	if (r == 0)
		r = run_gcm(gcm, text, 12);
	if (r == 0) /* a longer tag: a new session */
		r = run_gcm(gcm, text, 16);
	cryptsess_close(gcm);
	cryptsess_close(copy);
	cryptsess_close(both);
	return r;
}

static void fail_each(const char *name, unsigned int calls, int error,
		      int expected)
{
	char plan[64];

	for (unsigned int nth = 1; nth <= calls; nth++) {
		snprintf(plan, sizeof(plan), "%s %u %s\n", name, nth,
			 strerrorname_np(error));
		node_open();
		steer_plan(plan);
		/* The two first calls of CIOCFSESSION end questions. */
		assert_int_equal(run_everything(), expected);
		steer_plan("");
		/* The next one finds everything in order. */
		assert_int_equal(run_everything(), 0);
		cryptsess_provider_close(provider);
		assert_non_null(
			strstr(steer_trace(), "# close open-sessions 0\n"));
	}
}

static void test_each_failing_call_leaves_no_session(void **state)
{
	const char *trace;

	node_open();
	assert_int_equal(run_everything(), 0);
	cryptsess_provider_close(provider);
	trace = steer_trace();
	/* 3 questions, 2 states of one session, the copy, the AEAD twice */
	assert_int_equal(count(trace, "CIOCGSESSION 0"), 8);
	assert_int_equal(count(trace, "CIOCFSESSION 0"), 8);
	assert_int_equal(count(trace, "CIOCCPHASH 0"), 1);
	assert_int_equal(count(trace, "CIOCAUTHCRYPT 0"), 2);
	assert_int_equal(count(trace, "CIOCCRYPT 0"), 5);
	fail_each("CIOCCRYPT", 5, EIO, -ENODEV);
	fail_each("CIOCCRYPT", 5, ENOMEM, -ENOMEM);
	fail_each("CIOCCRYPT", 5, EINTR, 0); /* asked again */
	fail_each("CIOCCPHASH", 1, ENODEV, -ENODEV);
	fail_each("CIOCCPHASH", 1, ENOSYS, -ENOSYS);
	fail_each("CIOCAUTHCRYPT", 2, ETIMEDOUT, -ENODEV);
	fail_each("CIOCAUTHCRYPT", 2, EMSGSIZE, -E2BIG);
}

/* The odd calls ask whether there is such an algorithm: only EINVAL is a no,
 * and after it the next provider's node is asked again. */
static void test_each_failing_open_leaves_no_session(void **state)
{
	static const struct {
		const char *plan;
		int expected;
	} rows[] = {
		{ "CIOCGSESSION 2 ENOSPC", -ENOMEM },
		{ "CIOCGSESSION 4 ENOMEM", -ENOMEM },
		{ "CIOCGSESSION 5 ENODEV", -ENODEV },
		{ "CIOCGSESSION 7 EIO", -ENODEV },
		{ "CIOCGSESSION 8 ENOMEM", -ENOMEM },
		{ "CIOCGSESSION 1 EINVAL", -EINVAL },
		{ "CIOCGSESSION 1 EINTR", 0 },
		{ "CIOCGSESSION 1 ENOMEM", 0 },
		{ "CIOCGSESSION 0 ENODEV", -ENODEV },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		node_open();
		steer_plan(rows[i].plan);
		assert_int_equal(run_everything(), rows[i].expected);
		steer_plan("");
		cryptsess_provider_close(provider);
		assert_non_null(
			strstr(steer_trace(), "# close open-sessions 0\n"));
	}
}

/* Nothing more can be done then than to close the node, which ends it. */
static void test_a_failing_free_does_no_harm(void **state)
{
	node_open();
	steer_plan("CIOCFSESSION 0 EIO");
	assert_int_equal(run_everything(), 0);
	steer_plan("");
	cryptsess_provider_close(provider);
	assert_non_null(strstr(steer_trace(), "# close open-sessions 8\n"));
}

#define THREADS 4
#define ROUNDS  200

static void *work(void *argument)
{
	const uint8_t *expected = argument;
	uint8_t text[64], digest[32];

	for (int i = 0; i < ROUNDS; i++) {
		struct cryptsess *s = test_session_open(
			provider, CRYPTSESS_AES_CTR, CRYPTSESS_SHA256);

		memset(text, 7, sizeof(text));
		if (!s || run_crypt(s, 0, text, sizeof(text), digest) ||
		    memcmp(text, expected, sizeof(text)) != 0)
			return argument;
		cryptsess_close(s);
	}
	return NULL;
}

static void test_threads_share_a_node(void **state)
{
	pthread_t threads[THREADS];
	uint8_t expected[64];
	struct cryptsess *s;
	void *failed;

	node_open();
	s = test_session_open(provider, CRYPTSESS_AES_CTR, 0);
	memset(expected, 7, sizeof(expected));
	assert_int_equal(run_crypt(s, 0, expected, sizeof(expected), NULL), 0);
	cryptsess_close(s);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, work, expected), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	cryptsess_provider_close(provider);
}

/* cryptodev-linux keeps a shorter tag for the session and refuses a longer
 * one afterwards. */
static void test_a_tag_may_grow_where_the_node_only_shrinks_it(void **state)
{
	uint8_t text[48] = { 0 };
	struct cryptsess *s;

	setenv("PVX_EMULATOR_STICKY_TAGS", "1", 1);
	node_open();
	s = test_session_open(provider, CRYPTSESS_AES_GCM, 0);
	assert_int_equal(run_gcm(s, text, 16), 0);
	assert_int_equal(run_gcm(s, text, 8), 0);
	assert_int_equal(run_gcm(s, text, 13), 0);
	assert_int_equal(run_gcm(s, text, 0), 0);
	cryptsess_close(s);
	cryptsess_provider_close(provider);
	unsetenv("PVX_EMULATOR_STICKY_TAGS");
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
		cmocka_unit_test(test_one_shots_are_one_ioctl_each),
		cmocka_unit_test(test_a_vanished_node_is_ENODEV),
		cmocka_unit_test(
			test_what_is_no_node_is_refused_with_the_reason),
		cmocka_unit_test(test_each_failing_call_leaves_no_session),
		cmocka_unit_test(test_each_failing_open_leaves_no_session),
		cmocka_unit_test(test_a_failing_free_does_no_harm),
		cmocka_unit_test(
			test_a_tag_may_grow_where_the_node_only_shrinks_it),
		cmocka_unit_test(test_threads_share_a_node),
	};

	return cmocka_run_group_tests_name("cryptodev", tests, setup, teardown);
}
