/* SPDX-License-Identifier: Apache-2.0 */
/* protocol_irc.c - channels as IRC (RFC 2812) speaks of them */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/relay/protocol.h"

#define WELCOME      "001"
#define END_OF_NAMES "366"
/* A line has at most 512 bytes, with its sender, command and channel. */
#define BODY_MOST 400u

static int irc_greet(struct client *c)
{
	return client_print(c, "NICK n%u\r\nUSER u 0 * :u\r\n", c->number);
}

/* What stands behind the sender, from ":sender command ...". */
static const uint8_t *command_of(const uint8_t *line, size_t bytes)
{
	const uint8_t *space = line[0] == ':' ? memchr(line, ' ', bytes) : NULL;

	return space ? space + 1 : line;
}

static int irc_serve(struct client *c, const uint8_t *line, size_t bytes)
{
	const uint8_t *command = command_of(line, bytes);
	size_t left = bytes - (size_t)(command - line);
	const uint8_t *body;

	if (left > 8 && memcmp(command, "PRIVMSG ", 8) == 0) {
		body = memchr(command, ':', left);
		if (!body)
			return -EBADMSG;
		body++;
		crowd_deliver(c->crowd, c, body,
			      bytes - 2 - (size_t)(body - line));
		return 0;
	}
	if (left < 4)
		return -EBADMSG;
	if (memcmp(command, "PING", 4) == 0)
		return client_print(c, "PONG%.*s", (int)(left - 4),
				    (const char *)command + 4);
	if (memcmp(command, WELCOME, 3) == 0)
		return client_print(c, "JOIN #r%u\r\n", c->room);
	if (memcmp(command, END_OF_NAMES, 3) == 0)
		client_is_in(c);
	if (memcmp(command, "ERRO", 4) == 0)
		return crowd_fail(c->crowd, c, "an error of the server");
	return 0;
}

static long irc_take(struct client *c, const uint8_t *data, size_t bytes)
{
	size_t line = protocol_line_bytes(data, bytes);
	int error;

	if (!line)
		return 0;
	if (line < 2 || data[line - 2] != '\r')
		return -EBADMSG;
	error = irc_serve(c, data, line);
	return error ? error : (long)line;
}

static int irc_say(struct client *c, const uint8_t *body, size_t bytes)
{
	int error = client_print(c, "PRIVMSG #r%u :", c->room);

	if (!error)
		error = client_put(c, body, bytes);
	return error ? error : client_put(c, "\r\n", 2);
}

const struct protocol protocol_irc = {
	.name = "irc",
	.least_bytes = 16,
	.most_bytes = BODY_MOST,
	.greet = irc_greet,
	.take = irc_take,
	.say = irc_say,
};
