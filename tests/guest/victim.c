/* SPDX-License-Identifier: Apache-2.0 */
/* victim.c - a program that has work done by a device that lies */
#include "guest/victim.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct victim victim;
static char device_name[64];
static unsigned int told;
static int status;

bool victim_begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return guest_device(device_name, sizeof(device_name));
}

int victim_end(void)
{
	printf("1..%u\n", told);
	return status;
}

void victim_tell(bool holds, const char *what, uint32_t bytes)
{
	printf("%sok %u - %s", holds ? "" : "not ", ++told, what);
	if (bytes)
		printf(", %u bytes", bytes);
	printf("\n");
	status |= !holds;
}

int victim_unbind(void)
{
	return guest_write(GUEST_DRIVER "unbind", device_name);
}

int victim_bind(void)
{
	return guest_write(GUEST_DRIVER "bind", device_name);
}

int victim_session(int fd, enum lie lie, uint32_t cipher, uint32_t *ses)
{
	uint8_t key[16] = { 'l', 'i', 'e', (uint8_t)lie };
	struct session_op op = { .cipher = cipher,
				 .keylen = sizeof(key),
				 .key = key };
	int error;

	if (cipher == CRYPTO_AES_CBC) {
		op.mac = CRYPTO_SHA1_HMAC;
		op.mackeylen = sizeof(key);
		op.mackey = key;
	}
	error = guest_call(fd, CIOCGSESSION, &op);
	*ses = op.ses;
	return error;
}

static void prepare(uint32_t bytes)
{
	guest_fill(victim.src, sizeof(victim.src), bytes);
	memset(victim.dst, VICTIM_GUARD, sizeof(victim.dst));
	memset(victim.mac, VICTIM_GUARD, sizeof(victim.mac));
	memset(victim.iv, VICTIM_GUARD, sizeof(victim.iv));
	victim.bytes = bytes;
}

int victim_crypt(int fd, uint32_t ses, uint32_t bytes)
{
	struct crypt_op op = { .ses = ses,
			       .len = bytes,
			       .flags = COP_FLAG_WRITE_IV | COP_FLAG_RESET,
			       .src = victim.src,
			       .dst = victim.dst,
			       .mac = victim.mac,
			       .iv = victim.iv };

	prepare(bytes);
	return guest_call(fd, CIOCCRYPT, &op);
}

bool victim_is_whole(void)
{
	EXPECT(guest_are(victim.dst + victim.bytes,
			 sizeof(victim.dst) - victim.bytes, VICTIM_GUARD));
	EXPECT(guest_are(victim.mac + VICTIM_DIGEST,
			 sizeof(victim.mac) - VICTIM_DIGEST, VICTIM_GUARD));
	EXPECT(guest_are(victim.iv + 16, 16, VICTIM_GUARD));
	return true;
}

bool victim_is_right(void)
{
	for (uint32_t i = 0; i < victim.bytes; i++)
		EXPECT(victim.dst[i] == (victim.src[i] ^ HOSTILE_MASK));
	EXPECT(guest_are(victim.mac, VICTIM_DIGEST, HOSTILE_DIGEST));
	EXPECT(guest_are(victim.iv, 16, HOSTILE_IV));
	return true;
}

int victim_auth(int fd, uint32_t ses, uint32_t bytes)
{
	struct crypt_auth_op op = { .ses = ses,
				    .len = bytes,
				    .src = victim.src,
				    .dst = victim.dst,
				    .iv = victim.iv };

	prepare(bytes);
	victim.bytes += 16;
	return guest_call(fd, CIOCAUTHCRYPT, &op);
}

bool victim_rebind(void)
{
	uint32_t ses;
	int fd;

	EXPECT(victim_unbind() == 0);
	EXPECT(victim_bind() == 0);
	fd = guest_open();
	EXPECT(!victim_session(fd, LIE_NONE, CRYPTO_AES_CBC, &ses));
	EXPECT(!victim_crypt(fd, ses, VICTIM_SMALL));
	EXPECT(victim_is_right());
	close(fd);
	return true;
}
