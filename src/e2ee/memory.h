/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - what a room remembers: members, and the messages it accepted */
#ifndef PVX_E2EE_MEMORY_H
#define PVX_E2EE_MEMORY_H

/*
 * How it works: two tables that grow up to named bounds. A member is a device
 * key with the identity that it is pinned to; each has a list of its latest
 * chains, and each chain a bit for every generation, so that a message is
 * accepted once, in whatever order messages come.
 *
 * When a table is full the chain with the oldest message is forgotten. Its
 * member's floor is set behind that message's time, and no message from before
 * the floor is accepted any more: what was forgotten can't be replayed. A new
 * member above the bound is refused, because forgetting one would lose his
 * floor and his pinned identity.
 *
 * Decisions come first and change nothing; memory_commit() cannot fail. In
 * between lies memory_reserve(), which gets the memory.
 */
#include "e2ee/room.h"
#include "e2ee/rows_codec.h"

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_MAX_MEMBERS       4096
#define MEMORY_MAX_CHAINS        8192
#define MEMORY_CHAINS_PER_MEMBER 32
#define MEMORY_BUCKETS           1024
#define MEMORY_NONE              UINT32_MAX

struct memory_member {
	struct member_record record;
	uint32_t next_in_bucket;
	uint32_t first_chain;
	uint32_t chain_count;
};

struct memory_chain {
	struct chain_record record;
	uint32_t member;
	uint32_t next_of_member;
};

struct memory {
	struct memory_member *members;
	struct memory_chain *chains;
	uint32_t member_count, member_room;
	uint32_t chain_count, chain_room;
	uint32_t buckets[MEMORY_BUCKETS]; /* first member, or NONE */
};

/* What is to be judged, and then remembered: an authenticated message. All
 * pointers are borrowed. */
struct memory_message {
	const uint8_t *device_key;
	const uint8_t *identity_key;
	const uint8_t *chain_id;
	uint64_t generation;
	uint64_t sender_time_ms;
	const uint8_t *link;    /* hash of this message */
	const uint8_t *carried; /* the link inside of it */
	const char *nick;
	size_t nick_bytes;
};

void memory_init(struct memory *memory);
void memory_deinit(struct memory *memory);

/* The member of a device key; NULL when it was never seen. The pointer holds
 * until the next memory_reserve(), _pin() or _load(). */
struct member_record *memory_find(struct memory *memory,
				  const uint8_t device_key[CHAT_KEY_BYTES]);

/* Pin a device key, our own, at start. 0, -ENOMEM, -ENOSPC. */
int memory_pin(struct memory *memory, const uint8_t device_key[CHAT_KEY_BYTES],
	       const uint8_t identity_key[SIGN_PUBLIC_BYTES]);

/* ACCEPTED, or why not: CHAIN_OVERRUN, REPLAYED, STALE, TABLE_FULL. */
enum e2ee_verdict memory_judge(struct memory *memory,
			       const struct memory_message *message);

/* Get the memory that memory_commit() needs. 0, or -ENOMEM. */
int memory_reserve(struct memory *memory);

/* Remember a message that was judged ACCEPTED. Fills in notes, missing,
 * other_identity, old_nick and changes of `opened`. */
void memory_commit(struct memory *memory, const struct memory_message *message,
		   struct e2ee_opened *opened);

/* See e2ee_room_adopt(). */
int memory_adopt(struct memory *memory, const uint8_t key[E2EE_ROW_KEY_BYTES],
		 const uint8_t *value, size_t value_bytes);

/* See e2ee_room_load(). */
int memory_load(struct memory *memory, const uint8_t key[E2EE_ROW_KEY_BYTES],
		const uint8_t *value, size_t value_bytes);

#endif
