/* SPDX-License-Identifier: Apache-2.0 */
/* heritage.h - the state that one supervisor leaves to the next */
#ifndef PVX_DEVICE_HERITAGE_H
#define PVX_DEVICE_HERITAGE_H

#include "device/record.h"
#include "device/state.h"

/*
 * Go on with the state that `keeper` has from a supervisor before this one, or
 * make a new one where it has none, or none for these limits; and open the
 * record of the connection that belongs to it. From now on the manager keeps
 * all of it. 0 or -errno: a state that finds no locked memory is told in the
 * log. The caller ends both, also on failure: state_destroy(), record_close().
 */
int heritage_open(struct state *state, struct record *record,
		  struct keeper *keeper, const struct state_limits *limits);

#endif
