/* SPDX-License-Identifier: Apache-2.0 */
/* inflight.h - heads in flight, kept in a file that the front end holds */
#ifndef PVX_VHOST_INFLIGHT_H
#define PVX_VHOST_INFLIGHT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "vhost/proto.h"

#define INFLIGHT_VERSION 1

/* The file's layout, vhost-user.rst "Inflight I/O tracking": one region for
 * each queue, each at a multiple of 64 bytes. */
struct inflight_head {
	uint8_t is_in_flight;
	uint8_t padding[5];
	uint16_t next; /* in the last batch of returned heads */
	uint64_t counter;
};

struct inflight_ring {
	uint64_t features;
	uint16_t version; /* 0: fresh */
	uint16_t size;
	uint16_t last_batch_head;
	uint16_t used_idx;
	struct inflight_head head[];
};

/* Heads to take again, in their order: index into `head` of inflight_ring,
 * found one after the other by counter, so nothing is allocated. */
struct inflight_resubmit {
	unsigned int left;
	uint64_t next_counter; /* the least that was not handed out yet */
	uint64_t counter;      /* for the next head that is taken */
};

/* Bytes of the file for `queues` rings of `ring_size`. */
uint64_t inflight_bytes(unsigned int queues, unsigned int ring_size);

/* A new zeroed file of that size, sealed against another: descriptor or
 * -errno. */
int inflight_create(unsigned int queues, unsigned int ring_size);

/* One process's mapping of such a file. Must not move while attached. */
struct inflight_map {
	void *base; /* NULL: none */
	size_t map_bytes;
	uint8_t *area;
	unsigned int queues;
	unsigned int ring_size;
	atomic_bool is_damaged;
};

/* Whether the file can hold what `area` says: 0 or -errno, as
 * guest_file_check(). */
int inflight_file_check(int fd, const struct vhost_inflight_area *area);

/* Map it. 0 or -errno. */
int inflight_attach(struct inflight_map *map, int fd,
		    const struct vhost_inflight_area *area);
void inflight_detach(struct inflight_map *map);

/* The region of queue `index`, or NULL. */
struct inflight_ring *inflight_ring_at(const struct inflight_map *map,
				       unsigned int index);

/*
 * Make the region fit: a fresh one, or one that contradicts the ring (the guest
 * was restarted), is set up for `size` and `used_idx`; in a used one an
 * unfinished publish is completed. Then `resubmit` is what to take again.
 */
void inflight_recover(struct inflight_ring *ring, uint16_t size,
		      uint16_t used_idx, struct inflight_resubmit *resubmit);

/* The next head to take again, or -ENOENT. */
int inflight_next(const struct inflight_ring *ring, uint16_t size,
		  struct inflight_resubmit *resubmit);

/* The three moments: taken; returned; [first, first + count) published, with
 * used.idx = `used_idx`. */
void inflight_take(struct inflight_ring *ring, uint16_t head, uint64_t counter);
void inflight_return(struct inflight_ring *ring, uint16_t head);
void inflight_publish(struct inflight_ring *ring, uint16_t size,
		      uint16_t used_idx);

#endif
