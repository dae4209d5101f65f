/* SPDX-License-Identifier: Apache-2.0 */
/* steer.h - what a guest has done to its device, outside */
#ifndef PVX_TESTS_GUEST_STEER_H
#define PVX_TESTS_GUEST_STEER_H

#include <stdbool.h>

/* An order as in tests/guest/claims, and wait until it is done; false:
 * nobody takes orders. */
bool steer(const char *order);

#endif
