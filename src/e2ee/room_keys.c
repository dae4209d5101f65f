/* SPDX-License-Identifier: Apache-2.0 */
/* room_keys.c - everything that follows from a room's secret */

#include "e2ee/room_keys.h"
#include "base/bytes.h"
#include "e2ee/labels.h"
#include "prim/hkdf.h"
#include "prim/sha256.h"
#include "wire/admission.h"

#include <string.h>

static void room_id_derive(struct room_keys *keys)
{
	uint8_t hashed[WIRE_ROOM_ID_BYTES];

	wire_room_id_encode(hashed, keys->admission.public_key);
	sha256_bytes(keys->room_id, hashed, sizeof(hashed));
}

static void epoch_secret_derive(struct room_keys *keys,
				const struct secret *prk)
{
	uint8_t context[4 + CHAT_ROOM_ID_BYTES];

	bytes_put_be32(context, E2EE_EPOCH);
	memcpy(context + 4, keys->room_id, CHAT_ROOM_ID_BYTES);
	hkdf_derive(&keys->epoch_secret, prk, LABEL_EPOCH_SECRET, context,
		    sizeof(context));
}

void room_keys_derive(struct room_keys *keys, const struct secret *room_secret)
{
	struct secret prk, seed;

	hkdf_extract(&prk, LABEL_ROOM_EXTRACT, sizeof(LABEL_ROOM_EXTRACT),
		     room_secret->bytes, sizeof(room_secret->bytes));
	hkdf_derive(&seed, &prk, LABEL_ADMISSION_SEED, NULL, 0);
	sign_key_from_seed(&keys->admission, &seed);
	room_id_derive(keys);
	epoch_secret_derive(keys, &prk);
	secret_wipe(&prk, sizeof(prk));
	secret_wipe(&seed, sizeof(seed));
}
