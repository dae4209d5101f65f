/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - how many connections come from one place */
#ifndef PVX_RELAY_ADDRESS_H
#define PVX_RELAY_ADDRESS_H

#include "base/list.h"
#include "relay/bucket.h"
#include "relay/hash.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct relay;

/* Family, and an IPv4 address or the first 64 bits of an IPv6 one: who has one
 * address of such a network has all of them. */
#define ADDRESS_KEY_BYTES 9

struct address {
	uint8_t key[ADDRESS_KEY_BYTES];
	uint32_t conns;
	struct bucket rooms;   /* that it may begin; in hours for seconds */
	struct list idle_link; /* addresses.idle, without connections */
	UT_hash_handle hh;
};

struct addresses {
	struct address *all; /* uthash */
	struct list idle;    /* remembered for what they have begun */
	unsigned int idle_count;
};

void addresses_init(struct addresses *addresses);
/* When no connections are left. Safe on zeroed ones. */
void addresses_deinit(struct addresses *addresses);

/*
 * Count one connection more from `peer`, and set `*address` to what it counts
 * on: NULL for Unix sockets and this machine's own addresses, which have no
 * limit. 0, -EUSERS with nothing counted when there are max_address_clients
 * already, or -ENOMEM.
 */
int address_get(struct relay *relay, const struct sockaddr_storage *peer,
		struct address **address);

/* One less. NULL is allowed. */
void address_put(struct relay *relay, struct address *address);

/* Whether one more room may be begun from there, which is counted then. NULL:
 * always. */
bool address_begin_room(struct relay *relay, struct address *address);

#endif
