/* SPDX-License-Identifier: Apache-2.0 */
/* hash.h - hash tables that survive a lack of memory */
#ifndef PVX_RELAY_HASH_H
#define PVX_RELAY_HASH_H

/* An allocation of a table that fails leaves the element out, instead of
 * ending the program: who adds looks whether it is in. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#endif
