/* SPDX-License-Identifier: Apache-2.0 */
/* room_keys.h - everything that follows from a room's secret */
#ifndef PVX_E2EE_ROOM_KEYS_H
#define PVX_E2EE_ROOM_KEYS_H

#include "abi/chat_wire.h"
#include "base/secret.h"
#include "prim/sign.h"

#include <stdint.h>

/* The only epoch there is: removing a member means a new room. */
#define E2EE_EPOCH 0

/* Lives in memory of secret_alloc(); dies in secret_wipe(). */
struct room_keys {
	uint8_t room_id[CHAT_ROOM_ID_BYTES];
	struct sign_key admission;
	struct secret epoch_secret; /* of E2EE_EPOCH */
};

/* From the room's secret (spec/e2ee.md, clauses 3.1 to 3.3). */
void room_keys_derive(struct room_keys *keys, const struct secret *room_secret);

#endif
