/* SPDX-License-Identifier: Apache-2.0 */
/* races.c - everything at once on the same descriptors, sessions and memory
 *
 * races SECONDS THREADS [ERRNO...]: threads open, close and replace shared
 * descriptors, make and free shared sessions, run operations of all kinds on
 * them, take memory away meanwhile, and fork programs that are killed. Results
 * mean nothing; every call must end, with success, an errno that such a race
 * explains, or one of ERRNOs. What went wrong inside is for the kernel to say.
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

#define SLOTS       4 /* descriptors */
#define SESSIONS    8 /* of each */
#define ROOM        (96 * 1024)
#define THREADS_MAX 16
#define ERRNOS_MAX  8
#define ERRNO_MOST  134

struct slot {
	int fd; /* -1: none */
	uint32_t ses[SESSIONS];
};

static struct slot slots[SLOTS];
static uint8_t *memory; /* pages come and go */
static unsigned long results[ERRNO_MOST];
static time_t end_at;
static int given[ERRNOS_MAX], given_count;

static uint32_t below(uint32_t *seed, uint32_t bound)
{
	*seed = *seed * 1664525u + 1013904223u;
	return (*seed >> 8) % bound;
}

static void note(int error)
{
	if (error < 0 || error >= ERRNO_MOST)
		error = ERRNO_MOST - 1;
	__atomic_fetch_add(&results[error], 1, __ATOMIC_RELAXED);
}

static int fd_of(uint32_t *seed)
{
	return __atomic_load_n(&slots[below(seed, SLOTS)].fd, __ATOMIC_RELAXED);
}

static uint32_t *session_of(uint32_t *seed)
{
	return &slots[below(seed, SLOTS)].ses[below(seed, SESSIONS)];
}

static void try_open(uint32_t *seed)
{
	struct slot *slot = &slots[below(seed, SLOTS)];
	const char *path = getenv("CRYPTODEV");
	int fd = open(path ? path : "/dev/cryptodev0", O_RDWR | O_CLOEXEC);

	note(fd < 0 ? errno : 0);
	fd = __atomic_exchange_n(&slot->fd, fd, __ATOMIC_RELAXED);
	if (fd >= 0)
		close(fd);
}

static void try_session(uint32_t *seed)
{
	static const uint32_t kinds[][4] = {
		{ CRYPTO_AES_CBC, 16, 0, 0 },
		{ CRYPTO_AES_CTR, 32, CRYPTO_SHA1_HMAC, 20 },
		{ CRYPTO_AES_GCM, 16, 0, 0 },
		{ 0, 0, CRYPTO_SHA2_256, 0 },
	};
	const uint32_t *kind = kinds[below(seed, 4)];
	uint32_t ses = 0;

	note(guest_session(fd_of(seed), kind[0], kind[1], kind[2], kind[3],
			   &ses));
	if (ses)
		*session_of(seed) = ses;
}

static void try_free(uint32_t *seed)
{
	note(guest_free(fd_of(seed), *session_of(seed)));
}

static struct crypt_op random_op(uint32_t *seed, uint8_t *mac)
{
	static const uint16_t flags[] = { 0, COP_FLAG_UPDATE, COP_FLAG_FINAL,
					  COP_FLAG_RESET, COP_FLAG_WRITE_IV };
	uint32_t bytes = below(seed, below(seed, 4) ? 4096 : ROOM) & ~15u;

	return (struct crypt_op){
		.ses = *session_of(seed),
		.op = (uint16_t)below(seed, 2),
		.flags = flags[below(seed, 5)],
		.len = bytes,
		.src = memory + below(seed, ROOM - bytes),
		.dst = memory + below(seed, ROOM - bytes),
		.mac = mac,
	};
}

static void try_crypt(uint32_t *seed)
{
	uint8_t mac[64];
	struct crypt_op op = random_op(seed, mac);

	note(guest_call(fd_of(seed), CIOCCRYPT, &op));
}

static void try_aead(uint32_t *seed)
{
	uint32_t bytes = below(seed, ROOM / 2);
	uint8_t iv[12] = { 1 };
	struct crypt_auth_op op = {
		.ses = *session_of(seed),
		.op = (uint16_t)below(seed, 2),
		.len = bytes,
		.src = memory,
		.dst = memory + below(seed, 2) * ROOM / 2,
		.auth_src = memory,
		.auth_len = below(seed, 100),
		.iv = iv,
		.iv_len = sizeof(iv),
		.tag_len = 16,
	};

	note(guest_call(fd_of(seed), CIOCAUTHCRYPT, &op));
}

/* What is written later goes to memory of the whole program's life. */
static void try_submit(uint32_t *seed)
{
	static uint8_t mac[64];
	struct crypt_op op = random_op(seed, mac);

	note(guest_call(fd_of(seed), CIOCASYNCCRYPT, &op));
}

static void try_fetch(uint32_t *seed)
{
	struct pollfd p = { .fd = fd_of(seed), .events = POLLIN };
	struct crypt_op op;

	if (below(seed, 2))
		(void)poll(&p, 1, (int)below(seed, 3));
	note(guest_call(p.fd, CIOCASYNCFETCH, &op));
}

static void try_copy(uint32_t *seed)
{
	struct cphash_op op = { *session_of(seed), *session_of(seed) };

	note(guest_call(fd_of(seed), CIOCCPHASH, &op));
}

static void try_another(uint32_t *seed)
{
	uint32_t other;
	int error = guest_call(fd_of(seed), CRIOGET, &other);

	note(error);
	if (!error)
		close((int)other);
}

static void try_memory(uint32_t *seed)
{
	uint32_t page = below(seed, ROOM / 4096) * 4096;

	switch (below(seed, 3)) {
	case 0:
		madvise(memory + page, 4096, MADV_DONTNEED);
		break;
	case 1:
		mprotect(memory + page, 4096, PROT_READ);
		break;
	default:
		mmap(memory + page, 4096, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
}

static void (*const tries[])(uint32_t *seed) = {
	try_open,  try_session, try_session, try_session, try_free,
	try_crypt, try_crypt,   try_crypt,   try_crypt,   try_aead,
	try_aead,  try_submit,  try_submit,  try_submit,  try_fetch,
	try_fetch, try_fetch,   try_copy,    try_another, try_memory,
};

#define TRIES (sizeof(tries) / sizeof(tries[0]))

/* A program with the same descriptors, killed at any moment. */
static void kill_one(uint32_t *seed)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			tries[below(seed, TRIES)](seed);
	usleep(below(seed, 20000));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void *run(void *argument)
{
	uint32_t seed = (uint32_t)(uintptr_t)argument * 77777;

	while (time(NULL) < end_at)
		if (below(&seed, 200) == 0)
			kill_one(&seed);
		else
			tries[below(&seed, TRIES)](&seed);
	return NULL;
}

static bool is_expected(int error)
{
	static const int expected[] = { 0,      EBADF,    EINVAL, EBUSY,
					ENOENT, EDEADLK,  EFAULT, EBADMSG,
					ENOSPC, ECANCELED };

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		if (error == expected[i])
			return true;
	for (int i = 0; i < given_count; i++)
		if (error == given[i])
			return true;
	return false;
}

static int judge(void)
{
	int status = results[0] == 0;

	for (int i = 0; i < ERRNO_MOST; i++) {
		if (!results[i])
			continue;
		printf("# %lu times %s%s\n", results[i],
		       i ? strerror(i) : "success",
		       is_expected(i) ? "" : ": not expected");
		status |= !is_expected(i);
	}
	return status;
}

int main(int argc, char **argv)
{
	unsigned int threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	pthread_t thread[THREADS_MAX];

	if (!threads || threads > THREADS_MAX || argc > 3 + ERRNOS_MAX) {
		fprintf(stderr, "usage: races SECONDS THREADS [ERRNO...]\n");
		return 2;
	}
	for (int i = 3; i < argc; i++)
		given[given_count++] = atoi(argv[i]);
	for (unsigned int i = 0; i < SLOTS; i++)
		slots[i].fd = -1;
	memory = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 1;
	end_at = time(NULL) + atoi(argv[1]);
	for (unsigned int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, run,
				   (void *)(uintptr_t)(i + 1)))
			return 1;
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return judge();
}
