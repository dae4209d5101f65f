/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - new options for a relay that runs */

#include "relay/options.h"
#include "relay/relay.h"
#include "base/log.h"
#include "base/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* sd_notify(3): which of several reloads the next READY=1 is about. */
static void tell_reloading(void)
{
	struct timespec now = { 0 };
	char state[80];

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
	(void)notify_send(state);
}

void relay_reload(struct relay *relay)
{
	struct relay_options fresh;

	tell_reloading();
	if (relay_options_reload(&fresh, relay->options)) {
		log_error("reload: the options are wrong; all stays as it was");
	} else {
		relay_set_limits(relay, &fresh.limits);
		log_init("paravoxd", fresh.log_level);
		log_info("reload: done");
	}
	relay_options_deinit(&fresh);
	(void)notify_send("READY=1");
}
