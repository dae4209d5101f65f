/* SPDX-License-Identifier: Apache-2.0 */
/* lock.h - one process at a time uses a store */
#ifndef PVX_STORE_LOCK_H
#define PVX_STORE_LOCK_H

/* The lock of the store in that folder, for as long as the descriptor is open;
 * waits a second for one that is about to end. -EBUSY or another -errno. */
int store_lock(const char *folder);

#endif
