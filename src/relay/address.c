/* SPDX-License-Identifier: Apache-2.0 */
/* address.c - how many connections come from one place */

/*
 * How it works: an address is there while it has connections, and then on as
 * long as it matters how many rooms it has begun: else one could come anew for
 * each. Who is idle is looked after when the next one goes, oldest first.
 */

#include "relay/address.h"
#include "base/mutant.h"
#include "prim/shorthash.h"
#include "relay/relay.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The family is one of `key`'s own: an IPv4 address inside of an IPv6 one, as
 * a socket for both families shows it, is an IPv4 address. */
enum {
	KEY_IPV4 = 4,
	KEY_IPV6 = 6
};

/* Whether `peer` counts, and on which key. */
static bool key_make(uint8_t key[ADDRESS_KEY_BYTES],
		     const struct sockaddr_storage *peer)
{
	const struct in6_addr *ip6 =
		&((const struct sockaddr_in6 *)peer)->sin6_addr;
	const struct in_addr *ip4 =
		&((const struct sockaddr_in *)peer)->sin_addr;
	const uint8_t *bytes = (const uint8_t *)ip4;

	memset(key, 0, ADDRESS_KEY_BYTES);
	if (peer->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(ip6)) {
		bytes = ip6->s6_addr + 12;
	} else if (peer->ss_family == AF_INET6) {
		key[0] = KEY_IPV6;
		memcpy(key + 1, ip6->s6_addr, 8);
		return !IN6_IS_ADDR_LOOPBACK(ip6);
	} else if (peer->ss_family != AF_INET) {
		return false;
	}
	key[0] = KEY_IPV4;
	memcpy(key + 1, bytes, 4);
	return bytes[0] != 127;
}

static struct address *find(struct relay *relay,
			    const uint8_t key[ADDRESS_KEY_BYTES], uint32_t hash)
{
	struct address *found = NULL;

	HASH_FIND_BYHASHVALUE(hh, relay->addresses.all, key, ADDRESS_KEY_BYTES,
			      hash, found);
	return found;
}

/* A bucket counts by the second; rooms are counted by the hour, in steps of
 * 3.6 seconds. */
static uint64_t hours_now(const struct relay *relay)
{
	return loop_now_ms(relay->loop) / 3600;
}

/* NULL without memory. */
static struct address *add(struct relay *relay,
			   const uint8_t key[ADDRESS_KEY_BYTES], uint32_t hash)
{
	struct address *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	memcpy(a->key, key, ADDRESS_KEY_BYTES);
	list_init(&a->idle_link);
	bucket_init(&a->rooms, relay->limits.rate_rooms,
		    relay->limits.burst_rooms, hours_now(relay));
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, relay->addresses.all, a->key,
				    ADDRESS_KEY_BYTES, hash, a);
	if (find(relay, key, hash) == a)
		return a;
	free(a);
	return NULL;
}

int address_get(struct relay *relay, const struct sockaddr_storage *peer,
		struct address **address)
{
	uint64_t most = relay->limits.max_address_clients;
	uint8_t key[ADDRESS_KEY_BYTES];
	uint32_t hash;

	*address = NULL;
	if (!key_make(key, peer))
		return 0;
	hash = shorthash(relay->hash_key, key, sizeof(key));
	*address = find(relay, key, hash);
	if (*address &&
	    !CHECK(address_limit, most == 0 || (*address)->conns < most)) {
		*address = NULL;
		return -EUSERS;
	}
	if (!*address)
		*address = add(relay, key, hash);
	if (!*address)
		return -ENOMEM;
	if (!(*address)->conns++ && !list_is_empty(&(*address)->idle_link)) {
		list_remove(&(*address)->idle_link);
		relay->addresses.idle_count--;
	}
	return 0;
}

static void address_free(struct addresses *all, struct address *address)
{
	if (!list_is_empty(&address->idle_link))
		all->idle_count--;
	list_remove(&address->idle_link);
	HASH_DEL(all->all, address);
	free(address);
}

/* Those of whom nothing must be remembered any more, and who are too many. */
static void free_idle(struct relay *relay)
{
	struct addresses *all = &relay->addresses;

	while (!list_is_empty(&all->idle)) {
		struct address *first =
			list_entry(all->idle.next, struct address, idle_link);

		if (all->idle_count <= RELAY_IDLE_ADDRESSES_MAX &&
		    !bucket_is_full(&first->rooms, hours_now(relay)))
			return;
		address_free(all, first);
	}
}

void address_put(struct relay *relay, struct address *address)
{
	if (!address || --address->conns)
		return;
	list_append(&relay->addresses.idle, &address->idle_link);
	relay->addresses.idle_count++;
	if (bucket_is_full(&address->rooms, hours_now(relay)))
		address_free(&relay->addresses, address);
	free_idle(relay);
}

bool address_begin_room(struct relay *relay, struct address *address)
{
	struct bucket after;

	if (!address)
		return true;
	after = address->rooms;
	if (!CHECK(room_rate, !bucket_take(&after, 1, hours_now(relay))))
		return false;
	address->rooms = after;
	return true;
}

void addresses_init(struct addresses *addresses)
{
	list_init(&addresses->idle);
}

void addresses_deinit(struct addresses *addresses)
{
	struct address *address, *next;

	HASH_ITER(hh, addresses->all, address, next)
	address_free(addresses, address);
}
