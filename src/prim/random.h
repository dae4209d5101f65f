/* SPDX-License-Identifier: Apache-2.0 */
/* random.h - random bytes of the kernel */
#ifndef PVX_PRIM_RANDOM_H
#define PVX_PRIM_RANDOM_H

#include <stddef.h>

/*
 * Fill `out` with bytes of getrandom(2), waiting for the kernel's generator
 * to be seeded. 0, or -errno with `out` zeroed: the caller must give up what
 * it wanted the bytes for.
 */
int random_bytes(void *out, size_t bytes) __attribute__((warn_unused_result));

#endif
