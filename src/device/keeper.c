/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - descriptors that outlive the supervisor, kept by who started it */
#include "device/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

#define FIRST_PASSED_FD 3
#define PATIENCE_MS     100
#define OUR_PREFIX      "pvx-" /* of names, so that others are left alone */

/* Send one notice, with a descriptor unless it is -1. A manager that is behind
 * gets a moment, no more: the front end waits for us. */
static int notify(int sock, const char *text, int fd)
{
	union {
		struct cmsghdr header;
		uint8_t room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	struct pollfd room = { .fd = sock, .events = POLLOUT };

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	if (sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
		return 0;
	if (errno != EAGAIN || poll(&room, 1, PATIENCE_MS) != 1 ||
	    sendmsg(sock, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

static int manager_connect(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t bytes = path ? strlen(path) : 0;
	int fd;

	if (bytes < 2 || bytes >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, bytes);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (const void *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				bytes))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* sd_listen_fds(3), of our names only: a socket of another name is --fd's. */
static void inherit(struct keeper *keeper)
{
	const char *pid = getenv("LISTEN_PID");
	const char *count = getenv("LISTEN_FDS");
	const char *name = getenv("LISTEN_FDNAMES");
	int fds = count ? atoi(count) : 0;

	if (!pid || atol(pid) != getpid() || !name)
		return;
	for (int i = 0; i < fds; i++) {
		struct keeper_inherited *in =
			&keeper->inherited[keeper->inherited_count];
		size_t bytes = strcspn(name, ":");

		if (bytes < sizeof(in->name) &&
		    strncmp(name, OUR_PREFIX, strlen(OUR_PREFIX)) == 0 &&
		    keeper->inherited_count < KEEPER_INHERITED_MAX) {
			memcpy(in->name, name, bytes);
			in->name[bytes] = '\0';
			in->fd = FIRST_PASSED_FD + i;
			(void)fcntl(in->fd, F_SETFD, FD_CLOEXEC);
			keeper->inherited_count++;
		}
		name += bytes + (name[bytes] == ':');
	}
}

void keeper_init(struct keeper *keeper)
{
	memset(keeper, 0, sizeof(*keeper));
	memset(keeper->synced, 0xff, sizeof(keeper->synced));
	keeper->sock = manager_connect();
	inherit(keeper);
}

void keeper_deinit(struct keeper *keeper)
{
	keeper_drop_rest(keeper);
	if (keeper->sock >= 0)
		close(keeper->sock);
	keeper->sock = -1;
}

int keeper_take(struct keeper *keeper, const char *name)
{
	for (unsigned int i = 0; i < keeper->inherited_count; i++) {
		struct keeper_inherited *in = &keeper->inherited[i];
		int fd = in->fd;

		if (fd < 0 || strcmp(in->name, name) != 0)
			continue;
		in->fd = -1;
		return fd;
	}
	return -1;
}

void keeper_tell(struct keeper *keeper, const char *text)
{
	if (keeper->sock < 0)
		return;
	if (notify(keeper->sock, text, -1))
		keeper->has_failed = true;
}

void keeper_store(struct keeper *keeper, const char *name, int fd)
{
	char text[96];

	if (keeper->sock < 0)
		return;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	if (notify(keeper->sock, text, fd) == 0)
		return;
	if (!keeper->has_failed)
		log_warning("the service manager takes no descriptors: this "
			    "process's death would be seen");
	keeper->has_failed = true;
}

void keeper_remove(struct keeper *keeper, const char *name)
{
	char text[96];

	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	keeper_tell(keeper, text);
}

static void slot_name(char name[KEEPER_NAME_BYTES], size_t slot,
		      uint32_t serial)
{
	snprintf(name, KEEPER_NAME_BYTES, OUR_PREFIX "fd-%zu-%u", slot, serial);
}

void keeper_sync(struct keeper *keeper, struct keeper_record *record,
		 const struct vhost_fds *fds)
{
	int now[KEEPER_SLOTS];
	char name[KEEPER_NAME_BYTES];

	if (keeper->sock < 0)
		return;
	memcpy(now, fds, sizeof(now));
	for (size_t i = 0; i < KEEPER_SLOTS; i++) {
		/* A descriptor that took another's place was open beside it,
		 * and so has another number. */
		if (now[i] == keeper->synced[i])
			continue;
		if (record->serial[i]) {
			slot_name(name, i, record->serial[i]);
			keeper_remove(keeper, name);
			record->serial[i] = 0;
		}
		if (now[i] >= 0) {
			record->serial[i] = ++record->last_serial;
			slot_name(name, i, record->serial[i]);
			keeper_store(keeper, name, now[i]);
		}
		keeper->synced[i] = now[i];
	}
}

int keeper_restore(struct keeper *keeper, struct keeper_record *record,
		   struct vhost_fds *fds)
{
	int now[KEEPER_SLOTS];
	char name[KEEPER_NAME_BYTES];
	int error = 0;

	for (size_t i = 0; i < KEEPER_SLOTS; i++) {
		now[i] = -1;
		if (!record->serial[i])
			continue;
		slot_name(name, i, record->serial[i]);
		now[i] = keeper_take(keeper, name);
		if (now[i] < 0)
			error = -ENOENT;
	}
	memcpy(keeper->synced, now, sizeof(now));
	memcpy(fds, now, sizeof(now));
	return error;
}

void keeper_drop_rest(struct keeper *keeper)
{
	for (unsigned int i = 0; i < keeper->inherited_count; i++) {
		struct keeper_inherited *in = &keeper->inherited[i];

		if (in->fd < 0)
			continue;
		close(in->fd);
		keeper_remove(keeper, in->name);
		in->fd = -1;
	}
}
