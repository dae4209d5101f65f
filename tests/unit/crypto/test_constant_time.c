/* SPDX-License-Identifier: Apache-2.0 */
/* test_constant_time.c - no branch and no address depends on a TLS padding
 *
 * Runs under valgrind. A record's ciphertext is declared undefined, and so is
 * all that is computed from it; memcheck then reports each branch and each
 * address that depends on it. Exactly one may: the verdict (clause T5).
 */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "lib/sessions.h"

#define TEXT_BYTES 300

static unsigned int claims;
static bool has_failed;

static void claim(const char *what, bool is_true)
{
	printf("%s %u - %s\n", is_true ? "ok" : "not ok", ++claims, what);
	has_failed = has_failed || !is_true;
}

/* How many times `secret` decides something, in a function that does it. */
static unsigned int count_control(const uint8_t *secret)
{
	unsigned int before = VALGRIND_COUNT_ERRORS;
	static volatile unsigned int sink;

	if (*secret == 7)
		sink++;
	return VALGRIND_COUNT_ERRORS - before;
}

static void valgrind_sees_a_branch(void)
{
	uint8_t secret = 1;

	claim("a branch on what is known is not reported",
	      count_control(&secret) == 0);
	VALGRIND_MAKE_MEM_UNDEFINED(&secret, 1);
	claim("a branch on a secret is reported", count_control(&secret) == 1);
}

/* Seal, spoil the byte at `wrong` (none below 0), open. The number of reports
 * while it was opened. */
static unsigned int count_open(struct cryptsess *s, int wrong, int verdict)
{
	static uint8_t data[512], aad[13];
	uint8_t iv[16] = { 0 };
	struct iovec dst = { data, sizeof(data) }, auth = { aad, sizeof(aad) };
	struct cryptsess_authcrypt op = { .flags = CRYPTSESS_AEAD_TLS,
					  .payload_bytes = TEXT_BYTES,
					  .src = &dst,
					  .src_count = 1,
					  .dst = &dst,
					  .dst_count = 1,
					  .auth = &auth,
					  .auth_count = 1,
					  .auth_bytes = sizeof(aad),
					  .iv = iv };
	unsigned int before;

	memset(data, 't', TEXT_BYTES);
	if (cryptsess_authcrypt(s, &op))
		exit(1);
	if (wrong >= 0)
		data[wrong] ^= 1;
	op.direction = CRYPTSESS_DECRYPT;
	op.payload_bytes = op.out_bytes;
	VALGRIND_MAKE_MEM_UNDEFINED(data, op.out_bytes);
	before = VALGRIND_COUNT_ERRORS;
	if (cryptsess_authcrypt(s, &op) != verdict)
		exit(1);
	before = VALGRIND_COUNT_ERRORS - before;
	VALGRIND_MAKE_MEM_DEFINED(data, sizeof(data));
	return before;
}

int main(int argc, char **argv)
{
	struct cryptsess_provider *provider;
	struct cryptsess *s;

	if (!RUNNING_ON_VALGRIND) {
		printf("1..0 # SKIP not under valgrind\n");
		return TEST_SKIPPED;
	}
	provider = test_provider_open(argc, argv);
	s = test_session_open(provider, CRYPTSESS_AES_CBC, CRYPTSESS_HMAC_SHA1);
	valgrind_sees_a_branch();
	claim("a right record decides the verdict alone",
	      count_open(s, -1, 0) == 1);
	claim("so does one with a wrong MAC",
	      count_open(s, 200, -EBADMSG) == 1);
	claim("so does one with wrong padding",
	      count_open(s, 319, -EBADMSG) == 1);
	cryptsess_close(s);
	cryptsess_provider_close(provider);
	printf("1..%u\n", claims);
	return has_failed;
}
