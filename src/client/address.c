/* SPDX-License-Identifier: Apache-2.0 */
/* address.c - from "HOST:PORT" or "unix:PATH" to socket addresses */

#include "client/address.h"

#include "base/log.h"
#include "e2ee/link.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>

static int resolve_path(struct address_list *addresses, const char *path)
{
	struct sockaddr_un local = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(local.sun_path))
		return -ENAMETOOLONG;
	strcpy(local.sun_path, path);
	memcpy(&addresses->list[0], &local, sizeof(local));
	addresses->bytes[0] = sizeof(local);
	addresses->count = 1;
	return 0;
}

/* Cut "[HOST]:PORT" or "HOST:PORT" in two, in place. */
static int split(char *server, const char **host, const char **port)
{
	char *colon = strrchr(server, ':');

	if (!colon)
		return -EINVAL;
	*colon = '\0';
	*port = colon + 1;
	*host = server;
	if (*server == '[') {
		if (colon == server + 1 || colon[-1] != ']')
			return -EINVAL;
		colon[-1] = '\0';
		*host = server + 1;
	}
	return **host && **port ? 0 : -EINVAL;
}

static int lookup(struct address_list *addresses, const char *server, int flags)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = flags };
	struct addrinfo *found = NULL;
	const char *host, *port;
	char text[300];
	int error;

	addresses->count = 0;
	if (strncmp(server, LINK_PLAIN_PREFIX, strlen(LINK_PLAIN_PREFIX)) == 0)
		server += strlen(LINK_PLAIN_PREFIX);
	if (strlen(server) >= sizeof(text))
		return -EINVAL;
	strcpy(text, server);
	error = split(text, &host, &port);
	if (error)
		return error;
	if (getaddrinfo(host, port, &hints, &found))
		return -ENOENT;
	for (struct addrinfo *a = found; a; a = a->ai_next) {
		if (addresses->count == ADDRESS_MAX)
			break;
		memcpy(&addresses->list[addresses->count], a->ai_addr,
		       a->ai_addrlen);
		addresses->bytes[addresses->count++] = a->ai_addrlen;
	}
	freeaddrinfo(found);
	return addresses->count ? 0 : -ENOENT;
}

int address_check(const char *server)
{
	int error = link_server_check(server);

	if (error)
		log_error("--server %s: it takes HOST:PORT, [IPV6]:PORT, both "
			  "also behind " LINK_PLAIN_PREFIX ", or unix:/PATH",
			  server);
	return error;
}

int address_parse(struct address_list *addresses, const char *server)
{
	int result;

	if (strncmp(server, "unix:", 5) == 0)
		return resolve_path(addresses, server + 5);
	result = lookup(addresses, server, AI_NUMERICHOST | AI_NUMERICSERV);
	return result == -ENOENT ? -EAGAIN : result;
}

/*
 * Owned by the loop's thread until the query is cancelled while it runs: then
 * by the resolving thread, which frees it. Everything below `lock` is guarded
 * by it, and the descriptor is open while is_cancelled is false.
 */
struct address_query {
	struct loop_watch watch;
	address_done_fn *on_done;
	void *owner;
	char server[300];
	pthread_mutex_t lock;
	struct address_list addresses;
	int result;
	int fd; /* eventfd(2): the answer is there */
	bool is_done;
	bool is_cancelled;
};

static void query_free(struct address_query *query)
{
	pthread_mutex_destroy(&query->lock);
	free(query);
}

static void *query_run(void *argument)
{
	struct address_query *query = argument;
	struct address_list addresses;
	int result = lookup(&addresses, query->server, 0);
	bool is_cancelled;

	pthread_mutex_lock(&query->lock);
	query->addresses = addresses;
	query->result = result;
	query->is_done = true;
	is_cancelled = query->is_cancelled;
	if (!is_cancelled)
		eventfd_write(query->fd, 1);
	pthread_mutex_unlock(&query->lock);
	if (is_cancelled)
		query_free(query);
	return NULL;
}

static void query_close(struct address_query *query)
{
	loop_watch_remove(&query->watch);
	close(query->fd);
}

static void on_answer(struct loop_watch *watch, unsigned int events)
{
	struct address_query *query =
		list_entry(watch, struct address_query, watch);

	/* Wait until the thread has let go of it. */
	pthread_mutex_lock(&query->lock);
	pthread_mutex_unlock(&query->lock);
	query_close(query);
	query->on_done(query->owner, query->result, &query->addresses);
	query_free(query);
}

void address_query_cancel(struct address_query *query)
{
	bool is_done;

	pthread_mutex_lock(&query->lock);
	is_done = query->is_done;
	query->is_cancelled = true;
	query_close(query);
	pthread_mutex_unlock(&query->lock);
	if (is_done)
		query_free(query);
}

static int thread_start(struct address_query *query)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int error;

	/* Signals are for the loop's thread. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	error = pthread_create(&thread, &attributes, query_run, query);
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int address_query_begin(struct address_query **result, struct loop *loop,
			const char *server, address_done_fn *on_done,
			void *owner)
{
	struct address_query *query = calloc(1, sizeof(*query));
	int error;

	*result = NULL;
	if (!query)
		return -ENOMEM;
	query->on_done = on_done;
	query->owner = owner;
	snprintf(query->server, sizeof(query->server), "%s", server);
	pthread_mutex_init(&query->lock, NULL);
	query->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (query->fd < 0) {
		error = -errno;
		query_free(query);
		return error;
	}
	error = loop_watch_add(loop, &query->watch, query->fd, LOOP_READ,
			       on_answer);
	if (!error)
		error = thread_start(query);
	if (error) {
		query_close(query);
		query_free(query);
		return error;
	}
	*result = query;
	return 0;
}

void address_print(char *text, size_t room, const struct sockaddr *address,
		   socklen_t bytes)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (address->sa_family == AF_UNIX) {
		struct sockaddr_un local = { 0 };

		memcpy(&local, address,
		       bytes < sizeof(local) ? bytes : sizeof(local));
		snprintf(text, room, "unix:%s", local.sun_path);
		return;
	}
	if (getnameinfo(address, bytes, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV)) {
		snprintf(text, room, "an address of family %d",
			 address->sa_family);
		return;
	}
	snprintf(text, room, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
		 port);
}
