/* SPDX-License-Identifier: Apache-2.0 */
/* manager.h - what the relay tells its service manager */
#ifndef PVX_RELAY_MANAGER_H
#define PVX_RELAY_MANAGER_H

struct relay;

/* "listening on ADDRESS" for each socket on standard output, and READY; from
 * then on signs of life as often as a watchdog wants them. */
void manager_tell_ready(struct relay *relay);

/* Reloading, which the next call ends; stopping. */
void manager_tell_reloading(void);
void manager_tell_reloaded(void);
void manager_tell_stopping(void);

#endif
