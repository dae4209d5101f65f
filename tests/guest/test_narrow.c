/* SPDX-License-Identifier: Apache-2.0 */
/* test_narrow.c - what only a 32-bit program on a 64-bit kernel can ask (X1)
 *
 * Everything else is asked by the other programs, built for 32 bits too.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "guest/guest.h"

_Static_assert(sizeof(void *) == 4, "this is about 32-bit programs");

#define CANARY 0xa5

/* An argument with bytes of nobody behind it. */
#define GUARDED(type)              \
	struct {                   \
		type op;           \
		uint8_t guard[64]; \
	}
#define GUARD_SET(g)  memset((g)->guard, CANARY, sizeof((g)->guard))
#define IS_GUARDED(g) has_canaries((g)->guard, sizeof((g)->guard))

static bool has_canaries(const uint8_t *guard, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (guard[i] != CANARY)
			return false;
	return true;
}

/* The header's macros give these programs what 64-bit kernels call _32. */
static bool x1_real_numbers(void)
{
	EXPECT(CIOCGSESSION == 0xc01c6366 && CIOCGSESSION == CIOCGSESSION_32);
	EXPECT(CIOCCRYPT == 0xc01c6368 && CIOCCRYPT == CIOCCRYPT_32);
	EXPECT(CIOCAUTHCRYPT == 0xc02c636d);
	EXPECT(CIOCAUTHCRYPT == CIOCAUTHCRYPT_32);
	EXPECT(CIOCASYNCCRYPT == 0x401c636e);
	EXPECT(CIOCASYNCCRYPT == CIOCASYNCCRYPT_32);
	EXPECT(CIOCASYNCFETCH == 0x801c636f);
	EXPECT(CIOCASYNCFETCH == CIOCASYNCFETCH_32);
	EXPECT(CIOCGSESSINFO == 0xc10c636b && CIOCCPHASH == 0x40086370);
	return true;
}

static bool x1_wide_numbers_are_einval(void)
{
	static const uint32_t wide[] = { 0xc0306366, 0xc0306368, 0xc048636d,
					 0x4030636e, 0x8030636f };
	uint8_t argument[128] = { 0 };
	int fd = guest_open();

	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
		EXPECT(guest_call(fd, wide[i], argument) == EINVAL);
	close(fd);
	return true;
}

static bool x1_arguments_have_their_size(void)
{
	uint8_t key[16] = { 1 }, data[64] = { 2 }, iv[16] = { 3 };
	GUARDED(struct session_op)
	session = {
		.op = { .cipher = CRYPTO_AES_CBC, .keylen = 16, .key = key }
	};
	GUARDED(struct crypt_op)
	crypt = { .op = { .len = 64, .src = data, .dst = data, .iv = iv } };
	struct crypt_op before;
	int fd = guest_open();

	GUARD_SET(&session);
	GUARD_SET(&crypt);
	EXPECT(guest_call(fd, CIOCGSESSION, &session.op) == 0);
	EXPECT(IS_GUARDED(&session) && session.op.key == key);
	crypt.op.ses = session.op.ses;
	before = crypt.op;
	EXPECT(guest_call(fd, CIOCCRYPT, &crypt.op) == 0);
	EXPECT(IS_GUARDED(&crypt) &&
	       !memcmp(&before, &crypt.op, sizeof(before)));
	close(fd);
	return true;
}

/* Encrypt with one number, fetch with another: both pairs are one. */
static bool async_by(uint32_t submit, uint32_t fetch)
{
	uint8_t src[256], dst[256] = { 0 }, good[256], iv[16] = { 4 };
	struct crypt_op op = {
		.len = sizeof(src), .src = src, .dst = good, .iv = iv
	};
	GUARDED(struct crypt_op) got;
	struct pollfd p = { .fd = guest_open(), .events = POLLIN };

	guest_fill(src, sizeof(src), 5);
	GUARD_SET(&got);
	EXPECT(!guest_session(p.fd, CRYPTO_AES_CTR, 16, 0, 0, &op.ses));
	EXPECT(guest_call(p.fd, CIOCCRYPT, &op) == 0);
	op.dst = dst;
	EXPECT(guest_call(p.fd, submit, &op) == 0);
	EXPECT(poll(&p, 1, 60000) == 1);
	EXPECT(guest_call(p.fd, fetch, &got.op) == 0);
	EXPECT(!memcmp(&got.op, &op, sizeof(op)) && IS_GUARDED(&got));
	EXPECT(!memcmp(dst, good, sizeof(good)));
	EXPECT(guest_call(p.fd, fetch, &got.op) == EBUSY);
	close(p.fd);
	return true;
}

static bool x1_async(void)
{
	return async_by(CIOCASYNCCRYPT, CIOCASYNCFETCH);
}

static bool x1_async_by_odd_numbers(void)
{
	return async_by(CIOCASYNCCRYPT_32_ALIAS, CIOCASYNCFETCH_32_ALIAS) &&
	       async_by(CIOCASYNCCRYPT, CIOCASYNCFETCH_32_ALIAS);
}

/* The tag's place is written back as a pointer of the program's size. */
static bool x1_aead(void)
{
	uint8_t plain[100], sealed[132], back[132], iv[12] = { 6 };
	GUARDED(struct crypt_auth_op)
	auth = { .op = { .len = sizeof(plain),
			 .src = plain,
			 .dst = sealed,
			 .auth_src = plain,
			 .auth_len = 20,
			 .iv = iv,
			 .iv_len = sizeof(iv),
			 .tag_len = 16 } };
	int fd = guest_open();

	guest_fill(plain, sizeof(plain), 7);
	GUARD_SET(&auth);
	EXPECT(!guest_session(fd, CRYPTO_AES_GCM, 32, 0, 0, &auth.op.ses));
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &auth.op) == 0);
	EXPECT(auth.op.len == 116 && auth.op.tag == sealed + 100);
	EXPECT(IS_GUARDED(&auth));
	auth.op.op = COP_DECRYPT;
	auth.op.src = sealed;
	auth.op.dst = back;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &auth.op) == 0);
	EXPECT(auth.op.len == 100 && !memcmp(back, plain, 100));
	sealed[50] ^= 1;
	auth.op.len = 116;
	EXPECT(guest_call(fd, CIOCAUTHCRYPT, &auth.op) == EBADMSG);
	close(fd);
	return true;
}

static bool x1_hash_copy(void)
{
	uint8_t data[200], one[64] = { 0 }, other[64] = { 1 };
	struct crypt_op op = { .flags = COP_FLAG_UPDATE,
			       .len = 100,
			       .src = data };
	struct cphash_op copy;
	int fd = guest_open();

	guest_fill(data, sizeof(data), 8);
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_256, 0, &copy.src_ses));
	EXPECT(!guest_session(fd, 0, 0, CRYPTO_SHA2_256, 0, &copy.dst_ses));
	op.ses = copy.src_ses;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(guest_call(fd, CIOCCPHASH, &copy) == 0);
	op.flags = COP_FLAG_FINAL;
	op.src = data + 100;
	op.mac = one;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	op.ses = copy.dst_ses;
	op.mac = other;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(!memcmp(one, other, 32));
	close(fd);
	return true;
}

static bool x1_the_rest_is_as_it_is(void)
{
	struct session_info_op info = { 0 };
	uint32_t value = 77, other;
	int fd = guest_open();

	EXPECT(guest_call(fd, CIOCASYMFEAT, &value) == 0 && value == 0);
	EXPECT(guest_call(fd, CRIOGET, &other) == 0);
	EXPECT(!guest_session((int)other, CRYPTO_AES_CBC, 16, 0, 0, &info.ses));
	EXPECT(guest_call(fd, CIOCGSESSINFO, &info) == 0);
	EXPECT(!strcmp(info.cipher_info.cra_name, "cbc(aes)"));
	EXPECT(guest_free(fd, info.ses) == 0);
	close((int)other);
	close(fd);
	return true;
}

/* Where a 32-bit pointer wraps, and where no program of that size has memory.
 */
static bool x1_pointers_at_the_end(void)
{
	uint8_t data[4096];
	struct crypt_op op = { .len = sizeof(data), .src = data, .dst = data };
	int fd = guest_open();

	EXPECT(!guest_session(fd, CRYPTO_AES_ECB, 16, 0, 0, &op.ses));
	for (uint32_t at = 0xfffffff0; at >= 0xffff0000; at -= 0x5550) {
		op.src = (uint8_t *)(uintptr_t)at;
		op.dst = data;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
		op.src = data;
		op.dst = (uint8_t *)(uintptr_t)at;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == EFAULT);
	}
	op.src = op.dst = data;
	EXPECT(guest_call(fd, CIOCCRYPT, &op) == 0);
	EXPECT(guest_call(fd, CIOCCRYPT, (void *)0xfffffff0) == EFAULT);
	close(fd);
	return true;
}

int main(void)
{
	static const struct claim claims[] = {
		{ "X1: the numbers of the real header", x1_real_numbers },
		{ "X1 D3: the numbers of 64-bit programs are EINVAL",
		  x1_wide_numbers_are_einval },
		{ "X1 E14: arguments have their size",
		  x1_arguments_have_their_size },
		{ "X1: asynchronous jobs", x1_async },
		{ "X1: asynchronous jobs by the odd numbers",
		  x1_async_by_odd_numbers },
		{ "X1 A3: AEAD, and where its tag is", x1_aead },
		{ "X1: a running hash is copied", x1_hash_copy },
		{ "X1: what has no pointers", x1_the_rest_is_as_it_is },
		{ "X1: pointers at the end of the address space",
		  x1_pointers_at_the_end },
	};

	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
