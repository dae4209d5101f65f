/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - the user's long-term key, in a file of its own */
#ifndef PVX_CLIENT_IDENTITY_H
#define PVX_CLIENT_IDENTITY_H

#include "base/secret.h"

#include <stdbool.h>

/*
 * Read the identity's seed from $XDG_CONFIG_HOME/paravox/identity into `seed`
 * (memory of secret_alloc()), or draw one and create the file when there is
 * none; `is_new` says which. Of two processes that create it at once both end
 * with the same. Returns 0, or -errno after a message on standard error.
 */
int identity_load(struct secret *seed, bool *is_new);

/* The same with the file at `path`. */
int identity_load_at(struct secret *seed, bool *is_new, const char *path);

/* Whether the file is there. Whoever makes an identity opens the state first
 * (state.h). */
bool identity_is_there(void);

#endif
