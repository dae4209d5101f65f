/* SPDX-License-Identifier: Apache-2.0 */
/* memory.h - where the guest's memory is, as data and as mappings */
#ifndef PVX_VHOST_MEMORY_H
#define PVX_VHOST_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "vhost/proto.h"

/*
 * How it works: a guest_layout is plain data, what the front end told; it may
 * lie in memory that outlives a process. A guest_memory is one process's
 * mappings of it, made from the layout and the descriptors of its files.
 *
 * Files that shrink: mapping tries to seal the file against it. A front end
 * whose file takes no seals could still cut it; then the first touch of a lost
 * page raises SIGBUS, vhost/fault.c puts zeros in its place and marks the
 * guest_memory damaged, and every ring on it breaks at its next step.
 */
#define GUEST_REGIONS_MAX 32

struct guest_layout {
	uint32_t count;
	uint32_t reserved;
	struct vhost_region region[GUEST_REGIONS_MAX];
};

/*
 * Put a region behind the others. -EINVAL when it is empty, wraps, or overlaps
 * another in guest or user addresses; -ENOSPC when all slots are taken.
 */
int guest_layout_add(struct guest_layout *layout,
		     const struct vhost_region *region);

/* The region's index by guest address, user address and size; or -ENOENT. */
int guest_layout_find(const struct guest_layout *layout,
		      const struct vhost_region *region);

/* Take region `index` out; those behind it move up by one. */
void guest_layout_remove(struct guest_layout *layout, unsigned int index);

/* Whether `bytes` bytes at a user address lie within one region. */
bool guest_layout_has_user(const struct guest_layout *layout,
			   uint64_t user_addr, uint64_t bytes);

/*
 * Whether the file can back the region: a regular file (memfd, tmpfs,
 * hugetlbfs, disk) that is long enough. Tries to seal it against shrinking.
 * 0 or -errno: -EINVAL for another kind of file, -ENXIO when it is too short.
 */
int guest_file_check(int fd, const struct vhost_region *region);

struct guest_mapping {
	uint64_t guest_addr;
	uint64_t bytes;
	uint64_t user_addr;
	uint8_t *host;  /* of guest_addr */
	void *map_base; /* NULL: not ours to unmap */
	size_t map_bytes;
};

struct guest_memory {
	unsigned int count;
	struct guest_mapping map[GUEST_REGIONS_MAX];
	atomic_bool is_damaged; /* a page was lost, see above */
};

/*
 * Map every region of `layout`; `fds` (borrowed, may be closed afterwards) are
 * its files. Left out of core files. The object must not move while attached.
 * 0 or -errno with nothing mapped. vhost_fault_install() should have been
 * called in this process.
 */
int guest_memory_attach(struct guest_memory *memory,
			const struct guest_layout *layout, const int *fds);

/* Unmap. Nothing of it may be in use by any thread. */
void guest_memory_detach(struct guest_memory *memory);

/*
 * The host's pointer to a guest address, and in `*here_bytes` how many of the
 * wanted `bytes` (at least one) lie there before the region ends. NULL when the
 * address is outside of every region, or `bytes` is 0.
 */
uint8_t *guest_memory_at(const struct guest_memory *memory, uint64_t guest_addr,
			 uint64_t bytes, uint64_t *here_bytes);

/* The host's pointer to a user address with `bytes` bytes within one region,
 * or NULL. */
uint8_t *guest_memory_by_user(const struct guest_memory *memory,
			      uint64_t user_addr, uint64_t bytes);

#endif
