/* SPDX-License-Identifier: Apache-2.0 */
/* test_hostile.c - a device that lies (tests/hostile): each lie ends in the
 * errno beside it, touches no byte that was not asked for, and shows nothing
 * of the kernel's; then the device is plugged in again and works
 *
 * The module was loaded with timeout_ms=5000.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/guest.h"
#include "hostile/lies.h"

#define DRIVER "/sys/bus/virtio/drivers/virtio_cryptodev"
#define GUARD  0xa5
#define LARGE  65536 /* pages of the program are used, not copied */
#define SMALL  64
#define DIGEST 20
#define SOWN   32

static char device_name[64];

/* --- the device ---------------------------------------------------------- */

static bool find_device(void)
{
	glob_t found;
	bool is_one;

	is_one = glob(DRIVER "/virtio*", 0, NULL, &found) == 0;
	if (is_one)
		snprintf(device_name, sizeof(device_name), "%s",
			 strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return is_one;
}

/* "bind" or "unbind": 0 or the errno. */
static int order_driver(const char *what)
{
	char path[128];
	int fd, error = 0;

	snprintf(path, sizeof(path), DRIVER "/%s", what);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return errno;
	if (write(fd, device_name, strlen(device_name)) < 0)
		error = errno;
	close(fd);
	return error;
}

static int session(int fd, enum lie lie, uint32_t cipher, uint32_t *ses)
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

/* --- one operation, and every byte around it ----------------------------- */

struct operation {
	uint32_t bytes;
	uint8_t src[LARGE], dst[LARGE + SMALL];
	uint8_t mac[64], iv[32];
};
static struct operation the;

static bool all_are(const uint8_t *at, size_t bytes, uint8_t value)
{
	for (size_t i = 0; i < bytes; i++)
		if (at[i] != value)
			return false;
	return true;
}

static void prepare(uint32_t bytes)
{
	guest_fill(the.src, sizeof(the.src), bytes);
	memset(the.dst, GUARD, sizeof(the.dst));
	memset(the.mac, GUARD, sizeof(the.mac));
	memset(the.iv, GUARD, sizeof(the.iv));
	the.bytes = bytes;
}

static int run_crypt(int fd, uint32_t ses, uint32_t bytes)
{
	struct crypt_op op = { .ses = ses,
			       .len = bytes,
			       .flags = COP_FLAG_WRITE_IV | COP_FLAG_RESET,
			       .src = the.src,
			       .dst = the.dst,
			       .mac = the.mac,
			       .iv = the.iv };

	prepare(bytes);
	return guest_call(fd, CIOCCRYPT, &op);
}

static bool nothing_around(void)
{
	EXPECT(all_are(the.dst + the.bytes, sizeof(the.dst) - the.bytes,
		       GUARD));
	EXPECT(all_are(the.mac + DIGEST, sizeof(the.mac) - DIGEST, GUARD));
	EXPECT(all_are(the.iv + 16, 16, GUARD));
	return true;
}

static bool result_is_right(void)
{
	for (uint32_t i = 0; i < the.bytes; i++)
		EXPECT(the.dst[i] == (the.src[i] ^ HOSTILE_MASK));
	EXPECT(all_are(the.mac, DIGEST, HOSTILE_DIGEST));
	EXPECT(all_are(the.iv, 16, HOSTILE_IV));
	return true;
}

/* The device is as good as new, and honest. */
static bool plug_again(void)
{
	uint32_t ses;
	int fd;

	EXPECT(order_driver("unbind") == 0);
	EXPECT(order_driver("bind") == 0);
	fd = guest_open();
	EXPECT(!session(fd, LIE_NONE, CRYPTO_AES_CBC, &ses));
	EXPECT(!run_crypt(fd, ses, SMALL));
	EXPECT(result_is_right());
	close(fd);
	return true;
}

/* --- lies about an operation --------------------------------------------- */

struct row {
	enum lie lie;
	const char *name;
	int error;
};

static const struct row crypt_rows[] = {
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

static bool crypt_lie(const struct row *row, uint32_t bytes)
{
	int fd = guest_open(), error;
	uint32_t ses;

	EXPECT(!session(fd, row->lie, CRYPTO_AES_CBC, &ses));
	error = run_crypt(fd, ses, bytes);
	if (error != row->error)
		printf("# %s, %u bytes: %s\n", row->name, bytes,
		       strerror(error));
	EXPECT(error == row->error);
	EXPECT(nothing_around());
	if (error)
		EXPECT(all_are(the.mac, DIGEST, GUARD) &&
		       all_are(the.iv, 16, GUARD));
	else
		EXPECT(result_is_right());
	if (error && bytes == SMALL)
		EXPECT(all_are(the.dst, bytes, GUARD));
	close(fd);
	return plug_again();
}

static const struct row auth_rows[] = {
	{ LIE_USED_LEN_LESS, "GCM: a used length too small", EIO },
	{ LIE_USED_LEN_31, "GCM: a used length of 0x7fffffff", EIO },
	{ LIE_STATUS_NEXT, "GCM: an unknown status", EIO },
	{ LIE_RESULT_LESS, "GCM: a result too small", EIO },
	{ LIE_RESULT_MORE, "GCM: a result too large", EIO },
	{ LIE_RESULT_32, "GCM: a result of 0xffffffff", EIO },
	{ LIE_VALUE, "GCM: another length of the tag", EIO },
};

static int run_auth(int fd, uint32_t ses, uint32_t bytes)
{
	struct crypt_auth_op op = { .ses = ses,
				    .len = bytes,
				    .src = the.src,
				    .dst = the.dst,
				    .iv = the.iv };

	prepare(bytes);
	the.bytes += 16;
	return guest_call(fd, CIOCAUTHCRYPT, &op);
}

static bool auth_lie(const struct row *row, uint32_t bytes)
{
	int fd = guest_open(), error;
	uint32_t ses;

	EXPECT(!session(fd, row->lie, CRYPTO_AES_GCM, &ses));
	error = run_auth(fd, ses, bytes);
	EXPECT(error == row->error);
	EXPECT(all_are(the.dst + the.bytes, sizeof(the.dst) - the.bytes,
		       GUARD));
	close(fd);
	return true;
}

/* --- lies about sessions and files ---------------------------------------- */

static const struct row session_rows[] = {
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

		is_right = !session(fd, LIE_NONE, CRYPTO_AES_CBC, &ses) &&
			   !run_crypt(fd, ses, SMALL) && result_is_right();
		close(fd);
		if (!is_right)
			usleep(50000);
	}
	return is_right;
}

static bool session_lie(const struct row *row, uint32_t unused)
{
	int fd = guest_open();
	uint32_t ses = 0;

	EXPECT(session(fd, row->lie, CRYPTO_AES_CBC, &ses) == row->error);
	EXPECT(!ses);
	close(fd);
	/* A HELLO may be pending still: unplugged it is no more. */
	return goes_on() && plug_again();
}

/* --- lies at the probe ----------------------------------------------------- */

static const struct row probe_rows[] = {
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

	EXPECT(!session(fd, lie, CRYPTO_AES_CBC, &ses));
	close(fd);
	return true;
}

static bool probe_lie(const struct row *row, uint32_t unused)
{
	int error;

	EXPECT(order_probe(row->lie));
	EXPECT(order_driver("unbind") == 0);
	error = order_driver("bind");
	EXPECT(error == row->error);
	EXPECT(access("/dev/cryptodev0", F_OK) && access("/dev/crypto", F_OK));
	EXPECT(order_driver("bind") == 0);
	return plug_again();
}

/* --- what needs more than a row ------------------------------------------- */

static bool used_index_jumps(void)
{
	int fd = guest_open(), error;
	uint32_t ses;

	EXPECT(!session(fd, LIE_USED_JUMP, CRYPTO_AES_CBC, &ses));
	error = run_crypt(fd, ses, SMALL);
	EXPECT(error == 0 || error == EIO);
	EXPECT(nothing_around());
	/* In any case it is given up then. */
	EXPECT(run_crypt(fd, ses, SMALL) == EIO);
	close(fd);
	return plug_again();
}

static bool used_lengths_swapped(void)
{
	static uint8_t data[2][256];
	int fd = guest_open();
	struct crypt_op op = { .flags = COP_FLAG_RESET, .mac = the.mac };

	EXPECT(!session(fd, LIE_USED_SWAPPED, CRYPTO_AES_CBC, &op.ses));
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
	return plug_again();
}

static bool names_do_not_end(void)
{
	struct session_info_op info;
	int fd = guest_open();

	memset(&info, 0, sizeof(info));
	EXPECT(!session(fd, LIE_INFO_ENDLESS, CRYPTO_AES_CBC, &info.ses));
	EXPECT(guest_call(fd, CIOCGSESSINFO, &info) == 0);
	EXPECT(strlen(info.cipher_info.cra_name) ==
	       sizeof(info.cipher_info.cra_name) - 1);
	EXPECT(strlen(info.hash_info.cra_driver_name) ==
	       sizeof(info.hash_info.cra_driver_name) - 1);
	EXPECT(info.flags == SIOP_FLAG_KERNEL_DRIVER_ONLY);
	close(fd);
	return true;
}

static bool file_of_id_0(void)
{
	uint32_t ses;
	int fd;

	EXPECT(order_probe(LIE_FILE_ID_0));
	EXPECT(order_driver("unbind") == 0 && order_driver("bind") == 0);
	fd = guest_open();
	EXPECT(session(fd, LIE_NONE, CRYPTO_AES_CBC, &ses) == EIO);
	close(fd);
	return plug_again();
}

static bool no_algorithm(void)
{
	uint32_t ses;
	int fd;

	EXPECT(order_probe(LIE_HELLO_NOTHING));
	EXPECT(order_driver("unbind") == 0 && order_driver("bind") == 0);
	fd = guest_open();
	EXPECT(guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses) == EINVAL);
	EXPECT(guest_session(fd, 0, 0, CRYPTO_SHA1, 0, &ses) == EINVAL);
	close(fd);
	return plug_again();
}

/* Sums of lengths must not wrap where a device takes 4 GiB. */
static bool limits_of_4_gib(void)
{
	int fd;
	struct crypt_op op = { .src = the.src, .dst = the.dst, .iv = the.iv };
	struct crypt_auth_op auth = { .src = the.src,
				      .dst = the.dst,
				      .auth_src = the.src };

	EXPECT(order_probe(LIE_HELLO_LIMITS_32));
	EXPECT(order_driver("unbind") == 0 && order_driver("bind") == 0);
	fd = guest_open();
	EXPECT(!session(fd, LIE_NONE, CRYPTO_AES_GCM, &auth.ses));
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
	return plug_again();
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
	return memmem(the.dst, sizeof(the.dst), HOSTILE_CANARY, 12) ||
	       memmem(the.mac, sizeof(the.mac), HOSTILE_CANARY, 12) ||
	       memmem(the.iv, sizeof(the.iv), HOSTILE_CANARY, 12);
}

static bool nothing_stale(void)
{
	int fd = guest_open();
	uint32_t told, cbc, gcm;

	EXPECT(!session(fd, LIE_CANARY, CRYPTO_AES_CBC, &told));
	EXPECT(!run_crypt(fd, told, SMALL) && has_canary()); /* it finds */
	EXPECT(!session(fd, LIE_UNWRITTEN, CRYPTO_AES_CBC, &cbc));
	EXPECT(!session(fd, LIE_UNWRITTEN, CRYPTO_AES_GCM, &gcm));
	for (uint32_t bytes = 16; bytes <= 8192; bytes *= 2) {
		sow();
		EXPECT(!run_crypt(fd, cbc, bytes));
		EXPECT(!has_canary() && nothing_around());
		EXPECT(all_are(the.dst, bytes, 0));
		EXPECT(all_are(the.mac, DIGEST, 0) && all_are(the.iv, 16, 0));
		sow();
		(void)run_auth(fd, gcm, bytes);
		EXPECT(!has_canary());
		EXPECT(all_are(the.dst, bytes, GUARD) ||
		       all_are(the.dst, bytes, 0));
	}
	close(fd);
	return true;
}

/* --------------------------------------------------------------------------- */

static unsigned int told;
static int status;

static void tell(bool holds, const char *what, uint32_t bytes)
{
	printf("%sok %u - %s", holds ? "" : "not ", ++told, what);
	if (bytes)
		printf(", %u bytes", bytes);
	printf("\n");
	status |= !holds;
}

#define RUN_ROWS(rows, run, bytes)                                    \
	for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++) \
	tell(run(&(rows)[i], bytes), (rows)[i].name, bytes)

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!find_device())
		return 1;
	RUN_ROWS(crypt_rows, crypt_lie, SMALL);
	RUN_ROWS(crypt_rows, crypt_lie, LARGE);
	RUN_ROWS(auth_rows, auth_lie, SMALL);
	RUN_ROWS(auth_rows, auth_lie, LARGE / 2);
	RUN_ROWS(session_rows, session_lie, 0);
	RUN_ROWS(probe_rows, probe_lie, 0);
	tell(used_index_jumps(), "a used index that jumps", 0);
	tell(used_lengths_swapped(), "lengths of each other", 0);
	tell(names_do_not_end(), "names that do not end", 0);
	tell(file_of_id_0(), "a file of id 0", 0);
	tell(no_algorithm(), "S4: what the device does not have is EINVAL", 0);
	tell(limits_of_4_gib(), "requests of 4 GiB are E2BIG", 0);
	tell(nothing_stale(), "no stale byte of the kernel's is shown", 0);
	printf("1..%u\n", told);
	return status;
}
