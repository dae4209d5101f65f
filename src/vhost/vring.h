/* SPDX-License-Identifier: Apache-2.0 */
/* vring.h - the device's end of a split virtqueue */
#ifndef PVX_VHOST_VRING_H
#define PVX_VHOST_VRING_H

#include <sys/uio.h>

#include "vhost/inflight.h"
#include "vhost/memory.h"

#define VRING_SIZE_MAX 1024
/* A descriptor may cross regions, each border costs a piece. */
#define VRING_PIECES_MAX (VRING_SIZE_MAX + GUEST_REGIONS_MAX)

/* What the front end said about a ring: plain data. */
struct vring_layout {
	uint32_t size; /* entries; a power of two */
	uint32_t reserved;
	uint64_t desc_user; /* addresses of the front end's process */
	uint64_t avail_user;
	uint64_t used_user;
};

/* How far the device has come with it: plain data. */
struct vring_position {
	uint16_t next_avail; /* index of the next head to take */
	uint16_t next_used;  /* index of the next head to return */
	uint16_t published;  /* used.idx as the driver was shown it */
};

/* Why a queue is broken. */
enum vring_fault {
	VRING_SOUND,
	VRING_DAMAGED_MEMORY, /* a page of guest memory was lost */
	VRING_AVAIL_JUMP,     /* more heads than the ring holds */
	VRING_HEAD_RANGE,     /* a head outside the table */
	VRING_HEAD_IN_FLIGHT, /* a head that was not returned yet */
	VRING_NEXT_RANGE,     /* a link outside its table */
	VRING_CHAIN_LENGTH,   /* longer than the ring, or a loop */
	VRING_EMPTY_DESC,     /* a descriptor of 0 bytes */
	VRING_ADDRESS,        /* outside of guest memory */
	VRING_ORDER,          /* readable behind writable */
	VRING_INDIRECT,       /* not negotiated, nested, with NEXT, bad table */
	VRING_PIECES,         /* crosses too many regions */
	VRING_FAULTS
};

/* A request: its pieces of memory, readable ones first. */
struct vring_chain {
	uint16_t head;
	unsigned int readable_count; /* pieces [0, readable_count) */
	unsigned int writable_count; /* pieces behind them */
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	struct iovec pieces[VRING_PIECES_MAX];
};

/*
 * How it works: one thread at a time uses a ring. vring_take() copies each
 * descriptor once and judges the copy; what it hands out are pieces of mapped
 * guest memory. Answers are collected by vring_return() and shown to the
 * driver all at once by vring_publish(). A driver that breaks the rules breaks
 * its ring (`fault`, sticky until the ring is attached again); the ring then
 * does nothing more and other rings are not touched.
 *
 * Nothing here points into the process that attached it but `memory` and
 * `inflight`: another process goes on from layout and position.
 */
struct vring {
	const struct guest_memory *memory; /* borrowed */
	struct inflight_ring *inflight;    /* borrowed; NULL: not tracked */
	const void *desc;
	const uint16_t *avail; /* flags, idx, heads, used_event */
	uint16_t *used;        /* flags, idx, elements, avail_event */
	uint32_t size;
	bool has_event_idx;
	bool has_indirect;
	bool must_call; /* the next publish calls whatever used_event says */
	enum vring_fault fault;
	uint16_t next_avail;
	uint16_t next_used;
	uint16_t published; /* used.idx as the driver sees it */
	uint16_t avail_idx; /* avail.idx as last read */
	unsigned int in_flight_count;
	uint64_t in_flight[VRING_SIZE_MAX / 64]; /* a bit for each head */
	struct inflight_resubmit resubmit;       /* taken before avail */
};

/* 0, or -EINVAL unless size, alignment and location are sound: a power of two
 * up to VRING_SIZE_MAX, and each part within one region of `memory`. */
int vring_layout_check(const struct vring_layout *layout,
		       const struct guest_layout *memory);

/*
 * Attach to a ring from `next_avail` on; used.idx is read from the ring.
 * `features` are the negotiated ones. -EINVAL as vring_layout_check(), -EFAULT
 * when a part is not in memory. Afterwards look into the ring at once and
 * signal the call descriptor once: a kick or a call may have been lost.
 */
int vring_attach(struct vring *ring, const struct vring_layout *layout,
		 uint64_t features, const struct guest_memory *memory,
		 uint16_t next_avail);

/*
 * Track heads in queue `index` of `map` (borrowed), and first take again those
 * that it says were never returned; the position is then what it says, not what
 * vring_attach() was told. Call right after vring_attach(). -EINVAL when it was
 * made for fewer queues or a smaller ring.
 */
int vring_track(struct vring *ring, const struct inflight_map *map,
		unsigned int index);

/*
 * Track heads in queue `index` of `map`, for a keeper that goes on with a ring
 * which was tracked before: call after vring_set_position() and vring_adopt(),
 * which hold; of the heads that the file has, others are taken again. As
 * vring_track().
 */
int vring_follow(struct vring *ring, const struct inflight_map *map,
		 unsigned int index);

/*
 * Set where to go on, for a keeper that knows better than guest memory. Call
 * right after vring_attach(), before anything is taken.
 */
void vring_set_position(struct vring *ring,
			const struct vring_position *position);
void vring_get_position(const struct vring *ring,
			struct vring_position *position);

/* Mark a head as in flight without taking it, when the keeper has it. -EINVAL
 * when it is out of range or already in flight. */
int vring_adopt(struct vring *ring, uint16_t head);

/* Walk the chain of `head`, which the keeper has, again. As vring_take(). */
int vring_walk(struct vring *ring, uint16_t head, struct vring_chain *chain);

/*
 * Take the next request: 1 and `chain`; 0 when there is none; -EPROTO when the
 * ring is broken. The pieces stay mapped until guest_memory_detach().
 *
 * A driver can lay a ring that feeds itself (its used ring over its available
 * ring, a destination over either): who serves more than this ring in its
 * thread takes a bounded number at a time.
 */
int vring_take(struct vring *ring, struct vring_chain *chain);

/* Return a head that was taken, of which the first `bytes` writable bytes were
 * written. The driver does not see it before vring_publish(). */
void vring_return(struct vring *ring, uint16_t head, uint32_t bytes);

/* Show what was returned to the driver. Whether it wants a call now. When
 * guest memory was lost meanwhile, the ring breaks instead. */
bool vring_publish(struct vring *ring);

/*
 * Ask for kicks, then look again: true when there is more to take, so that the
 * caller takes it before it sleeps. Without EVENT_IDX vring_mute() turns kicks
 * off while the ring is being served; with it, that is no work.
 */
bool vring_listen(struct vring *ring);
/* Whether there is more to take, or the ring is broken; nothing changes. */
bool vring_has_more(const struct vring *ring);
void vring_mute(struct vring *ring);

/* "descriptor loop" and the like, for the log and statistics. */
const char *vring_fault_name(enum vring_fault fault);

#endif
