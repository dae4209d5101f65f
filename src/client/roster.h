/* SPDX-License-Identifier: Apache-2.0 */
/* roster.h - which device keys the relay says are in the room */
#ifndef PVX_CLIENT_ROSTER_H
#define PVX_CLIENT_ROSTER_H

#include "abi/chat_wire.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * How it works: the relay's word, which nobody has signed; good for showing
 * and for waiting, not for any decision about secrets. A new connection begins
 * with nobody present; who was before is awaited until the relay names him
 * again or roster_forget() ends the waiting.
 */
#define ROSTER_MAX 65536 /* a relay that names more is refused */

struct roster_device;

struct roster {
	struct roster_device *devices; /* uthash */
	unsigned int present;
	unsigned int awaited;
	bool is_live; /* set by the owner when the relay has named all who were
		       * there before us; ends with the connection */
};

/* Zeroed is empty. */
void roster_deinit(struct roster *roster);

/* A new connection. */
void roster_restart(struct roster *roster);

/* The relay named a device. 1 when it was not present (2 when it was awaited),
 * 0 when it was; -ENOSPC above ROSTER_MAX, -ENOMEM. */
int roster_add(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES]);

/* It left. 1 when it was present, else 0. */
int roster_remove(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES]);

bool roster_has(const struct roster *roster, const uint8_t key[CHAT_KEY_BYTES]);

/* A message of the device was accepted on this connection. */
void roster_hear(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES]);

/* Whether this is the first message of a device that is present, since it came
 * and we run; a connection that is lost and found makes no difference. */
bool roster_meet(struct roster *roster, const uint8_t key[CHAT_KEY_BYTES]);

/* Whether the first message that we get of a chain should be the chain's
 * first: the device came after us, was heard before, or was never named. Not
 * so for a device that was there before us and had begun to speak. */
bool roster_owes_all(const struct roster *roster,
		     const uint8_t key[CHAT_KEY_BYTES]);

/* Wait no longer for those who have not come back; each is handed to `tell`
 * (NULL: nobody). */
typedef void roster_fn(void *owner, const uint8_t key[CHAT_KEY_BYTES]);
void roster_forget(struct roster *roster, roster_fn *tell, void *owner);

/* Hand every present device to `tell`. */
void roster_each(const struct roster *roster, roster_fn *tell, void *owner);

#endif
