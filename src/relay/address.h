/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - how many connections come from one place */
#ifndef PVX_RELAY_ADDRESS_H
#define PVX_RELAY_ADDRESS_H

#include "relay/hash.h"

#include <stdint.h>
#include <sys/socket.h>

struct relay;

/* Family, and an IPv4 address or the first 64 bits of an IPv6 one: who has one
 * address of such a network has all of them. */
#define ADDRESS_KEY_BYTES 9

struct address {
	uint8_t key[ADDRESS_KEY_BYTES];
	uint32_t conns;
	UT_hash_handle hh;
};

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

#endif
