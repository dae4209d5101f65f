/* SPDX-License-Identifier: Apache-2.0 */
/* sender.h - the chain that this process seals its messages on */
#ifndef PVX_E2EE_SENDER_H
#define PVX_E2EE_SENDER_H

#include "e2ee/message.h"

#include <stddef.h>
#include <stdint.h>

/* Lives in memory of secret_alloc(). What is borrowed is the room's. */
struct sender {
	const struct room_keys *room;
	const struct e2ee_identity *identity;
	const struct e2ee_device *device;
	struct cryptsess_provider *provider;
	struct message_scratch *scratch;
	uint8_t *fork_mark; /* a page that is zero in a forked child */
	uint8_t chain_id[CHAT_CHAIN_ID_BYTES];
	uint64_t generation; /* of the next message */
	uint8_t link[SHA256_BYTES];
};

/* 0, or -errno: no memory, or no page that fork(2) wipes. A sender of zeros
 * may be given to sender_deinit(). */
int sender_init(struct sender *sender, const struct room_keys *room,
		const struct e2ee_identity *identity,
		const struct e2ee_device *device,
		struct cryptsess_provider *provider);
void sender_deinit(struct sender *sender);

/* Where a message came to lie, for the replay state. */
struct sealed {
	uint8_t chain_id[CHAT_CHAIN_ID_BYTES];
	uint64_t generation;
	uint8_t link[SHA256_BYTES];    /* of this message */
	uint8_t carried[SHA256_BYTES]; /* of the one before */
};

/*
 * Seal on a chain of 32 random bytes: a new one at the first message, in a
 * process that was forked, and after CHAIN_MESSAGES. The generation is spent
 * whether it succeeds or not, so no message key is ever used twice. The
 * envelope's length, or -errno as e2ee_seal().
 */
long sender_seal(struct sender *sender, const struct e2ee_content *content,
		 uint8_t envelope[CHAT_ENVELOPE_MAX], struct sealed *sealed);

#endif
