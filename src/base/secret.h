/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - memory for keys: locked, left out of core files, wiped */
#ifndef PVX_BASE_SECRET_H
#define PVX_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

#define SECRET_BYTES 32

/* A 256-bit key. Lives in memory of secret_alloc() or, for the length of one
 * function, on the stack; dies in secret_wipe(). */
struct secret {
	uint8_t bytes[SECRET_BYTES];
};

/*
 * Zeroed memory, aligned to 16 bytes, locked in RAM (mlock(2)) and excluded
 * from core files (MADV_DONTDUMP). NULL with errno set when memory or
 * RLIMIT_MEMLOCK is exhausted: never ordinary memory instead. Thread-safe.
 */
void *secret_alloc(size_t bytes);

/* Wipe and release. NULL is allowed. */
void secret_free(void *memory);

/* Overwrite with zeros in a way that the compiler keeps. */
void secret_wipe(void *memory, size_t bytes);

#endif
