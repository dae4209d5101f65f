/* SPDX-License-Identifier: Apache-2.0 */
/* address.c - from "HOST:PORT" or "unix:PATH" to socket addresses */

#include "client/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

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

int address_resolve(struct address_list *addresses, const char *server)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	const char *host, *port;
	char text[300];
	int error;

	addresses->count = 0;
	if (strncmp(server, "unix:", 5) == 0)
		return resolve_path(addresses, server + 5);
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
