/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - one connection of the crowd */
#ifndef BENCH_RELAY_CLIENT_H
#define BENCH_RELAY_CLIENT_H

#include "bench/relay/crowd.h"

#define CLIENT_READ_BYTES (256u << 10)

struct client {
	struct crowd *crowd;
	int fd;
	uint32_t number; /* of the crowd */
	uint32_t room;
	uint32_t place;    /* in the room */
	unsigned int step; /* of the handshake, as the protocol counts */
	bool is_ready;     /* admitted */
	bool is_stalled;   /* does not read any more */
	bool is_blocked;   /* watched for writing */
	bool is_dirty;
	void *state;        /* the protocol's */
	struct ssl_st *tls; /* NULL: in the clear */

	uint8_t *rest; /* what was read of a unit that is not whole */
	size_t rest_bytes, rest_room;
	uint8_t *out;
	size_t out_at, out_bytes, out_room;

	uint64_t *taken; /* messages of each sender of its room */

	/* Of a sender: the last `window` messages. */
	uint8_t *bodies;
	uint64_t *sent_ns;
	uint32_t *left; /* receivers who do not have it yet */
	uint64_t sent;
	uint64_t done; /* with everybody */
};

int client_open(struct client *c);
void client_close(struct client *c);

/* Queue bytes behind what is there. 0 or -ENOMEM. */
int client_put(struct client *c, const void *data, size_t bytes);
/* Room for that many more, or NULL; client_put_done() says what was used. */
uint8_t *client_reserve(struct client *c, size_t bytes);
void client_put_done(struct client *c, size_t bytes);
/* The same as printf(3), for protocols in text. */
int client_print(struct client *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Write as far as the socket takes it. 0 or -errno. */
int client_flush(struct client *c);
/* Read once and serve what is whole. 0 or -errno. */
int client_read(struct client *c);
/* Let it be known that the handshake is done. */
void client_is_in(struct client *c);

#endif
