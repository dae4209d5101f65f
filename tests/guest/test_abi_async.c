/* SPDX-License-Identifier: Apache-2.0 */
/* test_abi_async.c - CIOCASYNCCRYPT, CIOCASYNCFETCH, poll(2) */
#include "guest/test_abi_async.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/guest.h"

#define WAIT_MS 5000

static int poll_events(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, timeout_ms) < 0 ? -1 : p.revents;
}

/* Wait until the oldest job is done, and fetch it. */
static int fetch(int fd, struct crypt_op *op)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (poll(&p, 1, WAIT_MS) != 1)
		return ETIME;
	return guest_call(fd, CIOCASYNCFETCH, op);
}

bool q1_no_more_than_64(void)
{
	static uint8_t data[65][256];
	int fd = guest_open();
	struct crypt_op op = { .len = 256 };

	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 65; i++) {
			op.src = op.dst = data[i];
			EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) ==
			       (i < 64 ? 0 : EBUSY));
		}
		EXPECT(!(poll_events(fd, WAIT_MS) & POLLOUT));
		for (int i = 0; i < 64; i++)
			EXPECT(fetch(fd, &op) == 0 && op.dst == data[i]);
		EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == EBUSY);
	}
	close(fd);
	return true;
}

bool q1_refused_at_once(void)
{
	int fd = guest_open();
	uint8_t data[16] = { 0 };
	struct crypt_op op = { .len = 16, .src = data, .dst = data };

	EXPECT(guest_call(fd, CIOCASYNCCRYPT, BAD_POINTER) == EFAULT);
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == EINVAL);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	op.iv = BAD_POINTER;
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == EFAULT);
	op.iv = NULL;
	op.flags = COP_FLAG_NO_ZC;
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == EINVAL);
	EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == EBUSY);
	close(fd);
	return true;
}

bool q3_in_order(void)
{
	static uint8_t large[600000], small[16], mac[32];
	int fd = guest_open();
	struct crypt_op a = { .len = sizeof(large),
			      .src = large,
			      .dst = large };
	struct crypt_op b = { .len = 16, .src = small, .mac = mac };
	struct crypt_op got;

	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &a.ses));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_256, 0, &b.ses));
	for (int i = 0; i < 20; i++) {
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &a) == 0);
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &b) == 0);
		EXPECT(fetch(fd, &got) == 0 && got.ses == a.ses);
		EXPECT(fetch(fd, &got) == 0 && got.ses == b.ses);
	}
	close(fd);
	return true;
}

/* The chained IV goes from job to job, and a synchronous call in between
 * takes its turn. */
bool q2_q3_chain(void)
{
	enum {
		STEP = 20000,
		STEPS = 40,
		BYTES = STEP * STEPS
	};
	uint8_t *src = malloc(BYTES), *dst = malloc(BYTES);
	uint8_t *good = malloc(BYTES), iv[16] = { 9 };
	int fd = guest_open();
	struct crypt_op op = {
		.len = BYTES, .src = src, .dst = good, .iv = iv
	};
	struct crypt_op got;

	EXPECT(src && dst && good);
	guest_fill(src, BYTES, 11);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	op.len = STEP;
	for (int i = 0; i < STEPS; i++) {
		op.src = src + i * STEP;
		op.dst = dst + i * STEP;
		EXPECT(guest_call(fd, i % 10 == 9 ? CIOCCRYPT : CIOCASYNCCRYPT,
				  &op) == 0);
		op.iv = NULL;
	}
	for (int i = 0; i < STEPS - STEPS / 10; i++)
		EXPECT(fetch(fd, &got) == 0);
	EXPECT(memcmp(dst, good, BYTES) == 0);
	free(src);
	free(dst);
	free(good);
	close(fd);
	return true;
}

bool q4_failed_job(void)
{
	int fd = guest_open();
	uint8_t data[32] = { 0 };
	struct crypt_op op = { .len = 15, .src = data, .dst = data };
	struct crypt_op got = { .ses = 1 };
	uint32_t freed;

	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(fetch(fd, &got) == EINVAL && got.ses == 1);
	op.len = 16;
	op.op = 2;
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(fetch(fd, &got) == EINVAL);
	op.op = 0;
	op.src = BAD_POINTER;
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(fetch(fd, &got) == EFAULT);
	op.src = data;
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(fetch(fd, (void *)BAD_POINTER) == EFAULT); /* and is lost */
	EXPECT(guest_call(fd, CIOCASYNCFETCH, &got) == EBUSY);
	freed = op.ses;
	EXPECT(guest_free(fd, freed) == 0);
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == EINVAL);
	close(fd);
	return true;
}

bool q4_digest_and_iv(void)
{
	int fd = guest_open();
	uint8_t data[64], out[64], sync_out[64], iv[16] = { 3 };
	uint8_t sync_iv[16] = { 3 }, mac[64] = { 0 }, sync_mac[64] = { 1 };
	struct crypt_op op = { .len = 64,
			       .flags = COP_FLAG_WRITE_IV | COP_FLAG_RESET,
			       .src = data,
			       .dst = sync_out,
			       .iv = sync_iv,
			       .mac = sync_mac };
	struct crypt_op got;

	guest_fill(data, sizeof(data), 8);
	EXPECT(!guest_session(fd, CRYPTO_AES_CTR, 32, CRYPTO_SHA1_HMAC, 9,
			      &op.ses));
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	op.dst = out;
	op.iv = iv;
	op.mac = mac;
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(fetch(fd, &got) == 0 && !memcmp(&got, &op, sizeof(op)));
	EXPECT(!memcmp(out, sync_out, 64) && !memcmp(iv, sync_iv, 16));
	EXPECT(!memcmp(mac, sync_mac, 20));
	close(fd);
	return true;
}

bool q5_poll(void)
{
	int fd = guest_open();
	uint8_t data[16] = { 0 };
	struct crypt_op op = { .len = 16, .src = data, .dst = data };

	EXPECT(poll_events(fd, 0) == POLLOUT);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(fetch(fd, &op) == 0);
	EXPECT(poll_events(fd, 0) == POLLOUT);
	close(fd);
	return true;
}

/* The destination is the submitter's, whoever fetches. */
bool q2_fetched_by_another(void)
{
	int fd = guest_open(), status;
	uint8_t src[48] = "the submitter's", dst[48] = { 0 }, back[48];
	struct crypt_op op = { .len = 48, .src = src, .dst = dst };
	struct crypt_op got;
	pid_t child;

	EXPECT(!guest_session(fd, CRYPTO_AES_ECB, 16, 0, 0, &op.ses));
	/* Ours: not shared with a child any more when the job is written. */
	child = fork();
	if (child == 0) {
		usleep(20000);
		_exit(fetch(fd, &got) || dst[0]);
	}
	usleep(5000);
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	op.op = COP_DECRYPT;
	op.src = dst;
	op.dst = back;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(memcmp(back, src, 48) == 0);
	close(fd);
	return true;
}

bool q6_closed_under_way(void)
{
	uint8_t *data = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(data != MAP_FAILED);
	for (int round = 0; round < 20; round++) {
		int fd = guest_open();
		struct crypt_op op = { .len = 65536, .src = data, .dst = data };

		EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
		for (int i = 0; i < 30; i++)
			EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
		close(fd);
	}
	munmap(data, 1 << 20);
	return true;
}

enum {
	MANY = 64,
	EACH = 70000
};

/* 64 jobs at once, of a chain each: what one operation of all gives. */
static bool chain_in_64_jobs(int fd, uint32_t ses, bool in_place)
{
	uint8_t *src = malloc(MANY * EACH), *good = malloc(MANY * EACH);
	uint8_t *dst = in_place ? src : calloc(MANY, EACH), iv[16] = { 5 };
	struct crypt_op got, op = { .ses = ses, .iv = iv };

	EXPECT(src && good && dst);
	guest_fill(src, MANY * EACH, 13);
	op.len = MANY * EACH;
	op.src = src;
	op.dst = good;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	op.len = EACH;
	for (int i = 0; i < MANY; i++) {
		op.src = src + i * EACH;
		op.dst = dst + i * EACH;
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
		op.iv = NULL;
	}
	for (int i = 0; i < MANY; i++)
		EXPECT(fetch(fd, &got) == 0 && got.dst == dst + i * EACH);
	EXPECT(memcmp(dst, good, MANY * EACH) == 0);
	free(src);
	free(good);
	if (!in_place)
		free(dst);
	return true;
}

/* Of several requests, and of one that is not cut. */
static bool large_jobs(int fd)
{
	enum {
		LARGE = 1 << 21
	};
	static const uint32_t ciphers[] = { CRYPTO_AES_CBC, CRYPTO_AES_XTS };
	uint8_t *data = malloc(LARGE), *good = malloc(LARGE), iv[16] = { 6 };
	struct crypt_op got, op = { .len = LARGE, .src = data, .iv = iv };

	EXPECT(data && good);
	for (int i = 0; i < 2; i++) {
		guest_fill(data, LARGE, 14);
		EXPECT(!guest_session(fd, ciphers[i], 32, 0, 0, &op.ses));
		op.dst = good;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
		op.dst = data;
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
		EXPECT(fetch(fd, &got) == 0 && !memcmp(data, good, LARGE));
	}
	free(data);
	free(good);
	return true;
}

/* As a user who may lock so much memory. */
static bool jobs_with_limit(rlim_t bytes)
{
	static uint8_t data[EACH];
	struct rlimit limit = { bytes, bytes };
	struct crypt_op left = { .len = EACH, .src = data, .dst = data };
	struct pollfd p = { .fd = guest_open(), .events = POLLIN };
	int fd = p.fd;
	uint32_t ses;

	EXPECT(!setrlimit(RLIMIT_MEMLOCK, &limit));
	EXPECT(geteuid() || !setresuid(65534, 65534, 65534));
	EXPECT(!guest_session(fd, CRYPTO_AES_CTR, 16, 0, 0, &ses));
	left.ses = ses;
	EXPECT(chain_in_64_jobs(fd, ses, false));
	EXPECT(chain_in_64_jobs(fd, ses, true));
	EXPECT(large_jobs(fd));
	/* Those that nobody fetches. */
	for (int i = 0; i < 4; i++)
		EXPECT(!guest_call(fd, CIOCASYNCCRYPT, &left));
	EXPECT(poll(&p, 1, WAIT_MS) == 1 && p.revents & POLLIN);
	close(fd);
	return true;
}

bool q1_q2_beyond_the_locked_memory(void)
{
	static const rlim_t limits[] = { 0, 65536, 1000000, 8 << 20 };

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			_exit(!jobs_with_limit(limits[i]));
		EXPECT(waitpid(child, &status, 0) == child && status == 0);
	}
	return true;
}
