/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h - what the relay has done, and what it has now */
#ifndef PVX_RELAY_COUNTERS_H
#define PVX_RELAY_COUNTERS_H

#include "abi/chat_wire.h"

#include <stdint.h>
#include <stdio.h>

struct relay;

/* Only ever more. The relay's thread adds; nothing here names a room, a device
 * or an address. */
struct relay_counters {
	uint64_t accepted;        /* connections, also those turned away */
	uint64_t refused_full;    /* of them, above max_clients */
	uint64_t refused_address; /* above max_address_clients */
	uint64_t refused_room;    /* above max_rooms or max_room_clients */
	uint64_t refused_banned;
	uint64_t joins;
	uint64_t messages; /* taken from senders */
	uint64_t message_bytes;
	uint64_t deliveries; /* queued, one for each receiver */
	uint64_t read_bytes;
	uint64_t written_bytes;
	uint64_t reloads;
	uint64_t ends[CHAT_CODES];    /* by ERROR's code */
	uint64_t refused[CHAT_CODES]; /* messages, by REFUSED's code */
};

/* Prometheus' text format 0.0.4. */
void counters_write_metrics(FILE *out, const struct relay *relay);
/* "NAME NUMBER" on each line. */
void counters_write_text(FILE *out, const struct relay *relay);

#endif
