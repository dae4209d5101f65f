/* SPDX-License-Identifier: Apache-2.0 */
/* ways.c - the ways in which a guest's program can have something encrypted */
#include "bench/ways.h"

#include <errno.h>
#include <linux/if_alg.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "guest/guest.h"

#ifndef SOL_ALG
#define SOL_ALG 279
#endif

/* --- the device -------------------------------------------------------- */

static int device_open(struct way_run *run)
{
	const struct bench_algorithm *a = run->algorithm;
	struct session_op op = {
		.cipher = a->cipher,
		.mac = a->mac,
		.key = (uint8_t *)(uintptr_t)bench_key,
		.keylen = a->cipher ? a->key_bytes : 0,
		.mackey = (uint8_t *)(uintptr_t)bench_key,
		.mackeylen = a->cipher ? 0 : a->key_bytes,
	};
	int error;

	run->fd = guest_open();
	error = guest_call(run->fd, CIOCGSESSION, &op);
	run->session = op.ses;
	return -error;
}

static struct crypt_op device_op(const struct way_run *run, size_t slot)
{
	const struct bench_algorithm *a = run->algorithm;
	uint8_t *dst = run->dst + slot * (run->bytes + a->extra_bytes);

	return (struct crypt_op){
		.ses = run->session,
		.len = run->bytes,
		.src = run->src + slot * run->bytes,
		.dst = a->cipher ? dst : NULL,
		.mac = a->cipher ? NULL : dst,
		.iv = a->cipher ? (uint8_t *)(uintptr_t)bench_iv : NULL,
	};
}

static int device_turn(struct way_run *run)
{
	const struct bench_algorithm *a = run->algorithm;
	struct crypt_op op = device_op(run, 0);
	struct crypt_auth_op auth = {
		.ses = run->session,
		.len = run->bytes,
		.src = run->src,
		.dst = run->dst,
		.iv = (uint8_t *)(uintptr_t)bench_iv,
	};
	int error;

	if (a->cipher && a->extra_bytes)
		error = guest_call(run->fd, CIOCAUTHCRYPT, &auth);
	else
		error = guest_call(run->fd, CIOCCRYPT, &op);
	return error ? -error : 1;
}

static int device_close(struct way_run *run)
{
	close(run->fd);
	return 0;
}

/* The oldest job; with `may_wait` it is waited for. */
static int job_fetch(struct way_run *run, bool may_wait)
{
	struct pollfd p = { .fd = run->fd, .events = POLLIN };
	struct crypt_op op;
	int error = guest_call(run->fd, CIOCASYNCFETCH, &op);

	if (error == EBUSY && may_wait) {
		if (poll(&p, 1, -1) != 1)
			return -errno;
		error = guest_call(run->fd, CIOCASYNCFETCH, &op);
	}
	if (!error)
		run->in_flight--;
	return -error;
}

/* Fill up to the depth, and take what is done: at least one. */
static int jobs_turn(struct way_run *run)
{
	int done = 0, error;

	while (run->in_flight < run->depth) {
		struct crypt_op op =
			device_op(run, run->submitted % run->depth);

		error = guest_call(run->fd, CIOCASYNCCRYPT, &op);
		if (error)
			return -error;
		run->submitted++;
		run->in_flight++;
	}
	while (run->in_flight) {
		error = job_fetch(run, !done);
		if (error == -EBUSY)
			break;
		if (error)
			return error;
		done++;
	}
	return done;
}

static int jobs_close(struct way_run *run)
{
	int error = 0;

	while (!error && run->in_flight)
		error = job_fetch(run, true);
	close(run->fd);
	return error;
}

/* What an ioctl costs that does nothing. */
static int ioctl_turn(struct way_run *run)
{
	uint32_t features;
	int error = guest_call(run->fd, CIOCASYMFEAT, &features);

	return error ? -error : 1;
}

/* --- AF_ALG ------------------------------------------------------------ */

static int alg_open(struct way_run *run, const char *name)
{
	struct sockaddr_alg address = { .salg_family = AF_ALG,
					.salg_type = "skcipher" };

	if (!run->algorithm->cipher || run->algorithm->extra_bytes)
		return -EOPNOTSUPP;
	strcpy((char *)address.salg_name, name);
	run->key_fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (run->key_fd < 0 ||
	    bind(run->key_fd, (struct sockaddr *)&address, sizeof(address)) ||
	    setsockopt(run->key_fd, SOL_ALG, ALG_SET_KEY, bench_key,
		       run->algorithm->key_bytes))
		return -errno;
	run->fd = accept(run->key_fd, NULL, NULL);
	return run->fd < 0 ? -errno : 0;
}

static int afalg_open(struct way_run *run)
{
	return alg_open(run, "cbc(aes)");
}

/* That of QEMU's own device. */
static int stock_open(struct way_run *run)
{
	return alg_open(run, "virtio_crypto_aes_cbc");
}

static int alg_turn(struct way_run *run)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4) + CMSG_SPACE(sizeof(struct af_alg_iv) +
						      sizeof(bench_iv))];
	} control = { .bytes = { 0 } };
	struct iovec payload = { run->src, run->bytes };
	struct msghdr message = { .msg_iov = &payload,
				  .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	const uint32_t direction = ALG_OP_ENCRYPT, iv_bytes = sizeof(bench_iv);
	ssize_t got;

	part->cmsg_level = SOL_ALG;
	part->cmsg_type = ALG_SET_OP;
	part->cmsg_len = CMSG_LEN(sizeof(direction));
	memcpy(CMSG_DATA(part), &direction, sizeof(direction));
	part = CMSG_NXTHDR(&message, part);
	part->cmsg_level = SOL_ALG;
	part->cmsg_type = ALG_SET_IV;
	part->cmsg_len = CMSG_LEN(sizeof(struct af_alg_iv) + iv_bytes);
	memcpy(CMSG_DATA(part), &iv_bytes, sizeof(iv_bytes));
	memcpy(CMSG_DATA(part) + sizeof(iv_bytes), bench_iv, iv_bytes);
	got = sendmsg(run->fd, &message, 0);
	if (got == (ssize_t)run->bytes)
		got = read(run->fd, run->dst, run->bytes);
	return got < 0 ? -errno : got == (ssize_t)run->bytes ? 1 : -EIO;
}

static int alg_close(struct way_run *run)
{
	if (run->fd >= 0)
		close(run->fd);
	if (run->key_fd >= 0)
		close(run->key_fd);
	return 0;
}

/* --- in the process ---------------------------------------------------- */

static int nothing(struct way_run *run)
{
	(void)run;
	return 0;
}

static int libcrypto_turn(struct way_run *run)
{
	int error =
		direct_libcrypto(&run->direct, run->src, run->dst, run->bytes);

	return error ? error : 1;
}

static const struct way ways[] = {
	{ "device", true, device_open, device_turn, device_close },
	{ "jobs", true, device_open, jobs_turn, jobs_close },
	{ "ioctl", false, device_open, ioctl_turn, device_close },
	{ "afalg", true, afalg_open, alg_turn, alg_close },
	{ "virtio-crypto", true, stock_open, alg_turn, alg_close },
	{ "libcrypto", true, nothing, libcrypto_turn, nothing },
};

const struct way *way_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	return NULL;
}

int way_run_open(struct way_run *run, const struct way *way)
{
	size_t bytes = (size_t)run->bytes + run->algorithm->extra_bytes;
	int error;

	run->fd = run->key_fd = -1;
	run->src = calloc(run->depth, bytes);
	run->dst = calloc(run->depth, bytes);
	if (!run->src || !run->dst)
		return -ENOMEM;
	/* Pages are there then. */
	memset(run->src, 0x5a, run->depth * bytes);
	memset(run->dst, 0xff, run->depth * bytes);
	error = cryptsess_provider_open(&run->provider, "openssl", NULL, 0);
	if (!error)
		error = direct_open(&run->direct, run->algorithm,
				    run->provider);
	return error ? error : way->open(run);
}

/* What is in the first slot must be what libcrypto makes. */
static int compare(struct way_run *run)
{
	const struct bench_algorithm *a = run->algorithm;
	size_t bytes = (a->cipher ? run->bytes : 0) + a->extra_bytes;
	uint8_t *expected = malloc(bytes);
	int error;

	if (!expected)
		return -ENOMEM;
	error = direct_libcrypto(&run->direct, run->src, expected, run->bytes);
	if (!error && memcmp(expected, run->dst, bytes))
		error = -EBADMSG;
	free(expected);
	return error;
}

int way_run_close(struct way_run *run, const struct way *way)
{
	int error = way->close(run);

	if (!error && way->has_result)
		error = compare(run);
	direct_close(&run->direct);
	cryptsess_provider_close(run->provider);
	free(run->src);
	free(run->dst);
	return error;
}
