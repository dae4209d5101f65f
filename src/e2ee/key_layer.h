/* SPDX-License-Identifier: Apache-2.0 */
/* key_layer.h - where chain roots come from: the part that MLS can replace */
#ifndef PVX_E2EE_KEY_LAYER_H
#define PVX_E2EE_KEY_LAYER_H

#include "base/secret.h"
#include "e2ee/room_keys.h"
#include "wire/envelope.h"

/* The keys of one message. On the stack for one function, then wiped. */
struct message_keys {
	struct secret enc;
	struct secret mac;
};

/*
 * Key layer v0, "shared room secret", and the payload layer's message keys
 * (spec/e2ee.md, clause 4). Chosen by the header's suite, epoch, sender,
 * chain and generation, so there is exactly one pair for a message and nothing
 * to try. No loop over generations: a jump costs nothing.
 */
void key_layer_message_keys(struct message_keys *keys,
			    const struct room_keys *room,
			    const struct wire_envelope_header *header);

#endif
