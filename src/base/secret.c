/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - memory for keys: locked, left out of core files, wiped */

#include "base/secret.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/*
 * How it works: blocks of power-of-two sizes are cut from locked chunks and
 * kept in one free list per size; chunks are never given back. Blocks above
 * the largest size are mappings of their own, and so is every block under
 * AddressSanitizer, with a page behind it that faults.
 */
#define CHUNK_BYTES    (16 * 1024)
#define SMALLEST_SHIFT 6
#define LARGEST_SHIFT  12
#define CLASSES        (LARGEST_SHIFT - SMALLEST_SHIFT + 1)
#define OWN_MAPPING    CLASSES

struct block {
	size_t room_bytes;  /* behind this header */
	unsigned int class; /* index, or OWN_MAPPING */
	struct block *next_free;
} __attribute__((aligned(16)));

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *free_blocks[CLASSES]; /* under lock */

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
static const bool uses_classes = false;
#else
static const bool uses_classes = true;
#endif

static void *locked_map(size_t bytes)
{
	void *memory;
	int error;

	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (mlock(memory, bytes) == 0 &&
	    madvise(memory, bytes, MADV_DONTDUMP) == 0)
		return memory;
	error = errno;
	munmap(memory, bytes);
	errno = error;
	return NULL;
}

static void *own_mapping(size_t bytes)
{
	struct block *block;
	size_t total = sizeof(*block) + bytes;

	block = locked_map(total);
	if (!block)
		return NULL;
	block->room_bytes = bytes;
	block->class = OWN_MAPPING;
	return block + 1;
}

static unsigned int class_of(size_t total)
{
	unsigned int class = 0;

	while (((size_t)1 << (SMALLEST_SHIFT + class)) < total)
		class ++;
	return class;
}

/* Called with the lock held. */
static bool class_refill(unsigned int class)
{
	size_t step = (size_t)1 << (SMALLEST_SHIFT + class);
	uint8_t *chunk = locked_map(CHUNK_BYTES);

	if (!chunk)
		return false;
	for (size_t at = 0; at < CHUNK_BYTES; at += step) {
		struct block *block = (struct block *)(void *)(chunk + at);

		block->room_bytes = step - sizeof(*block);
		block->class = class;
		block->next_free = free_blocks[class];
		free_blocks[class] = block;
	}
	return true;
}

void *secret_alloc(size_t bytes)
{
	size_t total = sizeof(struct block) + bytes;
	struct block *block = NULL;
	unsigned int class;

	if (total < bytes) {
		errno = ENOMEM;
		return NULL;
	}
	if (!uses_classes || total > ((size_t)1 << LARGEST_SHIFT))
		return own_mapping(bytes);
	class = class_of(total);
	pthread_mutex_lock(&lock);
	if (free_blocks[class] || class_refill(class)) {
		block = free_blocks[class];
		free_blocks[class] = block->next_free;
		block->next_free = NULL;
	}
	pthread_mutex_unlock(&lock);
	return block ? block + 1 : NULL;
}

void secret_free(void *memory)
{
	struct block *block;

	if (!memory)
		return;
	block = (struct block *)memory - 1;
	secret_wipe(memory, block->room_bytes);
	if (block->class == OWN_MAPPING) {
		munmap(block, sizeof(*block) + block->room_bytes);
		return;
	}
	pthread_mutex_lock(&lock);
	block->next_free = free_blocks[block->class];
	free_blocks[block->class] = block;
	pthread_mutex_unlock(&lock);
}

void secret_wipe(void *memory, size_t bytes)
{
	explicit_bzero(memory, bytes);
}
