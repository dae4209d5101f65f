/* SPDX-License-Identifier: Apache-2.0 */
/* stats_server.c - tell statistics to whoever asks on a Unix socket */
#include "device/stats_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* The format that is named by the `bytes` bytes at `name`, or NULL. */
static const struct format *find(const char *name, size_t bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (strlen(formats[i].name) == bytes &&
		    memcmp(formats[i].name, name, bytes) == 0)
			return &formats[i];
	return NULL;
}

static bool is_http(const char *question)
{
	return strncmp(question, get, sizeof(get) - 1) == 0;
}

/* A line; in HTTP, an empty one too. */
static bool is_complete(const char *question)
{
	if (!is_http(question))
		return strchr(question, '\n') != NULL;
	return strstr(question, "\r\n\r\n") || strstr(question, "\n\n");
}

static int answer(void *owner, struct query_client *client, FILE *out)
{
	const struct stats_server *server = owner;
	const char *name = client->question;
	bool has_head = is_http(name);
	const struct format *format;
	struct stats stats;
	char *body = NULL;
	size_t body_bytes = 0;
	FILE *text = open_memstream(&body, &body_bytes);

	if (!text)
		return -ENOMEM;
	if (has_head)
		name += sizeof(get) - 1;
	format = find(name, strcspn(name, " ?\r\n"));
	stats_collect(&stats, server->state);
	if (format)
		format->write(text, &stats);
	else
		fputs("ask for json or metrics\n", text);
	if (fclose(text)) {
		free(body);
		return -ENOMEM;
	}
	if (has_head)
		fprintf(out,
			"HTTP/1.1 %s\r\nContent-Type: %s\r\n"
			"Content-Length: %zu\r\nConnection: close\r\n\r\n",
			format ? "200 OK" : "404 Not Found",
			format ? format->type : "text/plain", body_bytes);
	fputs(body, out);
	free(body);
	return 0;
}

static const struct query_service service = { .is_complete = is_complete,
					      .answer = answer };

int stats_server_open(struct stats_server *server, struct loop *loop,
		      const char *path, const struct state *state)
{
	server->state = state;
	return query_server_open(&server->queries, loop, path, 0777, &service,
				 server);
}

void stats_server_close(struct stats_server *server)
{
	query_server_close(&server->queries);
}
