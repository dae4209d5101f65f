/* SPDX-License-Identifier: Apache-2.0 */
/* test_lost.c - the device's worker dies in the middle of hashes
 *
 * The running hash dies with it (docs/spec/virtio-cryptodev.md, 9.4). A
 * program may hear of that in one place alone: where it goes on with a hash
 * that it has open.
 */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/guest.h"
#include "guest/steer.h"

#define ROOM  (9u << 20) /* many requests */
#define FIRST (1u << 20)
#define JOB   (6u << 20)
#define KILLS 8

static uint8_t *plain, *sealed, *back, *expected;
static atomic_uint operations;
static atomic_bool is_over;

/* Kills at moments that nobody chose; the next one when a whole operation went
 * well since, for a request that is begun at three deaths is refused. */
static void *kill_often(void *unused)
{
	bool is_killed = true;

	for (unsigned int i = 0; is_killed && i < KILLS; i++) {
		unsigned int before;

		usleep(1000 * (i * 37 % 50));
		is_killed = steer("kill-worker");
		before = atomic_load(&operations);
		while (atomic_load(&operations) < before + 2)
			usleep(1000);
	}
	atomic_store(&is_over, true);
	return is_killed ? (void *)kill_often : NULL;
}

/* Run `step` until the worker has died KILLS times. */
static bool under_deaths(bool (*step)(void *with), void *with)
{
	bool holds = true;
	pthread_t killer;
	void *has_killed;

	atomic_store(&is_over, false);
	EXPECT(!pthread_create(&killer, NULL, kill_often, NULL));
	while (!atomic_load(&is_over)) {
		holds = holds && step(with);
		atomic_fetch_add(&operations, 1);
	}
	pthread_join(killer, &has_killed);
	EXPECT(has_killed);
	return holds;
}

struct hashing {
	int fd;
	uint32_t ses;
	uint16_t flags;
	uint8_t digest[64];
	unsigned int lost; /* parts */
};

static int hash(struct hashing *h, uint32_t at, uint32_t bytes, uint16_t flags,
		uint8_t *digest)
{
	struct crypt_op op = { .ses = h->ses,
			       .flags = flags,
			       .len = bytes,
			       .src = plain + at,
			       .mac = digest };

	return guest_call(h->fd, CIOCCRYPT, &op);
}

static bool hashing_open(struct hashing *h, uint32_t mac, uint16_t flags)
{
	memset(h, 0, sizeof(*h));
	h->fd = guest_open();
	h->flags = flags;
	EXPECT(!guest_session(h->fd, 0, 0, mac, 33, &h->ses));
	EXPECT(!hash(h, 0, ROOM, 0, h->digest));
	return true;
}

static bool whole_is_right(void *with)
{
	struct hashing *h = with;
	uint8_t digest[64] = { 0 };

	EXPECT(hash(h, 0, ROOM, h->flags, digest) == 0);
	EXPECT(memcmp(digest, h->digest, 20) == 0);
	return true;
}

static bool one_shots(void)
{
	/* The last begins afresh since it comes behind a digest (E10). */
	static const uint16_t flags[] = { 0, COP_FLAG_RESET | COP_FLAG_FINAL,
					  COP_FLAG_FINAL };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct hashing h;

		EXPECT(hashing_open(&h, CRYPTO_SHA2_256_HMAC, flags[i]));
		EXPECT(under_deaths(whole_is_right, &h));
		close(h.fd);
	}
	return true;
}

static bool job_is_right(void *with)
{
	struct hashing *h = with;
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	uint8_t digest[2][64] = { { 0 } };
	struct crypt_op op = { .ses = h->ses, .len = JOB, .src = plain };

	for (int i = 0; i < 2; i++) {
		op.mac = digest[i];
		EXPECT(guest_call(h->fd, CIOCASYNCCRYPT, &op) == 0);
	}
	for (int i = 0; i < 2; i++) {
		int error;

		EXPECT(poll(&p, 1, -1) == 1);
		error = guest_call(h->fd, CIOCASYNCFETCH, &op);
		if (error)
			printf("# fetch: %s\n", strerror(error));
		EXPECT(!error);
		EXPECT(memcmp(digest[i], h->digest, 32) == 0);
	}
	return true;
}

static bool jobs(void)
{
	struct hashing h;

	EXPECT(hashing_open(&h, CRYPTO_SHA2_256_HMAC, 0));
	EXPECT(hash(&h, 0, JOB, 0, h.digest) == 0);
	EXPECT(under_deaths(job_is_right, &h));
	close(h.fd);
	return true;
}

/* The first part must never fail. Another may, once, and then the program
 * begins again. */
static bool parts_are_right(void *with)
{
	struct hashing *h = with;
	uint8_t digest[64] = { 0 };
	int error;

	EXPECT(hash(h, 0, FIRST, COP_FLAG_RESET | COP_FLAG_UPDATE, NULL) == 0);
	error = hash(h, FIRST, ROOM - FIRST, COP_FLAG_UPDATE, NULL);
	if (!error)
		error = hash(h, 0, 0, COP_FLAG_FINAL, digest);
	EXPECT(error == 0 || error == EIO);
	h->lost += error == EIO;
	EXPECT(error || memcmp(digest, h->digest, 20) == 0);
	return true;
}

static bool parts(void)
{
	struct hashing h;

	EXPECT(hashing_open(&h, CRYPTO_SHA1, 0));
	EXPECT(under_deaths(parts_are_right, &h));
	printf("# %u hashes in parts lost\n", h.lost);
	EXPECT(h.lost); /* the deaths do hit */
	close(h.fd);
	return true;
}

/* What is hashed is encrypted too, in another place. */
static bool sealed_is_right(void *with)
{
	struct hashing *h = with;
	uint8_t iv[16] = { 3 }, digest[64] = { 0 };
	struct crypt_op op = { .ses = h->ses,
			       .len = ROOM,
			       .src = plain,
			       .dst = sealed,
			       .mac = digest,
			       .iv = iv };

	EXPECT(guest_call(h->fd, CIOCCRYPT, &op) == 0);
	EXPECT(memcmp(digest, h->digest, 32) == 0);
	memset(digest, 0, sizeof(digest));
	op.op = COP_DECRYPT;
	op.src = sealed;
	op.dst = back;
	EXPECT(guest_call(h->fd, CIOCCRYPT, &op) == 0);
	EXPECT(memcmp(digest, h->digest, 32) == 0);
	EXPECT(memcmp(back, plain, ROOM) == 0);
	return true;
}

static bool ciphers_with_hash(void)
{
	struct hashing h;

	EXPECT(hashing_open(&h, CRYPTO_SHA2_256_HMAC, 0));
	EXPECT(!guest_session(h.fd, CRYPTO_AES_CBC, 32, CRYPTO_SHA2_256_HMAC,
			      33, &h.ses));
	EXPECT(under_deaths(sealed_is_right, &h));
	close(h.fd);
	return true;
}

/* A cipher with a hash, over memory that is source and destination, behind a
 * small operation that leaves an IV. */
struct sealing {
	struct hashing h; /* first: its session and digest */
	uint8_t behind[16];
	bool has_iv, is_job;
};

static int seal(struct sealing *s, uint16_t op_code, uint8_t *at,
		uint32_t bytes, uint8_t *iv, uint8_t *digest)
{
	struct pollfd p = { .fd = s->h.fd, .events = POLLIN };
	struct crypt_op op = { .ses = s->h.ses,
			       .op = op_code,
			       .len = bytes,
			       .src = at,
			       .dst = at,
			       .mac = digest,
			       .iv = iv };
	int error;

	if (!s->is_job)
		return guest_call(s->h.fd, CIOCCRYPT, &op);
	error = guest_call(s->h.fd, CIOCASYNCCRYPT, &op);
	if (!error && poll(&p, 1, -1) != 1)
		error = EBUSY;
	return error ? error : guest_call(s->h.fd, CIOCASYNCFETCH, &op);
}

/* ROOM bytes in place, and then 16 more by the IV that is left. */
static int seal_all(struct sealing *s, uint16_t op_code, uint8_t *digest,
		    uint8_t *behind)
{
	uint8_t iv[16] = { 3 }, first[16] = { 4 }, unused[64];
	int error = seal(s, COP_ENCRYPT, first, 16, iv, unused);

	if (!error)
		error = seal(s, op_code, sealed, ROOM, s->has_iv ? iv : NULL,
			     digest);
	memset(behind, 5, 16);
	if (!error)
		error = seal(s, op_code, behind, 16, NULL, unused);
	return error;
}

static bool sealing_open(struct sealing *s, bool has_iv, bool is_job)
{
	uint8_t unused[64];

	memset(s, 0, sizeof(*s));
	EXPECT(hashing_open(&s->h, CRYPTO_SHA2_256_HMAC, 0));
	EXPECT(!guest_session(s->h.fd, CRYPTO_AES_CBC, 32, CRYPTO_SHA2_256_HMAC,
			      33, &s->h.ses));
	s->has_iv = has_iv;
	memcpy(sealed, plain, ROOM);
	EXPECT(!seal_all(s, COP_ENCRYPT, unused, s->behind));
	memcpy(expected, sealed, ROOM);
	EXPECT(memcmp(expected, plain, ROOM) != 0);
	s->is_job = is_job;
	return true;
}

static bool in_place_is_right(void *with)
{
	uint8_t digest[64] = { 0 }, behind[16];
	struct sealing *s = with;
	int error;

	memcpy(sealed, plain, ROOM);
	error = seal_all(s, COP_ENCRYPT, digest, behind);
	if (error)
		printf("# sealing: %s\n", strerror(error));
	EXPECT(!error);
	EXPECT(memcmp(digest, s->h.digest, 32) == 0);
	EXPECT(memcmp(sealed, expected, ROOM) == 0);
	EXPECT(memcmp(behind, s->behind, 16) == 0);
	memset(digest, 0, sizeof(digest));
	EXPECT(seal_all(s, COP_DECRYPT, digest, behind) == 0);
	EXPECT(memcmp(digest, s->h.digest, 32) == 0);
	EXPECT(memcmp(sealed, plain, ROOM) == 0);
	return true;
}

static bool in_place(bool has_iv, bool is_job)
{
	struct sealing s;

	EXPECT(sealing_open(&s, has_iv, is_job));
	EXPECT(under_deaths(in_place_is_right, &s));
	close(s.h.fd);
	return true;
}

static bool in_place_with_iv(void)
{
	return in_place(true, false);
}

static bool in_place_chained(void)
{
	return in_place(false, false);
}

static bool in_place_jobs(void)
{
	return in_place(true, true) && in_place(false, true);
}

/* A job that hashes all, and another hash is begun before it is fetched. */
static bool both_are_right(void *with)
{
	struct hashing *h = with;
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	uint8_t digest[64] = { 0 }, first[64] = { 0 };
	struct crypt_op op = {
		.ses = h->ses, .len = ROOM, .src = plain, .mac = digest
	};
	int error;

	EXPECT(guest_call(h->fd, CIOCASYNCCRYPT, &op) == 0);
	EXPECT(hash(h, 0, 4096, COP_FLAG_RESET | COP_FLAG_UPDATE, NULL) == 0);
	EXPECT(poll(&p, 1, -1) == 1);
	EXPECT(guest_call(h->fd, CIOCASYNCFETCH, &op) == 0);
	EXPECT(memcmp(digest, h->digest, 32) == 0);
	error = hash(h, 0, 0, COP_FLAG_FINAL, first);
	EXPECT(error == 0 || error == EIO);
	return true;
}

static bool job_before_a_hash(void)
{
	struct hashing h;

	EXPECT(hashing_open(&h, CRYPTO_SHA2_256_HMAC, 0));
	EXPECT(under_deaths(both_are_right, &h));
	close(h.fd);
	return true;
}

int main(void)
{
	static const struct claim claims[] = {
		{ "E9: a whole hash is begun again", one_shots },
		{ "E9 Q4: and so is a job's", jobs },
		{ "E9: an open hash fails with EIO, once", parts },
		{ "E5: a cipher with a hash is begun again",
		  ciphers_with_hash },
		{ "E5: also in place", in_place_with_iv },
		{ "E5: also in place by the chained IV", in_place_chained },
		{ "E5 Q4: and so is a job's", in_place_jobs },
		{ "E9 Q4: a job's hash does not depend on what comes behind it",
		  job_before_a_hash },
	};

	plain = malloc(ROOM);
	sealed = malloc(ROOM);
	back = malloc(ROOM);
	expected = malloc(ROOM);
	if (!plain || !sealed || !back || !expected)
		return 1;
	guest_fill(plain, ROOM, 21);
	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
