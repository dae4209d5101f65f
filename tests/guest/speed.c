/* SPDX-License-Identifier: Apache-2.0 */
/* speed.c - operations per second of one thread on a node
 *
 * speed MILLISECONDS DEPTH KIND BYTES...: KIND is one of `kinds`; DEPTH 0 is
 * CIOCCRYPT (or CIOCAUTHCRYPT), else that many asynchronous jobs at once.
 * Prints a line for each size.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "guest/guest.h"

static int fd, depth;
static uint32_t ses;
static uint8_t *src, *dst;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run_auth(uint32_t bytes)
{
	uint8_t iv[12] = { 1 };
	struct crypt_auth_op op = {
		.ses = ses, .len = bytes, .src = src, .dst = dst, .iv = iv
	};

	return guest_call(fd, CIOCAUTHCRYPT, &op);
}

/* What an ioctl costs that does nothing. */
static int run_nothing(uint32_t bytes)
{
	uint32_t features;

	return guest_call(fd, CIOCASYMFEAT, &features);
}

static int run_one(uint32_t bytes)
{
	struct crypt_op op = {
		.ses = ses, .len = bytes, .src = src, .dst = dst
	};

	return guest_call(fd, CIOCCRYPT, &op);
}

static int run_jobs(uint32_t bytes)
{
	struct crypt_op op = { .ses = ses, .len = bytes, .src = src };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int error = 0;

	for (int i = 0; !error && i < depth; i++) {
		op.dst = dst + (size_t)i * bytes;
		error = guest_call(fd, CIOCASYNCCRYPT, &op);
	}
	for (int i = 0; !error && i < depth; i++) {
		error = guest_call(fd, CIOCASYNCFETCH, &op);
		if (error == EBUSY && poll(&p, 1, -1) == 1)
			error = guest_call(fd, CIOCASYNCFETCH, &op);
	}
	return error;
}

static int measure(int (*run)(uint32_t bytes), uint32_t bytes, double length_s)
{
	unsigned long count = 0;
	double begun, passed;
	int error = run(bytes); /* pages are there then */

	begun = now_s();
	do {
		for (int i = 0; !error && i < 16; i++)
			error = run(bytes);
		count += 16ul * (run == run_jobs ? (unsigned long)depth : 1);
		passed = now_s() - begun;
	} while (!error && passed < length_s);
	if (error)
		printf("%u: %s\n", bytes, strerror(error));
	else
		printf("%8u bytes %8lu times %8.0f op/s %7.1f MB/s\n", bytes,
		       count, (double)count / passed,
		       (double)count / passed * bytes / 1e6);
	return error;
}

static const struct kind {
	const char *name;
	uint32_t cipher, key_bytes;
	int (*run)(uint32_t bytes); /* NULL: CIOCCRYPT or jobs */
} kinds[] = {
	{ "cbc", CRYPTO_AES_CBC, 16, NULL },
	{ "null", CRYPTO_NULL, 0, NULL },
	{ "gcm", CRYPTO_AES_GCM, 16, run_auth },
	{ "ioctl", CRYPTO_NULL, 0, run_nothing },
};

static int run_sizes(const struct kind *kind, double length_s, char **sizes)
{
	int error = 0;

	for (; !error && *sizes; sizes++) {
		size_t bytes = (size_t)atoi(*sizes);
		size_t room = bytes * (size_t)(depth ? depth : 1) + 64;

		src = calloc(1, room);
		dst = calloc(1, room);
		if (!src || !dst)
			return ENOMEM;
		error = measure(kind->run ? kind->run
				: depth   ? run_jobs
					  : run_one,
				(uint32_t)bytes, length_s);
		free(src);
		free(dst);
	}
	return error;
}

int main(int argc, char **argv)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (argc < 5 || strcmp(argv[3], kinds[i].name) != 0)
			continue;
		depth = atoi(argv[2]);
		fd = guest_open();
		if (guest_session(fd, kinds[i].cipher, kinds[i].key_bytes, 0, 0,
				  &ses))
			return 1;
		return run_sizes(&kinds[i], atoi(argv[1]) / 1e3, argv + 4) != 0;
	}
	fprintf(stderr, "usage: speed MILLISECONDS DEPTH cbc|null|gcm|ioctl "
			"BYTES...\n");
	return 2;
}
