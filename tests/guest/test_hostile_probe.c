/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile_probe.c - a device that lies about itself, at the probe or
 * later, or about its sessions (tests/hostile): the same holds as in
 * test_hostile.c
 *
 * The module was loaded with timeout_ms=5000.
 */
#include <string.h>
#include <unistd.h>

#include "guest/victim.h"

/* --- lies about sessions and files ---------------------------------------- */

static const struct victim_row session_rows[] = {
	{ LIE_SESSION_ID_0, "a session of id 0", EIO },
	{ LIE_SESSION_BLOCK_0, "blocks of 0", EIO },
	{ LIE_SESSION_BLOCK_3, "blocks of 3", EIO },
	{ LIE_SESSION_IV_12, "an IV too small", EIO },
	{ LIE_SESSION_IV_32, "an IV of 4 GiB", EIO },
	{ LIE_SESSION_DIGEST_0, "no digest", EIO },
	{ LIE_SESSION_DIGEST_64, "a digest too large", EIO },
	{ LIE_SESSION_TAG, "a tag of 255", EIO },
	{ LIE_SESSION_TRAITS_0, "a session that is nothing", EIO },
	{ LIE_SESSION_TRAITS_32, "a session that is everything", EIO },
	{ LIE_SESSION_UNWRITTEN, "a session of which nothing is said", EIO },
	{ LIE_SESSION_EXPIRED, "another generation at once", EIO },
};

/* The same device does, after a HELLO perhaps: that may come as late as between
 * a session's opening and its first operation. */
static bool goes_on(void)
{
	bool is_right = false;
	uint32_t ses;

	for (int i = 0; i < 600 && !is_right; i++) {
		int fd = guest_open();

		is_right =
			!victim_session(fd, LIE_NONE, CRYPTO_AES_CBC, &ses) &&
			!victim_crypt(fd, ses, VICTIM_SMALL) &&
			victim_is_right();
		close(fd);
		if (!is_right)
			usleep(50000);
	}
	return is_right;
}

static bool session_lie(const struct victim_row *row, uint32_t unused)
{
	int fd = guest_open();
	uint32_t ses = 0;

	EXPECT(victim_session(fd, row->lie, CRYPTO_AES_CBC, &ses) ==
	       row->error);
	EXPECT(!ses);
	close(fd);
	/* A HELLO may be pending still: unplugged it is no more. */
	return goes_on() && victim_rebind();
}

static bool names_do_not_end(void)
{
	struct session_info_op info;
	int fd = guest_open();

	memset(&info, 0, sizeof(info));
	EXPECT(!victim_session(fd, LIE_INFO_ENDLESS, CRYPTO_AES_CBC,
			       &info.ses));
	EXPECT(guest_call(fd, CIOCGSESSINFO, &info) == 0);
	EXPECT(strlen(info.cipher_info.cra_name) ==
	       sizeof(info.cipher_info.cra_name) - 1);
	EXPECT(strlen(info.hash_info.cra_driver_name) ==
	       sizeof(info.hash_info.cra_driver_name) - 1);
	EXPECT(info.flags == SIOP_FLAG_KERNEL_DRIVER_ONLY);
	close(fd);
	return true;
}

/* --- lies at the probe ---------------------------------------------------- */

static const struct victim_row probe_rows[] = {
	{ LIE_PROBE_MAGIC, "another magic", ENODEV },
	{ LIE_PROBE_VERSION, "another version", ENODEV },
	{ LIE_PROBE_QUEUES_0, "no queues", ENODEV },
	{ LIE_PROBE_QUEUES_32, "4 G queues", ENODEV },
	{ LIE_HELLO_NEVER, "HELLO is not answered", ENODEV },
	{ LIE_HELLO_MAGIC, "HELLO: another magic", ENODEV },
	{ LIE_HELLO_VERSION, "HELLO: another version", ENODEV },
	{ LIE_HELLO_GENERATION_0, "HELLO: no generation", ENODEV },
	{ LIE_HELLO_SEGMENTS_1, "HELLO: chains of one descriptor", ENODEV },
	{ LIE_HELLO_REQUEST_0, "HELLO: requests of nothing", ENODEV },
	{ LIE_HELLO_SHORT, "HELLO: half an answer", ENODEV },
	{ LIE_HELLO_ERROR, "HELLO: an error", ENODEV },
};

/* Have the next probe lied to. */
static bool order_probe(enum lie lie)
{
	int fd = guest_open();
	uint32_t ses;

	EXPECT(!victim_session(fd, lie, CRYPTO_AES_CBC, &ses));
	close(fd);
	return true;
}

static bool probe_lie(const struct victim_row *row, uint32_t unused)
{
	int error;

	EXPECT(order_probe(row->lie));
	EXPECT(victim_unbind() == 0);
	error = victim_bind();
	EXPECT(error == row->error);
	EXPECT(access("/dev/cryptodev0", F_OK) && access("/dev/crypto", F_OK));
	EXPECT(victim_bind() == 0);
	return victim_rebind();
}

static bool file_of_id_0(void)
{
	uint32_t ses;
	int fd;

	EXPECT(order_probe(LIE_FILE_ID_0));
	EXPECT(victim_unbind() == 0 && victim_bind() == 0);
	fd = guest_open();
	EXPECT(victim_session(fd, LIE_NONE, CRYPTO_AES_CBC, &ses) == EIO);
	close(fd);
	return victim_rebind();
}

static bool no_algorithm(void)
{
	uint32_t ses;
	int fd;

	EXPECT(order_probe(LIE_HELLO_NOTHING));
	EXPECT(victim_unbind() == 0 && victim_bind() == 0);
	fd = guest_open();
	EXPECT(guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses) == EINVAL);
	EXPECT(guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &ses) == EINVAL);
	close(fd);
	return victim_rebind();
}

/* Sums of lengths must not wrap where a device takes 4 GiB. */
static bool limits_of_4_gib(void)
{
	int fd;
	struct crypt_op op = { .src = victim.src,
			       .dst = victim.dst,
			       .iv = victim.iv };
	struct crypt_auth_op auth = { .src = victim.src,
				      .dst = victim.dst,
				      .auth_src = victim.src };

	EXPECT(order_probe(LIE_HELLO_LIMITS_32));
	EXPECT(victim_unbind() == 0 && victim_bind() == 0);
	fd = guest_open();
	EXPECT(!victim_session(fd, LIE_NONE, CRYPTO_AES_GCM, &auth.ses));
	for (uint32_t below = 1; below < 200; below += 7) {
		auth.len = UINT32_MAX - below;
		EXPECT(guest_call(fd, CIOCAUTHCRYPT, &auth) == E2BIG);
	}
	EXPECT(!guest_session(fd, CRYPTO_AES_XTS, 32, 0, 0, &op.ses));
	for (uint32_t below = 16; below < 256; below += 16) {
		op.len = UINT32_MAX - below + 1;
		EXPECT(guest_call(fd, CIOCCRYPT, &op) == E2BIG);
	}
	close(fd);
	return victim_rebind();
}

int main(void)
{
	if (!victim_begin())
		return 1;
	VICTIM_ROWS(session_rows, session_lie, 0);
	VICTIM_ROWS(probe_rows, probe_lie, 0);
	victim_tell(names_do_not_end(), "names that do not end", 0);
	victim_tell(file_of_id_0(), "a file of id 0", 0);
	victim_tell(no_algorithm(),
		    "S4: what the device does not have is EINVAL", 0);
	victim_tell(limits_of_4_gib(), "requests of 4 GiB are E2BIG", 0);
	return victim_end();
}
