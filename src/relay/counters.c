/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c - what the relay has done, and what it has now */

#include "relay/counters.h"
#include "base/bytes.h"
#include "base/metric.h"
#include "relay/relay.h"
#include "relay/room.h"

#include <inttypes.h>
#include <stddef.h>

#define PREFIX    "paravoxd_"
#define AT(field) offsetof(struct relay_counters, field)

static const struct {
	const char *name;
	const char *help;
	size_t offset; /* in struct relay_counters */
} counters[] = {
	{ "connections_total", "Connections accepted", AT(accepted) },
	{ "refused_full_total", "Connections above max-clients",
	  AT(refused_full) },
	{ "refused_address_total", "Connections above max-address-clients",
	  AT(refused_address) },
	{ "refused_room_total", "Joins above max-rooms or max-room-clients",
	  AT(refused_room) },
	{ "refused_banned_total", "Joins of banned devices",
	  AT(refused_banned) },
	{ "joins_total", "Clients that entered a room", AT(joins) },
	{ "messages_total", "Messages taken from senders", AT(messages) },
	{ "message_bytes_total", "Bytes of their envelopes",
	  AT(message_bytes) },
	{ "deliveries_total", "Messages queued for receivers", AT(deliveries) },
	{ "read_bytes_total", "Bytes read from clients", AT(read_bytes) },
	{ "written_bytes_total", "Bytes written to clients",
	  AT(written_bytes) },
	{ "reloads_total", "Options read again", AT(reloads) },
};

static uint64_t count_clients(const struct relay *relay)
{
	return relay->client_count;
}

static uint64_t count_conns(const struct relay *relay)
{
	return relay->conn_count;
}

static uint64_t count_rooms(const struct relay *relay)
{
	return HASH_COUNT(relay->rooms);
}

static uint64_t count_addresses(const struct relay *relay)
{
	return HASH_COUNT(relay->addresses.all) - relay->addresses.idle_count;
}

static uint64_t count_bans(const struct relay *relay)
{
	return HASH_COUNT(relay->bans.table);
}

static uint64_t count_held(const struct relay *relay)
{
	return relay->held_bytes;
}

static uint64_t count_draining(const struct relay *relay)
{
	return relay->is_draining;
}

static uint64_t count_waiting(const struct relay *relay)
{
	return relay->history.queued_bytes;
}

static uint64_t count_catching(const struct relay *relay)
{
	return relay->history.catching;
}

static uint64_t count_failing(const struct relay *relay)
{
	return relay->history.error != 0;
}

static const struct {
	const char *name;
	const char *help;
	uint64_t (*count)(const struct relay *relay);
} gauges[] = {
	{ "clients", "Clients now", count_clients },
	{ "connections", "Connections now, also those on their way out",
	  count_conns },
	{ "rooms", "Rooms with somebody in them", count_rooms },
	{ "addresses", "Networks that clients come from", count_addresses },
	{ "bans", "Devices that may not enter", count_bans },
	{ "queued_bytes", "Bytes held for receivers", count_held },
	{ "history_queued_bytes", "Bytes that wait for the disk",
	  count_waiting },
	{ "history_readers", "Clients that get what they missed",
	  count_catching },
	{ "history_failing", "1 when the last message could not be kept",
	  count_failing },
	{ "draining", "1 when no clients are taken any more", count_draining },
};

/* Labels by code: not the texts, which may become better. */
static const char *const codes[CHAT_CODES] = {
	[CHAT_CODE_PROTOCOL] = "protocol",
	[CHAT_CODE_TOO_LARGE] = "too_large",
	[CHAT_CODE_VERSION] = "version",
	[CHAT_CODE_STATE] = "state",
	[CHAT_CODE_ADMISSION] = "admission",
	[CHAT_CODE_FULL] = "full",
	[CHAT_CODE_TIMEOUT] = "timeout",
	[CHAT_CODE_WINDOW] = "window",
	[CHAT_CODE_SLOW] = "slow",
	[CHAT_CODE_INTERNAL] = "internal",
	[CHAT_CODE_SENDER] = "sender",
	[CHAT_CODE_ENVELOPE] = "envelope",
	[CHAT_CODE_STORE] = "store",
	[CHAT_CODE_REMOVED] = "removed",
};

static uint64_t counter_at(const struct relay *relay, size_t offset)
{
	return *(
		const uint64_t *)(const void *)((const char *)&relay->counters +
						offset);
}

static void write_by_code(FILE *out, const char *name, const char *help,
			  const uint64_t numbers[CHAT_CODES])
{
	metric_family(out, PREFIX, name, "counter", help);
	for (unsigned int i = 0; i < CHAT_CODES; i++)
		if (codes[i])
			fprintf(out, PREFIX "%s{code=\"%s\"} %" PRIu64 "\n",
				name, codes[i], numbers[i]);
}

void counters_write_metrics(FILE *out, const struct relay *relay)
{
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		metric_family(out, PREFIX, counters[i].name, "counter",
			      counters[i].help);
		fprintf(out, PREFIX "%s %" PRIu64 "\n", counters[i].name,
			counter_at(relay, counters[i].offset));
	}
	for (size_t i = 0; i < ARRAY_SIZE(gauges); i++) {
		metric_family(out, PREFIX, gauges[i].name, "gauge",
			      gauges[i].help);
		fprintf(out, PREFIX "%s %" PRIu64 "\n", gauges[i].name,
			gauges[i].count(relay));
	}
	write_by_code(out, "ends_total",
		      "Connections that the relay ended, by ERROR's code",
		      relay->counters.ends);
	write_by_code(out, "refused_total",
		      "Messages not taken, by REFUSED's code",
		      relay->counters.refused);
}

void counters_write_text(FILE *out, const struct relay *relay)
{
	for (size_t i = 0; i < ARRAY_SIZE(gauges); i++)
		fprintf(out, "%s %" PRIu64 "\n", gauges[i].name,
			gauges[i].count(relay));
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		fprintf(out, "%s %" PRIu64 "\n", counters[i].name,
			counter_at(relay, counters[i].offset));
}
