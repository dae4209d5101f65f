/* SPDX-License-Identifier: Apache-2.0 */
/* keep_world.h - a supervisor's connection, its deaths, and its manager */
#ifndef PVX_TESTS_KEEP_WORLD_H
#define PVX_TESTS_KEEP_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "device/supervisor.h"
#include "vhost/control.h"

extern const uint64_t keep_protocol_features;

/* Have no number free below one that is returned: descriptors of a supervisor
 * are that and higher. The fuzzer has some of its own, at times. */
int keep_floor(void);

/* The same file under a number that no supervisor has. `fd` is consumed. */
int keep_high(int fd);

/* A connection on `fd` (owned), with a manager above or without. Stops may take
 * another turn. */
void keep_begin(int floor, int fd, bool is_kept, bool is_slow_to_stop);

/* Handle all that is there: whether the connection goes on. */
bool keep_turn(void);

/* Die behind `passes` more times of that moment. */
void keep_order_death(unsigned int moment, unsigned int passes);

/* Die, and go on, unless that is refused: whether it goes on. Between the two
 * `bytes` bytes of the record are written over; or, without any, one of the
 * descriptors that `where` chooses is lost. `spoil` NULL: neither. */
bool keep_die_now(const uint8_t *spoil, uint16_t where, size_t bytes);

/* The manager takes nothing any more, or again. */
void keep_manager_sleeps(bool does);

const struct vhost_state *keep_state(void);
bool keep_was_spoiled(void);
/* A successor closed the connection, for a reason that it may have. */
bool keep_was_refused(void);

/* The front end goes, and then the supervisor. */
void keep_end(void);

#endif
