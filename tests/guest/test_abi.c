/* SPDX-License-Identifier: Apache-2.0 */
/* test_abi.c - clauses of the ioctl interface that need a device: the name of
 * each test begins with its clause. What an emulator can check too is in
 * tests/emulator, and is run in the guest as well. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/guest.h"
#include "guest/test_abi_async.h"

#define MIB (1u << 20)

static bool d1_no_read_write_mmap(void)
{
	int fd = guest_open();
	char byte = 0;

	EXPECT(read(fd, &byte, 1) < 0 && errno == EINVAL);
	EXPECT(write(fd, &byte, 1) < 0); /* EBADF: opened for reading */
	EXPECT(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED);
	close(fd);
	return true;
}

static bool d6_many_sessions(void)
{
	int fd = guest_open();
	uint32_t ses;

	for (int i = 0; i < 4000; i++)
		EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses) &&
		       ses);
	close(fd);
	/* All are given back: the device has 4096 in all. */
	fd = guest_open();
	for (int i = 0; i < 4000; i++)
		EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses));
	close(fd);
	return true;
}

static bool d6_limit_is_enospc(void)
{
	int fd = guest_open(), error = 0;
	uint32_t ses;

	for (int i = 0; i < 5000 && !error; i++)
		error = guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses);
	EXPECT(error == ENOSPC);
	close(fd);
	return true;
}

static bool c1_lowest_and_not_cloexec(void)
{
	int fd = guest_open(), hole = dup(fd);
	uint32_t other = 0;

	close(hole);
	EXPECT(guest_call(fd, CRIOGET, &other) == 0);
	EXPECT((int)other == hole);
	EXPECT(fcntl((int)other, F_GETFD) == 0);
	close((int)other);
	close(fd);
	return true;
}

/* Encrypt in steps of these sizes; the chained IV goes on by itself. */
static bool encrypt_steps(int fd, uint32_t ses, const uint8_t *src,
			  uint8_t *dst, uint32_t bytes, uint32_t step)
{
	uint8_t iv[16] = { 7 };
	struct crypt_op op = { .ses = ses, .iv = iv };

	for (uint32_t at = 0; at < bytes; at += op.len) {
		op.len = step < bytes - at ? step : bytes - at;
		op.src = (uint8_t *)(uintptr_t)src + at;
		op.dst = dst + at;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
		op.iv = NULL;
	}
	return true;
}

/* E2, E13, E15: in one call, which takes copies, pages or several requests,
 * or in small steps: the same. */
static bool same_in_steps(uint32_t cipher, uint32_t bytes, uint32_t shift)
{
	uint8_t *src = malloc(bytes + 64), *one = malloc(bytes + 64);
	uint8_t *steps = malloc(bytes);
	int fd = guest_open();
	uint32_t ses;

	EXPECT(src && one && steps);
	guest_fill(src, bytes + 64, bytes);
	EXPECT(!guest_session(fd, cipher, 16, 0, 0, &ses));
	EXPECT(encrypt_steps(fd, ses, src + shift, one + shift, bytes, bytes));
	EXPECT(encrypt_steps(fd, ses, src + shift, steps, bytes, 8192));
	EXPECT(memcmp(one + shift, steps, bytes) == 0);
	/* In place. */
	EXPECT(encrypt_steps(fd, ses, src + shift, src + shift, bytes, bytes));
	EXPECT(memcmp(src + shift, steps, bytes) == 0);
	free(src);
	free(one);
	free(steps);
	close(fd);
	return true;
}

static bool e2_e15_cbc_of_all_sizes(void)
{
	static const uint32_t sizes[] = { 16,    4096,   16368,  16384,
					  65536, 507904, 524288, 3 * MIB + 16 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		EXPECT(same_in_steps(CRYPTO_AES_CBC, sizes[i],
				     (uint32_t)i * 7 % 64));
	return true;
}

static bool e2_e15_ctr_and_null(void)
{
	EXPECT(same_in_steps(CRYPTO_AES_CTR, 65536 + 5, 3));
	EXPECT(same_in_steps(CRYPTO_AES_CTR, 2 * MIB + 5, 1));
	EXPECT(same_in_steps(CRYPTO_AES_ECB, 2 * MIB, 0));
	return true;
}

static bool hash(int fd, uint32_t ses, const uint8_t *data, uint32_t bytes,
		 uint16_t flags, uint8_t *digest)
{
	struct crypt_op op = { .ses = ses,
			       .flags = flags,
			       .len = bytes,
			       .src = (uint8_t *)(uintptr_t)data,
			       .mac = digest };

	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	return true;
}

static bool e15_e9_hash_of_9_mib(void)
{
	uint8_t *data = malloc(9 * MIB), one[64] = { 0 }, parts[64] = { 1 };
	int fd = guest_open();
	uint32_t ses, at;

	EXPECT(data);
	guest_fill(data, 9 * MIB, 3);
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_256_HMAC, 20, &ses));
	EXPECT(hash(fd, ses, data, 9 * MIB - 3, 0, one));
	for (at = 0; at < 9 * MIB - 3; at += 9000)
		EXPECT(hash(fd, ses, data + at,
			    at + 9000 < 9 * MIB - 3 ? 9000 : 9 * MIB - 3 - at,
			    at ? COP_FLAG_UPDATE
			       : COP_FLAG_UPDATE | COP_FLAG_RESET,
			    NULL));
	EXPECT(hash(fd, ses, NULL, 0, COP_FLAG_FINAL, parts));
	EXPECT(memcmp(one, parts, 32) == 0);
	/* E10: what begins after a digest begins afresh. */
	EXPECT(hash(fd, ses, data, 9 * MIB - 3, COP_FLAG_WRITE_IV, parts));
	EXPECT(memcmp(one, parts, 32) == 0);
	free(data);
	close(fd);
	return true;
}

static bool e5_e15_cipher_and_hash_of_2_mib(void)
{
	uint8_t *data = malloc(2 * MIB), *out = malloc(2 * MIB);
	uint8_t iv[16] = { 0 }, mac[64], back[64], alone[64];
	int fd = guest_open();
	uint32_t both, single;
	struct crypt_op op = { .len = 2 * MIB, .iv = iv };

	EXPECT(data && out);
	guest_fill(data, 2 * MIB, 4);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, CRYPTO_SHA1_HMAC, 20,
			      &both));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1_HMAC, 20, &single));
	op.ses = both;
	op.src = data;
	op.dst = out;
	op.mac = mac;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(hash(fd, single, data, 2 * MIB, 0, alone));
	EXPECT(memcmp(mac, alone, 20) == 0);
	op.op = COP_DECRYPT;
	op.src = op.dst = out;
	op.mac = back;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(memcmp(mac, back, 20) == 0 && !memcmp(out, data, 2 * MIB));
	free(data);
	free(out);
	close(fd);
	return true;
}

static bool e4_overlap_is_copied_first(void)
{
	uint8_t *a = malloc(100000), *b = malloc(100000), *good = malloc(65536);
	int fd = guest_open();
	uint32_t ses;

	EXPECT(a && b && good);
	guest_fill(a, 100000, 5);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses));
	for (int back = 0; back < 2; back++) {
		uint8_t *src = back ? b + 1000 : b, *dst = back ? b : b + 1000;

		memcpy(b, a, 100000);
		EXPECT(encrypt_steps(fd, ses, src, good, 65536, 65536));
		EXPECT(encrypt_steps(fd, ses, src, dst, 65536, 65536));
		EXPECT(memcmp(dst, good, 65536) == 0);
	}
	free(a);
	free(b);
	free(good);
	close(fd);
	return true;
}

/* XTS too: one operation, not one for each page. */
static bool e13_no_zc_gives_the_same(void)
{
	static uint8_t src[65536], one[65536], other[65536];
	uint8_t iv[16] = { 4 };
	int fd = guest_open();
	struct crypt_op op = { .len = 65536, .src = src, .iv = iv };

	guest_fill(src, sizeof(src), 12);
	EXPECT(!guest_session(fd, CRYPTO_AES_XTS, 32, 0, 0, &op.ses));
	op.dst = one;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	op.dst = other;
	op.flags = COP_FLAG_NO_ZC;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(op.flags == COP_FLAG_NO_ZC); /* E14 */
	EXPECT(memcmp(one, other, sizeof(one)) == 0);
	close(fd);
	return true;
}

static bool e15_xts_is_not_cut(void)
{
	uint32_t bytes = 8 * MIB, ses;
	uint8_t *data = malloc(bytes), iv[16] = { 0 };
	int fd = guest_open();
	struct crypt_op op = {
		.len = bytes, .src = data, .dst = data, .iv = iv
	};

	EXPECT(data);
	memset(data, 1, bytes);
	EXPECT(!guest_session(fd, CRYPTO_AES_XTS, 64, 0, 0, &ses));
	op.ses = ses;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == E2BIG);
	EXPECT(data[0] == 1 && data[bytes - 1] == 1);
	op.len = 3 * MIB;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	op.op = COP_DECRYPT;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(data[0] == 1 && data[3 * MIB - 1] == 1);
	free(data);
	close(fd);
	return true;
}

/* The last page of the buffer can't be read, or written. */
static bool e11_pages_that_are_not_there(void)
{
	uint8_t *map = mmap(NULL, 65536 + 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *good = malloc(65536);
	int fd = guest_open();
	struct crypt_op op = { 0 };

	EXPECT(map != MAP_FAILED && good);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	for (op.len = 4096; op.len <= 65536; op.len *= 2) {
		struct crypt_op before;

		munmap(map + op.len - 4096, 8192);
		op.src = map;
		op.dst = good;
		before = op;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
		EXPECT(memcmp(&op, &before, sizeof(op)) == 0); /* D5 */
		op.src = good;
		op.dst = map;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
		EXPECT(mmap(map, 65536 + 4096, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			    0) == map);
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
		EXPECT(mmap(map, 65536 + 4096, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			    0) == map);
	}
	munmap(map, 65536 + 4096);
	free(good);
	close(fd);
	return true;
}

static void *run_load(void *argument)
{
	const uint32_t *of = argument;
	bool ok = true;

	for (int i = 0; ok && i < 20; i++)
		ok = same_in_steps(CRYPTO_AES_CBC, of[0], of[1]);
	return ok ? NULL : argument;
}

static bool p2_threads(void)
{
	static uint32_t of[4][2] = {
		{ 4096, 0 }, { 65536, 1 }, { 48, 2 }, { 600000, 16 }
	};
	pthread_t threads[4];
	bool ok = true;

	for (int i = 0; i < 4; i++)
		EXPECT(!pthread_create(&threads[i], NULL, run_load, of[i]));
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(threads[i], &result);
		ok &= !result;
	}
	EXPECT(ok);
	return true;
}

static bool p1_child_uses_and_outlives(void)
{
	int fd = guest_open(), status;
	uint8_t data[64] = { 0 };
	struct crypt_op op = { .len = 64, .src = data, .dst = data };
	pid_t child;

	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	child = fork();
	if (child == 0) {
		close(0);
		_exit(guest_call(fd, CIOCCRYPT, &op));
	}
	close(fd);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	return true;
}

/* E17, P4: a program is killed at a random moment of its operations; the
 * machine and other programs do not notice. */
static bool e17_killed_in_flight(void)
{
	for (unsigned int i = 0; i < 30; i++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			for (;;)
				same_in_steps(CRYPTO_AES_CBC,
					      i % 2 ? 65536 : 2 * MIB, 1);
		usleep(3000 + i * 777);
		kill(child, SIGKILL);
		EXPECT(waitpid(child, &status, 0) == child);
		EXPECT(WIFSIGNALED(status));
		EXPECT(same_in_steps(CRYPTO_AES_CBC, 65536, 0));
	}
	return true;
}

int main(void)
{
	static const struct claim claims[] = {
		{ "D1: no read, write, mmap", d1_no_read_write_mmap },
		{ "D6: 4000 sessions, and again", d6_many_sessions },
		{ "D6: at the limit it is ENOSPC", d6_limit_is_enospc },
		{ "C1: lowest descriptor, kept by exec",
		  c1_lowest_and_not_cloexec },
		{ "E2 E15: CBC of all sizes", e2_e15_cbc_of_all_sizes },
		{ "E2 E15: CTR, ECB of odd sizes", e2_e15_ctr_and_null },
		{ "E9 E10 E15: HMAC of 9 MiB", e15_e9_hash_of_9_mib },
		{ "E5 E15: cipher and HMAC of 2 MiB",
		  e5_e15_cipher_and_hash_of_2_mib },
		{ "E4: overlapping buffers", e4_overlap_is_copied_first },
		{ "E13 E14: NO_ZC gives the same", e13_no_zc_gives_the_same },
		{ "E15: XTS is refused or whole", e15_xts_is_not_cut },
		{ "E11 D5: missing pages are EFAULT",
		  e11_pages_that_are_not_there },
		{ "P2: four threads", p2_threads },
		{ "P1: a child outlives its parent's descriptor",
		  p1_child_uses_and_outlives },
		{ "E17 P4: killed in flight, 30 times", e17_killed_in_flight },
		{ "Q1: no more than 64 jobs", q1_no_more_than_64 },
		{ "Q1: what is refused at once", q1_refused_at_once },
		{ "Q3: jobs of two sessions in order", q3_in_order },
		{ "Q2 Q3: a chain of jobs is one operation", q2_q3_chain },
		{ "Q4: a failed job tells its errno", q4_failed_job },
		{ "Q4: digest and IV with the fetch", q4_digest_and_iv },
		{ "Q5: poll", q5_poll },
		{ "Q2: fetched by another process", q2_fetched_by_another },
		{ "Q1 Q2: jobs beyond what may be pinned",
		  q1_q2_beyond_the_locked_memory },
		{ "Q6: closed with jobs under way", q6_closed_under_way },
	};

	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
