/* SPDX-License-Identifier: Apache-2.0 */
/* notes.c - what is remarkable about an accepted message */

#include "e2ee/notes.h"

#include <string.h>
#include <strings.h>

static bool is_same_link(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, SHA256_BYTES) == 0;
}

/* A chain begins with a link to the end of the chain before it, or with zeros
 * when there was none in that process. */
static void order_first(const struct memory *memory, uint32_t member,
			const struct memory_message *message,
			struct e2ee_opened *opened)
{
	static const uint8_t none[SHA256_BYTES];
	uint32_t chain = memory->members[member].first_chain;

	if (message->generation > 0) {
		opened->notes |= E2EE_NOTE_MID_CHAIN;
		opened->missing = message->generation;
		return;
	}
	if (chain == MEMORY_NONE || is_same_link(message->carried, none))
		return;
	while (chain != MEMORY_NONE) {
		if (is_same_link(memory->chains[chain].record.link,
				 message->carried))
			return;
		chain = memory->chains[chain].next_of_member;
	}
	opened->notes |= E2EE_NOTE_CHAIN_BREAK;
}

void notes_order(const struct memory *memory, uint32_t member, uint32_t chain,
		 const struct memory_message *message,
		 struct e2ee_opened *opened)
{
	const struct chain_record *record;
	uint64_t generation = message->generation;

	if (chain == MEMORY_NONE) {
		order_first(memory, member, message, opened);
		return;
	}
	record = &memory->chains[chain].record;
	if (generation == record->highest + 1) {
		if (!is_same_link(message->carried, record->link))
			opened->notes |= E2EE_NOTE_FORK;
	} else if (generation > record->highest) {
		opened->notes |= E2EE_NOTE_GAP;
		opened->missing = generation - record->highest - 1;
	} else {
		opened->notes |= E2EE_NOTE_LATE;
		/* Only the link of the highest is kept to compare with. */
		if (generation + 1 == record->highest &&
		    !is_same_link(record->carried, message->link))
			opened->notes |= E2EE_NOTE_FORK;
	}
}

/* The first other identity that has the nick. Case makes no difference. */
static const struct member_record *nick_owner(const struct memory *memory,
					      const struct member_record *mine)
{
	for (uint32_t i = 0; i < memory->member_count; i++) {
		const struct member_record *other = &memory->members[i].record;

		if (strcasecmp(other->nick, mine->nick) == 0 &&
		    !other->has_contested_nick &&
		    memcmp(other->identity_key, mine->identity_key,
			   SIGN_PUBLIC_BYTES) != 0)
			return other;
	}
	return NULL;
}

bool notes_nick(struct memory *memory, uint32_t member,
		const struct memory_message *message,
		struct e2ee_opened *opened)
{
	struct member_record *mine = &memory->members[member].record;
	bool was_contested = mine->has_contested_nick;
	const struct member_record *owner;
	bool is_same =
		strlen(mine->nick) == message->nick_bytes &&
		memcmp(mine->nick, message->nick, message->nick_bytes) == 0;

	if (is_same && !was_contested)
		return false;
	if (!is_same) {
		if (mine->nick[0]) {
			memcpy(opened->old_nick, mine->nick,
			       sizeof(mine->nick));
			opened->notes |= E2EE_NOTE_NICK_CHANGED;
		}
		memcpy(mine->nick, message->nick, message->nick_bytes);
		mine->nick[message->nick_bytes] = '\0';
	}
	owner = nick_owner(memory, mine);
	mine->has_contested_nick = owner != NULL;
	if (owner) {
		opened->notes |= E2EE_NOTE_NICK_TAKEN;
		memcpy(opened->other_identity, owner->identity_key,
		       SIGN_PUBLIC_BYTES);
	}
	return !is_same || was_contested != mine->has_contested_nick;
}
