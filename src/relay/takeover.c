/* SPDX-License-Identifier: Apache-2.0 */
/* takeover.c - hand the sockets to the next relay, so that none is refused */

#include "relay/takeover.h"
#include "base/log.h"
#include "base/unix_socket.h"
#include "relay/admin.h"
#include "relay/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define GO        "go\n"
#define TEXT_ROOM 512 /* "ok", and a use for each socket */
#define FDS_BYTES (SOCKETS_MAX * sizeof(int))

/* Room for the descriptors of a message, aligned as it must be. */
union fds_room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(FDS_BYTES)];
};

/* --- the predecessor ---------------------------------------------------- */

static void add(struct sockets *sockets, enum socket_use use, int fd)
{
	sockets->socket[sockets->count].use = use;
	sockets->socket[sockets->count++].fd = fd;
}

static void sockets_of(struct sockets *sockets, const struct relay *relay)
{
	sockets->count = 0;
	for (unsigned int i = 0; i < relay->listener_count; i++)
		add(sockets,
		    relay->listeners[i].is_plain ? SOCKET_PLAIN
						 : SOCKET_CLIENTS,
		    relay->listeners[i].fd);
	add(sockets, SOCKET_ADMIN, relay->admin.listener.fd);
	if (relay->metrics.daemon)
		add(sockets, SOCKET_METRICS, relay->metrics.listener.fd);
}

static int sockets_send(const struct sockets *sockets, int fd)
{
	int fds[SOCKETS_MAX];
	char text[TEXT_ROOM] = "ok\n";
	union fds_room room = { .header = { 0 } };
	struct iovec piece = { .iov_base = text };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = CMSG_SPACE(sockets->count * sizeof(int)),
	};

	for (unsigned int i = 0; i < sockets->count; i++) {
		fds[i] = sockets->socket[i].fd;
		strcat(text, socket_use_name(sockets->socket[i].use));
		strcat(text, "\n");
	}
	piece.iov_len = strlen(text);
	room.header.cmsg_level = SOL_SOCKET;
	room.header.cmsg_type = SCM_RIGHTS;
	room.header.cmsg_len = CMSG_LEN(sockets->count * sizeof(int));
	memcpy(CMSG_DATA(&room.header), fds, sockets->count * sizeof(int));
	return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)piece.iov_len
		       ? 0
		       : -EIO;
}

/* Leave the paths to who serves them. */
static void paths_forget(struct relay *relay)
{
	for (unsigned int i = 0; i < relay->listener_count; i++)
		listener_disown(&relay->listeners[i]);
	listener_disown(&relay->metrics.listener);
	relay->admin.listener.path = NULL;
}

/* The sockets are the successor's. */
static void sockets_forget(struct relay *relay)
{
	paths_forget(relay);
	metrics_close(relay);
	admin_close(relay);
}

static void on_successor(struct loop_watch *watch, unsigned int events)
{
	struct relay *relay = list_entry(watch, struct relay, takeover.watch);
	char text[sizeof(GO)] = "";
	ssize_t got = recv(watch->fd, text, sizeof(GO) - 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (strcmp(text, GO) != 0) {
		log_warning("the successor gave up");
		takeover_close(&relay->takeover);
		return;
	}
	loop_watch_remove(watch);
	loop_timer_disarm(&relay->takeover.timer);
	sockets_forget(relay);
	relay_stop(relay, "a successor has the sockets");
}

/* One that hangs must not keep the next one away; who says "go" after this
 * finds that nobody listens, and ends. */
static void on_silence(struct loop_timer *timer)
{
	log_warning("the successor is silent: it may not take over any more");
	takeover_close(list_entry(timer, struct takeover, timer));
}

const char *takeover_offer(struct relay *relay, int fd)
{
	struct sockets sockets = { .count = 0 };
	struct takeover *t = &relay->takeover;

	if (t->is_offered)
		return "another one takes over already";
	if (relay->is_draining || relay->is_stopping)
		return "it is about to end";
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return "cannot pass the sockets on";
	t->fd = fd;
	t->is_offered = true;
	loop_timer_init(relay->loop, &t->timer, on_silence);
	loop_timer_arm(&t->timer, RELAY_SUCCESSOR_MS);
	sockets_of(&sockets, relay);
	if (sockets_send(&sockets, fd) ||
	    loop_watch_add(relay->loop, &t->watch, fd, LOOP_READ,
			   on_successor)) {
		takeover_close(t);
		return "cannot pass the sockets on";
	}
	log_info("%u sockets are offered to a successor", sockets.count);
	return NULL;
}

void takeover_close(struct takeover *t)
{
	if (!t->is_offered)
		return;
	loop_watch_remove(&t->watch);
	loop_timer_disarm(&t->timer);
	close(t->fd);
	t->is_offered = false;
}

/* --- the successor ------------------------------------------------------ */

/* The descriptors that came with a message: how many. */
static unsigned int fds_take(struct msghdr *message, int fds[SOCKETS_MAX])
{
	const struct cmsghdr *header = CMSG_FIRSTHDR(message);
	size_t bytes;

	if (!header || header->cmsg_level != SOL_SOCKET ||
	    header->cmsg_type != SCM_RIGHTS)
		return 0;
	bytes = header->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(header), bytes);
	return (unsigned int)(bytes / sizeof(int));
}

/* A use for each descriptor, behind "ok". */
static int uses_read(struct sockets *sockets, char *text, const int *fds,
		     unsigned int count)
{
	char *line = strsep(&text, "\n");

	if (!line || strcmp(line, "ok") != 0) {
		log_error("takeover: the other relay says: %s", line);
		return -EBUSY;
	}
	while ((line = strsep(&text, "\n")) && *line) {
		if (sockets->count == count)
			return -EPROTO;
		add(sockets, socket_use_of(line), fds[sockets->count]);
	}
	return sockets->count == count ? 0 : -EPROTO;
}

static int sockets_receive(struct sockets *sockets, int fd)
{
	char text[TEXT_ROOM];
	union fds_room room;
	struct iovec piece = { text, sizeof(text) - 1 };
	struct msghdr message = {
		.msg_iov = &piece,
		.msg_iovlen = 1,
		.msg_control = &room,
		.msg_controllen = sizeof(room),
	};
	int fds[SOCKETS_MAX], error;
	unsigned int count;
	ssize_t got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

	if (got < 0)
		return -errno;
	text[got] = '\0';
	count = fds_take(&message, fds);
	error = uses_read(sockets, text, fds, count);
	if (error)
		while (count)
			close(fds[--count]);
	return error;
}

/* Its end closes the connection. When it does not end, its clients are not our
 * clients; the store's own lock keeps the state whole. */
static void wait_for_end(int fd)
{
	char byte;

	if (recv(fd, &byte, sizeof(byte), 0) < 0)
		log_warning("takeover: the other relay does not end: %s",
			    strerror(errno));
}

static int ask(struct sockets *sockets, int fd)
{
	const struct timeval limit = { .tv_sec = RELAY_TAKEOVER_S };

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
	    send(fd, TAKEOVER_QUESTION, strlen(TAKEOVER_QUESTION),
		 MSG_NOSIGNAL) < 0)
		return -errno;
	return sockets_receive(sockets, fd);
}

int takeover_request(struct sockets *sockets, const char *path)
{
	int fd = unix_socket_connect(path), error;

	*sockets = (struct sockets){ .predecessor_fd = -1 };
	if (fd == -ENOENT || fd == -ECONNREFUSED) {
		log_info("takeover: there is no other relay at %s", path);
		return 0;
	}
	error = fd < 0 ? fd : 0;
	/* Whoever took the path would keep what he gives us, and accept there
	 * in our stead. */
	if (!error && !admin_peer_is_welcome(fd))
		error = -EPERM;
	if (!error)
		error = ask(sockets, fd);
	if (error) {
		log_error("takeover: %s: %s", path, strerror(-error));
		if (fd >= 0)
			close(fd);
		return error;
	}
	sockets->predecessor_fd = fd;
	sockets->are_ours = true;
	return 0;
}

int takeover_commit(struct sockets *sockets)
{
	int fd = sockets->predecessor_fd;

	if (fd < 0)
		return 0;
	if (send(fd, GO, strlen(GO), MSG_NOSIGNAL) < 0) {
		log_error("takeover: the other relay is gone: %s",
			  strerror(errno));
		return -ECONNRESET;
	}
	wait_for_end(fd);
	close(fd);
	sockets->predecessor_fd = -1;
	log_info("took over %u sockets", sockets->count);
	return 0;
}

void takeover_abandon(struct relay *relay, struct sockets *sockets)
{
	if (sockets->predecessor_fd < 0)
		return;
	paths_forget(relay);
	close(sockets->predecessor_fd);
	sockets->predecessor_fd = -1;
}
