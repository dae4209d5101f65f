/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.c - heads in flight, kept in a file that the front end holds */
#include "vhost/inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/memory_file.h"
#include "vhost/fault.h"
#include "vhost/memory.h"

/*
 * The front end may write to the file too, so nothing read from it is trusted
 * beyond its range: indexes are checked, walks are counted. Between processes
 * that die, the order of stores is what counts; step() keeps the compiler from
 * changing it.
 */
#define INFLIGHT_ALIGN 64u

static void step(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static uint64_t ring_bytes(unsigned int ring_size)
{
	uint64_t bytes = sizeof(struct inflight_ring) +
			 (uint64_t)ring_size * sizeof(struct inflight_head);

	return (bytes + INFLIGHT_ALIGN - 1) / INFLIGHT_ALIGN * INFLIGHT_ALIGN;
}

uint64_t inflight_bytes(unsigned int queues, unsigned int ring_size)
{
	return queues * ring_bytes(ring_size);
}

int inflight_create(unsigned int queues, unsigned int ring_size)
{
	return memory_file_create("vhost-inflight",
				  inflight_bytes(queues, ring_size));
}

int inflight_file_check(int fd, const struct vhost_inflight_area *area)
{
	struct vhost_region region = {
		.bytes = area->bytes,
		.file_offset = area->file_offset,
	};
	uint64_t end;

	if (area->queues == 0 || area->ring_size == 0 ||
	    area->bytes < inflight_bytes(area->queues, area->ring_size) ||
	    __builtin_add_overflow(area->bytes, area->file_offset, &end) ||
	    end > INT64_MAX)
		return -EINVAL;
	return guest_file_check(fd, &region);
}

int inflight_attach(struct inflight_map *map, int fd,
		    const struct vhost_inflight_area *area)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint64_t skip = area->file_offset % page;
	uint64_t bytes;
	void *base;
	int error;

	memset(map, 0, sizeof(*map));
	error = inflight_file_check(fd, area);
	if (error)
		return error;
	if (skip % sizeof(uint64_t))
		return -EINVAL;
	bytes = skip + inflight_bytes(area->queues, area->ring_size);
	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		    (off_t)(area->file_offset - skip));
	if (base == MAP_FAILED)
		return -errno;
	error = vhost_fault_watch(base, bytes, page, &map->is_damaged);
	if (error) {
		munmap(base, bytes);
		return error;
	}
	map->base = base;
	map->map_bytes = bytes;
	map->area = (uint8_t *)base + skip;
	map->queues = area->queues;
	map->ring_size = area->ring_size;
	return 0;
}

void inflight_detach(struct inflight_map *map)
{
	if (map->base) {
		vhost_fault_unwatch(map->base);
		munmap(map->base, map->map_bytes);
	}
	memset(map, 0, sizeof(*map));
}

struct inflight_ring *inflight_ring_at(const struct inflight_map *map,
				       unsigned int index)
{
	if (index >= map->queues)
		return NULL;
	return (void *)(map->area + index * ring_bytes(map->ring_size));
}

/* An index that the front end may change: read once, whatever the compiler
 * thinks of it, so that what is judged is what is used. */
static uint16_t index_load(const uint16_t *at)
{
	return __atomic_load_n(at, __ATOMIC_RELAXED);
}

/* Clear the marks of the last `count` returned heads. */
static void clear_batch(struct inflight_ring *ring, uint16_t size,
			unsigned int count)
{
	uint16_t head = index_load(&ring->last_batch_head);

	while (count-- > 0 && head < size) {
		ring->head[head].is_in_flight = 0;
		head = index_load(&ring->head[head].next);
	}
}

static void ring_init(struct inflight_ring *ring, uint16_t size,
		      uint16_t used_idx)
{
	memset(ring, 0, sizeof(*ring) + size * sizeof(ring->head[0]));
	ring->size = size;
	ring->used_idx = used_idx;
	step();
	ring->version = INFLIGHT_VERSION;
}

void inflight_recover(struct inflight_ring *ring, uint16_t size,
		      uint16_t used_idx, struct inflight_resubmit *resubmit)
{
	uint16_t batch = (uint16_t)(used_idx - ring->used_idx);

	memset(resubmit, 0, sizeof(*resubmit));
	if (ring->version != INFLIGHT_VERSION || ring->size != size ||
	    batch > size) {
		ring_init(ring, size, used_idx);
		return;
	}
	clear_batch(ring, size, batch);
	step();
	ring->used_idx = used_idx;
	for (unsigned int i = 0; i < size; i++) {
		const struct inflight_head *h = &ring->head[i];

		if (!h->is_in_flight)
			continue;
		resubmit->left++;
		if (h->counter >= resubmit->counter)
			resubmit->counter = h->counter + 1;
	}
}

int inflight_next(const struct inflight_ring *ring, uint16_t size,
		  struct inflight_resubmit *resubmit)
{
	uint64_t least = UINT64_MAX;
	int found = -ENOENT;

	for (unsigned int i = 0; resubmit->left > 0 && i < size; i++) {
		const struct inflight_head *h = &ring->head[i];
		uint64_t counter = h->counter;

		if (h->is_in_flight && counter >= resubmit->next_counter &&
		    counter < least) {
			least = counter;
			found = (int)i;
		}
	}
	if (found < 0) {
		resubmit->left = 0;
		return found;
	}
	resubmit->left--;
	resubmit->next_counter = least + 1;
	return found;
}

void inflight_take(struct inflight_ring *ring, uint16_t head, uint64_t counter)
{
	ring->head[head].counter = counter;
	step();
	ring->head[head].is_in_flight = 1;
	step();
}

void inflight_return(struct inflight_ring *ring, uint16_t head)
{
	ring->head[head].next = ring->last_batch_head;
	step();
	ring->last_batch_head = head;
	step();
}

void inflight_publish(struct inflight_ring *ring, uint16_t size,
		      uint16_t used_idx)
{
	unsigned int batch = (uint16_t)(used_idx - ring->used_idx);

	step();
	clear_batch(ring, size, batch);
	step();
	ring->used_idx = used_idx;
}
