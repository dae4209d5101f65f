/* SPDX-License-Identifier: Apache-2.0 */
/* drain.c - send everybody away, a few at a time, and stop */

#include "relay/drain.h"
#include "base/log.h"
#include "relay/conn.h"
#include "relay/relay.h"

/* How many may still be here, rounded up: the last one goes at the end. */
static uint64_t share(const struct relay_drain *drain, uint64_t left_ms)
{
	return (drain->clients * left_ms + drain->over_ms - 1) / drain->over_ms;
}

static void drain_step(struct loop_timer *timer)
{
	struct relay *relay = list_entry(timer, struct relay, drain.timer);
	const struct relay_drain *drain = &relay->drain;
	uint64_t gone_ms = loop_now_ms(relay->loop) - drain->start_ms;
	uint64_t most, going = 0;

	if (gone_ms >= drain->over_ms || !relay->client_count) {
		relay_stop(relay, "drained");
		return;
	}
	most = share(drain, drain->over_ms - gone_ms);
	for (struct list *link = relay->conns.next;
	     link != &relay->conns && relay->client_count - going > most;
	     link = link->next) {
		struct conn *conn = list_entry(link, struct conn, link);

		if (!conn->is_client || conn->is_doomed)
			continue;
		conn_dismiss(conn);
		going++; /* counted off at the end of the turn */
	}
	loop_timer_arm(timer, RELAY_DRAIN_STEP_MS);
}

void relay_drain(struct relay *relay, uint64_t over_ms)
{
	if (relay->is_stopping)
		return;
	log_info("draining: %llu clients in %llu ms",
		 (unsigned long long)relay->client_count,
		 (unsigned long long)over_ms);
	if (!relay->is_draining) {
		relay_close_listeners(relay);
		loop_timer_init(relay->loop, &relay->drain.timer, drain_step);
	}
	relay->is_draining = true;
	relay->drain.clients = relay->client_count;
	relay->drain.start_ms = loop_now_ms(relay->loop);
	relay->drain.over_ms = over_ms;
	loop_timer_arm(&relay->drain.timer, 0);
}
