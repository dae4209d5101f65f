/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - where the guest's memory is, as data and as mappings */
#include "vhost/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mutant.h"
#include "vhost/fault.h"

/* Whether [a, a + a_bytes) and [b, b + b_bytes) meet; neither wraps. */
static bool ranges_overlap(uint64_t a, uint64_t a_bytes, uint64_t b,
			   uint64_t b_bytes)
{
	return a < b + b_bytes && b < a + a_bytes;
}

/* Not empty, and no end beyond 2^64 - 1: then no address in it wraps. */
static bool region_is_sound(const struct vhost_region *r)
{
	uint64_t end;

	return r->bytes > 0 && r->bytes <= SIZE_MAX / 2 &&
	       !__builtin_add_overflow(r->guest_addr, r->bytes, &end) &&
	       !__builtin_add_overflow(r->user_addr, r->bytes, &end) &&
	       !__builtin_add_overflow(r->file_offset, r->bytes, &end) &&
	       end <= INT64_MAX;
}

int guest_layout_add(struct guest_layout *layout,
		     const struct vhost_region *region)
{
	if (!region_is_sound(region))
		return -EINVAL;
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct vhost_region *r = &layout->region[i];

		if (ranges_overlap(r->guest_addr, r->bytes, region->guest_addr,
				   region->bytes) ||
		    ranges_overlap(r->user_addr, r->bytes, region->user_addr,
				   region->bytes))
			return -EINVAL;
	}
	if (layout->count == GUEST_REGIONS_MAX)
		return -ENOSPC;
	layout->region[layout->count++] = *region;
	return 0;
}

int guest_layout_find(const struct guest_layout *layout,
		      const struct vhost_region *region)
{
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct vhost_region *r = &layout->region[i];

		if (r->guest_addr == region->guest_addr &&
		    r->user_addr == region->user_addr &&
		    r->bytes == region->bytes)
			return (int)i;
	}
	return -ENOENT;
}

void guest_layout_remove(struct guest_layout *layout, unsigned int index)
{
	layout->count--;
	memmove(&layout->region[index], &layout->region[index + 1],
		(layout->count - index) * sizeof(layout->region[0]));
	memset(&layout->region[layout->count], 0, sizeof(layout->region[0]));
}

bool guest_layout_has_user(const struct guest_layout *layout,
			   uint64_t user_addr, uint64_t bytes)
{
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct vhost_region *r = &layout->region[i];
		uint64_t offset = user_addr - r->user_addr;

		if (offset < r->bytes && bytes <= r->bytes - offset)
			return true;
	}
	return false;
}

int guest_file_check(int fd, const struct vhost_region *region)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	/* Seal first, so that the size looked at is the smallest ever. */
	(void)fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
	if (fstat(fd, &st))
		return -errno;
	if ((uint64_t)st.st_size < region->file_offset + region->bytes)
		return -ENXIO;
	return 0;
}

/* The unit in which the file can be mapped: a page, or a huge page. */
static size_t file_page_bytes(int fd)
{
	struct statfs fs;

	if (!fstatfs(fd, &fs) && fs.f_type == HUGETLBFS_MAGIC)
		return (size_t)fs.f_bsize;
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Map the file's pages that the region touches, not from its start: the file
 * of a small guest may be much longer than its memory. */
static int mapping_init(struct guest_mapping *map, atomic_bool *is_damaged,
			const struct vhost_region *region, int fd)
{
	size_t page = file_page_bytes(fd);
	uint64_t skip = region->file_offset % page;
	uint64_t bytes = (skip + region->bytes + page - 1) / page * page;
	void *base;
	int error;

	base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_NORESERVE, fd,
		    (off_t)(region->file_offset - skip));
	if (base == MAP_FAILED)
		return -errno;
	error = vhost_fault_watch(base, bytes, page, is_damaged);
	if (error) {
		munmap(base, bytes);
		return error;
	}
	(void)madvise(base, bytes, MADV_DONTDUMP);
	*map = (struct guest_mapping){
		.guest_addr = region->guest_addr,
		.bytes = region->bytes,
		.user_addr = region->user_addr,
		.host = (uint8_t *)base + skip,
		.map_base = base,
		.map_bytes = bytes,
	};
	return 0;
}

int guest_memory_attach(struct guest_memory *memory,
			const struct guest_layout *layout, const int *fds)
{
	memset(memory, 0, sizeof(*memory));
	if (layout->count > GUEST_REGIONS_MAX)
		return -EINVAL;
	for (uint32_t i = 0; i < layout->count; i++) {
		int error = guest_file_check(fds[i], &layout->region[i]);

		if (!error)
			error = mapping_init(&memory->map[i],
					     &memory->is_damaged,
					     &layout->region[i], fds[i]);
		if (error) {
			guest_memory_detach(memory);
			return error;
		}
		memory->count++;
	}
	return 0;
}

void guest_memory_detach(struct guest_memory *memory)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		struct guest_mapping *map = &memory->map[i];

		if (!map->map_base)
			continue;
		vhost_fault_unwatch(map->map_base);
		munmap(map->map_base, map->map_bytes);
	}
	memset(memory, 0, sizeof(*memory));
}

uint8_t *guest_memory_at(const struct guest_memory *memory, uint64_t guest_addr,
			 uint64_t bytes, uint64_t *here_bytes)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct guest_mapping *map = &memory->map[i];
		uint64_t offset = guest_addr - map->guest_addr;

		if (offset >= map->bytes || bytes == 0)
			continue;
		if (CHECK(guest_memory_bound, bytes <= map->bytes - offset))
			*here_bytes = bytes;
		else
			*here_bytes = map->bytes - offset;
		return map->host + offset;
	}
	return NULL;
}

uint8_t *guest_memory_by_user(const struct guest_memory *memory,
			      uint64_t user_addr, uint64_t bytes)
{
	for (unsigned int i = 0; i < memory->count; i++) {
		const struct guest_mapping *map = &memory->map[i];
		uint64_t offset = user_addr - map->user_addr;

		if (offset < map->bytes &&
		    CHECK(ring_memory_bound, bytes <= map->bytes - offset))
			return map->host + offset;
	}
	return NULL;
}
