/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.c - which sockets a relay serves, and who opened them */

#include "relay/sockets.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/notify.h"
#include "relay/admin.h"
#include "relay/options.h"
#include "relay/relay.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Without --listen. The second may be missing: a machine without IPv6. */
static const char *const default_addresses[] = { "127.0.0.1:7450",
						 "[::1]:7450" };

static const char *const uses[SOCKET_USES] = {
	[SOCKET_CLIENTS] = "clients",
	[SOCKET_PLAIN] = "plain",
	[SOCKET_ADMIN] = "admin",
	[SOCKET_METRICS] = "metrics",
};

enum socket_use socket_use_of(const char *name)
{
	for (int i = 0; i < SOCKET_USES; i++)
		if (strcmp(uses[i], name) == 0)
			return (enum socket_use)i;
	return SOCKET_CLIENTS;
}

const char *socket_use_name(enum socket_use use)
{
	return uses[use];
}

static int take_managers(struct sockets *sockets)
{
	int count = notify_listen_fds();

	*sockets = (struct sockets){ .predecessor_fd = -1 };
	if (count > (int)SOCKETS_MAX)
		count = -ENOSPC;
	if (count < 0) {
		log_error("sockets of the service manager: %s",
			  strerror(-count));
		return count;
	}
	for (unsigned int i = 0; i < (unsigned int)count; i++) {
		char name[16];

		notify_listen_fd_name(i, name, sizeof(name));
		sockets->socket[i].use = socket_use_of(name);
		sockets->socket[i].fd = NOTIFY_FIRST_FD + (int)i;
	}
	sockets->count = (unsigned int)count;
	return 0;
}

int sockets_inherit(struct sockets *sockets, const struct relay_options *o)
{
	int error = take_managers(sockets);

	if (!error && !sockets->count && o->has_takeover)
		error = takeover_request(sockets, o->admin);
	return error;
}

static enum listener_security security_of(const struct relay *relay)
{
	return relay->options->has_no_tls ? LISTENER_LOOPBACK : LISTENER_TLS;
}

static int open_address(struct relay *relay, const char *address)
{
	struct listener *first = &relay->listeners[relay->listener_count];
	int count = listener_open(first,
				  RELAY_LISTENERS_MAX - relay->listener_count,
				  address, security_of(relay));

	if (count < 0)
		return count;
	relay->listener_count += (unsigned int)count;
	return 0;
}

static int open_clients(struct relay *relay)
{
	const struct relay_options *o = relay->options;
	int error = 0;

	for (unsigned int i = 0; !error && i < o->listen_count; i++)
		error = open_address(relay, o->listen[i]);
	if (error || o->listen_count)
		return error;
	error = open_address(relay, default_addresses[0]);
	if (error)
		return error;
	error = open_address(relay, default_addresses[1]);
	if (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL) {
		log_info("no IPv6 here: serving IPv4 only");
		error = 0;
	}
	return error;
}

static bool is_for_clients(enum socket_use use)
{
	return use == SOCKET_CLIENTS || use == SOCKET_PLAIN;
}

static int adopt_client(struct relay *relay, int fd, bool is_ours,
			enum listener_security security)
{
	if (relay->listener_count == RELAY_LISTENERS_MAX) {
		close(fd);
		return -ENOSPC;
	}
	return listener_adopt(&relay->listeners[relay->listener_count++], fd,
			      is_ours, security);
}

static int adopt(struct relay *relay, enum socket_use use, int fd, bool is_ours)
{
	int error;

	if (use == SOCKET_ADMIN)
		error = admin_adopt(relay, fd, is_ours);
	else if (use == SOCKET_METRICS)
		error = metrics_adopt(relay, fd, is_ours);
	else
		error = adopt_client(relay, fd, is_ours,
				     use == SOCKET_PLAIN ? LISTENER_PLAIN
							 : security_of(relay));
	if (error)
		log_error("a socket for %s that was passed on: %s", uses[use],
			  strerror(-error));
	return error;
}

int sockets_open(struct relay *relay, const struct sockets *sockets)
{
	const struct relay_options *o = relay->options;
	bool has[SOCKET_USES] = { false };
	int error = 0;

	for (unsigned int i = 0; i < sockets->count; i++) {
		enum socket_use use = sockets->socket[i].use;

		if (error || (!is_for_clients(use) && has[use])) {
			close(sockets->socket[i].fd);
			continue;
		}
		has[use] = true;
		error = adopt(relay, use, sockets->socket[i].fd,
			      sockets->are_ours);
	}
	if (!error && !has[SOCKET_ADMIN] && o->admin)
		error = admin_open(relay, o->admin);
	if (!error && !has[SOCKET_METRICS] && o->metrics)
		error = metrics_open(relay, o->metrics);
	if (!error && !has[SOCKET_CLIENTS] && !has[SOCKET_PLAIN])
		error = open_clients(relay);
	return error;
}
