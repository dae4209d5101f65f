/* SPDX-License-Identifier: Apache-2.0 */
/* key_layer.c - where chain roots come from: the part that MLS can replace */

#include "e2ee/key_layer.h"
#include "base/bytes.h"
#include "base/cursor.h"
#include "e2ee/labels.h"
#include "prim/hkdf.h"

#define ROOT_CONTEXT_BYTES \
	(2 + 4 + CHAT_ROOM_ID_BYTES + CHAT_KEY_BYTES + CHAT_CHAIN_ID_BYTES)

/* The context is the clause's, all fields of fixed length. */
static void chain_root(struct secret *root, const struct room_keys *room,
		       const struct wire_envelope_header *header)
{
	uint8_t context[ROOT_CONTEXT_BYTES];
	struct writer w;

	writer_init(&w, context, sizeof(context));
	writer_u16(&w, header->suite);
	writer_u32(&w, header->epoch);
	writer_bytes(&w, room->room_id, CHAT_ROOM_ID_BYTES);
	writer_bytes(&w, header->sender, CHAT_KEY_BYTES);
	writer_bytes(&w, header->chain, CHAT_CHAIN_ID_BYTES);
	hkdf_derive(root, &room->epoch_secret, LABEL_CHAIN_ROOT, context,
		    sizeof(context));
}

void key_layer_message_keys(struct message_keys *keys,
			    const struct room_keys *room,
			    const struct wire_envelope_header *header)
{
	uint8_t generation[8];
	struct secret root;

	chain_root(&root, room, header);
	bytes_put_be64(generation, header->generation);
	hkdf_derive(&keys->enc, &root, LABEL_MESSAGE_ENC, generation,
		    sizeof(generation));
	hkdf_derive(&keys->mac, &root, LABEL_MESSAGE_MAC, generation,
		    sizeof(generation));
	secret_wipe(&root, sizeof(root));
}
