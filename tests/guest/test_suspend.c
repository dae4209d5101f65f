/* SPDX-License-Identifier: Apache-2.0 */
/* test_suspend.c - the machine is put to sleep and woken, and programs go on
 *
 * The kernel suspends all devices and resumes them at once (pm_test). That ends
 * the guest's file systems on virtio for good: this program opens nothing but
 * the node and what is in /sys.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "guest/guest.h"

#define BYTES   65536u
#define JOBS    32
#define WORKERS 3
#define ROUNDS  5

static uint8_t plain[BYTES], sealed[BYTES];
static uint8_t iv[16] = { 7 };

static bool set(const char *path, const char *value)
{
	int error = guest_write(path, value);

	if (error)
		printf("# %s: %s\n", path, strerror(error));
	return !error;
}

static bool sleep_and_wake(void)
{
	return set("/sys/power/state", "freeze");
}

static int run(int fd, uint32_t ses, unsigned long request, uint8_t *dst)
{
	struct crypt_op op = {
		.ses = ses, .len = BYTES, .src = plain, .dst = dst, .iv = iv
	};

	return guest_call(fd, request, &op);
}

static int open_session(int fd, uint32_t *ses)
{
	return guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, ses);
}

/* What is right is what came before the first sleep. */
static bool seal_right(int fd, uint32_t ses)
{
	static uint8_t out[BYTES];

	memset(out, 0, sizeof(out));
	EXPECT(run(fd, ses, CIOCCRYPT, out) == 0);
	EXPECT(memcmp(out, sealed, BYTES) == 0);
	return true;
}

static bool before(void)
{
	uint32_t ses;
	int fd = guest_open();

	EXPECT(set("/sys/module/suspend/parameters/pm_test_delay", "0"));
	EXPECT(set("/sys/power/pm_test", "devices"));
	guest_fill(plain, BYTES, 31);
	EXPECT(open_session(fd, &ses) == 0);
	EXPECT(run(fd, ses, CIOCCRYPT, sealed) == 0);
	EXPECT(memcmp(plain, sealed, BYTES) != 0);
	close(fd);
	return true;
}

static bool sessions(void)
{
	struct crypt_op hash = { .flags = COP_FLAG_UPDATE,
				 .len = 64,
				 .src = plain };
	uint32_t ses, after;
	int fd = guest_open();

	for (int i = 0; i < ROUNDS; i++) {
		EXPECT(open_session(fd, &ses) == 0);
		EXPECT(guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &hash.ses) == 0);
		EXPECT(guest_call(fd, CIOCCRYPT, &hash) == 0);
		EXPECT(seal_right(fd, ses));
		EXPECT(sleep_and_wake());
		EXPECT(run(fd, ses, CIOCCRYPT, sealed) == EIO);
		EXPECT(run(fd, ses, CIOCCRYPT, sealed) == EIO);
		EXPECT(guest_call(fd, CIOCCRYPT, &hash) == EIO);
		EXPECT(open_session(fd, &after) == 0);
		EXPECT(seal_right(fd, after));
		EXPECT(guest_free(fd, ses) == 0);
		EXPECT(guest_free(fd, hash.ses) == 0);
		EXPECT(guest_free(fd, after) == 0);
	}
	close(fd);
	return true;
}

static bool jobs(void)
{
	static uint8_t out[JOBS][BYTES];
	unsigned int done = 0, lost = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int fd = guest_open();
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct crypt_op op;
		uint32_t ses;

		memset(out, 0, sizeof(out));
		EXPECT(open_session(fd, &ses) == 0);
		for (int job = 0; job < JOBS; job++)
			EXPECT(run(fd, ses, CIOCASYNCCRYPT, out[job]) == 0);
		EXPECT(sleep_and_wake());
		for (int job = 0; job < JOBS; job++) {
			int error;

			EXPECT(poll(&p, 1, 60000) == 1);
			error = guest_call(fd, CIOCASYNCFETCH, &op);
			EXPECT(error == 0 || error == EIO);
			EXPECT(error || !memcmp(out[job], sealed, BYTES));
			done += !error;
			lost += error == EIO;
		}
		EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == EBUSY);
		close(fd);
	}
	printf("# %u jobs done, %u ended with EIO\n", done, lost);
	return true;
}

static atomic_bool is_over;
static atomic_uint operations, losses;

/* Goes on with a new session whenever the old one is gone. */
static void *work(void *unused)
{
	uint8_t out[BYTES];
	int fd = guest_open(), error = 0;

	while (!error && !atomic_load(&is_over)) {
		uint32_t ses;

		error = open_session(fd, &ses);
		while (!error && !atomic_load(&is_over)) {
			memset(out, 0, sizeof(out));
			error = run(fd, ses, CIOCCRYPT, out);
			if (!error && memcmp(out, sealed, BYTES))
				error = EBADMSG;
			atomic_fetch_add(&operations, 1);
		}
		(void)guest_free(fd, ses);
		if (error == EIO) {
			atomic_fetch_add(&losses, 1);
			error = 0;
		}
	}
	close(fd);
	if (error)
		printf("# a worker: %s\n", strerror(error));
	return error ? &is_over : unused;
}

static bool under_load(void)
{
	pthread_t ids[WORKERS];
	void *failed;
	bool holds = true;

	for (int i = 0; i < WORKERS; i++)
		EXPECT(!pthread_create(&ids[i], NULL, work, NULL));
	for (int i = 0; holds && i < ROUNDS; i++) {
		unsigned int seen = atomic_load(&operations) + WORKERS * 4;

		holds = sleep_and_wake();
		while (holds && atomic_load(&operations) < seen)
			usleep(1000);
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(ids[i], &failed);
		holds = holds && !failed;
	}
	printf("# %u operations, %u sessions lost\n", atomic_load(&operations),
	       atomic_load(&losses));
	EXPECT(holds);
	EXPECT(atomic_load(&losses) >= ROUNDS);
	return true;
}

int main(void)
{
	static const struct claim claims[] = {
		{ "the machine can be put to sleep", before },
		{ "sessions from before a sleep answer EIO, new ones work",
		  sessions },
		{ "a job over a sleep is right or ends with EIO", jobs },
		{ "programs go on over sleeps under load", under_load },
	};

	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
