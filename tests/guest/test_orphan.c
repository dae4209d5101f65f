/* SPDX-License-Identifier: Apache-2.0 */
/* test_orphan.c - programs are killed while the device makes or ends something
 * for them: nothing of it may stay there
 *
 * The device stands still meanwhile, so that each kill hits. What stayed is
 * seen by how much more the device takes before it says ENOSPC.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/guest.h"
#include "guest/steer.h"

#define CHILDREN 6
#define MOST     8192
#define WAIT_MS  20000
#define BEGIN_MS 10000 /* until a call is with the device */

static int descriptors[MOST];

/* How many sessions, in files of its own or in one, the device still takes. */
static int room(bool in_files)
{
	int count = 0, fd = guest_open();
	uint32_t ses;

	for (; count < MOST; count++) {
		descriptors[count] = in_files ? guest_open() : -1;
		if (guest_session(in_files ? descriptors[count] : fd,
				  CRYPTO_AES_CBC, 16, 0, 0, &ses))
			break;
	}
	for (int i = 0; in_files && i <= count; i++)
		close(descriptors[i]);
	close(fd);
	return count;
}

/* It comes back, though not at once: nobody waits for what ends. */
static bool room_is_again(bool in_files, int before)
{
	int now = -1;

	for (int i = 0; i < WAIT_MS / 100; i++) {
		now = room(in_files);
		if (now == before)
			return true;
		usleep(100000);
	}
	printf("# room for %d, and then for %d\n", before, now);
	return false;
}

/* Only a kill gets it out: so it shows that it waits for the device. */
static bool is_waiting(pid_t pid)
{
	char path[32], line[512] = "";
	const char *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	end = strrchr(line, ')');
	return end && end[1] == ' ' && end[2] == 'D';
}

/* However slow the machine is; not what it may wait for on its way. */
static bool comes_to_wait(pid_t pid)
{
	int seen = 0;

	for (int i = 0; i < BEGIN_MS / 10 && seen < 3; i++) {
		seen = is_waiting(pid) ? seen + 1 : 0;
		usleep(10000);
	}
	return seen == 3;
}

static bool kill_each(const pid_t *children)
{
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		EXPECT(waitpid(children[i], &status, WNOHANG) == 0);
		kill(children[i], SIGKILL);
		EXPECT(waitpid(children[i], &status, 0) == children[i]);
		EXPECT(WIFSIGNALED(status));
	}
	return true;
}

/* Each child makes one call that a silent device holds up, and is killed. */
static bool kill_in(int (*call)(int fd, uint32_t ses), int fd, uint32_t *ses)
{
	pid_t children[CHILDREN];
	bool hit = true;

	EXPECT(steer("stop-worker"));
	for (int i = 0; i < CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(call(fd, ses ? ses[i] : 0));
	}
	for (int i = 0; i < CHILDREN; i++)
		hit = comes_to_wait(children[i]) && hit;
	hit = kill_each(children) && hit;
	EXPECT(steer("continue-worker"));
	EXPECT(hit);
	return true;
}

static int make_session(int fd, uint32_t unused)
{
	uint32_t ses;

	return guest_session(fd, CRYPTO_AES_CTR, 16, 0, 0, &ses);
}

static int make_file(int unused, uint32_t unused_too)
{
	return make_session(guest_open(), 0);
}

/* Two of the session: the one waits for the other. */
static int encrypt_and_free(int fd, uint32_t ses)
{
	pid_t child = fork();

	if (child == 0)
		_exit(guest_encrypt_block(fd, ses));
	return comes_to_wait(child) ? guest_free(fd, ses) : 1;
}

static int encrypt_and_submit(int fd, uint32_t ses)
{
	static uint8_t data[16];
	struct crypt_op op = {
		.ses = ses, .len = 16, .src = data, .dst = data
	};
	pid_t child = fork();

	if (child == 0)
		_exit(guest_encrypt_block(fd, ses));
	return comes_to_wait(child) ? guest_call(fd, CIOCASYNCCRYPT, &op) : 1;
}

static bool sessions_end(void)
{
	int before = room(false), fd = guest_open();
	uint32_t ses;

	EXPECT(before > 0 && before < MOST);
	/* The device knows the file, which outlives the children. */
	EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses));
	EXPECT(kill_in(make_session, fd, NULL));
	EXPECT(room_is_again(false, before - 1));
	close(fd);
	return true;
}

static bool files_end(void)
{
	int before = room(true);

	EXPECT(before > 0 && before < MOST);
	EXPECT(kill_in(make_file, -1, NULL));
	EXPECT(room_is_again(true, before));
	return true;
}

static bool frees_are_finished(void)
{
	int before = room(false), fd = guest_open();
	uint32_t ses[CHILDREN];

	for (int i = 0; i < CHILDREN; i++)
		EXPECT(!make_session(fd, 0) &&
		       !guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses[i]));
	EXPECT(kill_in(encrypt_and_free, fd, ses));
	EXPECT(room_is_again(false, before - CHILDREN));
	for (int i = 0; i < CHILDREN; i++)
		EXPECT(guest_encrypt_block(fd, ses[i]) == EINVAL);
	close(fd);
	return true;
}

static bool jobs_are_cancelled(void)
{
	int fd = guest_open();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint32_t ses[CHILDREN];
	struct crypt_op op;

	for (int i = 0; i < CHILDREN; i++)
		EXPECT(!guest_session(fd, CRYPTO_AES_CBC, 16, 0, 0, &ses[i]));
	EXPECT(kill_in(encrypt_and_submit, fd, ses));
	for (int i = 0; i < CHILDREN; i++) {
		EXPECT(poll(&p, 1, WAIT_MS) == 1);
		EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == ECANCELED);
	}
	EXPECT(guest_call(fd, CIOCASYNCFETCH, &op) == EBUSY);
	close(fd);
	return true;
}

int main(void)
{
	static const struct claim claims[] = {
		{ "S9 P4: a killed CIOCGSESSION leaves no session",
		  sessions_end },
		{ "P1 P4: a killed first CIOCGSESSION leaves no file",
		  files_end },
		{ "F1 P4: a killed CIOCFSESSION is finished",
		  frees_are_finished },
		{ "Q4 P4: a job that a killed program did not submit whole",
		  jobs_are_cancelled },
	};
	struct rlimit most = { MOST + 64, MOST + 64 };

	(void)setrlimit(RLIMIT_NOFILE, &most);
	return guest_run(claims, sizeof(claims) / sizeof(claims[0]));
}
