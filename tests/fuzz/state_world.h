/* SPDX-License-Identifier: Apache-2.0 */
/* state_world.h - a state that a worker left, and those who come after it */
#ifndef PVX_TESTS_STATE_WORLD_H
#define PVX_TESTS_STATE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "device/state.h"

#define QUEUES   2u
#define FILES    4u
#define SESSIONS 6u

/* A claim that does not hold ends the process. */
#define demand(condition) world_demand(condition, __FILE__, __LINE__)
void world_demand(bool condition, const char *file, int line);

/* In allocations of its own sizes, so that a sanitizer sees each byte too far.
 */
extern struct state world;

/* As the real worker left it. */
void world_begin(void);

/* The next worker: it takes over, finishes the windows and executes `requests`
 * (4 at most) of the ops from `op` on for what is in the tables; and dies. */
void world_next_worker(uint8_t op, uint8_t requests);

/* Another supervisor is passed the files; it may refuse them. */
void world_adopt(void);

/* The connection ends. */
void world_forget(void);

#endif
