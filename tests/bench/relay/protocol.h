/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.h - the servers' languages, one row each */
#ifndef BENCH_RELAY_PROTOCOL_H
#define BENCH_RELAY_PROTOCOL_H

#include "bench/relay/client.h"

struct protocol {
	const char *name;
	uint32_t least_bytes; /* of a body */
	uint32_t most_bytes;
	uint32_t text_at; /* in the body, where the crowd's text begins */
	size_t state_bytes;
	/* The server speaks first in the clear; take() calls secure_open(). */
	bool is_secured_later;
	/* Queue the first words. 0 or -errno. */
	int (*greet)(struct client *c);
	/* Serve one whole unit at `data`. Returns its bytes, 0 when it is not
	 * whole, or -errno. */
	long (*take)(struct client *c, const uint8_t *data, size_t bytes);
	/* Write what stands before the text of message `number`; NULL: none */
	void (*stamp)(struct client *c, uint8_t *body, uint64_t number);
	/* Queue a message. 0 or -errno. */
	int (*say)(struct client *c, const uint8_t *body, size_t bytes);
	/* How many messages the server lets it send now; NULL: any. */
	uint64_t (*allows)(const struct client *c);
};

extern const struct protocol protocol_paravox, protocol_ceiling, protocol_nats,
	protocol_redis, protocol_mqtt, protocol_irc;

/* NULL: there is none of that name. */
const struct protocol *protocol_find(const char *name);

/* The end of the line at `data`: bytes with its CR LF; 0: not whole. */
size_t protocol_line_bytes(const uint8_t *data, size_t bytes);

#endif
