/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c - the user's long-term key, and the device key of one room */

#include "e2ee/identity.h"
#include "base/bytes.h"
#include "e2ee/labels.h"
#include "prim/hkdf.h"
#include "prim/sha256.h"

#include <stdio.h>
#include <string.h>

#define SAFETY_NUMBER_VERSION 1
/* What every guess costs who looks for a key with a given safety number. */
#define SAFETY_NUMBER_ROUNDS 5200
#define SAFETY_NUMBER_GROUPS 12
#define GROUP_BYTES          5
#define FINGERPRINT_GROUPS   10

void e2ee_identity_derive(struct e2ee_identity *identity,
			  const struct secret *seed)
{
	struct secret prk, key_seed;

	hkdf_extract(&prk, LABEL_IDENTITY_EXTRACT,
		     sizeof(LABEL_IDENTITY_EXTRACT), seed->bytes,
		     sizeof(seed->bytes));
	hkdf_derive(&key_seed, &prk, LABEL_IDENTITY_SEED, NULL, 0);
	sign_key_from_seed(&identity->key, &key_seed);
	hkdf_derive(&identity->device_root, &prk, LABEL_DEVICE_ROOT, NULL, 0);
	secret_wipe(&prk, sizeof(prk));
	secret_wipe(&key_seed, sizeof(key_seed));
}

#define PROOF_BYTES                                                         \
	(sizeof(LABEL_DEVICE_PROOF) + CHAT_ROOM_ID_BYTES + CHAT_KEY_BYTES + \
	 SIGN_PUBLIC_BYTES)

/* What the device key signs: label, room id, device key, identity key. */
static void proof_encode(uint8_t out[PROOF_BYTES],
			 const uint8_t device_key[CHAT_KEY_BYTES],
			 const uint8_t identity_key[SIGN_PUBLIC_BYTES],
			 const uint8_t room_id[CHAT_ROOM_ID_BYTES])
{
	memcpy(out, LABEL_DEVICE_PROOF, sizeof(LABEL_DEVICE_PROOF));
	out += sizeof(LABEL_DEVICE_PROOF);
	memcpy(out, room_id, CHAT_ROOM_ID_BYTES);
	memcpy(out + CHAT_ROOM_ID_BYTES, device_key, CHAT_KEY_BYTES);
	memcpy(out + CHAT_ROOM_ID_BYTES + CHAT_KEY_BYTES, identity_key,
	       SIGN_PUBLIC_BYTES);
}

void e2ee_device_derive(struct e2ee_device *device,
			const struct e2ee_identity *identity,
			const uint8_t room_id[CHAT_ROOM_ID_BYTES])
{
	uint8_t signed_bytes[PROOF_BYTES];
	struct secret seed;

	hkdf_derive(&seed, &identity->device_root, LABEL_DEVICE_SEED, room_id,
		    CHAT_ROOM_ID_BYTES);
	sign_key_from_seed(&device->key, &seed);
	secret_wipe(&seed, sizeof(seed));
	proof_encode(signed_bytes, device->key.public_key,
		     identity->key.public_key, room_id);
	sign_make(device->proof, &device->key, signed_bytes,
		  sizeof(signed_bytes));
}

bool e2ee_device_proof_is_valid(const uint8_t proof[SIGN_BYTES],
				const uint8_t device_key[CHAT_KEY_BYTES],
				const uint8_t identity_key[SIGN_PUBLIC_BYTES],
				const uint8_t room_id[CHAT_ROOM_ID_BYTES])
{
	uint8_t signed_bytes[PROOF_BYTES];

	proof_encode(signed_bytes, device_key, identity_key, room_id);
	return sign_is_valid(proof, device_key, signed_bytes,
			     sizeof(signed_bytes));
}

void e2ee_fingerprint(char text[E2EE_FINGERPRINT_ROOM],
		      const uint8_t identity_key[SIGN_PUBLIC_BYTES])
{
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL_FINGERPRINT,
		  sizeof(LABEL_FINGERPRINT) },
		{ (void *)(uintptr_t)identity_key, SIGN_PUBLIC_BYTES },
	};
	uint8_t digest[SHA256_BYTES];

	sha256_parts(digest, parts, ARRAY_SIZE(parts));
	for (unsigned int i = 0; i < FINGERPRINT_GROUPS; i++) {
		bytes_to_hex(text, digest + 2 * i, 2);
		text[4] = ' ';
		text += 5;
	}
	text[-1] = '\0';
}

/* Each round hashes both keys again, so that nothing can be computed once
 * for many pairs. */
static void safety_digest(struct secret *digest, const uint8_t *low,
			  const uint8_t *high)
{
	uint8_t version[2];
	const struct iovec parts[] = {
		{ digest->bytes, sizeof(digest->bytes) },
		{ (void *)(uintptr_t)LABEL_SAFETY_NUMBER,
		  sizeof(LABEL_SAFETY_NUMBER) },
		{ version, sizeof(version) },
		{ (void *)(uintptr_t)low, SIGN_PUBLIC_BYTES },
		{ (void *)(uintptr_t)high, SIGN_PUBLIC_BYTES },
	};

	bytes_put_be16(version, SAFETY_NUMBER_VERSION);
	memset(digest, 0, sizeof(*digest));
	for (unsigned int i = 0; i < SAFETY_NUMBER_ROUNDS; i++)
		sha256_parts(digest->bytes, parts, ARRAY_SIZE(parts));
}

void e2ee_safety_number(char text[E2EE_SAFETY_NUMBER_ROOM],
			const uint8_t one[SIGN_PUBLIC_BYTES],
			const uint8_t other[SIGN_PUBLIC_BYTES])
{
	bool is_sorted = memcmp(one, other, SIGN_PUBLIC_BYTES) <= 0;
	uint8_t digits[SAFETY_NUMBER_GROUPS * GROUP_BYTES];
	struct secret digest;

	safety_digest(&digest, is_sorted ? one : other,
		      is_sorted ? other : one);
	hkdf_expand(digits, sizeof(digits), &digest, LABEL_SAFETY_NUMBER,
		    sizeof(LABEL_SAFETY_NUMBER));
	for (unsigned int i = 0; i < SAFETY_NUMBER_GROUPS; i++) {
		const uint8_t *group = digits + i * GROUP_BYTES;
		uint64_t number =
			(uint64_t)group[0] << 32 | bytes_get_be32(group + 1);

		snprintf(text, 6, "%05u", (unsigned int)(number % 100000));
		text[5] = ' ';
		text += 6;
	}
	text[-1] = '\0';
}
