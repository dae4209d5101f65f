/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile.c - a device that lies about an operation (tests/hostile): each
 * lie ends in the errno beside it, touches no byte that was not asked for, and
 * shows nothing of the kernel's; then the device is plugged in again and works
 *
 * The module was loaded with timeout_ms=5000.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/victim.h"

#define SOWN 32

/* --- lies about an operation --------------------------------------------- */

static const struct victim_row crypt_rows[] = {
	{ LIE_USED_ID_RANGE, "a used id outside the ring", EIO },
	{ LIE_USED_ID_FREE, "a used id of no request", EIO },
	{ LIE_USED_TWICE, "a used id twice", 0 },
	{ LIE_USED_LEN_0, "a used length of 0", EIO },
	{ LIE_USED_LEN_15, "a used length below a status", EIO },
	{ LIE_USED_LEN_LESS, "a used length too small", EIO },
	{ LIE_USED_LEN_MORE, "a used length too large", EIO },
	{ LIE_USED_LEN_31, "a used length of 0x7fffffff", EIO },
	{ LIE_USED_LEN_32, "a used length of 0xffffffff", EIO },
	{ LIE_NEVER, "no answer", ETIMEDOUT },
	{ LIE_STATUS_NEXT, "an unknown status", EIO },
	{ LIE_STATUS_32, "a status of 0xffffffff", EIO },
	{ LIE_STATUS_ERROR, "E16: the device's error, of 4 GiB", EINVAL },
	{ LIE_EXPIRED, "another generation", EIO },
	{ LIE_RESULT_LESS, "a result too small", EIO },
	{ LIE_RESULT_MORE, "a result too large", EIO },
	{ LIE_RESULT_32, "a result of 0xffffffff", EIO },
	{ LIE_NO_DIGEST, "a digest that is not said to be there", EIO },
	{ LIE_CONFIG_CHANGES, "1000 changes of the configuration", 0 },
};

static bool crypt_lie(const struct victim_row *row, uint32_t bytes)
{
	int fd = guest_open(), error;
	uint32_t ses;

	EXPECT(!victim_session(fd, row->lie, CRYPTO_AES_CBC, &ses));
	error = victim_crypt(fd, ses, bytes);
	if (error != row->error)
		printf("# %s, %u bytes: %s\n", row->name, bytes,
		       strerror(error));
	EXPECT(error == row->error);
	EXPECT(victim_is_whole());
	if (error)
		EXPECT(guest_are(victim.mac, VICTIM_DIGEST, VICTIM_GUARD) &&
		       guest_are(victim.iv, 16, VICTIM_GUARD));
	else
		EXPECT(victim_is_right());
	if (error && bytes == VICTIM_SMALL)
		EXPECT(guest_are(victim.dst, bytes, VICTIM_GUARD));
	close(fd);
	return victim_rebind();
}

static const struct victim_row auth_rows[] = {
	{ LIE_USED_LEN_LESS, "GCM: a used length too small", EIO },
	{ LIE_USED_LEN_31, "GCM: a used length of 0x7fffffff", EIO },
	{ LIE_STATUS_NEXT, "GCM: an unknown status", EIO },
	{ LIE_RESULT_LESS, "GCM: a result too small", EIO },
	{ LIE_RESULT_MORE, "GCM: a result too large", EIO },
	{ LIE_RESULT_32, "GCM: a result of 0xffffffff", EIO },
	{ LIE_VALUE, "GCM: another length of the tag", EIO },
};

static bool auth_lie(const struct victim_row *row, uint32_t bytes)
{
	int fd = guest_open(), error;
	uint32_t ses;

	EXPECT(!victim_session(fd, row->lie, CRYPTO_AES_GCM, &ses));
	error = victim_auth(fd, ses, bytes);
	EXPECT(error == row->error);
	EXPECT(guest_are(victim.dst + victim.bytes,
			 sizeof(victim.dst) - victim.bytes, VICTIM_GUARD));
	close(fd);
	return true;
}

/* --- what needs more than a row ------------------------------------------- */

static bool used_index_jumps(void)
{
	int fd = guest_open(), error;
	uint32_t ses;

	EXPECT(!victim_session(fd, LIE_USED_JUMP, CRYPTO_AES_CBC, &ses));
	error = victim_crypt(fd, ses, VICTIM_SMALL);
	EXPECT(error == 0 || error == EIO);
	EXPECT(victim_is_whole());
	/* In any case it is given up then. */
	EXPECT(victim_crypt(fd, ses, VICTIM_SMALL) == EIO);
	close(fd);
	return victim_rebind();
}

static bool used_lengths_swapped(void)
{
	static uint8_t data[2][256];
	int fd = guest_open();
	struct crypt_op op = { .flags = COP_FLAG_RESET, .mac = victim.mac };

	EXPECT(!victim_session(fd, LIE_USED_SWAPPED, CRYPTO_AES_CBC, &op.ses));
	for (int i = 0; i < 2; i++) {
		op.src = op.dst = data[i];
		op.len = i ? 256 : 64;
		EXPECT(guest_call(fd, CIOCASYNCCRYPT, &op) == 0);
	}
	for (int i = 0; i < 2; i++) {
		int error = EBUSY;

		for (int k = 0; error == EBUSY && k < 1000; k++) {
			error = guest_call(fd, CIOCASYNCFETCH, &op);
			usleep(10000);
		}
		EXPECT(error == EIO);
	}
	close(fd);
	return victim_rebind();
}

/* Leave the canary in memory that the kernel has freed. */
static void sow(void)
{
	static char bytes[8192];
	int pair[2];

	for (size_t i = 0; i + sizeof(HOSTILE_CANARY) < sizeof(bytes);
	     i += sizeof(HOSTILE_CANARY))
		memcpy(bytes + i, HOSTILE_CANARY, sizeof(HOSTILE_CANARY));
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair))
		return;
	for (size_t size = 64; size <= sizeof(bytes); size *= 2)
		for (int i = 0; i < SOWN; i++)
			(void)!send(pair[0], bytes, size, MSG_DONTWAIT);
	close(pair[0]);
	close(pair[1]);
}

static bool has_canary(void)
{
	return memmem(victim.dst, sizeof(victim.dst), HOSTILE_CANARY, 12) ||
	       memmem(victim.mac, sizeof(victim.mac), HOSTILE_CANARY, 12) ||
	       memmem(victim.iv, sizeof(victim.iv), HOSTILE_CANARY, 12);
}

static bool nothing_stale(void)
{
	int fd = guest_open();
	uint32_t told, cbc, gcm;

	EXPECT(!victim_session(fd, LIE_CANARY, CRYPTO_AES_CBC, &told));
	/* It finds. */
	EXPECT(!victim_crypt(fd, told, VICTIM_SMALL) && has_canary());
	EXPECT(!victim_session(fd, LIE_UNWRITTEN, CRYPTO_AES_CBC, &cbc));
	EXPECT(!victim_session(fd, LIE_UNWRITTEN, CRYPTO_AES_GCM, &gcm));
	for (uint32_t bytes = 16; bytes <= 8192; bytes *= 2) {
		sow();
		EXPECT(!victim_crypt(fd, cbc, bytes));
		EXPECT(!has_canary() && victim_is_whole());
		EXPECT(guest_are(victim.dst, bytes, 0));
		EXPECT(guest_are(victim.mac, VICTIM_DIGEST, 0) &&
		       guest_are(victim.iv, 16, 0));
		sow();
		(void)victim_auth(fd, gcm, bytes);
		EXPECT(!has_canary());
		EXPECT(guest_are(victim.dst, bytes, VICTIM_GUARD) ||
		       guest_are(victim.dst, bytes, 0));
	}
	close(fd);
	return true;
}

int main(void)
{
	if (!victim_begin())
		return 1;
	VICTIM_ROWS(crypt_rows, crypt_lie, VICTIM_SMALL);
	VICTIM_ROWS(crypt_rows, crypt_lie, VICTIM_LARGE);
	VICTIM_ROWS(auth_rows, auth_lie, VICTIM_SMALL);
	VICTIM_ROWS(auth_rows, auth_lie, VICTIM_LARGE / 2);
	victim_tell(used_index_jumps(), "a used index that jumps", 0);
	victim_tell(used_lengths_swapped(), "lengths of each other", 0);
	victim_tell(nothing_stale(), "no stale byte of the kernel's is shown",
		    0);
	return victim_end();
}
