/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - which entries of a table are free */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "device/task.h"

#define WORD_BITS 64u

static uint32_t words(const struct engine_pool *pool)
{
	return (pool->entries + WORD_BITS - 1) / WORD_BITS;
}

int engine_pool_init(struct engine_pool *pool, uint32_t entries)
{
	pool->entries = entries;
	pool->next = 0;
	pool->used = calloc(words(pool), sizeof(pool->used[0]));
	if (!pool->used)
		return -ENOMEM;
	engine_pool_clear(pool);
	return 0;
}

void engine_pool_deinit(struct engine_pool *pool)
{
	free(pool->used);
	memset(pool, 0, sizeof(*pool));
}

void engine_pool_mark(struct engine_pool *pool, uint32_t index)
{
	pool->used[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
}

void engine_pool_give(struct engine_pool *pool, uint32_t index)
{
	pool->used[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
}

void engine_pool_clear(struct engine_pool *pool)
{
	memset(pool->used, 0, words(pool) * sizeof(pool->used[0]));
	/* What the last word has too much is never free. */
	for (uint32_t i = pool->entries; i % WORD_BITS; i++)
		engine_pool_mark(pool, i);
}

int64_t engine_pool_take(struct engine_pool *pool)
{
	uint32_t first = pool->next / WORD_BITS;
	uint32_t count = words(pool);
	/* The first word again at the end, for its bits below `next`. */
	uint64_t skip = (UINT64_C(1) << pool->next % WORD_BITS) - 1;

	for (uint32_t i = 0; i <= count; i++) {
		uint32_t word = (first + i) % count;
		uint64_t free_bits = ~(pool->used[word] | skip);

		skip = 0;
		if (free_bits) {
			uint32_t index = word * WORD_BITS +
					 (uint32_t)__builtin_ctzll(free_bits);

			engine_pool_mark(pool, index);
			pool->next = (index + 1) % pool->entries;
			return index;
		}
	}
	return -ENOSPC;
}
