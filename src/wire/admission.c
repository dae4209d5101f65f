/* SPDX-License-Identifier: Apache-2.0 */
/* admission.c - the bytes that are signed and hashed to enter a room */

#include "wire/admission.h"
#include "base/cursor.h"

#include <errno.h>
#include <string.h>

static const char *const labels[] = {
	[WIRE_SIGNER_ADMISSION] = CHAT_LABEL_ADMISSION,
	[WIRE_SIGNER_DEVICE] = CHAT_LABEL_DEVICE,
};
_Static_assert(sizeof(CHAT_LABEL_ADMISSION) <= 32 &&
		       sizeof(CHAT_LABEL_DEVICE) <= 32,
	       "WIRE_ADMISSION_MAX has room for the labels");

static void write_counted(struct writer *w, const void *data, size_t bytes)
{
	writer_u8(w, (uint8_t)bytes);
	writer_bytes(w, data, bytes);
}

long wire_admission_encode(uint8_t out[WIRE_ADMISSION_MAX],
			   enum wire_signer signer,
			   const struct wire_admission *a)
{
	struct writer w;

	if (a->name_bytes > CHAT_NAME_MAX ||
	    a->exporter_bytes > CHAT_EXPORTER_MAX)
		return -EINVAL;
	writer_init(&w, out, WIRE_ADMISSION_MAX);
	write_counted(&w, labels[signer], strlen(labels[signer]));
	writer_u16(&w, a->version);
	write_counted(&w, a->name, a->name_bytes);
	writer_bytes(&w, a->nonce, CHAT_NONCE_BYTES);
	write_counted(&w, a->exporter, a->exporter_bytes);
	writer_bytes(&w, a->room_id, CHAT_ROOM_ID_BYTES);
	writer_bytes(&w, a->device_key, CHAT_KEY_BYTES);
	return writer_finish(&w);
}

void wire_room_id_encode(uint8_t out[WIRE_ROOM_ID_BYTES],
			 const uint8_t admission_key[CHAT_KEY_BYTES])
{
	struct writer w;

	writer_init(&w, out, WIRE_ROOM_ID_BYTES);
	write_counted(&w, CHAT_LABEL_ROOM_ID, strlen(CHAT_LABEL_ROOM_ID));
	writer_bytes(&w, admission_key, CHAT_KEY_BYTES);
}
