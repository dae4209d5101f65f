/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - from "HOST:PORT" or "unix:PATH" to socket addresses */
#ifndef PVX_CLIENT_ADDRESS_H
#define PVX_CLIENT_ADDRESS_H

#include "loop/loop.h"

#include <stddef.h>
#include <sys/socket.h>

#define ADDRESS_MAX 16 /* of one name; more are not tried */

struct address_list {
	struct sockaddr_storage list[ADDRESS_MAX];
	socklen_t bytes[ADDRESS_MAX];
	unsigned int count;
};

/* Whether --server is one: 0, or -EINVAL after a line in the log. */
int address_check(const char *server);

/*
 * Take a server that link_server_check() accepts, without asking anybody.
 * Returns 0; -EAGAIN when HOST is a name, which address_query_begin() resolves;
 * -EINVAL for another form; -ENAMETOOLONG for a path that no socket can have.
 */
int address_parse(struct address_list *addresses, const char *server);

/*
 * Resolve a name in a thread, because the resolver may take its time. `on_done`
 * is called from the loop, once: with 0 and the addresses, or -ENOENT when
 * there is none, -EINVAL as above. Returns 0 or -errno.
 */
struct address_query;
typedef void address_done_fn(void *owner, int result,
			     const struct address_list *addresses);
int address_query_begin(struct address_query **query, struct loop *loop,
			const char *server, address_done_fn *on_done,
			void *owner);
/* on_done is not called any more. Not to be used after it was. */
void address_query_cancel(struct address_query *query);

/* The same as text: "127.0.0.1:7450", "[::1]:7450", "unix:/run/x". */
void address_print(char *text, size_t room, const struct sockaddr *address,
		   socklen_t bytes);

#endif
