/* SPDX-License-Identifier: Apache-2.0 */
/* notes.h - what is remarkable about an accepted message */
#ifndef PVX_E2EE_NOTES_H
#define PVX_E2EE_NOTES_H

#include "e2ee/memory.h"

/*
 * Compare the message with what is remembered, before it is remembered.
 * `chain` is MEMORY_NONE for a chain not seen before. Sets the notes GAP,
 * LATE, FORK, CHAIN_BREAK, MID_CHAIN and `missing` (spec/e2ee.md, clause 6.6).
 */
void notes_order(const struct memory *memory, uint32_t member, uint32_t chain,
		 const struct memory_message *message,
		 struct e2ee_opened *opened);

/*
 * Take over the message's nick. Sets NICK_CHANGED with old_nick, and
 * NICK_TAKEN with other_identity as long as another identity had the nick
 * before (clause 7.4). Whether the member's record changed.
 */
bool notes_nick(struct memory *memory, uint32_t member,
		const struct memory_message *message,
		struct e2ee_opened *opened);

#endif
