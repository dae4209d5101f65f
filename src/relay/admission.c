/* SPDX-License-Identifier: Apache-2.0 */
/* admission.c - who may enter a room (clause 7) */

#include "relay/admission.h"
#include "base/bytes.h"
#include "base/mutant.h"
#include "prim/sha256.h"
#include "prim/sign.h"

#include <string.h>

static bool room_id_holds(const struct wire_message *m)
{
	uint8_t preimage[WIRE_ROOM_ID_BYTES], id[SHA256_BYTES];

	wire_room_id_encode(preimage, m->join.admission_key);
	sha256_bytes(id, preimage, sizeof(preimage));
	return memcmp(id, m->join.room_id, sizeof(id)) == 0;
}

static bool signature_is_of(const uint8_t *signature, const uint8_t *key,
			    enum wire_signer signer,
			    const struct wire_admission *about)
{
	uint8_t bytes[WIRE_ADMISSION_MAX];
	long count = wire_admission_encode(bytes, signer, about);

	return count > 0 && sign_is_valid(signature, key, bytes, (size_t)count);
}

/* Clause 7.3: what is signed without this connection is not signed for it. */
static bool signature_holds(const uint8_t *signature, const uint8_t *key,
			    enum wire_signer signer,
			    const struct wire_admission *about)
{
	struct wire_admission unbound = *about;

	if (signature_is_of(signature, key, signer, about))
		return true;
	unbound.exporter_bytes = 0;
	return about->exporter_bytes && CHECK(exporter_binding, false) &&
	       signature_is_of(signature, key, signer, &unbound);
}

const char *admission_fault(const struct wire_message *m,
			    const struct wire_admission *about)
{
	struct wire_admission a = *about;

	a.room_id = m->join.room_id;
	a.device_key = m->join.device_key;
	if (!CHECK(room_binding, room_id_holds(m)))
		return "the room id is not the admission key's";
	if (!CHECK(admission_signature,
		   signature_holds(m->join.admission_signature,
				   m->join.admission_key, WIRE_SIGNER_ADMISSION,
				   &a)))
		return "the admission signature is wrong";
	if (!CHECK(device_signature,
		   signature_holds(m->join.device_signature, m->join.device_key,
				   WIRE_SIGNER_DEVICE, &a)))
		return "the device signature is wrong";
	return NULL;
}
