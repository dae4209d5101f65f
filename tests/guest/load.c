/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - many programs use a node at once and look at every byte
 *
 * load SECONDS PROCESSES THREADS [ERRNO...]: each thread has a file and
 * sessions of its own and runs ciphers, hashes, AEADs and asynchronous jobs of
 * random sizes, each there and back. Without ERRNOs every call must succeed,
 * but for the next step of a hash in parts, which may say EIO (docs/spec/
 * virtio-cryptodev.md, 9.4). With them a thread ends well when a call says one
 * of those. SIGTERM ends it before its time. Exit status 0: all was right;
 * prints the operations, and how threads ended.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/guest.h"

#define ROOM       (700 * 1024)
#define JOBS       16
#define DONE       (-1) /* a call said what ends this thread well */
#define ERRNOS_MAX 8

static struct {
	unsigned long operations;
	unsigned long lost;              /* hashes in parts */
	unsigned long ended[ERRNOS_MAX]; /* threads, by what was said */
	volatile bool is_over;
} * shared;
static int errnos[ERRNOS_MAX], errno_count;
static time_t end_at;

struct lane {
	int fd;
	uint32_t cbc, ctr, gcm, hmac;
	uint32_t seed;
	uint8_t *plain, *sealed, *back;
	uint8_t digest[64]; /* of `plain`, whole */
};

static uint32_t below(struct lane *lane, uint32_t bound)
{
	lane->seed = lane->seed * 1664525u + 1013904223u;
	return (lane->seed >> 8) % bound;
}

/* 0: it worked; DONE; 1: it must not have failed so. */
static int judge(const char *what, int error)
{
	if (!error)
		return 0;
	for (int i = 0; i < errno_count; i++)
		if (errnos[i] == error) {
			__atomic_fetch_add(&shared->ended[i], 1,
					   __ATOMIC_RELAXED);
			return DONE;
		}
	printf("# %s: %s\n", what, strerror(error));
	return 1;
}

static int wrong(const char *what, uint32_t bytes)
{
	printf("# %s: wrong bytes of %u\n", what, bytes);
	return 1;
}

static int try_cipher(struct lane *lane)
{
	uint32_t bytes =
		(1 + below(lane, below(lane, 8) ? 256 : ROOM / 16)) * 16;
	uint8_t iv[16] = { 5 };
	struct crypt_op op = { .ses = below(lane, 2) ? lane->cbc : lane->ctr,
			       .len = bytes,
			       .src = lane->plain,
			       .dst = lane->sealed,
			       .iv = iv };
	int r = judge("encrypt", guest_call(lane->fd, CIOCCRYPT, &op));

	if (r)
		return r;
	op.op = COP_DECRYPT;
	op.src = lane->sealed;
	op.dst = below(lane, 2) ? lane->back : lane->sealed;
	r = judge("decrypt", guest_call(lane->fd, CIOCCRYPT, &op));
	if (!r && memcmp(op.dst, lane->plain, bytes) != 0)
		r = wrong("cipher", bytes);
	return r;
}

static int try_aead(struct lane *lane)
{
	uint32_t bytes = below(lane, 40000);
	uint8_t iv[12] = { 6 };
	struct crypt_auth_op op = { .ses = lane->gcm,
				    .len = bytes,
				    .src = lane->plain,
				    .dst = lane->sealed,
				    .auth_src = lane->plain,
				    .auth_len = below(lane, 4000),
				    .iv = iv };
	int r = judge("seal", guest_call(lane->fd, CIOCAUTHCRYPT, &op));

	if (r)
		return r;
	op.op = COP_DECRYPT;
	op.src = lane->sealed;
	op.dst = lane->back;
	r = judge("unseal", guest_call(lane->fd, CIOCAUTHCRYPT, &op));
	if (!r && (op.len != bytes || memcmp(lane->back, lane->plain, bytes)))
		r = wrong("AEAD", bytes);
	return r;
}

/* One part of the whole; EIO ends this attempt and is counted. */
static int hash_part(struct lane *lane, uint32_t at, uint32_t bytes,
		     uint16_t flags, uint8_t *mac, bool *is_lost)
{
	struct crypt_op op = { .ses = lane->hmac,
			       .flags = flags,
			       .len = bytes,
			       .src = lane->plain + at,
			       .mac = mac };
	int error = guest_call(lane->fd, CIOCCRYPT, &op);

	*is_lost = error == EIO && at && !errno_count;
	return *is_lost ? 0 : judge("hash", error);
}

static int try_hash(struct lane *lane)
{
	uint32_t part = 4096 + below(lane, ROOM), at = 0;
	uint8_t mac[64];
	bool is_lost = false;
	int r = 0;

	while (!r && at < ROOM) {
		uint32_t bytes = part < ROOM - at ? part : ROOM - at;
		uint16_t flags =
			at + bytes == ROOM ? COP_FLAG_FINAL : COP_FLAG_UPDATE;

		r = hash_part(lane, at, bytes,
			      (uint16_t)(at ? flags : flags | COP_FLAG_RESET),
			      mac, &is_lost);
		if (is_lost) {
			__atomic_fetch_add(&shared->lost, 1, __ATOMIC_RELAXED);
			return 0;
		}
		at += bytes;
	}
	if (!r && memcmp(mac, lane->digest, 32) != 0)
		r = wrong("hash", ROOM);
	return r;
}

/* A device that is going wakes who polls before the job has its end. */
static int fetch(struct lane *lane)
{
	struct pollfd p = { .fd = lane->fd, .events = POLLIN };
	struct crypt_op op;
	int error = EBUSY;

	for (int i = 0; error == EBUSY && i < 3000; i++) {
		if (poll(&p, 1, 30000) != 1)
			return judge("poll", ETIME);
		if (!(p.revents & POLLIN))
			usleep(10000);
		error = guest_call(lane->fd, CIOCASYNCFETCH, &op);
	}
	return judge("fetch", error);
}

static int try_async(struct lane *lane)
{
	uint32_t bytes = (1 + below(lane, ROOM / JOBS / 16)) * 16;
	uint8_t iv[16] = { 8 };
	struct crypt_op op = { .ses = lane->ctr, .len = bytes, .iv = iv };
	int r = 0, submitted = 0;

	for (; !r && submitted < JOBS; submitted++) {
		op.src = lane->plain + submitted * bytes;
		op.dst = lane->sealed + submitted * bytes;
		r = judge("submit", guest_call(lane->fd, CIOCASYNCCRYPT, &op));
		op.iv = NULL;
	}
	while (!r && submitted--)
		r = fetch(lane);
	if (r)
		return r;
	op.op = COP_DECRYPT;
	op.iv = iv;
	op.len = bytes * JOBS;
	op.src = lane->sealed;
	op.dst = lane->back;
	r = judge("decrypt", guest_call(lane->fd, CIOCCRYPT, &op));
	if (!r && memcmp(lane->back, lane->plain, bytes * JOBS) != 0)
		r = wrong("async", bytes);
	return r;
}

static int try_session(struct lane *lane)
{
	uint32_t ses;
	int r = judge("session", guest_session(lane->fd, CRYPTO_AES_CBC, 32,
					       CRYPTO_SHA1_HMAC, 20, &ses));

	return r ? r : judge("free", guest_free(lane->fd, ses));
}

static int lane_open(struct lane *lane)
{
	struct crypt_op op = { .len = ROOM, .mac = lane->digest };
	const char *path = getenv("CRYPTODEV");
	int r;

	lane->plain = malloc(ROOM);
	lane->sealed = malloc(ROOM + 64);
	lane->back = malloc(ROOM + 64);
	if (!lane->plain || !lane->sealed || !lane->back)
		return judge("malloc", ENOMEM);
	guest_fill(lane->plain, ROOM, lane->seed);
	lane->fd = open(path ? path : "/dev/cryptodev0", O_RDWR);
	if (lane->fd < 0)
		return judge("open", errno);
	r = judge("session", guest_session(lane->fd, CRYPTO_AES_CBC, 16, 0, 0,
					   &lane->cbc));
	if (!r)
		r = judge("session", guest_session(lane->fd, CRYPTO_AES_CTR, 32,
						   0, 0, &lane->ctr));
	if (!r)
		r = judge("session", guest_session(lane->fd, CRYPTO_AES_GCM, 16,
						   0, 0, &lane->gcm));
	if (!r)
		r = judge("session",
			  guest_session(lane->fd, 0, 0, CRYPTO_SHA2_256_HMAC,
					32, &lane->hmac));
	op.ses = lane->hmac;
	op.src = lane->plain;
	if (!r)
		r = judge("hash", guest_call(lane->fd, CIOCCRYPT, &op));
	return r;
}

static void *lane_run(void *argument)
{
	static int (*const tries[])(struct lane * lane) = {
		try_cipher, try_cipher, try_aead,
		try_hash,   try_async,  try_session,
	};
	struct lane lane = { .fd = -1,
			     .seed = (uint32_t)getpid() * 31 +
				     (uint32_t)(uintptr_t)argument };
	int r = lane_open(&lane);

	/* One at least, however slow the machine is. */
	while (!r) {
		r = tries[below(&lane, sizeof(tries) / sizeof(tries[0]))](
			&lane);
		__atomic_fetch_add(&shared->operations, 1, __ATOMIC_RELAXED);
		if (time(NULL) >= end_at || shared->is_over)
			break;
	}
	if (lane.fd >= 0)
		close(lane.fd);
	free(lane.plain);
	free(lane.sealed);
	free(lane.back);
	return r == 1 ? argument : NULL;
}

static int run_process(unsigned int threads)
{
	pthread_t thread[16];
	int status = 0;

	for (unsigned int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, lane_run,
				   (void *)(uintptr_t)(i + 1)))
			return 1;
	for (unsigned int i = 0; i < threads; i++) {
		void *result;

		pthread_join(thread[i], &result);
		status |= result != NULL;
	}
	fflush(stdout);
	return status;
}

static void on_term(int number)
{
	shared->is_over = true;
}

int main(int argc, char **argv)
{
	unsigned int processes = argc > 3 ? (unsigned int)atoi(argv[2]) : 0;
	unsigned int threads = argc > 3 ? (unsigned int)atoi(argv[3]) : 0;
	int status = 0, one;

	if (!processes || !threads || threads > 16 || argc > 4 + ERRNOS_MAX) {
		fprintf(stderr, "usage: load SECONDS PROCESSES THREADS "
				"[ERRNO...]\n");
		return 2;
	}
	for (int i = 4; i < argc; i++)
		errnos[errno_count++] = atoi(argv[i]);
	end_at = time(NULL) + atoi(argv[1]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	signal(SIGTERM, on_term);
	for (unsigned int i = 0; i < processes; i++)
		if (fork() == 0)
			_exit(run_process(threads));
	while (wait(&one) > 0)
		status |= one;
	printf("# %lu operations, %lu hashes in parts begun again\n",
	       shared->operations, shared->lost);
	for (int i = 0; i < errno_count; i++)
		if (shared->ended[i])
			printf("# %lu threads ended by: %s\n", shared->ended[i],
			       strerror(errnos[i]));
	return status || (!errno_count && !shared->operations);
}
