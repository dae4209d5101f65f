/* SPDX-License-Identifier: Apache-2.0 */
/* protocol_nats.c - publish and subscribe as NATS speaks it */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/relay/protocol.h"
#include "bench/relay/secure.h"

/* The server speaks first. */
static int nats_greet(struct client *c)
{
	return 0;
}

/* "MSG room 1 BYTES" and the body behind it. */
static long nats_take_message(struct client *c, const uint8_t *data,
			      size_t bytes, size_t line)
{
	size_t at = line - 2, body = 0;

	while (at > 0 && data[at - 1] != ' ')
		at--;
	for (; data[at] >= '0' && data[at] <= '9'; at++)
		body = 10 * body + data[at] - '0';
	if (data[at] != '\r' || body > CLIENT_READ_BYTES / 2)
		return -EBADMSG;
	if (bytes < line + body + 2)
		return 0;
	crowd_deliver(c->crowd, c, data + line, body);
	return (long)(line + body + 2);
}

static long nats_take(struct client *c, const uint8_t *data, size_t bytes)
{
	size_t line = protocol_line_bytes(data, bytes);
	int error = 0;

	if (!line)
		return 0;
	if (line < 5)
		return -EBADMSG;
	if (memcmp(data, "MSG ", 4) == 0)
		return nats_take_message(c, data, bytes, line);
	if (memcmp(data, "INFO", 4) == 0 && c->crowd->plan.is_secure)
		error = secure_open(c);
	if (error)
		return error;
	if (memcmp(data, "INFO", 4) == 0)
		error = client_print(c,
				     "CONNECT {\"verbose\":false,\"pedantic\":"
				     "false,\"echo\":false,\"protocol\":1,"
				     "\"lang\":\"c\",\"version\":\"1\"}\r\n"
				     "SUB r%u 1\r\nPING\r\n",
				     c->room);
	else if (memcmp(data, "PONG", 4) == 0)
		client_is_in(c);
	else if (memcmp(data, "PING", 4) == 0)
		error = client_print(c, "PONG\r\n");
	else
		error = crowd_fail(c->crowd, c, "an error of the server");
	return error ? error : (long)line;
}

static int nats_say(struct client *c, const uint8_t *body, size_t bytes)
{
	int error = client_print(c, "PUB r%u %zu\r\n", c->room, bytes);

	if (!error)
		error = client_put(c, body, bytes);
	return error ? error : client_put(c, "\r\n", 2);
}

const struct protocol protocol_nats = {
	.name = "nats",
	.least_bytes = 16,
	.most_bytes = 1u << 16,
	.is_secured_later = true,
	.greet = nats_greet,
	.take = nats_take,
	.say = nats_say,
};
