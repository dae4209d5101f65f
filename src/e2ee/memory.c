/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - what a room remembers: members, and the messages it accepted */

#include "e2ee/memory.h"
#include "base/bytes.h"
#include "base/mutant.h"
#include "e2ee/notes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 16

void memory_init(struct memory *memory)
{
	memset(memory, 0, sizeof(*memory));
	for (unsigned int i = 0; i < MEMORY_BUCKETS; i++)
		memory->buckets[i] = MEMORY_NONE;
}

void memory_deinit(struct memory *memory)
{
	free(memory->members);
	free(memory->chains);
	memory_init(memory);
}

/* A key is hardly ever chosen to fall into a bucket; if all were, a search
 * would walk MEMORY_MAX_MEMBERS entries, and that is bearable. */
static uint32_t *bucket_of(struct memory *memory, const uint8_t *device_key)
{
	return &memory->buckets[bytes_get_be32(device_key) % MEMORY_BUCKETS];
}

static uint32_t member_index(struct memory *memory, const uint8_t *device_key)
{
	uint32_t index = *bucket_of(memory, device_key);

	while (index != MEMORY_NONE &&
	       memcmp(memory->members[index].record.device_key, device_key,
		      CHAT_KEY_BYTES) != 0)
		index = memory->members[index].next_in_bucket;
	return index;
}

struct member_record *memory_find(struct memory *memory,
				  const uint8_t device_key[CHAT_KEY_BYTES])
{
	uint32_t index = member_index(memory, device_key);

	return index == MEMORY_NONE ? NULL : &memory->members[index].record;
}

static uint32_t chain_index(const struct memory *memory, uint32_t member,
			    const uint8_t *chain_id)
{
	uint32_t index = memory->members[member].first_chain;

	while (index != MEMORY_NONE &&
	       memcmp(memory->chains[index].record.id, chain_id,
		      CHAT_CHAIN_ID_BYTES) != 0)
		index = memory->chains[index].next_of_member;
	return index;
}

/* Room for one more of `count`, up to `max`. */
static int table_grow(void **table, size_t item_bytes, uint32_t count,
		      uint32_t *room, uint32_t max)
{
	uint32_t wanted = *room ? 2 * *room : FIRST_ROOM;
	void *grown;

	if (count < *room || count >= max)
		return 0;
	grown = reallocarray(*table, wanted, item_bytes);
	if (!grown)
		return -ENOMEM;
	*table = grown;
	*room = wanted;
	return 0;
}

int memory_reserve(struct memory *memory)
{
	void *members = memory->members, *chains = memory->chains;
	int err;

	err = table_grow(&members, sizeof(*memory->members),
			 memory->member_count, &memory->member_room,
			 MEMORY_MAX_MEMBERS);
	memory->members = members;
	if (err)
		return err;
	err = table_grow(&chains, sizeof(*memory->chains), memory->chain_count,
			 &memory->chain_room, MEMORY_MAX_CHAINS);
	memory->chains = chains;
	return err;
}

/* Needs memory_reserve() and a count below the bound. */
static uint32_t member_add(struct memory *memory, const uint8_t *device_key)
{
	uint32_t index = memory->member_count++;
	struct memory_member *member = &memory->members[index];
	uint32_t *bucket = bucket_of(memory, device_key);

	memset(member, 0, sizeof(*member));
	memcpy(member->record.device_key, device_key, CHAT_KEY_BYTES);
	member->first_chain = MEMORY_NONE;
	member->next_in_bucket = *bucket;
	*bucket = index;
	return index;
}

static void member_pin(struct memory_member *member, const uint8_t *identity)
{
	memcpy(member->record.identity_key, identity, SIGN_PUBLIC_BYTES);
	member->record.is_pinned = true;
}

int memory_pin(struct memory *memory, const uint8_t device_key[CHAT_KEY_BYTES],
	       const uint8_t identity_key[SIGN_PUBLIC_BYTES])
{
	uint32_t index = member_index(memory, device_key);
	int err;

	if (index == MEMORY_NONE) {
		err = memory_reserve(memory);
		if (err)
			return err;
		if (memory->member_count >= MEMORY_MAX_MEMBERS)
			return -ENOSPC;
		index = member_add(memory, device_key);
	}
	member_pin(&memory->members[index], identity_key);
	return 0;
}

static bool is_seen(const struct chain_record *chain, uint64_t generation)
{
	return chain->seen[generation / 8] & (1u << generation % 8);
}

enum e2ee_verdict memory_judge(struct memory *memory,
			       const struct memory_message *message)
{
	uint32_t member = member_index(memory, message->device_key);
	uint32_t chain;

	if (message->generation >= CHAIN_MESSAGES)
		return E2EE_CHAIN_OVERRUN;
	if (member == MEMORY_NONE)
		return memory->member_count < MEMORY_MAX_MEMBERS
			       ? E2EE_ACCEPTED
			       : E2EE_TABLE_FULL;
	chain = chain_index(memory, member, message->chain_id);
	if (chain != MEMORY_NONE &&
	    !CHECK(replay_window, !is_seen(&memory->chains[chain].record,
					   message->generation)))
		return E2EE_REPLAYED;
	if (!CHECK(replay_floor,
		   message->sender_time_ms >=
			   memory->members[member].record.floor_ms))
		return E2EE_STALE;
	return E2EE_ACCEPTED;
}

/* The chain with the oldest message: of one member, or of all (NONE). */
static uint32_t oldest_chain(const struct memory *memory, uint32_t member)
{
	uint32_t oldest = MEMORY_NONE;

	for (uint32_t i = 0; i < memory->chain_count; i++) {
		const struct memory_chain *chain = &memory->chains[i];

		if (member != MEMORY_NONE && chain->member != member)
			continue;
		if (oldest == MEMORY_NONE ||
		    chain->record.last_ms <
			    memory->chains[oldest].record.last_ms)
			oldest = i;
	}
	return oldest;
}

/* Take a chain out of its member's list and leave the floor in its place. */
static void chain_forget(struct memory *memory, uint32_t index,
			 struct e2ee_changes *changes)
{
	struct memory_chain *chain = &memory->chains[index];
	struct memory_member *member = &memory->members[chain->member];
	uint32_t *link = &member->first_chain;
	uint64_t floor_ms = chain->record.last_ms;

	while (*link != index)
		link = &memory->chains[*link].next_of_member;
	*link = chain->next_of_member;
	member->chain_count--;
	floor_ms += floor_ms < UINT64_MAX;
	if (floor_ms > member->record.floor_ms)
		member->record.floor_ms = floor_ms;
	member_row_encode(&changes->rows[changes->count++], &member->record);
	chain_row_delete(&changes->rows[changes->count++],
			 member->record.device_key, &chain->record);
}

static uint32_t chain_add(struct memory *memory, uint32_t member,
			  const uint8_t *chain_id, struct e2ee_changes *changes)
{
	struct memory_member *owner = &memory->members[member];
	uint32_t index = MEMORY_NONE;

	if (owner->chain_count >= MEMORY_CHAINS_PER_MEMBER)
		index = oldest_chain(memory, member);
	else if (memory->chain_count >= MEMORY_MAX_CHAINS)
		index = oldest_chain(memory, MEMORY_NONE);
	if (index != MEMORY_NONE)
		chain_forget(memory, index, changes);
	else
		index = memory->chain_count++;
	memset(&memory->chains[index], 0, sizeof(memory->chains[index]));
	memcpy(memory->chains[index].record.id, chain_id, CHAT_CHAIN_ID_BYTES);
	memory->chains[index].member = member;
	memory->chains[index].next_of_member = owner->first_chain;
	owner->first_chain = index;
	owner->chain_count++;
	return index;
}

static void chain_see(struct chain_record *chain, bool is_first,
		      const struct memory_message *message)
{
	chain->seen[message->generation / 8] |=
		(uint8_t)(1u << message->generation % 8);
	if (message->sender_time_ms > chain->last_ms)
		chain->last_ms = message->sender_time_ms;
	if (!is_first && message->generation < chain->highest)
		return;
	chain->highest = message->generation;
	memcpy(chain->link, message->link, SHA256_BYTES);
	memcpy(chain->carried, message->carried, SHA256_BYTES);
}

void memory_commit(struct memory *memory, const struct memory_message *message,
		   struct e2ee_opened *opened)
{
	struct e2ee_changes *changes = &opened->changes;
	uint32_t member = member_index(memory, message->device_key);
	bool has_member_changed = member == MEMORY_NONE, is_first;
	uint32_t chain;

	changes->count = 0;
	if (member == MEMORY_NONE)
		member = member_add(memory, message->device_key);
	if (!memory->members[member].record.is_pinned) {
		member_pin(&memory->members[member], message->identity_key);
		opened->notes |= E2EE_NOTE_NEW_MEMBER;
		has_member_changed = true;
	}
	has_member_changed |= notes_nick(memory, member, message, opened);
	chain = chain_index(memory, member, message->chain_id);
	is_first = chain == MEMORY_NONE;
	notes_order(memory, member, chain, message, opened);
	if (is_first)
		chain = chain_add(memory, member, message->chain_id, changes);
	chain_see(&memory->chains[chain].record, is_first, message);
	/* After chain_add(), which may have raised this member's floor. */
	if (has_member_changed)
		member_row_encode(&changes->rows[changes->count++],
				  &memory->members[member].record);
	chain_row_encode(&changes->rows[changes->count++], message->device_key,
			 &memory->chains[chain].record);
}

static int chain_load(struct memory *memory, uint32_t member,
		      const struct chain_record *record)
{
	struct e2ee_changes unused = { 0 };
	uint32_t chain = chain_index(memory, member, record->id);

	if (chain != MEMORY_NONE) {
		chain_record_merge(&memory->chains[chain].record, record);
		return 0;
	}
	chain = chain_add(memory, member, record->id, &unused);
	memory->chains[chain].record = *record;
	return 0;
}

int memory_load(struct memory *memory, const uint8_t key[E2EE_ROW_KEY_BYTES],
		const uint8_t *value, size_t value_bytes)
{
	bool is_member = row_is_member(key);
	struct member_record member_record;
	struct chain_record chain_record;
	uint32_t member;
	int err;

	err = is_member ? member_row_decode(&member_record, key, value,
					    value_bytes)
			: chain_row_decode(&chain_record, key, value,
					   value_bytes);
	if (!err)
		err = memory_reserve(memory);
	if (err)
		return err;
	member = member_index(memory, key);
	if (member == MEMORY_NONE) {
		/* Above the bound it would be refused for ever: the same as
		 * being unknown while the table is full. */
		if (memory->member_count >= MEMORY_MAX_MEMBERS)
			return 0;
		member = member_add(memory, key);
	}
	if (is_member)
		return member_record_merge(&memory->members[member].record,
					   &member_record);
	return chain_load(memory, member, &chain_record);
}

int memory_adopt(struct memory *memory, const uint8_t key[E2EE_ROW_KEY_BYTES],
		 const uint8_t *value, size_t value_bytes)
{
	struct member_record *mine = memory_find(memory, key), stored;
	int err = member_row_decode(&stored, key, value, value_bytes);

	if (err || !mine)
		return -EBADMSG;
	if (mine->floor_ms > stored.floor_ms)
		stored.floor_ms = mine->floor_ms;
	*mine = stored;
	return 0;
}
