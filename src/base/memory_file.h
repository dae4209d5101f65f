/* SPDX-License-Identifier: Apache-2.0 */
/* memory_file.h - files of a fixed size that live in memory */
#ifndef PVX_BASE_MEMORY_FILE_H
#define PVX_BASE_MEMORY_FILE_H

#include <stddef.h>

/* One of zeros that can be neither cut nor grown from then on. A descriptor or
 * -errno. */
int memory_file_create(const char *name, size_t bytes);

/* Map one of exactly that size, shared, and leave it out of core files. NULL
 * when it is another, or can be cut. */
void *memory_file_map(int fd, size_t bytes);

#endif
