/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - sockets that wait for clients: TCP addresses and Unix paths */

#include "relay/listen.h"
#include "base/log.h"
#include "base/mutant.h"
#include "base/unix_socket.h"
#include "loop/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PREFIX  "unix:"
#define PLAIN_PREFIX "plain:"

/* A host and a port out of "HOST:PORT"; brackets around an IPv6 address. */
struct host_port {
	char host[256]; /* empty: every address */
	char port[6];
};

static int host_port_parse(struct host_port *hp, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t host_bytes, port_bytes;

	if (!colon)
		return -EINVAL;
	host_bytes = (size_t)(colon - text);
	port_bytes = strlen(colon + 1);
	if (host_bytes >= 2 && text[0] == '[' && colon[-1] == ']') {
		text++;
		host_bytes -= 2;
	} else if (memchr(text, ':', host_bytes)) {
		return -EINVAL;
	}
	if (host_bytes >= sizeof(hp->host) || port_bytes < 1 ||
	    port_bytes >= sizeof(hp->port) ||
	    strspn(colon + 1, "0123456789") != port_bytes ||
	    atoi(colon + 1) > 65535)
		return -EINVAL;
	memcpy(hp->host, text, host_bytes);
	hp->host[host_bytes] = '\0';
	memcpy(hp->port, colon + 1, port_bytes + 1);
	return 0;
}

int listener_check(const char *address)
{
	const size_t unix_bytes = strlen(UNIX_PREFIX);
	const size_t plain_bytes = strlen(PLAIN_PREFIX);
	struct host_port hp;

	if (strncmp(address, UNIX_PREFIX, unix_bytes) == 0) {
		size_t bytes = strlen(address + unix_bytes);

		return bytes && bytes < sizeof(((struct sockaddr_un *)0)
						       ->sun_path)
			       ? 0
			       : -EINVAL;
	}
	if (strncmp(address, PLAIN_PREFIX, plain_bytes) == 0)
		address += plain_bytes;
	return host_port_parse(&hp, address);
}

/* The name to print, with the port that the kernel chose. */
static void listener_set_name(struct listener *l)
{
	struct sockaddr_storage at = { 0 };
	const struct sockaddr_un *path = (const struct sockaddr_un *)&at;
	socklen_t bytes = sizeof(at);
	char host[64], port[8];
	bool is_known = getsockname(l->fd, (struct sockaddr *)&at, &bytes) == 0;

	if (is_known && at.ss_family == AF_UNIX) {
		snprintf(l->name, sizeof(l->name), UNIX_PREFIX "%.108s",
			 path->sun_path);
		return;
	}
	if (!is_known ||
	    getnameinfo((struct sockaddr *)&at, bytes, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV)) {
		snprintf(l->name, sizeof(l->name), "?");
		return;
	}
	snprintf(l->name, sizeof(l->name),
		 at.ss_family == AF_INET6 ? "%s[%s]:%s" : "%s%s:%s",
		 l->is_plain ? PLAIN_PREFIX : "", host, port);
}

static int listener_bind(struct listener *l, const struct sockaddr *at,
			 socklen_t bytes)
{
	const int on = 1;
	int error;

	l->fd = socket(at->sa_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return -errno;
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Each family has its own socket, whatever bindv6only says. */
	if (at->sa_family == AF_INET6)
		(void)setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	if (bind(l->fd, at, bytes) == 0 && listen(l->fd, SOMAXCONN) == 0)
		return 0;
	error = -errno;
	close(l->fd);
	return error;
}

static bool is_loopback(const struct sockaddr *at)
{
	if (at->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)(const void *)at)
				     ->sin_addr.s_addr) >>
			       24 ==
		       IN_LOOPBACKNET;
	if (at->sa_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(
			&((const struct sockaddr_in6 *)(const void *)at)
				 ->sin6_addr);
	return false;
}

static bool is_plain(enum listener_security security)
{
	return security == LISTENER_LOOPBACK || security == LISTENER_PLAIN;
}

static bool may_listen(const struct sockaddr *at,
		       enum listener_security security)
{
	return CHECK(plain_listener,
		     security != LISTENER_LOOPBACK || is_loopback(at));
}

/* Of a host with several addresses those that this machine lacks are passed
 * over, as long as one is left. */
static int open_tcp(struct listener *listeners, unsigned int room,
		    const char *address, enum listener_security security)
{
	const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *found = NULL;
	struct host_port hp;
	int error, count = 0;

	error = host_port_parse(&hp, address);
	if (error) {
		log_error("%s: not HOST:PORT, [IPV6]:PORT (both also behind "
			  "plain:) or unix:PATH",
			  address);
		return error;
	}
	error = getaddrinfo(hp.host[0] ? hp.host : NULL, hp.port, &hints,
			    &found);
	if (error) {
		log_error("%s: %s", address, gai_strerror(error));
		return -EADDRNOTAVAIL;
	}
	for (struct addrinfo *a = found; a && (unsigned int)count < room;
	     a = a->ai_next) {
		struct listener *l = &listeners[count];
		int failure;

		*l = (struct listener){ .fd = -1,
					.is_plain = is_plain(security) };
		failure = -EPERM;
		if (may_listen(a->ai_addr, security))
			failure = listener_bind(l, a->ai_addr, a->ai_addrlen);
		if (failure == 0) {
			listener_set_name(l);
			count++;
		} else if (failure != -EAFNOSUPPORT &&
			   failure != -EADDRNOTAVAIL) {
			error = failure;
			break;
		} else {
			error = failure;
		}
	}
	freeaddrinfo(found);
	if (count &&
	    (error == 0 || error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL))
		return count;
	while (count)
		listener_close(&listeners[--count]);
	if (error == -EPERM)
		log_error("%s: without TLS only loopback is served; "
			  "plain:%s serves it in the clear all the same",
			  address, address);
	else
		log_error("%s: %s", address, strerror(-error));
	return error ? error : -EADDRNOTAVAIL;
}

/* To be removed at the end, if it is still this one. */
static int listener_own_path(struct listener *l, const char *path)
{
	l->path = strdup(path);
	if (!l->path)
		return -ENOMEM;
	return lstat(path, &l->made) ? -errno : 0;
}

static int open_unix(struct listener *l, const char *address)
{
	const char *path = address + strlen(UNIX_PREFIX);
	int error;

	*l = (struct listener){ .fd = -1, .is_plain = true };
	l->fd = unix_socket_listen(path, 0777, SOMAXCONN);
	if (l->fd < 0) {
		log_error("%s: %s", address,
			  l->fd == -EINVAL ? "the path is empty or too long"
					   : strerror(-l->fd));
		return l->fd;
	}
	listener_set_name(l);
	error = listener_own_path(l, path);
	if (error) {
		log_error("%s: %s", address, strerror(-error));
		(void)unlink(path);
		listener_close(l);
		return error;
	}
	return 1;
}

int listener_open(struct listener *listeners, unsigned int room,
		  const char *address, enum listener_security security)
{
	size_t prefix = strlen(PLAIN_PREFIX);

	if (!room) {
		log_error("%s: more addresses than there is room for", address);
		return -ENOSPC;
	}
	if (strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0)
		return open_unix(listeners, address);
	if (strncmp(address, PLAIN_PREFIX, prefix) == 0)
		return open_tcp(listeners, room, address + prefix,
				LISTENER_PLAIN);
	return open_tcp(listeners, room, address, security);
}

int listener_adopt(struct listener *l, int fd, bool is_ours,
		   enum listener_security security)
{
	size_t prefix = strlen(UNIX_PREFIX);
	struct sockaddr_storage at = { .ss_family = AF_UNSPEC };
	const struct sockaddr *address = (struct sockaddr *)&at;
	socklen_t bytes = sizeof(at);
	int error = 0;

	(void)getsockname(fd, (struct sockaddr *)&at, &bytes);
	*l = (struct listener){ .fd = fd };
	l->is_plain = is_plain(security) || at.ss_family == AF_UNIX;
	listener_set_name(l);
	if (at.ss_family != AF_UNIX && !may_listen(address, security))
		error = -EPERM;
	if (!error && !loop_listener_is_listening(fd))
		error = -EINVAL;
	if (!error && fcntl(fd, F_SETFL, O_NONBLOCK))
		error = -errno;
	if (!error && is_ours && strncmp(l->name, UNIX_PREFIX, prefix) == 0)
		error = listener_own_path(l, l->name + prefix);
	if (error)
		listener_close(l);
	return error;
}

void listener_disown(struct listener *l)
{
	free(l->path);
	l->path = NULL;
}

void listener_close(struct listener *l)
{
	struct stat there;

	loop_watch_remove(&l->watch);
	/* Only what we made: another relay may have taken the path over. */
	if (l->path && lstat(l->path, &there) == 0 &&
	    there.st_dev == l->made.st_dev && there.st_ino == l->made.st_ino)
		(void)unlink(l->path);
	if (l->name[0])
		close(l->fd);
	free(l->path);
	*l = (struct listener){ .fd = -1 };
}
