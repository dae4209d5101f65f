/* SPDX-License-Identifier: Apache-2.0 */
/* test_kick.c - jobs that the device is not told of at once: each way in which
 * it comes to know of them, with the others out of reach
 *
 * The timer is set to an hour, and the watchdog, which looks after lost
 * interrupts, to many minutes: who is forgotten waits for so long, and each
 * claim ends after LIMIT_S. Where nothing may be asked, the results are seen
 * to come into the program's memory.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guest/guest.h"

#define MODULE  "/sys/module/virtio_cryptodev/parameters/"
#define JOBS    8
#define TOLD_AT 16 /* VCD_KICK_JOBS */
#define BLOCK   16
#define LIMIT_S 60
#define NEVER   "3600000000"
#define MIDDLE  (60 << 10) /* takes it longer than to be added; lies untold */
#define FEW     (TOLD_AT - 1)
#define FILES   20        /* 64 jobs each: more than a ring has entries */
#define LARGE   (1 << 20) /* takes a device a while, and is told of */

/* What a job writes is not what was there: its bytes are CBC of zeros. */
static uint8_t zeros[LARGE], results[64][BLOCK], large[LARGE];

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int cipher_open(uint32_t *ses)
{
	int fd = guest_open();

	return guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, ses) ? -1 : fd;
}

/* `count` jobs, with results[] for what they write. */
static bool submit(int fd, uint32_t ses, int count)
{
	memset(results, 0, sizeof(results));
	for (int i = 0; i < count; i++) {
		struct crypt_op op = { .ses = ses,
				       .len = BLOCK,
				       .src = zeros,
				       .dst = results[i] };

		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	}
	return true;
}

static bool fetch(int fd, int count)
{
	struct crypt_op op;

	for (int i = 0; i < count; i++) {
		EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == 0);
		EXPECT(op.dst == results[i]);
	}
	return true;
}

static bool is_there(const volatile uint8_t *result)
{
	for (int i = 0; i < BLOCK; i++)
		if (result[i])
			return true;
	return false;
}

/* Without a call of the driver. */
static bool appears(const volatile uint8_t *result)
{
	time_t end_s = now_s() + LIMIT_S;

	while (!is_there(result)) {
		EXPECT(now_s() < end_s);
		usleep(1000);
	}
	return true;
}

static bool all_appear(int count)
{
	for (int i = 0; i < count; i++)
		EXPECT(appears(results[i]));
	return true;
}

/* Wait for each and fetch it: bytes are there a moment before the device says
 * so. */
static bool settle(int fd, int count)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct crypt_op op;

	for (int i = 0; i < count; i++) {
		EXPECT(poll(&p, 1, LIMIT_S * 1000) == 1);
		EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == 0);
	}
	return true;
}

static bool poll_tells(void)
{
	uint32_t ses;
	int fd = cipher_open(&ses);

	for (int round = 0; round < 20; round++) {
		EXPECT(submit(fd, ses, JOBS));
		EXPECT(settle(fd, JOBS));
	}
	close(fd);
	return true;
}

static bool fetch_tells(void)
{
	uint32_t ses;
	int fd = cipher_open(&ses);
	time_t end_s = now_s() + LIMIT_S;

	EXPECT(submit(fd, ses, JOBS));
	for (int i = 0; i < JOBS; i++) {
		struct crypt_op op;

		while (guest_call(fd, CIOCASYNCFETCH, &op) == EBUSY) {
			EXPECT(now_s() < end_s);
			usleep(1000);
		}
	}
	close(fd);
	return true;
}

/* Nobody asks between the waits but who found something. */
static bool epoll_tells(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int poller = epoll_create1(0), got = 0;
	struct crypt_op op;
	uint32_t ses;
	int fd = cipher_open(&ses);

	EXPECT(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0);
	for (int round = 0; round < 20; round++, got = 0) {
		EXPECT(submit(fd, ses, JOBS));
		while (got < JOBS) {
			EXPECT(epoll_wait(poller, &event, 1, LIMIT_S * 1000) ==
			       1);
			while (guest_call(fd, CIOCASYNCFETCH, &op) == 0)
				got++;
		}
	}
	close(fd);
	close(poller);
	return true;
}

/* The jobs are there before; they come back in several batches. */
static bool late_epoll_wakes(void)
{
	struct crypt_op op = { .len = LARGE, .src = zeros, .dst = large }, done;
	struct epoll_event told, event = { .events = EPOLLIN | EPOLLET };
	int fd = cipher_open(&op.ses);

	for (int round = 0; round < 20; round++) {
		int poller = epoll_create1(0), got = 0;

		for (int i = 0; i < FEW; i++)
			EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
		EXPECT(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0);
		while (got < FEW) {
			EXPECT(epoll_wait(poller, &told, 1, LIMIT_S * 1000) ==
			       1);
			while (guest_call(fd, CIOCASYNCFETCH, &done) == 0)
				got++;
		}
		close(poller);
	}
	close(fd);
	return true;
}

/* So many appear without a call of the driver. */
static bool are_told(const char *kick_us, int count)
{
	uint32_t ses;
	int fd = cipher_open(&ses);

	EXPECT(!guest_write(MODULE "kick_us", kick_us));
	for (int round = 0; round < 20; round++) {
		EXPECT(submit(fd, ses, count));
		EXPECT(all_appear(count));
		EXPECT(settle(fd, count));
	}
	close(fd);
	return !guest_write(MODULE "kick_us", NEVER);
}

/* The first one at once, then as many as are told of together. */
static bool many_are_told(void)
{
	return are_told(NEVER, 1 + TOLD_AT);
}

static bool timer_tells(void)
{
	return are_told("1000", JOBS);
}

static bool nothing_waits_with_0(void)
{
	return are_told("0", JOBS);
}

/* While the driver does not know that the device has done the one before. */
static bool large_one_is_told(void)
{
	struct crypt_op op = { .len = LARGE, .src = zeros, .dst = large };
	int fd = cipher_open(&op.ses);

	for (int round = 0; round < 20; round++) {
		EXPECT(submit(fd, op.ses, 1));
		EXPECT(all_appear(1));
		memset(large, 0, sizeof(large));
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
		EXPECT(appears(large + LARGE - BLOCK));
		EXPECT(settle(fd, 2));
	}
	close(fd);
	return true;
}

static bool call_tells(void)
{
	uint32_t ses;
	int fd = cipher_open(&ses);
	uint8_t block[BLOCK];
	struct crypt_op op = {
		.ses = ses, .len = BLOCK, .src = zeros, .dst = block
	};

	EXPECT(submit(fd, ses, JOBS));
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(fetch(fd, JOBS));
	close(fd);
	return true;
}

static bool free_tells(void)
{
	uint32_t ses;
	int fd = cipher_open(&ses);

	EXPECT(submit(fd, ses, JOBS));
	EXPECT(guest_free(fd, ses) == 0);
	EXPECT(fetch(fd, JOBS));
	close(fd);
	return true;
}

/* It waits for what was hashed before it asks the device for the copy. */
static bool copy_tells(void)
{
	uint8_t mac[64];
	struct cphash_op copy;
	struct crypt_op op = {
		.len = BLOCK, .src = zeros, .mac = mac, .flags = COP_FLAG_UPDATE
	};
	time_t begun_s = now_s();
	int fd = guest_open();

	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &copy.src_ses));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &copy.dst_ses));
	op.ses = copy.src_ses;
	for (int i = 0; i < JOBS; i++)
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(guest_call(fd, CIOCCPHASH, &copy) == 0);
	EXPECT(now_s() - begun_s < LIMIT_S);
	close(fd);
	return true;
}

static bool close_tells(void)
{
	uint32_t ses;
	int fd = cipher_open(&ses);

	EXPECT(submit(fd, ses, JOBS));
	close(fd);
	return all_appear(JOBS);
}

/* More than a ring holds, and nobody fetches: who finds no room waits for it,
 * which only the device can make. */
static bool full_ring_tells(void)
{
	struct crypt_op op = { .len = MIDDLE, .src = zeros, .dst = large };
	uint32_t ses[FILES];
	int fd[FILES];

	for (int i = 0; i < FILES; i++)
		fd[i] = cipher_open(&ses[i]);
	for (int i = 0; i < FILES * 64; i++) {
		op.ses = ses[i / 64];
		EXPECT(guest_call(fd[i / 64], CIOCASYNCCRYPT, &op) == 0);
	}
	return true;
}

/* A device that does not know of them would be waited for in vain, which the
 * kernel's log tells: the script reads it. */
static bool unplug_tells(void)
{
	struct crypt_op op;
	char name[64];
	time_t begun_s = now_s();
	uint32_t ses;
	int fd = cipher_open(&ses), error;

	EXPECT(guest_device(name, sizeof(name)));
	EXPECT(submit(fd, ses, JOBS));
	EXPECT(!guest_write(GUEST_DRIVER "unbind", name));
	for (int i = 0; i < JOBS; i++) {
		error = guest_call(fd, CIOCASYNCFETCH, &op);
		EXPECT(error == 0 || error == ENODEV);
	}
	EXPECT(!guest_write(GUEST_DRIVER "bind", name));
	EXPECT(now_s() - begun_s < LIMIT_S);
	close(fd);
	fd = cipher_open(&ses);
	EXPECT(fd >= 0);
	close(fd);
	return true;
}

/* One that hangs is ended, and so fails. */
static bool in_time(bool (*holds)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(2 * LIMIT_S);
		_exit(!holds());
	}
	return waitpid(child, &status, 0) == child && status == 0;
}

#define IN_TIME(name)                    \
	static bool name##_in_time(void) \
	{                                \
		return in_time(name);    \
	}
IN_TIME(copy_tells)
IN_TIME(full_ring_tells)

int main(void)
{
	static const struct claim claims[] = {
		{ "poll tells the device, and wakes", poll_tells },
		{ "a fetch that finds nothing tells", fetch_tells },
		{ "epoll wakes without asking", epoll_tells },
		{ "it wakes for jobs from before it", late_epoll_wakes },
		{ "the first job is told of, and many are", many_are_told },
		{ "a large one is told of", large_one_is_told },
		{ "the timer tells", timer_tells },
		{ "with kick_us=0 each is told of", nothing_waits_with_0 },
		{ "a call tells of the jobs before it", call_tells },
		{ "F1: the session's end does", free_tells },
		{ "H3: a copied hash's jobs are told of", copy_tells_in_time },
		{ "Q6: the last close tells", close_tells },
		{ "who finds the ring full tells", full_ring_tells_in_time },
		{ "jobs that lie untold hold up no unplug", unplug_tells },
	};
	int status;

	if (guest_write(MODULE "kick_us", NEVER) ||
	    guest_write(MODULE "timeout_ms", "3600000"))
		return 1;
	/* The watchdog's last look by the old times. */
	sleep(6);
	status = guest_run(claims, sizeof(claims) / sizeof(claims[0]));
	(void)guest_write(MODULE "kick_us", "1000");
	(void)guest_write(MODULE "timeout_ms", "20000");
	return status;
}
