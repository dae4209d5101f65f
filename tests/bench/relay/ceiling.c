/* SPDX-License-Identifier: Apache-2.0 */
/* ceiling.c - a relay that only hands on: what this machine's sockets allow */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "abi/chat_wire.h"
#include "base/bytes.h"

/*
 * How it works: a room is a ring of DELIVER frames, mapped twice in a row so
 * that any piece of it is in one piece, and a list of who wrote which part. A
 * member has a place in that list; at the end of a turn he is written all
 * parts that are not his own, in one sendmsg(2). No queues, no counting, no
 * limits, no admission: the bench's window bounds what is on its way, and a
 * member who falls a whole ring behind ends the program.
 */
#define RING_BYTES  (8u << 20)
#define RING_PARTS  (64u << 10)
#define READ_BYTES  (256u << 10)
#define BATCH       256
#define PIECES      128
#define ROOMS_MAX   4096u
#define MEMBERS_MAX 16384u

struct part {
	uint64_t end; /* of all bytes that were ever in the ring */
	uint32_t from;
};

struct room {
	uint8_t *ring;
	struct part *parts;
	uint64_t bytes; /* ever put in */
	uint64_t part_count;
	/* Everybody had everything then: the ring's start is used again, as
	 * long as the processor still has it at hand. */
	uint64_t base, part_base;
	struct member *first;
	bool is_news;  /* members are to be written to */
	bool is_begun; /* the last part is of this turn: it may grow */
};

struct member {
	int fd;
	uint32_t number;
	struct room *room;
	struct member *next; /* in the room */
	uint64_t at;         /* bytes that he has or wrote */
	uint64_t part;
	bool is_blocked; /* watched for writing */
	bool has_room;   /* blocked no more, to be written to again */
	uint8_t *rest;
	size_t rest_bytes;
};

static struct room rooms[ROOMS_MAX];
static struct room *news[ROOMS_MAX];
static unsigned int news_count;
static uint32_t member_count;
static int epoll_fd;
static uint8_t buffer[CHAT_FRAME_MAX + READ_BYTES];

static void give_up(const char *what)
{
	fprintf(stderr, "ceiling: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void room_open(struct room *room)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);
	uint8_t *both;

	if (fd < 0 || ftruncate(fd, RING_BYTES))
		give_up("ring");
	both = mmap(NULL, 2 * (size_t)RING_BYTES, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < 2; i++)
		if (both == MAP_FAILED ||
		    mmap(both + i * RING_BYTES, RING_BYTES,
			 PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
			 0) == MAP_FAILED)
			give_up("ring");
	close(fd);
	room->ring = both;
	room->parts = calloc(RING_PARTS, sizeof(*room->parts));
	if (!room->parts)
		give_up("room");
}

static uint8_t *byte_at(const struct room *room, uint64_t at)
{
	return room->ring + (at - room->base) % RING_BYTES;
}

static struct part *part_at(const struct room *room, uint64_t part)
{
	return &room->parts[(part - room->part_base) % RING_PARTS];
}

static void watch(struct member *m, int operation)
{
	struct epoll_event e = { .data.ptr = m, .events = EPOLLIN };

	if (m->is_blocked)
		e.events |= EPOLLOUT;
	if (epoll_ctl(epoll_fd, operation, m->fd, &e))
		give_up("epoll");
}

static void member_leave(struct member *m)
{
	struct member **link = m->room ? &m->room->first : NULL;

	while (link && *link != m)
		link = &(*link)->next;
	if (link)
		*link = m->next;
	close(m->fd);
	free(m->rest);
	free(m);
}

/* What waits for a member, at most PIECES pieces; `*end` is where it ends. */
static unsigned int gather(struct member *m, struct iovec *pieces,
			   uint64_t *end)
{
	const struct room *room = m->room;
	uint64_t at = m->at;
	unsigned int n = 0;

	for (; m->part < room->part_count; m->part++) {
		const struct part *part = part_at(room, m->part);
		size_t bytes = (size_t)(part->end - at);

		if (part->from != m->number && n &&
		    (uint8_t *)pieces[n - 1].iov_base + pieces[n - 1].iov_len ==
			    byte_at(room, at)) {
			pieces[n - 1].iov_len += bytes;
		} else if (part->from != m->number) {
			if (n == PIECES)
				break;
			pieces[n].iov_base = byte_at(room, at);
			pieces[n++].iov_len = bytes;
		} else if (!n) {
			m->at = part->end;
		}
		at = part->end;
	}
	*end = at;
	return n;
}

/* Go on behind `bytes` more bytes of others' parts. */
static void member_advance(struct member *m, uint64_t part, size_t bytes)
{
	const struct room *room = m->room;

	for (; bytes; part++) {
		const struct part *p = part_at(room, part);
		size_t whole = (size_t)(p->end - m->at);

		if (p->from == m->number) {
			m->at = p->end;
		} else if (bytes < whole) {
			m->at += bytes;
			break;
		} else {
			bytes -= whole;
			m->at = p->end;
		}
	}
	m->part = part;
}

static void member_write(struct member *m)
{
	bool was_blocked = m->is_blocked;
	struct iovec pieces[PIECES];

	m->is_blocked = false;
	m->has_room = false;
	while (!m->is_blocked) {
		struct msghdr message = { .msg_iov = pieces };
		uint64_t part = m->part, end;
		size_t wanted = 0;
		ssize_t n;

		if (m->room->bytes - m->at > RING_BYTES)
			give_up("a member is too slow");
		message.msg_iovlen = gather(m, pieces, &end);
		if (!message.msg_iovlen)
			break;
		for (size_t i = 0; i < message.msg_iovlen; i++)
			wanted += pieces[i].iov_len;
		n = message.msg_iovlen == 1
			    ? send(m->fd, pieces[0].iov_base, wanted,
				   MSG_NOSIGNAL | MSG_DONTWAIT)
			    : sendmsg(m->fd, &message,
				      MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno != EAGAIN)
			break; /* its end is read */
		if (n == (ssize_t)wanted) {
			m->at = end;
			continue;
		}
		m->is_blocked = true;
		member_advance(m, part, n > 0 ? (size_t)n : 0);
	}
	if (m->is_blocked != was_blocked)
		watch(m, EPOLL_CTL_MOD);
}

static void member_join(struct member *m, const uint8_t *body)
{
	static const uint8_t joined[CHAT_HEADER_BYTES] = { 0, 0, 0, 1,
							   CHAT_JOINED };

	m->room = &rooms[bytes_get_be32(body) % ROOMS_MAX];
	if (!m->room->ring)
		room_open(m->room);
	m->next = m->room->first;
	m->room->first = m;
	m->at = m->room->bytes;
	m->part = m->room->part_count;
	m->room->is_begun = false; /* what comes now is for him too */
	if (send(m->fd, joined, sizeof(joined), MSG_NOSIGNAL) < 0)
		give_up("send");
}

static void room_is_news(struct room *room)
{
	if (!room->is_news)
		news[news_count++] = room;
	room->is_news = true;
}

/* One frame of a member, into its room's ring. */
static void room_put(struct member *m, const uint8_t *frame, size_t bytes)
{
	struct room *room = m->room;
	uint8_t *to = byte_at(room, room->bytes);
	struct part *last = part_at(room, room->part_count - 1);
	size_t more = bytes + CHAT_DELIVER_HEAD;

	bytes_put_be32(to, (uint32_t)(more - CHAT_LENGTH_BYTES));
	to[CHAT_LENGTH_BYTES] = CHAT_DELIVER;
	memset(to + CHAT_HEADER_BYTES, 0, CHAT_DELIVER_HEAD);
	memcpy(to + CHAT_HEADER_BYTES + CHAT_DELIVER_HEAD,
	       frame + CHAT_HEADER_BYTES, bytes - CHAT_HEADER_BYTES);
	room_is_news(room);
	if (!room->is_begun || last->from != m->number) {
		last = part_at(room, room->part_count++);
		last->from = m->number;
	}
	room->is_begun = true;
	room->bytes += more;
	last->end = room->bytes;
}

/* Whole frames at the buffer's start; what is left is kept. */
static void member_feed(struct member *m, size_t bytes)
{
	const uint8_t *at = buffer;

	while (bytes >= CHAT_HEADER_BYTES) {
		size_t whole = CHAT_LENGTH_BYTES + bytes_get_be32(at);

		if (whole > CHAT_FRAME_MAX)
			give_up("no frame");
		if (bytes < whole)
			break;
		if (at[CHAT_LENGTH_BYTES] == CHAT_JOIN)
			member_join(m, at + CHAT_HEADER_BYTES);
		else if (at[CHAT_LENGTH_BYTES] == CHAT_SEND && m->room)
			room_put(m, at, whole);
		at += whole;
		bytes -= whole;
	}
	if (bytes && !m->rest)
		m->rest = malloc(CHAT_FRAME_MAX);
	if (bytes && !m->rest)
		give_up("member");
	if (bytes)
		memcpy(m->rest, at, bytes);
	m->rest_bytes = bytes;
}

static bool member_read(struct member *m)
{
	ssize_t n;

	memcpy(buffer, m->rest ? m->rest : buffer, m->rest_bytes);
	n = recv(m->fd, buffer + m->rest_bytes, READ_BYTES, MSG_DONTWAIT);
	if (n < 0 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	member_feed(m, m->rest_bytes + (size_t)n);
	return true;
}

static void member_accept(int listener)
{
	struct member *m = calloc(1, sizeof(*m));
	const int on = 1;

	if (!m)
		give_up("member");
	m->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (m->fd < 0)
		give_up("accept");
	(void)setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	m->number = member_count++;
	watch(m, EPOLL_CTL_ADD);
}

static void room_write(struct room *room)
{
	bool has_all = true;

	room->is_news = false;
	room->is_begun = false;
	for (struct member *m = room->first; m; m = m->next) {
		if (!m->is_blocked || m->has_room)
			member_write(m);
		has_all = has_all && !m->is_blocked;
	}
	if (has_all) {
		room->base = room->bytes;
		room->part_base = room->part_count;
	}
}

static void serve(const struct epoll_event *batch, int count, int listener)
{
	for (int i = 0; i < count; i++) {
		struct member *m = batch[i].data.ptr;

		if (!m) {
			member_accept(listener);
			continue;
		}
		if (batch[i].events & EPOLLOUT) {
			m->has_room = true;
			room_is_news(m->room);
		}
		if (batch[i].events & ~(uint32_t)EPOLLOUT && !member_read(m))
			member_leave(m);
	}
	for (unsigned int i = 0; i < news_count; i++)
		room_write(news[i]);
	news_count = 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	struct epoll_event e = { .events = EPOLLIN }, batch[BATCH];
	const int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 0));
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(listener, SOMAXCONN) ||
	    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &e))
		give_up("listen");
	for (;;)
		serve(batch, epoll_wait(epoll_fd, batch, BATCH, -1), listener);
}
