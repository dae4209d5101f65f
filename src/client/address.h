/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - from "HOST:PORT" or "unix:PATH" to socket addresses */
#ifndef PVX_CLIENT_ADDRESS_H
#define PVX_CLIENT_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#define ADDRESS_MAX 16 /* of one name; more are not tried */

struct address_list {
	struct sockaddr_storage list[ADDRESS_MAX];
	socklen_t bytes[ADDRESS_MAX];
	unsigned int count;
};

/*
 * Resolve a server that link_server_check() accepts. Waits for the resolver
 * when HOST is a name. Returns 0; -EINVAL for another form; -ENAMETOOLONG for
 * a path that no socket can have; -ENOENT when the name has no address.
 */
int address_resolve(struct address_list *addresses, const char *server);

/* The same as text: "127.0.0.1:7450", "[::1]:7450", "unix:/run/x". */
void address_print(char *text, size_t room, const struct sockaddr *address,
		   socklen_t bytes);

#endif
