/* SPDX-License-Identifier: Apache-2.0 */
/* protocol_redis.c - publish and subscribe as Redis speaks it, RESP3 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/relay/protocol.h"

/* With RESP3 one connection may do both. Who publishes hears himself: the
 * crowd leaves that out of its count. */
#define HEAD_ROOM 64

struct redis_state {
	char head[HEAD_ROOM]; /* of a message in its room */
	size_t head_bytes;
};

static int redis_greet(struct client *c)
{
	struct redis_state *state = c->state;
	char room[16];
	int bytes = snprintf(room, sizeof(room), "r%u", c->room);

	state->head_bytes =
		(size_t)snprintf(state->head, HEAD_ROOM,
				 ">3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%u\r\n",
				 bytes, room, c->crowd->plan.body_bytes);
	return client_print(c, "HELLO 3\r\nSUBSCRIBE %s\r\n", room);
}

/* Bytes of a value, nested ones with it; 0: not whole. */
static long value_bytes(const uint8_t *data, size_t bytes, unsigned int depth)
{
	size_t line = protocol_line_bytes(data, bytes), at = line;
	unsigned long number = 0;

	if (!line)
		return 0;
	if (depth > 4)
		return -EBADMSG;
	for (size_t i = 1; i < line && data[i] >= '0' && data[i] <= '9'; i++)
		number = 10 * number + data[i] - '0';
	switch (data[0]) {
	case '$':
		at += number + 2;
		return at > bytes ? 0 : (long)at;
	case '%':
		number *= 2;
		break;
	case '*':
	case '>':
		break;
	default:
		return (long)line;
	}
	while (number--) {
		long inner = value_bytes(data + at, bytes - at, depth + 1);

		if (inner <= 0)
			return inner;
		at += (size_t)inner;
	}
	return (long)at;
}

static long redis_take(struct client *c, const uint8_t *data, size_t bytes)
{
	static const char subscribed[] = ">3\r\n$9\r\nsubscribe\r\n";
	const struct redis_state *state = c->state;
	size_t body = c->crowd->plan.body_bytes;
	long whole;

	if (bytes > state->head_bytes &&
	    memcmp(data, state->head, state->head_bytes) == 0) {
		if (bytes < state->head_bytes + body + 2)
			return 0;
		crowd_deliver(c->crowd, c, data + state->head_bytes, body);
		return (long)(state->head_bytes + body + 2);
	}
	whole = value_bytes(data, bytes, 0);
	if (whole <= 0)
		return whole;
	if (data[0] == '-')
		return crowd_fail(c->crowd, c, "an error of the server");
	if (whole > (long)strlen(subscribed) &&
	    memcmp(data, subscribed, strlen(subscribed)) == 0)
		client_is_in(c);
	return whole;
}

static int redis_say(struct client *c, const uint8_t *body, size_t bytes)
{
	char room[16];
	int error, room_bytes = snprintf(room, sizeof(room), "r%u", c->room);

	error = client_print(c, "*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%zu\r\n",
			     room_bytes, room, bytes);
	if (!error)
		error = client_put(c, body, bytes);
	return error ? error : client_put(c, "\r\n", 2);
}

const struct protocol protocol_redis = {
	.name = "redis",
	.least_bytes = 16,
	.most_bytes = 1u << 16,
	.state_bytes = sizeof(struct redis_state),
	.greet = redis_greet,
	.take = redis_take,
	.say = redis_say,
};
