/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.h - the process that keeps a device alive */
#ifndef PVX_DEVICE_SUPERVISOR_H
#define PVX_DEVICE_SUPERVISOR_H

#include "device/journal.h"
#include "device/options.h"
#include "vhost/control.h"

/*
 * How it works: the supervisor alone reads the control socket, and holds the
 * descriptors and the state. It never touches guest memory or does crypto: the
 * worker does, a child of it, of which there is one for each connection. When
 * the worker dies, another one is made and told to go on with every ring that
 * ran (journal.h); the front end sees nothing of it. When the front end goes,
 * the worker is killed and the state wiped, so that nothing of a guest is left.
 *
 * A stop of rings is the one thing that takes a worker's time; meanwhile the
 * control socket is not read, and a worker that takes too long is killed, which
 * its successor makes up for.
 */

/* Moments of a control message, with a keeper above: those of enum
 * vhost_moment, and within each commit: */
enum supervisor_moment {
	SUPERVISOR_STORED = VHOST_MOMENTS, /* the old copy holds */
	SUPERVISOR_FLIPPED,                /* the new one does */
	SUPERVISOR_MOMENTS
};

/* For tests: who is told of each moment, so that it may end the process, or
 * stay; and how long a stop and a notice to the manager may take (0: as
 * ever). */
struct supervisor_probes {
	uint64_t stop_limit_ms;
	int keeper_patience_ms;
	void (*at_request)(unsigned int queue, enum journal_moment moment);
	void (*at_control)(unsigned int moment); /* enum supervisor_moment */
};

/*
 * Serve until a signal asks to stop, or until the connection of --fd ends. 0,
 * or -errno after a line in the log. `probes` is NULL in the daemon.
 */
int supervisor_run(const struct device_options *options,
		   const struct supervisor_probes *probes);

#endif
