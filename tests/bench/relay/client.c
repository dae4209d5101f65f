/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - one connection of the crowd */

#include "bench/relay/client.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "base/clock.h"
#include "bench/relay/protocol.h"
#include "bench/relay/secure.h"

/*
 * How it works: what is read goes into the crowd's one buffer, behind the rest
 * of the last read, and whole units are served there; so a read costs one copy
 * of half a unit at most. What is written is put together first and leaves in
 * one send(2).
 */

static int client_watch(struct client *c, int operation)
{
	struct epoll_event e = { .data.ptr = c };

	if (!c->is_stalled)
		e.events |= EPOLLIN;
	if (c->is_blocked)
		e.events |= EPOLLOUT;
	return epoll_ctl(c->crowd->epoll_fd, operation, c->fd, &e) ? -errno : 0;
}

int client_open(struct client *c)
{
	const struct crowd_plan *plan = &c->crowd->plan;
	const int on = 1;
	int error;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(c->fd, (const struct sockaddr *)&plan->server,
		    sizeof(plan->server)) ||
	    fcntl(c->fd, F_SETFL, O_NONBLOCK))
		return -errno;
	error = client_watch(c, EPOLL_CTL_ADD);
	if (!error && plan->is_secure && !plan->protocol->is_secured_later)
		error = secure_open(c);
	if (!error)
		error = plan->protocol->greet(c);
	return error ? error : client_flush(c);
}

void client_close(struct client *c)
{
	secure_close(c);
	if (c->fd >= 0)
		close(c->fd);
	free(c->rest);
	free(c->out);
	free(c->taken);
	free(c->bodies);
	free(c->sent_ns);
	free(c->left);
	free(c->state);
	c->fd = -1;
}

uint8_t *client_reserve(struct client *c, size_t bytes)
{
	size_t wanted = c->out_bytes + bytes;
	uint8_t *out;

	if (wanted <= c->out_room)
		return c->out + c->out_bytes;
	out = realloc(c->out, 2 * wanted);
	if (!out)
		return NULL;
	c->out = out;
	c->out_room = 2 * wanted;
	return c->out + c->out_bytes;
}

void client_put_done(struct client *c, size_t bytes)
{
	c->out_bytes += bytes;
}

int client_put(struct client *c, const void *data, size_t bytes)
{
	uint8_t *to = client_reserve(c, bytes);

	if (!to)
		return -ENOMEM;
	memcpy(to, data, bytes);
	client_put_done(c, bytes);
	return 0;
}

int client_print(struct client *c, const char *format, ...)
{
	char text[512];
	va_list list;
	int bytes;

	va_start(list, format);
	bytes = vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	if (bytes < 0 || (size_t)bytes >= sizeof(text))
		return -EMSGSIZE;
	return client_put(c, text, (size_t)bytes);
}

static ssize_t client_send(struct client *c)
{
	const uint8_t *data = c->out + c->out_at;
	size_t bytes = c->out_bytes - c->out_at;
	ssize_t n;

	if (c->tls)
		return secure_write(c, data, bytes);
	n = send(c->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

int client_flush(struct client *c)
{
	bool was_blocked = c->is_blocked;

	c->is_blocked = false;
	while (c->out_at < c->out_bytes) {
		ssize_t n = client_send(c);

		if (n < 0 && n != -EAGAIN)
			return (int)n;
		if (n < 0) {
			/* In a handshake it is the server's turn. */
			c->is_blocked = !c->tls || !SSL_in_init(c->tls);
			break;
		}
		c->out_at += (size_t)n;
	}
	if (c->out_at == c->out_bytes) {
		c->out_at = 0;
		c->out_bytes = 0;
	}
	return c->is_blocked == was_blocked ? 0
					    : client_watch(c, EPOLL_CTL_MOD);
}

void client_is_in(struct client *c)
{
	const struct crowd_plan *plan = &c->crowd->plan;
	const int off = 0;

	if (c->is_ready)
		return;
	/* Linux acknowledges what is read at once on a socket that never
	 * answered, and later on one that has: that is a sixth of what a
	 * delivery costs the generator. Which of them it is hangs on the
	 * protocol's greeting; so let all be alike. */
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof(off));
	c->is_ready = true;
	c->crowd->ready_count++;
	if (c->room || c->place + plan->stalled < plan->members)
		return;
	c->is_stalled = true;
	(void)client_watch(c, EPOLL_CTL_MOD);
}

/* Keep what is not whole for the next read. */
static int client_keep(struct client *c, const uint8_t *data, size_t bytes)
{
	if (bytes > c->rest_room) {
		uint8_t *rest = realloc(c->rest, bytes);

		if (!rest)
			return -ENOMEM;
		c->rest = rest;
		c->rest_room = bytes;
	}
	if (bytes)
		memcpy(c->rest, data, bytes);
	c->rest_bytes = bytes;
	return 0;
}

static ssize_t client_receive(struct client *c, uint8_t *to)
{
	ssize_t n;

	if (c->tls)
		return secure_read(c, to, CLIENT_READ_BYTES);
	n = recv(c->fd, to, CLIENT_READ_BYTES, MSG_DONTWAIT);
	return n < 0 ? -errno : n;
}

/* Read once and serve; 0, or -errno: -EAGAIN when there was nothing. */
static int client_read_some(struct client *c)
{
	const struct protocol *protocol = c->crowd->plan.protocol;
	uint8_t *at = c->crowd->buffer, *end;
	long used = 1;
	ssize_t n;

	if (c->rest_bytes)
		memcpy(at, c->rest, c->rest_bytes);
	n = client_receive(c, at + c->rest_bytes);
	if (n <= 0)
		return n < 0 ? (int)n : -ECONNRESET;
	c->crowd->now_ns = clock_now_ns();
	end = at + c->rest_bytes + n;
	while (at < end && used > 0) {
		used = protocol->take(c, at, (size_t)(end - at));
		if (used > 0)
			at += used;
	}
	return used < 0 ? (int)used : client_keep(c, at, (size_t)(end - at));
}

int client_read(struct client *c)
{
	int error = client_read_some(c);

	/* What libssl has read ahead wakes nobody. */
	while (!error && c->tls && SSL_has_pending(c->tls))
		error = client_read_some(c);
	return error == -EAGAIN ? 0 : error;
}
