/* SPDX-License-Identifier: Apache-2.0 */
/* stats_server.c - tell statistics to whoever asks on a Unix socket */
#include "device/stats_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "device/stats.h"

struct format {
	const char *name; /* as the line, and as the path behind a slash */
	const char *type; /* of HTTP */
	void (*write)(FILE *out, const struct stats *stats);
};

static const struct format formats[] = {
	{ "json", "application/json", stats_write_json },
	{ "metrics", "text/plain; version=0.0.4", stats_write_text },
};

static const char get[] = "GET /";

static void client_close(struct stats_client *client)
{
	struct stats_server *server = client->server;

	if (!server)
		return;
	loop_watch_remove(&client->watch);
	loop_timer_disarm(&client->limit);
	close(client->fd);
	free(client->answer);
	memset(client, 0, sizeof(*client));
	/* There is a place again. */
	if (server->listener.fd >= 0 && !server->listener.watch.loop)
		(void)listener_resume(&server->listener);
}

static void client_send(struct stats_client *client)
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

/* The format that is named by the `bytes` bytes at `name`, or NULL. */
static const struct format *find(const char *name, size_t bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strlen(formats[i].name) == bytes &&
		    memcmp(formats[i].name, name, bytes) == 0)
			return &formats[i];
	return NULL;
}

/* 0 or -ENOMEM. The client's answer is a string of its own. */
static int answer_make(struct stats_client *client, const struct format *format,
		       bool is_http)
{
	struct stats stats;
	char *body = NULL;
	size_t body_bytes = 0;
	FILE *out = open_memstream(&body, &body_bytes);

	if (!out)
		return -ENOMEM;
	stats_collect(&stats, client->server->state);
	if (format)
		format->write(out, &stats);
	else
		fputs("ask for json or metrics\n", out);
	if (fclose(out)) {
		free(body);
		return -ENOMEM;
	}
	client->answer = body;
	client->answer_bytes = body_bytes;
	if (!is_http)
		return 0;
	client->answer = NULL;
	out = open_memstream(&client->answer, &client->answer_bytes);
	if (out)
		fprintf(out,
			"HTTP/1.1 %s\r\nContent-Type: %s\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
			format ? "200 OK" : "404 Not Found",
			format ? format->type : "text/plain", body_bytes, body);
	free(body);
	return !out || fclose(out) ? -ENOMEM : 0;
}

/* Whether the request is all there: a line; in HTTP, an empty one too. */
static bool is_complete(const struct stats_client *client, bool is_http)
{
	if (!is_http)
		return strchr(client->request, '\n') != NULL;
	return strstr(client->request, "\r\n\r\n") ||
	       strstr(client->request, "\n\n");
}

static void client_read(struct stats_client *client)
{
	const char *name = client->request;
	bool is_http;
	ssize_t got =
		recv(client->fd, client->request + client->request_bytes,
		     STATS_REQUEST_BYTES - client->request_bytes, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		client_close(client);
		return;
	}
	client->request_bytes += (size_t)got;
	client->request[client->request_bytes] = '\0';
	is_http = strncmp(name, get, sizeof(get) - 1) == 0;
	if (is_http)
		name += sizeof(get) - 1;
	if (!is_complete(client, is_http)) {
		if (client->request_bytes == STATS_REQUEST_BYTES)
			client_close(client);
		return;
	}
	if (answer_make(client, find(name, strcspn(name, " ?\r\n")), is_http))
		client_close(client);
	else
		client_send(client);
}

static void on_ready(struct loop_watch *watch, unsigned int events)
{
	struct stats_client *client =
		list_entry(watch, struct stats_client, watch);

	if (client->answer)
		client_send(client);
	else
		client_read(client);
}

static void on_limit(struct loop_timer *timer)
{
	client_close(list_entry(timer, struct stats_client, limit));
}

static struct stats_client *place(struct stats_server *server)
{
	for (size_t i = 0; i < STATS_CLIENTS; i++)
		if (!server->client[i].server)
			return &server->client[i];
	return NULL;
}

static void on_accept(struct listener *listener, int fd)
{
	struct stats_server *server =
		list_entry(listener, struct stats_server, listener);
	struct stats_client *client = place(server);
	int bytes = STATS_SOCKET_BYTES;

	/* The listener rests while there is no place. */
	if (!client || loop_watch_add(listener->loop, &client->watch, fd,
				      LOOP_READ, on_ready)) {
		close(fd);
		return;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	client->server = server;
	client->fd = fd;
	loop_timer_init(listener->loop, &client->limit, on_limit);
	loop_timer_arm(&client->limit, STATS_TIME_MS);
	if (!place(server))
		listener_pause(listener);
}

int stats_server_open(struct stats_server *server, struct loop *loop,
		      const char *path, const struct state *state)
{
	memset(server, 0, sizeof(*server));
	server->listener.fd = -1;
	server->state = state;
	return listener_open(&server->listener, loop, path, on_accept);
}

void stats_server_close(struct stats_server *server)
{
	if (!server->state)
		return;
	listener_close(&server->listener);
	for (size_t i = 0; i < STATS_CLIENTS; i++)
		client_close(&server->client[i]);
	memset(server, 0, sizeof(*server));
}
