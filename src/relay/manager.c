/* SPDX-License-Identifier: Apache-2.0 */
/* manager.c - what the relay tells its service manager */

#include "relay/manager.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "relay/relay.h"
#include "tls/context.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The loop turns, so we live. Twice as often as asked, as sd_watchdog_enabled
 * (3) advises. */
static void on_watchdog(struct loop_timer *timer)
{
	struct relay *relay = list_entry(timer, struct relay, watchdog_timer);
	uint64_t interval_ms = relay->watchdog_us / 2000;

	(void)notify_send("WATCHDOG=1");
	loop_timer_arm(timer, interval_ms ? interval_ms : 1);
}

void manager_tell_ready(struct relay *relay)
{
	char text[TLS_FINGERPRINT_ROOM];
	int error;

	if (relay->tls) {
		tls_fingerprint_print(text,
				      tls_context_fingerprint(relay->tls));
		printf("fingerprint %s\n", text);
	}
	for (unsigned int i = 0; i < relay->listener_count; i++)
		printf("listening on %s\n", relay->listeners[i].name);
	fflush(stdout);
	error = notify_send("READY=1");
	if (error)
		log_warning("cannot notify the service manager: %s",
			    strerror(-error));
	relay->watchdog_us = notify_watchdog_us();
	loop_timer_init(relay->loop, &relay->watchdog_timer, on_watchdog);
	if (relay->watchdog_us)
		on_watchdog(&relay->watchdog_timer);
}

/* sd_notify(3): the time says which of several reloads READY is about. */
void manager_tell_reloading(void)
{
	char state[80];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 clock_now_ns() / 1000);
	(void)notify_send(state);
}

void manager_tell_reloaded(void)
{
	(void)notify_send("READY=1");
}

void manager_tell_stopping(void)
{
	(void)notify_send("STOPPING=1");
}
