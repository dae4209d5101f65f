/* SPDX-License-Identifier: Apache-2.0 */
/* signals.h - signals as events of the loop (signalfd) */
#ifndef PVX_LOOP_SIGNALS_H
#define PVX_LOOP_SIGNALS_H

#include "loop/loop.h"

struct loop_signals;
typedef void loop_signals_fn(struct loop_signals *signals, int number);

struct loop_signals {
	struct loop_watch watch;
	int fd;
	loop_signals_fn *on_signal;
};

/*
 * Block the `count` signals of `numbers` in this thread (do it before others
 * are started) and hand them to `on_signal`, which runs in the loop, not in a
 * signal handler. Returns 0 or -errno.
 */
int loop_signals_open(struct loop *loop, struct loop_signals *signals,
		      const int *numbers, unsigned int count,
		      loop_signals_fn *on_signal);
/* The signals stay blocked. Zeroed or closed ones are left alone. */
void loop_signals_close(struct loop_signals *signals);

#endif
