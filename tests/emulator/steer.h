/* SPDX-License-Identifier: Apache-2.0 */
/* steer.h - how a test steers the emulator that it was started with */
#ifndef PVX_TESTS_EMULATOR_STEER_H
#define PVX_TESTS_EMULATOR_STEER_H

#include <stdbool.h>

/* Make the files in a folder of their own and name them in the environment.
 * 0, or -1. Undone by steer_deinit(). */
int steer_init(void);
int steer_deinit(void);

/* What was traced since the last call. Static; valid until the next one. */
const char *steer_trace(void);

/* From now on calls fail as planned: "CIOCCRYPT 2 EIO\n...", or "". */
void steer_plan(const char *plan);

/* Take the node away, or bring it back. */
void steer_gone(bool is_gone);

#endif
