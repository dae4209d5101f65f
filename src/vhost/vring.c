/* SPDX-License-Identifier: Apache-2.0 */
/* vring.c - the device's end of a split virtqueue */
#include "vhost/vring.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mutant.h"

/* virtio 1.2, 2.7: the parts of a split virtqueue. */
#define DESC_BYTES         16u
#define USED_ELEMENT_BYTES 8u
#define DESC_F_NEXT        1u
#define DESC_F_WRITE       2u
#define DESC_F_INDIRECT    4u
#define AVAIL_F_NO_CALL    1u
#define USED_F_NO_KICK     1u
#define DESC_ALIGN         16u
#define AVAIL_ALIGN        2u
#define USED_ALIGN         4u

struct vring_desc {
	uint64_t addr;
	uint32_t bytes;
	uint16_t flags;
	uint16_t next;
};
_Static_assert(sizeof(struct vring_desc) == DESC_BYTES, "vring_desc");

static uint64_t avail_bytes(uint32_t size)
{
	return 6 + 2 * (uint64_t)size;
}

static uint64_t used_bytes(uint32_t size)
{
	return 6 + USED_ELEMENT_BYTES * (uint64_t)size;
}

/* Shared 16-bit fields. Pairs: the driver's release of avail.idx with our
 * acquire of it; our release of used.idx with the driver's acquire. */
static uint16_t ring_load(const uint16_t *at)
{
	return le16toh(__atomic_load_n(at, __ATOMIC_ACQUIRE));
}

static void ring_store(uint16_t *at, uint16_t value)
{
	__atomic_store_n(at, htole16(value), __ATOMIC_RELEASE);
}

static uint16_t *used_event(const struct vring *ring)
{
	return (uint16_t *)(uintptr_t)&ring->avail[2 + ring->size];
}

static uint16_t *avail_event(const struct vring *ring)
{
	return &ring->used[2 + USED_ELEMENT_BYTES / 2 * ring->size];
}

int vring_layout_check(const struct vring_layout *layout,
		       const struct guest_layout *memory)
{
	uint32_t size = layout->size;

	if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	if (layout->desc_user % DESC_ALIGN || layout->used_user % USED_ALIGN ||
	    layout->avail_user % AVAIL_ALIGN)
		return -EINVAL;
	if (!guest_layout_has_user(memory, layout->desc_user,
				   DESC_BYTES * (uint64_t)size) ||
	    !guest_layout_has_user(memory, layout->avail_user,
				   avail_bytes(size)) ||
	    !guest_layout_has_user(memory, layout->used_user, used_bytes(size)))
		return -EFAULT;
	return 0;
}

/* The host's pointer to a part; NULL when it is not there or not aligned (the
 * file offset may not be, though the address is). */
static void *part_at(const struct guest_memory *memory, uint64_t user_addr,
		     uint64_t bytes, uintptr_t align)
{
	uint8_t *at = guest_memory_by_user(memory, user_addr, bytes);

	return (uintptr_t)at % align ? NULL : at;
}

int vring_attach(struct vring *ring, const struct vring_layout *layout,
		 uint64_t features, const struct guest_memory *memory,
		 uint16_t next_avail)
{
	uint32_t size = layout->size;

	memset(ring, 0, sizeof(*ring));
	if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	ring->desc = part_at(memory, layout->desc_user,
			     DESC_BYTES * (uint64_t)size, DESC_ALIGN);
	ring->avail = part_at(memory, layout->avail_user, avail_bytes(size),
			      AVAIL_ALIGN);
	ring->used = part_at(memory, layout->used_user, used_bytes(size),
			     USED_ALIGN);
	if (!ring->desc || !ring->avail || !ring->used)
		return -EFAULT;
	ring->memory = memory;
	ring->size = size;
	ring->has_event_idx = features & VHOST_F_EVENT_IDX;
	ring->has_indirect = features & VHOST_F_INDIRECT_DESC;
	ring->must_call = true;
	ring->next_avail = next_avail;
	ring->avail_idx = next_avail;
	ring->next_used = ring_load(&ring->used[1]);
	ring->published = ring->next_used;
	return 0;
}

int vring_track(struct vring *ring, const struct inflight_map *map,
		unsigned int index)
{
	struct inflight_ring *inflight = inflight_ring_at(map, index);

	if (!inflight || ring->size > map->ring_size)
		return -EINVAL;
	inflight_recover(inflight, (uint16_t)ring->size, ring->next_used,
			 &ring->resubmit);
	ring->inflight = inflight;
	ring->next_avail = (uint16_t)(ring->next_used + ring->resubmit.left);
	ring->avail_idx = ring->next_avail;
	return 0;
}

void vring_set_position(struct vring *ring,
			const struct vring_position *position)
{
	ring->next_avail = position->next_avail;
	ring->avail_idx = position->next_avail;
	ring->next_used = position->next_used;
	ring->published = position->published;
}

void vring_get_position(const struct vring *ring,
			struct vring_position *position)
{
	position->next_avail = ring->next_avail;
	position->next_used = ring->next_used;
	position->published = ring->published;
}

static int vring_break(struct vring *ring, enum vring_fault fault)
{
	ring->fault = fault;
	return -EPROTO;
}

static bool is_in_flight(const struct vring *ring, uint16_t head)
{
	return ring->in_flight[head / 64] >> (head % 64) & 1;
}

int vring_adopt(struct vring *ring, uint16_t head)
{
	if (head >= ring->size || is_in_flight(ring, head))
		return -EINVAL;
	ring->in_flight[head / 64] |= UINT64_C(1) << (head % 64);
	ring->in_flight_count++;
	return 0;
}

/* Copy entry `index` once: what is judged later is the copy. An indirect table
 * may lie at any address. */
static void desc_copy(struct vring_desc *copy, const void *table,
		      uint32_t index)
{
	const uint8_t *at = (const uint8_t *)table + DESC_BYTES * index;
	uint64_t word[2];

	if ((uintptr_t)at % sizeof(word[0]) == 0) {
		const uint64_t *from = (const void *)at;

		word[0] = __atomic_load_n(&from[0], __ATOMIC_RELAXED);
		word[1] = __atomic_load_n(&from[1], __ATOMIC_RELAXED);
	} else {
		memcpy(word, at, sizeof(word));
		__asm__ volatile("" : "+m"(word));
	}
	copy->addr = le64toh(word[0]);
	word[1] = le64toh(word[1]);
	copy->bytes = (uint32_t)word[1];
	copy->flags = (uint16_t)(word[1] >> 32);
	copy->next = (uint16_t)(word[1] >> 48);
}

/* Add [addr, addr + bytes) of the guest to the chain, region by region. */
static enum vring_fault chain_add(struct vring_chain *chain,
				  const struct guest_memory *memory,
				  const struct vring_desc *d)
{
	bool is_writable = d->flags & DESC_F_WRITE;
	uint64_t addr = d->addr;
	uint64_t left = d->bytes;

	if (d->bytes == 0)
		return VRING_EMPTY_DESC;
	if (!is_writable && chain->writable_count > 0)
		return VRING_ORDER;
	while (left > 0) {
		unsigned int count =
			chain->readable_count + chain->writable_count;
		uint64_t here;
		uint8_t *at = guest_memory_at(memory, addr, left, &here);

		if (!at)
			return VRING_ADDRESS;
		if (count == VRING_PIECES_MAX)
			return VRING_PIECES;
		chain->pieces[count].iov_base = at;
		chain->pieces[count].iov_len = here;
		if (is_writable) {
			chain->writable_count++;
			chain->writable_bytes += here;
		} else {
			chain->readable_count++;
			chain->readable_bytes += here;
		}
		addr += here;
		left -= here;
	}
	return VRING_SOUND;
}

/* The table that an indirect descriptor names, or NULL. */
static const void *indirect_table(const struct vring *ring,
				  const struct vring_desc *d, uint32_t *size)
{
	const void *table;
	uint64_t here;

	if (!ring->has_indirect || d->flags & DESC_F_NEXT || d->bytes == 0 ||
	    d->bytes % DESC_BYTES)
		return NULL;
	table = guest_memory_at(ring->memory, d->addr, d->bytes, &here);
	if (!table || here != d->bytes)
		return NULL;
	*size = d->bytes / DESC_BYTES;
	return table;
}

static enum vring_fault chain_walk(const struct vring *ring,
				   struct vring_chain *chain)
{
	const void *table = ring->desc;
	uint32_t table_size = ring->size;
	uint32_t index = chain->head;
	bool is_indirect = false;
	uint32_t hops = 0;

	for (;;) {
		struct vring_desc d;
		enum vring_fault fault;

		if (!CHECK(vring_next_bound, index < table_size))
			return VRING_NEXT_RANGE;
		desc_copy(&d, table, index);
		if (d.flags & DESC_F_INDIRECT) {
			/* Not told by the address: an indirect table may be
			 * laid over the ring's own. */
			if (is_indirect)
				return VRING_INDIRECT;
			is_indirect = true;
			table = indirect_table(ring, &d, &table_size);
			if (!table)
				return VRING_INDIRECT;
			index = 0;
			continue;
		}
		if (!CHECK(vring_chain_bound, hops++ < ring->size))
			return VRING_CHAIN_LENGTH;
		fault = chain_add(chain, ring->memory, &d);
		if (fault != VRING_SOUND)
			return fault;
		if (!(d.flags & DESC_F_NEXT))
			return VRING_SOUND;
		index = d.next;
	}
}

static bool memory_is_damaged(const struct vring *ring)
{
	return atomic_load_explicit(&ring->memory->is_damaged,
				    memory_order_relaxed);
}

int vring_walk(struct vring *ring, uint16_t head, struct vring_chain *chain)
{
	enum vring_fault fault;

	if (ring->fault != VRING_SOUND)
		return -EPROTO;
	chain->head = head;
	chain->readable_count = 0;
	chain->writable_count = 0;
	chain->readable_bytes = 0;
	chain->writable_bytes = 0;
	fault = chain_walk(ring, chain);
	if (memory_is_damaged(ring))
		fault = VRING_DAMAGED_MEMORY;
	return fault == VRING_SOUND ? 1 : vring_break(ring, fault);
}

/* The head at next_avail; out of range is possible. */
static uint16_t avail_head(const struct vring *ring)
{
	return le16toh(__atomic_load_n(
		&ring->avail[2 + (ring->next_avail & (ring->size - 1))],
		__ATOMIC_RELAXED));
}

int vring_follow(struct vring *ring, const struct inflight_map *map,
		 unsigned int index)
{
	struct inflight_ring *inflight = inflight_ring_at(map, index);
	uint16_t head;

	if (!inflight || ring->size > map->ring_size)
		return -EINVAL;
	inflight_recover(inflight, (uint16_t)ring->size, ring->next_used,
			 &ring->resubmit);
	ring->inflight = inflight;
	if (ring_load(&ring->avail[1]) == ring->next_avail)
		return 0;
	/* The next head is marked when its taker died before the keeper knew;
	 * it is taken as new. */
	head = avail_head(ring);
	if (head < ring->size && !is_in_flight(ring, head) &&
	    inflight->head[head].is_in_flight) {
		inflight->head[head].is_in_flight = 0;
		ring->resubmit.left--;
	}
	return 0;
}

/* The next head: 1, 0 when there is none, -EPROTO. */
static int take_head(struct vring *ring, uint16_t *head)
{
	while (ring->resubmit.left > 0) {
		int again = inflight_next(ring->inflight, (uint16_t)ring->size,
					  &ring->resubmit);

		/* Adopted ones are the keeper's. */
		if (again >= 0 && !is_in_flight(ring, (uint16_t)again)) {
			*head = (uint16_t)again;
			return 1;
		}
	}
	if (ring->avail_idx == ring->next_avail) {
		uint16_t ahead;

		ring->avail_idx = ring_load(&ring->avail[1]);
		ahead = (uint16_t)(ring->avail_idx - ring->next_avail);
		if (ahead == 0)
			return 0;
		if (!CHECK(vring_avail_bound, ahead <= ring->size))
			return vring_break(ring, VRING_AVAIL_JUMP);
	}
	*head = avail_head(ring);
	if (!CHECK(vring_head_bound, *head < ring->size))
		return vring_break(ring, VRING_HEAD_RANGE);
	ring->next_avail++;
	if (ring->inflight)
		inflight_take(ring->inflight, *head, ring->resubmit.counter++);
	return 1;
}

int vring_take(struct vring *ring, struct vring_chain *chain)
{
	uint16_t head;
	int got;

	if (ring->fault != VRING_SOUND)
		return -EPROTO;
	got = take_head(ring, &head);
	if (got <= 0)
		return got;
	if (!CHECK(vring_head_unique, !is_in_flight(ring, head)))
		return vring_break(ring, VRING_HEAD_IN_FLIGHT);
	ring->in_flight[head / 64] |= UINT64_C(1) << (head % 64);
	ring->in_flight_count++;
	return vring_walk(ring, head, chain);
}

void vring_return(struct vring *ring, uint16_t head, uint32_t bytes)
{
	uint32_t slot = ring->next_used & (ring->size - 1);
	uint32_t *element = (uint32_t *)(void *)&ring->used[2] + 2 * slot;

	assert(head < ring->size && is_in_flight(ring, head));
	__atomic_store_n(&element[0], htole32(head), __ATOMIC_RELAXED);
	__atomic_store_n(&element[1], htole32(bytes), __ATOMIC_RELAXED);
	ring->in_flight[head / 64] &= ~(UINT64_C(1) << (head % 64));
	ring->in_flight_count--;
	ring->next_used++;
	if (ring->inflight)
		inflight_return(ring->inflight, head);
}

bool vring_publish(struct vring *ring)
{
	uint16_t old = ring->published;
	uint16_t now = ring->next_used;
	bool must_call = ring->must_call;
	uint16_t event;

	if (old == now)
		return false;
	if (memory_is_damaged(ring)) {
		/* What was made of zeros is no answer. */
		vring_break(ring, VRING_DAMAGED_MEMORY);
		return false;
	}
	ring_store(&ring->used[1], now);
	ring->published = now;
	if (ring->inflight)
		inflight_publish(ring->inflight, (uint16_t)ring->size, now);
	/* used.idx before used_event or flags; pairs with the driver, which
	 * writes those and then looks at used.idx again. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ring->must_call = false;
	if (must_call)
		return true;
	if (!ring->has_event_idx)
		return !(ring_load(&ring->avail[0]) & AVAIL_F_NO_CALL);
	event = ring_load(used_event(ring));
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

bool vring_listen(struct vring *ring)
{
	if (ring->fault != VRING_SOUND)
		return false;
	if (ring->resubmit.left > 0)
		return true;
	if (ring->has_event_idx)
		ring_store(avail_event(ring), ring->next_avail);
	else
		ring_store(&ring->used[0], 0);
	/* The wish before avail.idx; pairs with the driver, which writes
	 * avail.idx and then looks at the wish. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return ring_load(&ring->avail[1]) != ring->next_avail;
}

bool vring_has_more(const struct vring *ring)
{
	return ring->fault != VRING_SOUND || ring->resubmit.left > 0 ||
	       ring_load(&ring->avail[1]) != ring->next_avail;
}

void vring_mute(struct vring *ring)
{
	if (!ring->has_event_idx && ring->fault == VRING_SOUND)
		ring_store(&ring->used[0], USED_F_NO_KICK);
}

const char *vring_fault_name(enum vring_fault fault)
{
	static const char *const names[VRING_FAULTS] = {
		[VRING_SOUND] = "sound",
		[VRING_DAMAGED_MEMORY] = "guest memory was cut short",
		[VRING_AVAIL_JUMP] = "available index jumped",
		[VRING_HEAD_RANGE] = "head outside the table",
		[VRING_HEAD_IN_FLIGHT] = "head made available twice",
		[VRING_NEXT_RANGE] = "link outside the table",
		[VRING_CHAIN_LENGTH] = "chain longer than the ring",
		[VRING_EMPTY_DESC] = "descriptor of no bytes",
		[VRING_ADDRESS] = "address outside guest memory",
		[VRING_ORDER] = "readable descriptor behind a writable one",
		[VRING_INDIRECT] = "bad indirect descriptor",
		[VRING_PIECES] = "chain crosses too many regions",
	};

	return (unsigned int)fault < ARRAY_SIZE(names) ? names[fault] : "?";
}
