/* SPDX-License-Identifier: Apache-2.0 */
/* test_clauses.c - clauses of the ioctl interface that neither test_abi.c nor
 * the emulator's tests ask for */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/guest.h"

#define GUARD     0xa5
#define ROOM      64
#define WAIT_MS   60000
#define SELF      "/proc/self/exe"
#define PIN_BYTES "/sys/module/virtio_cryptodev/parameters/pin_bytes"

static bool d2_any_open_mode(void)
{
	static const int modes[] = { O_RDONLY, O_WRONLY, O_RDWR };

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const char *path = getenv("CRYPTODEV");
		int fd = open(path ? path : "/dev/cryptodev0", modes[i]);
		uint32_t ses;

		EXPECT(fd >= 0);
		EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses));
		EXPECT(!guest_encrypt_block(fd, ses));
		close(fd);
	}
	return true;
}

static bool c2_no_descriptor_left(void)
{
	int fd = guest_open();
	struct rlimit before, none = { (rlim_t)fd + 1, (rlim_t)fd + 1 };
	uint32_t other = 77;

	EXPECT(!getrlimit(RLIMIT_NOFILE, &before));
	none.rlim_max = before.rlim_max;
	EXPECT(!setrlimit(RLIMIT_NOFILE, &none));
	EXPECT(guest_call(fd, CRIOGET, &other) == EMFILE && other == 77);
	EXPECT(!setrlimit(RLIMIT_NOFILE, &before));
	close(fd);
	return true;
}

static bool s8_state_is_ready(void)
{
	int fd = guest_open();
	uint8_t data[100], one[64] = { 0 }, other[64] = { 1 };
	struct crypt_op op = { .len = sizeof(data), .src = data, .mac = one };

	guest_fill(data, sizeof(data), 3);
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_256_HMAC, 5, &op.ses));
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_256_HMAC, 5, &op.ses));
	op.flags = COP_FLAG_FINAL; /* which begins nothing afresh */
	op.mac = other;
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	EXPECT(!memcmp(one, other, 32));
	close(fd);
	return true;
}

/* As e_devcrypto does at load: what can be opened can be used at once. */
static bool s10_made_is_usable(void)
{
	static const uint32_t ciphers[] = { CRYPTO_AES_CBC, CRYPTO_AES_CTR,
					    CRYPTO_AES_ECB, CRYPTO_AES_XTS };
	int fd = guest_open();

	for (int i = 0; i < 200; i++) {
		uint32_t ses;

		EXPECT(!guest_session(fd, ciphers[i % 4], 32, 0, 0, &ses));
		EXPECT(!guest_encrypt_block(fd, ses));
		EXPECT(!guest_free(fd, ses));
		EXPECT(guest_encrypt_block(fd, ses) == EINVAL);
	}
	close(fd);
	return true;
}

struct sizes {
	uint32_t cipher, mac, key_bytes, block, iv, digest;
};

/* One byte more or less than these would be a program's memory. */
static bool sizes_are(const struct sizes *s)
{
	int fd = guest_open();
	uint8_t data[ROOM], mac[ROOM], iv[ROOM];
	struct crypt_op op = { .src = data,
			       .dst = s->cipher ? data : NULL,
			       .mac = mac,
			       .iv = iv,
			       .flags = COP_FLAG_WRITE_IV | COP_FLAG_RESET };

	guest_fill(data, sizeof(data), s->cipher + s->mac);
	EXPECT(!guest_session(fd, s->cipher, s->key_bytes, s->mac, 8, &op.ses));
	memset(mac, GUARD, sizeof(mac));
	memset(iv, GUARD, sizeof(iv));
	op.len = s->block ? s->block : 1;
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	EXPECT(guest_are(mac + s->digest, ROOM - s->digest, GUARD));
	EXPECT(!s->digest || !guest_are(mac, s->digest, GUARD));
	EXPECT(guest_are(iv + s->iv, ROOM - s->iv, GUARD));
	op.len++;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == (s->block > 1 ? EINVAL : 0));
	close(fd);
	return true;
}

static bool s11_fixed_sizes(void)
{
	static const struct sizes of[] = {
		{ CRYPTO_DES_CBC, 0, 8, 8, 8, 0 },
		{ CRYPTO_3DES_CBC, 0, 24, 8, 8, 0 },
		{ CRYPTO_BLF_CBC, 0, 16, 8, 8, 0 },
		{ CRYPTO_AES_CBC, 0, 16, 16, 16, 0 },
		{ CRYPTO_CAMELLIA_CBC, 0, 32, 16, 16, 0 },
		{ CRYPTO_AES_ECB, 0, 16, 16, 0, 0 },
		{ CRYPTO_AES_CTR, 0, 24, 1, 16, 0 },
		{ CRYPTO_AES_CFB, 0, 16, 1, 16, 0 },
		{ CRYPTO_AES_OFB, 0, 16, 1, 16, 0 },
		{ CRYPTO_AES_XTS, 0, 32, 16, 16, 0 },
		{ CRYPTO_NULL, 0, 0, 1, 0, 0 },
		{ 0, CRYPTO_MD5, 0, 0, 0, 16 },
		{ 0, CRYPTO_SHA1, 0, 0, 0, 20 },
		{ 0, CRYPTO_RIPEMD160_HMAC, 0, 0, 0, 20 },
		{ 0, CRYPTO_SHA2_224, 0, 0, 0, 28 },
		{ 0, CRYPTO_SHA2_256_HMAC, 0, 0, 0, 32 },
		{ 0, CRYPTO_SHA2_384, 0, 0, 0, 48 },
		{ CRYPTO_AES_CBC, CRYPTO_SHA1_HMAC, 16, 16, 16, 20 },
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		EXPECT(sizes_are(&of[i]));
	return true;
}

/* Ours: what was submitted before the free has its turn. */
static bool f3_job_before_the_free(void)
{
	int fd = guest_open();
	uint8_t data[64] = { 0 };
	struct crypt_op op = { .len = 64, .src = data, .dst = data }, got;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(!guest_call(fd, CIOCASYNCCRYPT, &op));
	EXPECT(!guest_free(fd, op.ses));
	EXPECT(poll(&p, 1, WAIT_MS) == 1);
	EXPECT(!guest_call(fd, CIOCASYNCFETCH, &got) &&
	       !guest_are(data, 64, 0));
	EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == EINVAL);
	close(fd);
	return true;
}

static bool i3_i4_alignment_and_fault(void)
{
	struct session_info_op *info = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = guest_open();

	EXPECT(info != MAP_FAILED);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, CRYPTO_SHA1_HMAC, 9,
			      &info->ses));
	info->alignmask = 99;
	EXPECT(!guest_call(fd, CIOCGSESSINFO, info) && !info->alignmask);
	EXPECT(!mprotect(info, 4096, PROT_READ));
	EXPECT(guest_call(fd, CIOCGSESSINFO, info) == EFAULT);
	munmap(info, 4096);
	close(fd);
	return true;
}

static bool e3_chained_iv_is_written(void)
{
	int fd = guest_open();
	uint8_t src[64], dst[64], iv[16] = { 1 }, before[16];
	struct crypt_op op = { .len = 64, .src = src, .dst = dst, .iv = iv };

	guest_fill(src, sizeof(src), 6);
	memcpy(before, iv, sizeof(iv));
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	EXPECT(!memcmp(iv, before, 16));
	op.flags = COP_FLAG_WRITE_IV;
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	EXPECT(!memcmp(iv, dst + 48, 16)); /* the last block */
	op.iv = NULL;
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	close(fd);
	return true;
}

static bool e6_hash_of_the_source(void)
{
	int fd = guest_open();
	uint8_t data[64], one[64] = { 0 }, other[64] = { 1 };
	struct crypt_op op = { .len = 64, .src = data, .mac = one };

	guest_fill(data, sizeof(data), 8);
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &op.ses));
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	op.op = COP_DECRYPT;
	op.mac = other;
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	EXPECT(!memcmp(one, other, 20));
	close(fd);
	return true;
}

/* Lengths, an empty plaintext, and that it does not matter where. */
static bool a3_a7_a10_gcm(void)
{
	static const uint32_t lengths[] = { 0, 1, 16, 1000, 40000 };
	static uint8_t src[40100], dst[40100], both[40100];
	int fd = guest_open();
	uint8_t iv[12] = { 2 };
	struct crypt_auth_op op = { .iv = iv };
	uint32_t ses;

	guest_fill(src, sizeof(src), 9);
	EXPECT(!guest_session(fd, CRYPTO_AES_GCM, 16, 0, 0, &ses));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		uint32_t n = lengths[i];

		memset(dst, GUARD, sizeof(dst));
		op = (struct crypt_auth_op){
			.ses = ses, .len = n, .src = src, .dst = dst, .iv = iv
		};
		EXPECT(!guest_call(fd, CIOCAUTHCRYPT, &op));
		EXPECT(op.len == n + 16 && op.tag_len == 16 &&
		       op.tag == dst + n);
		EXPECT(guest_are(dst + n + 16, sizeof(dst) - n - 16, GUARD));
		memcpy(both, src, n);
		op.len = n;
		op.src = op.dst = both;
		EXPECT(!guest_call(fd, CIOCAUTHCRYPT, &op));
		EXPECT(!memcmp(both, dst, n + 16));
		op.op = COP_DECRYPT;
		op.flags = COP_FLAG_AEAD_TLS; /* in place: plain AEAD */
		EXPECT(!guest_call(fd, CIOCAUTHCRYPT, &op));
		EXPECT(op.len == n && !memcmp(both, src, n));
	}
	op.dst = dst;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == EINVAL);
	EXPECT(op.dst == dst);
	close(fd);
	return true;
}

static bool a11_a13_tls(void)
{
	int fd = guest_open();
	uint8_t data[64] = "a record", back[64], iv[16] = { 3 };
	uint8_t more[4097] = { 0 };
	struct crypt_auth_op op = { .len = 9,
				    .src = data,
				    .dst = data,
				    .iv = iv,
				    .flags = COP_FLAG_AEAD_TLS };

	/* Without a hash: padding alone. */
	memcpy(back, data, sizeof(back));
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(!guest_call(fd, CIOCAUTHCRYPT, &op) && op.len == 16);
	op.op = COP_DECRYPT;
	EXPECT(!guest_call(fd, CIOCAUTHCRYPT, &op) && op.len == 9);
	EXPECT(!memcmp(data, back, 9));
	op.op = COP_ENCRYPT;
	op.auth_src = more;
	op.auth_len = sizeof(more);
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == EINVAL);
	op.auth_len = 0;
	op.src = op.dst = NULL;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == EINVAL);
	/* A13 */
	op.src = op.dst = data;
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, CRYPTO_SHA1_HMAC, 20,
			      &op.ses));
	op.tag_len = 21;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &op) == EINVAL);
	op.tag_len = 20;
	EXPECT(!guest_call(fd, CIOCAUTHCRYPT, &op) && op.len == 32);
	close(fd);
	return true;
}

static bool h2_other_algorithms(void)
{
	int fd = guest_open();
	struct cphash_op copy;
	uint32_t cipher;

	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &copy.src_ses));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_512, 0, &copy.dst_ses));
	EXPECT(guest_call(fd, CIOCCPHASH, &copy) == EINVAL);
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA1_HMAC, 20, &copy.dst_ses));
	EXPECT(guest_call(fd, CIOCCPHASH, &copy) == EINVAL);
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &cipher));
	copy.dst_ses = cipher;
	EXPECT(guest_call(fd, CIOCCPHASH, &copy) == EINVAL);
	close(fd);
	return true;
}

/* The first line of a file in /proc with `word`, or an empty one. */
static const char *line_with(const char *path, const char *word)
{
	static char line[512];
	FILE *file = fopen(path, "r");
	bool is_found = false;

	while (file && !is_found && fgets(line, sizeof(line), file))
		is_found = strstr(line, word);
	if (file)
		fclose(file);
	return is_found ? line : "";
}

/* A page of this program that is no memory to pin; or NULL. */
static uint8_t *unpinnable(void)
{
	return (uint8_t *)strtoul(line_with("/proc/self/maps", "[vvar]"), NULL,
				  16);
}

static bool e11_what_cannot_be_pinned(void)
{
	static uint8_t data[4096];
	int fd = guest_open();
	struct crypt_op op = { .len = sizeof(data),
			       .src = unpinnable(),
			       .dst = data };

	if (!op.src) {
		printf("# no page here that cannot be pinned\n");
		return true;
	}
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	EXPECT(!guest_write(PIN_BYTES, "1"));
	EXPECT(!guest_call(fd, CIOCCRYPT, &op));
	op.src = BAD_POINTER;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
	op.src = data;
	op.dst = unpinnable(); /* and not to be written */
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
	EXPECT(!guest_write(PIN_BYTES, "16384"));
	close(fd);
	return true;
}

static long pinned_kib(void)
{
	const char *line = line_with("/proc/self/status", "VmPin:");

	return *line ? atol(line + strlen("VmPin:")) : -1;
}

static bool is_user_mode_linux(void)
{
	return *line_with("/proc/cpuinfo", "User Mode Linux");
}

/* The session stays, and has the job as its last. The module for User-Mode
 * Linux is built from the source of another release, whose programs have this
 * count elsewhere. */
static bool p4_pins_end_with_the_job(void)
{
	static uint8_t data[4 * 65536];
	int fd = guest_open();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct crypt_op op = { .len = 65536, .src = data, .dst = data + 65536 };
	struct crypt_op got;

	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &op.ses));
	if (is_user_mode_linux()) {
		printf("# pins are not told here\n");
		return true;
	}
	EXPECT(pinned_kib() == 0);
	EXPECT(!guest_call(fd, CIOCASYNCCRYPT, &op));
	EXPECT(pinned_kib() >= 128);
	EXPECT(poll(&p, 1, WAIT_MS) == 1);
	EXPECT(!guest_call(fd, CIOCASYNCFETCH, &got));
	for (int i = 0; pinned_kib() != 0 && i < WAIT_MS / 10; i++)
		usleep(10000);
	EXPECT(pinned_kib() == 0);
	close(fd);
	return true;
}

/* Another program, with the descriptor of CRIOGET: main() below. */
static bool p3_exec_keeps_it(void)
{
	int fd = guest_open(), status;
	uint32_t other, ses;
	char number[2][16];
	pid_t child;

	EXPECT(!guest_call(fd, CRIOGET, &other));
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses));
	snprintf(number[0], sizeof(number[0]), "%u", other);
	snprintf(number[1], sizeof(number[1]), "%u", ses);
	child = fork();
	if (child == 0) {
		execl(SELF, "exec", number[0], number[1], (char *)NULL);
		_exit(99);
	}
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	close((int)other);
	close(fd);
	return true;
}

int main(int argc, char **argv)
{
	static const struct claim claims[] = {
		{ "D2: any open mode", d2_any_open_mode },
		{ "C2: without a descriptor EMFILE", c2_no_descriptor_left },
		{ "S8: a hash is ready from the start", s8_state_is_ready },
		{ "S10: what was made can be used", s10_made_is_usable },
		{ "S11: sizes of every algorithm", s11_fixed_sizes },
		{ "F3: a job before the free", f3_job_before_the_free },
		{ "I3 I4: alignment, unwritable argument",
		  i3_i4_alignment_and_fault },
		{ "E3: the chained IV is written", e3_chained_iv_is_written },
		{ "E6: a hash is the source's", e6_hash_of_the_source },
		{ "A3 A7 A10: GCM of all lengths, in place", a3_a7_a10_gcm },
		{ "A11 A13: TLS without a hash, and refusals", a11_a13_tls },
		{ "H2: no copy between algorithms", h2_other_algorithms },
		{ "P3: exec keeps descriptor and sessions", p3_exec_keeps_it },
		{ "P4: a job that was fetched holds no page",
		  p4_pins_end_with_the_job },
		{ "E11: what cannot be pinned is copied",
		  e11_what_cannot_be_pinned },
	};

	if (argc == 3)
		return guest_encrypt_block(
			atoi(argv[1]), (uint32_t)strtoul(argv[2], NULL, 10));
	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
