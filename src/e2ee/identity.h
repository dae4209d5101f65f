/* SPDX-License-Identifier: Apache-2.0 */
/* identity.h - the user's long-term key, and the device key of one room */
#ifndef PVX_E2EE_IDENTITY_H
#define PVX_E2EE_IDENTITY_H

#include "abi/chat_wire.h"
#include "base/secret.h"
#include "prim/sign.h"

#include <stdbool.h>
#include <stdint.h>

/* Lives in memory of secret_alloc(); dies in secret_wipe(). */
struct e2ee_identity {
	struct sign_key key;       /* signs messages */
	struct secret device_root; /* device keys are derived from it */
};

/* A key that the relay sees, a different one in each room, and the proof that
 * it belongs to the identity, which travels inside the ciphertext. */
struct e2ee_device {
	struct sign_key key;
	uint8_t proof[SIGN_BYTES];
};

/* From the identity's seed (spec/e2ee.md, clause 3.4). */
void e2ee_identity_derive(struct e2ee_identity *identity,
			  const struct secret *seed);

/* The device key of a room (clauses 3.5 and 3.6). */
void e2ee_device_derive(struct e2ee_device *device,
			const struct e2ee_identity *identity,
			const uint8_t room_id[CHAT_ROOM_ID_BYTES]);

/* Whether `proof` was made by the device key's owner for this identity. */
bool e2ee_device_proof_is_valid(const uint8_t proof[SIGN_BYTES],
				const uint8_t device_key[CHAT_KEY_BYTES],
				const uint8_t identity_key[SIGN_PUBLIC_BYTES],
				const uint8_t room_id[CHAT_ROOM_ID_BYTES]);

/* "b4c2 0f9e ...": ten groups of four digits of an identity key's hash
 * (clause 7.1), with a NUL. */
#define E2EE_FINGERPRINT_ROOM 50
void e2ee_fingerprint(char text[E2EE_FINGERPRINT_ROOM],
		      const uint8_t identity_key[SIGN_PUBLIC_BYTES]);

/* "01234 56789 ...": twelve groups of five digits, the same for both members
 * of the pair (clause 7.2), with a NUL. Takes some milliseconds. */
#define E2EE_SAFETY_NUMBER_ROOM 72
void e2ee_safety_number(char text[E2EE_SAFETY_NUMBER_ROOM],
			const uint8_t one[SIGN_PUBLIC_BYTES],
			const uint8_t other[SIGN_PUBLIC_BYTES]);

#endif
