/* SPDX-License-Identifier: Apache-2.0 */
/* locked.h - memory for keys, for those who tell the user */
#ifndef PVX_CLIENT_LOCKED_H
#define PVX_CLIENT_LOCKED_H

#include <stddef.h>

/* secret_alloc(), and a line in the log when it has none. To be released with
 * secret_free(). */
void *locked_alloc(size_t bytes);

#endif
