/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - descriptors that outlive the supervisor, kept by who started it */
#include "device/keeper.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/notify.h"

#define PATIENCE_MS 100
#define OUR_PREFIX  "pvx-" /* of names, so that others are left alone */

/* Send one notice, with a descriptor unless it is -1. */
static int notify(struct keeper *keeper, const char *text, int fd)
{
	union {
		struct cmsghdr header;
		uint8_t room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec piece = { (void *)(uintptr_t)text, strlen(text) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	struct pollfd room = { .fd = keeper->sock, .events = POLLOUT };
	const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
	ssize_t sent;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.room);
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(int));
	}
	sent = sendmsg(keeper->sock, &message, flags);
	if (sent < 0 && errno == EAGAIN && !keeper->is_late &&
	    poll(&room, 1, keeper->patience_ms) == 1)
		sent = sendmsg(keeper->sock, &message, flags);
	keeper->is_late = sent < 0;
	return sent < 0 ? -errno : 0;
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

/* What has a name of ours: a socket of another name is --fd's. */
static void inherit(struct keeper *keeper)
{
	int fds = notify_listen_fds();

	for (int i = 0; i < fds; i++) {
		struct keeper_inherited *in =
			&keeper->inherited[keeper->inherited_count];

		if (keeper->inherited_count == KEEPER_INHERITED_MAX)
			return;
		notify_listen_fd_name((unsigned int)i, in->name,
				      sizeof(in->name));
		if (strncmp(in->name, OUR_PREFIX, strlen(OUR_PREFIX)) != 0)
			continue;
		in->fd = NOTIFY_FIRST_FD + i;
		keeper->inherited_count++;
	}
}

void keeper_init(struct keeper *keeper, int patience_ms)
{
	memset(keeper, 0, sizeof(*keeper));
	keeper->patience_ms = patience_ms ? patience_ms : PATIENCE_MS;
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

int keeper_tell(struct keeper *keeper, const char *text)
{
	return keeper->sock < 0 ? 0 : notify(keeper, text, -1);
}

int keeper_store(struct keeper *keeper, const char *name, int fd)
{
	char text[96];

	if (keeper->sock < 0)
		return 0;
	snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return notify(keeper, text, fd);
}

int keeper_remove(struct keeper *keeper, const char *name)
{
	char text[96];

	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return keeper_tell(keeper, text);
}

void keeper_drop_rest(struct keeper *keeper)
{
	for (unsigned int i = 0; i < keeper->inherited_count; i++) {
		struct keeper_inherited *in = &keeper->inherited[i];

		if (in->fd < 0)
			continue;
		close(in->fd);
		(void)keeper_remove(keeper, in->name);
		in->fd = -1;
	}
}
