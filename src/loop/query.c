/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - questions on a Unix socket, and their answers */

#include "loop/query.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void client_close(struct query_client *client)
{
	struct query_server *server = client->server;

	if (!server)
		return;
	loop_watch_remove(&client->watch);
	loop_timer_disarm(&client->limit);
	close(client->fd);
	free(client->answer);
	memset(client, 0, sizeof(*client));
	/* There is a place again. */
	if (server->listener.fd >= 0 && !server->listener.watch.loop)
		(void)loop_listener_resume(&server->listener);
}

static void client_send(struct query_client *client)
{
	while (client->sent_bytes < client->answer_bytes) {
		ssize_t sent =
			send(client->fd, client->answer + client->sent_bytes,
			     client->answer_bytes - client->sent_bytes,
			     MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN) {
			(void)loop_watch_set(&client->watch, LOOP_WRITE);
			return;
		}
		if (sent < 0)
			break;
		client->sent_bytes += (size_t)sent;
	}
	client_close(client);
}

static void client_answer(struct query_client *client)
{
	struct query_server *server = client->server;
	FILE *out = open_memstream(&client->answer, &client->answer_bytes);
	int result = -ENOMEM;

	if (out) {
		result = server->service->answer(server->owner, client, out);
		if (fclose(out) && result == 0)
			result = -ENOMEM;
	}
	if (result)
		client_close(client);
	else
		client_send(client);
}

static bool is_complete(const struct query_client *client)
{
	const struct query_service *service = client->server->service;

	if (service->is_complete)
		return service->is_complete(client->question);
	return strchr(client->question, '\n') != NULL;
}

static void client_read(struct query_client *client)
{
	ssize_t got =
		recv(client->fd, client->question + client->question_bytes,
		     QUERY_BYTES - client->question_bytes, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_close(client);
		return;
	}
	client->question_bytes += (size_t)got;
	client->question[client->question_bytes] = '\0';
	if (is_complete(client))
		client_answer(client);
	else if (client->question_bytes == QUERY_BYTES)
		client_close(client);
}

static void on_ready(struct loop_watch *watch, unsigned int events)
{
	struct query_client *client =
		list_entry(watch, struct query_client, watch);

	if (client->answer)
		client_send(client);
	else
		client_read(client);
}

static void on_limit(struct loop_timer *timer)
{
	client_close(list_entry(timer, struct query_client, limit));
}

static struct query_client *place(struct query_server *server)
{
	for (size_t i = 0; i < QUERY_CLIENTS; i++)
		if (!server->client[i].server)
			return &server->client[i];
	return NULL;
}

static void on_accept(struct loop_listener *listener, int fd)
{
	struct query_server *server =
		list_entry(listener, struct query_server, listener);
	struct query_client *client = place(server);
	int bytes = QUERY_SOCKET_BYTES;

	/* The listener rests while there is no place. */
	if (!client ||
	    (server->service->is_welcome && !server->service->is_welcome(fd)) ||
	    loop_watch_add(listener->loop, &client->watch, fd, LOOP_READ,
			   on_ready)) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	client->server = server;
	client->fd = fd;
	loop_timer_init(listener->loop, &client->limit, on_limit);
	loop_timer_arm(&client->limit, QUERY_TIME_MS);
	if (!place(server))
		loop_listener_pause(listener);
}

static void server_init(struct query_server *server,
			const struct query_service *service, void *owner)
{
	memset(server, 0, sizeof(*server));
	server->listener.fd = -1;
	server->service = service;
	server->owner = owner;
}

int query_server_open(struct query_server *server, struct loop *loop,
		      const char *path, mode_t mode,
		      const struct query_service *service, void *owner)
{
	server_init(server, service, owner);
	return loop_listener_open(&server->listener, loop, path, mode,
				  on_accept);
}

int query_server_adopt(struct query_server *server, struct loop *loop, int fd,
		       const struct query_service *service, void *owner)
{
	server_init(server, service, owner);
	return loop_listener_adopt(&server->listener, loop, fd, on_accept);
}

void query_server_close(struct query_server *server)
{
	if (!server->service)
		return;
	loop_listener_close(&server->listener);
	for (size_t i = 0; i < QUERY_CLIENTS; i++)
		client_close(&server->client[i]);
	memset(server, 0, sizeof(*server));
}
