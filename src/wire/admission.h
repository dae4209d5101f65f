/* SPDX-License-Identifier: Apache-2.0 */
/* admission.h - the bytes that are signed and hashed to enter a room */
#ifndef PVX_WIRE_ADMISSION_H
#define PVX_WIRE_ADMISSION_H

#include "abi/chat_wire.h"

#include <stddef.h>
#include <stdint.h>

/* Which of the two keys signs (clause 7): each has a label of its own. */
enum wire_signer {
	WIRE_SIGNER_ADMISSION, /* the room's admission key */
	WIRE_SIGNER_DEVICE     /* the device's key of this room */
};

/* What both signatures are about. Pointers are borrowed. */
struct wire_admission {
	uint16_t version; /* of WELCOME */
	const char *name; /* of WELCOME */
	uint8_t name_bytes;
	const uint8_t *nonce;    /* of WELCOME */
	const uint8_t *exporter; /* of TLS (RFC 9266); NULL without */
	uint8_t exporter_bytes;  /* 0 without TLS */
	const uint8_t *room_id;
	const uint8_t *device_key;
};

#define WIRE_ADMISSION_MAX                                       \
	(1 + 32 + 2 + 1 + CHAT_NAME_MAX + CHAT_NONCE_BYTES + 1 + \
	 CHAT_EXPORTER_MAX + CHAT_ROOM_ID_BYTES + CHAT_KEY_BYTES)

/* The bytes to sign (clause 7.2). Their number; -EINVAL for a name or an
 * exporter that is too long. */
long wire_admission_encode(uint8_t out[WIRE_ADMISSION_MAX],
			   enum wire_signer signer,
			   const struct wire_admission *a);

/* The bytes whose SHA-256 is the room id (clause 7.1). */
#define WIRE_ROOM_ID_BYTES (1 + sizeof(CHAT_LABEL_ROOM_ID) - 1 + CHAT_KEY_BYTES)
void wire_room_id_encode(uint8_t out[WIRE_ROOM_ID_BYTES],
			 const uint8_t admission_key[CHAT_KEY_BYTES]);

#endif
