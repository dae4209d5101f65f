/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_memory.c - replay state: any course of messages, restarts and rows */

/*
 * The input is a row of steps of 6 bytes {what, device, chain, generation u16,
 * time}: messages that come, again and in any order; a restart from the rows
 * that were stored; and rows of arbitrary bytes. Whatever happens, no message
 * is accepted twice: a table here remembers every one.
 */
#include "base/bytes.h"
#include "e2ee/memory.h"

#include <stdlib.h>
#include <string.h>

#define STEP_BYTES 6
#define DEVICES    4
#define CHAINS     64
#define STORED_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t accepted[DEVICES][CHAINS][CHAIN_SEEN_BYTES];
static uint8_t times[DEVICES][CHAINS][CHAIN_MESSAGES];
static struct e2ee_row stored[STORED_MAX];
static unsigned int stored_count;

/* As the client does: find the row by its key, merge, write; or delete. */
static void store(const struct e2ee_changes *changes)
{
	for (unsigned int i = 0; i < changes->count; i++) {
		struct e2ee_row row = changes->rows[i];
		unsigned int at = 0;

		while (at < stored_count &&
		       memcmp(stored[at].key, row.key, sizeof(row.key)) != 0)
			at++;
		if (at < stored_count && e2ee_row_merge(&row, stored[at].value,
							stored[at].value_bytes))
			abort();
		if (at == stored_count && row.value_bytes)
			stored_count++;
		if (at < stored_count)
			stored[at] =
				row.value_bytes ? row : stored[--stored_count];
		if (stored_count >= STORED_MAX)
			abort();
	}
}

static void restart(struct memory *memory)
{
	memory_deinit(memory);
	for (unsigned int i = 0; i < stored_count; i++)
		if (memory_load(memory, stored[i].key, stored[i].value,
				stored[i].value_bytes))
			abort();
}

static void hear(struct memory *memory, const uint8_t *step)
{
	uint8_t device = step[1] % DEVICES, chain = step[2] % CHAINS;
	uint16_t generation = bytes_get_be16(step + 3);
	uint8_t device_key[32] = { device + 1 }, identity[32] = { device + 1 };
	uint8_t chain_id[32] = { chain + 1 }, link[32] = { step[5] };
	struct e2ee_opened opened = { 0 };
	struct memory_message message = {
		.device_key = device_key,
		.identity_key = identity,
		.chain_id = chain_id,
		.generation = generation,
		.sender_time_ms = step[5],
		.link = link,
		.carried = link,
		.nick = step[0] & 1 ? "a" : "b",
		.nick_bytes = 1,
	};
	uint8_t *seen, bit = (uint8_t)(1 << generation % 8);

	if (generation < CHAIN_MESSAGES) {
		/* A message has one time: a member signs a place once. */
		seen = &accepted[device][chain][generation / 8];
		if (!times[device][chain][generation])
			times[device][chain][generation] = step[5] | 1;
		message.sender_time_ms = times[device][chain][generation];
	}
	if (memory_judge(memory, &message))
		return;
	if (generation >= CHAIN_MESSAGES || *seen & bit)
		abort();
	*seen |= bit;
	if (memory_reserve(memory))
		abort();
	memory_commit(memory, &message, &opened);
	store(&opened.changes);
}

/* Arbitrary bytes as a row; what is taken can be written again. */
static void load(const uint8_t *data, size_t size)
{
	static uint8_t key[E2EE_ROW_KEY_BYTES];
	struct member_record member;
	struct chain_record chain;
	struct e2ee_row row;

	key[E2EE_ROW_KEY_BYTES - 1] = data[0] & 1;
	if (member_row_decode(&member, key, data + 1, size - 1) == 0) {
		member_row_encode(&row, &member);
		if (row.value_bytes != size - 1 ||
		    memcmp(row.value, data + 1, size - 1) != 0 ||
		    e2ee_row_merge(&row, data + 1, size - 1))
			abort();
	}
	if (chain_row_decode(&chain, key, data + 1, size - 1) == 0) {
		chain_row_encode(&row, key, &chain);
		if (row.value_bytes != size - 1 ||
		    memcmp(row.value, data + 1, size - 1) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct memory memory;

	if (size < 1)
		return 0;
	load(data, size);
	memset(accepted, 0, sizeof(accepted));
	memset(times, 0, sizeof(times));
	stored_count = 0;
	memory_init(&memory);
	for (; size >= STEP_BYTES; data += STEP_BYTES, size -= STEP_BYTES) {
		if (data[0] >= 0xf0)
			restart(&memory);
		else
			hear(&memory, data);
	}
	memory_deinit(&memory);
	return 0;
}
