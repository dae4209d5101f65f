/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - new options for a relay that runs */

#include "base/log.h"
#include "relay/credentials.h"
#include "relay/manager.h"
#include "relay/options.h"
#include "relay/relay.h"

void relay_reload(struct relay *relay)
{
	struct relay_options fresh;

	manager_tell_reloading();
	if (relay_options_reload(&fresh, relay->options)) {
		log_error("reload: the options are wrong; all stays as it was");
	} else {
		relay_set_limits(relay, &fresh.limits);
		(void)credentials_reload(relay, relay->options);
		log_init("paravoxd", fresh.log_level);
		relay->counters.reloads++;
		log_info("reload: done");
	}
	relay_options_deinit(&fresh);
	manager_tell_reloaded();
}
