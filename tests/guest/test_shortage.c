/* SPDX-License-Identifier: Apache-2.0 */
/* test_shortage.c - each allocation, and each copy from or to the program,
 * fails in its turn
 *
 * How it works: a kernel with fault injection lets the Nth of them fail that
 * this thread comes to (fail-nth). A step is tried with every N, until it ends
 * before its Nth: it must succeed and be right, or say ENOMEM or EFAULT, and
 * whatever it said, it must work the next time. What it leaves behind is for
 * the kernel to find. tests/qemu/shortage has the settings.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest/guest.h"

#define NODE    "/dev/cryptodev0"
#define PINNED  65536u
#define LARGE   (4u << 20) /* several requests */
#define MOST    20000      /* faults of a step */
#define WAIT_MS 60000

static uint8_t *plain, *sealed, *expected;
static int nth_fd, fd;
static uint32_t cbc, gcm, both, hash, other;
static bool is_armed, is_made;

static void set_nth(unsigned int nth)
{
	char text[16];
	int bytes = snprintf(text, sizeof(text), "%u", nth);

	/* What is still armed may make this fail as well. */
	while (pwrite(nth_fd, text, (size_t)bytes, 0) != bytes)
		;
}

static void arm(unsigned int nth)
{
	is_armed = true;
	is_made = false;
	set_nth(nth);
}

/* To look for what is left of N is a copy to the program. */
static void disarm(void)
{
	char left[16] = "";

	if (!is_armed)
		return;
	is_made =
		pread(nth_fd, left, sizeof(left) - 1, 0) > 0 && left[0] == '0';
	is_armed = false;
	set_nth(0);
}

static int seal(unsigned long request, uint32_t ses, uint32_t bytes,
		uint8_t *src)
{
	static uint8_t iv[16], mac[64];
	struct crypt_op op = { .ses = ses,
			       .len = bytes,
			       .src = src,
			       .dst = sealed,
			       .iv = iv,
			       .mac = mac };

	return guest_call(fd, request, &op);
}

/* What is in `sealed` is what comes without faults. */
static bool is_right(uint32_t ses, uint32_t bytes)
{
	memcpy(expected, sealed, bytes);
	memset(sealed, 0, bytes);
	EXPECT(!seal(CIOCCRYPT, ses, bytes, plain));
	EXPECT(memcmp(sealed, expected, bytes) == 0);
	EXPECT(memcmp(sealed, plain, bytes) != 0);
	memset(sealed, 0, bytes);
	return true;
}

static bool nothing(void)
{
	return true;
}

static int open_node(void)
{
	int one = open(NODE, O_RDWR);

	return one < 0 || close(one) ? errno : 0;
}

/* The first of its file, which the device learns of then. */
static int first_session(void)
{
	int one, error;
	uint32_t ses;

	one = open(NODE, O_RDWR);
	if (one < 0)
		return errno;
	error = guest_session(one, CRYPTO_AES_CBC, 16, 0, 0, &ses);
	return close(one) ? errno : error;
}

static int make_session(void)
{
	uint32_t ses;
	int error = guest_session(fd, CRYPTO_AES_CBC, 32, CRYPTO_SHA1_HMAC, 20,
				  &ses);

	disarm();
	if (!error)
		error = guest_free(fd, ses);
	return error;
}

static bool has_other(void)
{
	return !guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &other);
}

static int free_session(void)
{
	return guest_free(fd, other);
}

static int tell_info(void)
{
	struct session_info_op op = { .ses = cbc };

	return guest_call(fd, CIOCGSESSINFO, &op);
}

static int seal_small(void)
{
	return seal(CIOCCRYPT, cbc, 64, plain);
}

static bool small_is_right(void)
{
	return is_right(cbc, 64);
}

static int seal_pinned(void)
{
	return seal(CIOCCRYPT, cbc, PINNED, plain);
}

static bool pinned_is_right(void)
{
	return is_right(cbc, PINNED);
}

/* In place, with a hash: its requests are kept. */
static bool large_is_laid(void)
{
	memcpy(sealed, plain, LARGE);
	return true;
}

static int seal_large(void)
{
	return seal(CIOCCRYPT, both, LARGE, sealed);
}

static bool large_is_right(void)
{
	return is_right(both, LARGE);
}

static int seal_aead(void)
{
	uint8_t iv[12] = { 1 };
	struct crypt_auth_op op = { .ses = gcm,
				    .len = 1000,
				    .auth_len = 20,
				    .auth_src = plain,
				    .src = plain,
				    .dst = sealed,
				    .iv = iv,
				    .iv_len = sizeof(iv) };
	int error = guest_call(fd, CIOCAUTHCRYPT, &op);

	/* A4: so says what can't be read or written. */
	return error == EINVAL ? EFAULT : error;
}

static int copy_hash(void)
{
	struct cphash_op op = { .dst_ses = other, .src_ses = hash };

	return guest_call(fd, CIOCCPHASH, &op);
}

static bool has_other_hash(void)
{
	return !guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &other);
}

static bool other_is_freed(void)
{
	return !guest_free(fd, other);
}

static int fetch(void)
{
	struct crypt_op op;

	return guest_call(fd, CIOCASYNCFETCH, &op);
}

static bool is_done(void)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WAIT_MS) == 1;
}

/* Q1: a job that there is no memory for is EFAULT; later ones tell it. */
static int submit(void)
{
	int error = seal(CIOCASYNCCRYPT, cbc, PINNED, plain);

	disarm();
	if (!error && !is_done())
		return ETIME;
	return error ? error : fetch();
}

static bool job_is_done(void)
{
	return !seal(CIOCASYNCCRYPT, cbc, PINNED, plain) && is_done();
}

/* Q4: EFAULT then loses the job. */
static bool no_job_is_left(void)
{
	return fetch() == EBUSY;
}

/* --- the driver is bound to its device ----------------------------------- */

static char device_name[NAME_MAX + 1];

static bool is_unbound(void)
{
	return access(GUEST_DRIVER, F_OK) == 0 &&
	       (access(NODE, F_OK) != 0 ||
		!guest_write(GUEST_DRIVER "unbind", device_name));
}

/* What fails in the probe may be told as ENODEV, too. */
static int bind_device(void)
{
	int error = guest_write(GUEST_DRIVER "bind", device_name);

	disarm();
	if (error && access(NODE, F_OK) == 0)
		return EEXIST; /* it has a node all the same */
	return error ? ENOMEM : 0;
}

static bool node_works(void)
{
	return !first_session();
}

/* --- every step, every N ------------------------------------------------- */

struct step {
	int (*run)(void);     /* 0 or an errno */
	bool (*before)(void); /* without faults */
	bool (*after)(void);  /* it was 0: without faults */
	bool (*always)(void); /* the same, whatever it was */
};

static bool try_one(const struct step *step, unsigned int nth, bool *failed)
{
	int error;

	EXPECT(step->before());
	arm(nth);
	error = step->run();
	disarm();
	*failed = error;
	if (error && (!is_made || (error != ENOMEM && error != EFAULT))) {
		printf("# fault %u%s: %s\n", nth, is_made ? "" : ", not made",
		       strerror(error));
		return false;
	}
	EXPECT(error || step->after());
	EXPECT(step->always());
	return true;
}

static bool try_all(const struct step *step)
{
	unsigned int nth = 1, failures = 0;
	bool failed;

	do {
		if (!try_one(step, nth, &failed)) {
			printf("# with fault %u\n", nth);
			return false;
		}
		failures += failed;
	} while (is_made && nth++ < MOST);
	printf("# %u faults, %u failures\n", nth - 1, failures);
	EXPECT(!is_made);
	EXPECT(failures);
	return true;
}

#define STEP(name, ...)                                      \
	static bool name(void)                               \
	{                                                    \
		static const struct step step = __VA_ARGS__; \
                                                             \
		return try_all(&step);                       \
	}

STEP(opening, { open_node, nothing, nothing, nothing })
STEP(first_sessions, { first_session, nothing, nothing, nothing })
STEP(sessions, { make_session, nothing, nothing, nothing })
STEP(frees, { free_session, has_other, nothing, nothing })
STEP(infos, { tell_info, nothing, nothing, nothing })
STEP(small_ones, { seal_small, nothing, small_is_right, nothing })
STEP(pinned_ones, { seal_pinned, nothing, pinned_is_right, nothing })
STEP(large_ones, { seal_large, large_is_laid, large_is_right, nothing })
STEP(aeads, { seal_aead, nothing, nothing, nothing })
STEP(hash_copies, { copy_hash, has_other_hash, nothing, other_is_freed })
STEP(jobs, { submit, nothing, pinned_is_right, no_job_is_left })
STEP(fetches, { fetch, job_is_done, pinned_is_right, no_job_is_left })
STEP(probes, { bind_device, is_unbound, node_works, nothing })

static bool begin(void)
{
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR);
	EXPECT(nth_fd >= 0);
	EXPECT(guest_device(device_name, sizeof(device_name)));
	plain = malloc(LARGE);
	sealed = malloc(LARGE);
	expected = malloc(LARGE);
	EXPECT(plain && sealed && expected);
	guest_fill(plain, LARGE, 41);
	memset(sealed, 0, LARGE);
	memset(expected, 0, LARGE);
	fd = guest_open();
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &cbc));
	EXPECT(!guest_session(fd, CRYPTO_AES_GCM, 16, 0, 0, &gcm));
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, CRYPTO_SHA1, 0, &both));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &hash));
	return true;
}

int main(void)
{
	static const struct claim claims[] = {
		{ "faults can be made", begin },
		{ "open", opening },
		{ "S1: a file's first session", first_sessions },
		{ "S1: a session", sessions },
		{ "F1: the end of a session", frees },
		{ "I1: what is told of a session", infos },
		{ "E1: a small operation", small_ones },
		{ "E13: an operation on pinned pages", pinned_ones },
		{ "E15: an operation in pieces that are kept", large_ones },
		{ "A1: an AEAD", aeads },
		{ "H1: a copy of a hash", hash_copies },
		{ "Q1: a job", jobs },
		{ "Q4: its fetch", fetches },
		{ "a probe of the device", probes },
	};

	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
