/* SPDX-License-Identifier: Apache-2.0 */
/* handle_ring.c - messages about one ring */
#include "vhost/handlers.h"

#include <errno.h>
#include <string.h>

#include "vhost/event.h"

static uint64_t ring_bit(uint32_t index)
{
	return UINT64_C(1) << index;
}

/* A change that makes no sense under way: -EBUSY while the ring runs. */
static int check_stands(const struct vhost_control *control,
			const struct vhost_ring_word *word)
{
	if (word->index >= control->device->queues)
		return -EINVAL;
	return control->state->ring[word->index].is_running ? -EBUSY : 0;
}

int vhost_check_vring_num(const struct vhost_control *control,
			  const struct vhost_message *in, uint64_t *stop)
{
	uint32_t size = in->payload.ring_word.value;

	if (size == 0 || size > VRING_SIZE_MAX || (size & (size - 1)))
		return -EINVAL;
	return check_stands(control, &in->payload.ring_word);
}

int vhost_apply_vring_num(struct vhost_control *control,
			  struct vhost_message *in, struct vhost_message *reply)
{
	const struct vhost_ring_word *word = &in->payload.ring_word;
	struct vhost_ring_state *ring = &control->state->ring[word->index];

	/* The addresses were judged for another size. */
	if (ring->layout.size != word->value)
		ring->has_addresses = false;
	ring->layout.size = word->value;
	return 0;
}

int vhost_check_vring_addr(const struct vhost_control *control,
			   const struct vhost_message *in, uint64_t *stop)
{
	const struct vhost_ring_addresses *a = &in->payload.ring_addresses;
	struct vring_layout layout = {
		.desc_user = a->desc_user,
		.avail_user = a->avail_user,
		.used_user = a->used_user,
	};

	/* A flag would ask for dirty logging, which is not offered. */
	if (a->index >= control->device->queues || a->flags)
		return -EINVAL;
	layout.size = control->state->ring[a->index].layout.size;
	*stop = ring_bit(a->index);
	return vring_layout_check(&layout, &control->state->memory);
}

int vhost_apply_vring_addr(struct vhost_control *control,
			   struct vhost_message *in,
			   struct vhost_message *reply)
{
	const struct vhost_ring_addresses *a = &in->payload.ring_addresses;
	struct vhost_ring_state *ring = &control->state->ring[a->index];

	ring->layout.desc_user = a->desc_user;
	ring->layout.avail_user = a->avail_user;
	ring->layout.used_user = a->used_user;
	ring->has_addresses = true;
	return 0;
}

int vhost_check_vring_base(const struct vhost_control *control,
			   const struct vhost_message *in, uint64_t *stop)
{
	if (in->payload.ring_word.value > UINT16_MAX)
		return -EINVAL;
	return check_stands(control, &in->payload.ring_word);
}

int vhost_apply_vring_base(struct vhost_control *control,
			   struct vhost_message *in,
			   struct vhost_message *reply)
{
	const struct vhost_ring_word *word = &in->payload.ring_word;

	control->state->ring[word->index].base = (uint16_t)word->value;
	return 0;
}

int vhost_check_get_vring_base(const struct vhost_control *control,
			       const struct vhost_message *in, uint64_t *stop)
{
	uint32_t index = in->payload.ring_word.index;

	if (index >= control->device->queues)
		return -EINVAL;
	*stop = ring_bit(index);
	return 0;
}

int vhost_apply_get_vring_base(struct vhost_control *control,
			       struct vhost_message *in,
			       struct vhost_message *reply)
{
	uint32_t index = in->payload.ring_word.index;
	struct vhost_ring_state *ring = &control->state->ring[index];

	ring->is_started = false;
	vhost_fd_replace(&control->fds->kick[index], -1);
	reply->payload.ring_word.index = index;
	reply->payload.ring_word.value = ring->base;
	return 0;
}

int vhost_check_vring_enable(const struct vhost_control *control,
			     const struct vhost_message *in, uint64_t *stop)
{
	const struct vhost_ring_word *word = &in->payload.ring_word;

	if (word->index >= control->device->queues || word->value > 1)
		return -EINVAL;
	if (word->value == 0)
		*stop = ring_bit(word->index);
	return 0;
}

int vhost_apply_vring_enable(struct vhost_control *control,
			     struct vhost_message *in,
			     struct vhost_message *reply)
{
	const struct vhost_ring_word *word = &in->payload.ring_word;

	control->state->ring[word->index].is_enabled = word->value;
	return 0;
}

/* KICK, CALL, ERR: the index, and a descriptor unless the payload says that
 * there is none. The ring is started again with it; that start looks into the
 * ring and signals the call descriptor, because the last kick or call may have
 * gone to the old one. */
int vhost_check_vring_fd(const struct vhost_control *control,
			 const struct vhost_message *in, uint64_t *stop)
{
	uint64_t value = in->payload.u64;
	unsigned int wanted = value & VHOST_RING_NO_FD ? 0 : 1;
	uint32_t index = value & VHOST_RING_INDEX_MASK;

	if (value & ~(uint64_t)(VHOST_RING_INDEX_MASK | VHOST_RING_NO_FD) ||
	    index >= control->device->queues || in->fd_count != wanted)
		return -EINVAL;
	*stop = ring_bit(index);
	return wanted ? vhost_event_check(in->fds[0]) : 0;
}

static uint32_t keep_fd(struct vhost_message *in, int *slots)
{
	uint32_t index = in->payload.u64 & VHOST_RING_INDEX_MASK;

	vhost_fd_replace(&slots[index],
			 in->fd_count ? vhost_message_take_fd(in, 0) : -1);
	return index;
}

int vhost_apply_vring_kick(struct vhost_control *control,
			   struct vhost_message *in,
			   struct vhost_message *reply)
{
	uint32_t index = keep_fd(in, control->fds->kick);

	control->state->ring[index].is_started = true;
	return 0;
}

int vhost_apply_vring_call(struct vhost_control *control,
			   struct vhost_message *in,
			   struct vhost_message *reply)
{
	(void)keep_fd(in, control->fds->call);
	return 0;
}

int vhost_apply_vring_err(struct vhost_control *control,
			  struct vhost_message *in, struct vhost_message *reply)
{
	(void)keep_fd(in, control->fds->err);
	return 0;
}
