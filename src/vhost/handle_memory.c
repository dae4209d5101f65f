/* SPDX-License-Identifier: Apache-2.0 */
/* handle_memory.c - messages about guest memory and inflight files */
#include "vhost/handlers.h"

#include <errno.h>
#include <string.h>

/* Whether the table is one: as many descriptors as regions, all of them whole
 * and apart from each other. None at all is what a guest without shared memory
 * looks like. */
int vhost_check_mem_table(const struct vhost_control *control,
			  const struct vhost_message *in, uint64_t *stop)
{
	const struct vhost_mem_table *table = &in->payload.mem_table;
	struct guest_layout layout = { .count = 0 };

	if (table->count == 0 || table->count > VHOST_TABLE_REGIONS ||
	    table->count != in->fd_count ||
	    in->header.payload_bytes <
		    8 + table->count * sizeof(struct vhost_region))
		return -EINVAL;
	for (uint32_t i = 0; i < table->count; i++) {
		int error = guest_layout_add(&layout, &table->region[i]);

		if (!error)
			error = guest_file_check(in->fds[i], &table->region[i]);
		if (error)
			return error;
	}
	*stop = UINT64_MAX;
	return 0;
}

static void layout_clear(struct vhost_control *control)
{
	for (uint32_t i = 0; i < control->state->memory.count; i++)
		vhost_fd_replace(&control->fds->memory[i], -1);
	memset(&control->state->memory, 0, sizeof(control->state->memory));
}

int vhost_apply_mem_table(struct vhost_control *control,
			  struct vhost_message *in, struct vhost_message *reply)
{
	const struct vhost_mem_table *table = &in->payload.mem_table;
	struct guest_layout *layout = &control->state->memory;
	int error;

	layout_clear(control);
	for (uint32_t i = 0; i < table->count; i++) {
		error = guest_layout_add(layout, &table->region[i]);
		if (error)
			break;
		control->fds->memory[i] = vhost_message_take_fd(in, i);
	}
	error = control->device->remap(control->owner);
	if (error) {
		layout_clear(control);
		(void)control->device->remap(control->owner);
	}
	return error;
}

int vhost_apply_get_max_mem_slots(struct vhost_control *control,
				  struct vhost_message *in,
				  struct vhost_message *reply)
{
	reply->payload.u64 = GUEST_REGIONS_MAX;
	return 0;
}

int vhost_check_add_mem_reg(const struct vhost_control *control,
			    const struct vhost_message *in, uint64_t *stop)
{
	const struct vhost_region *region = &in->payload.mem_slot.region;
	struct guest_layout layout = control->state->memory;
	int error = guest_layout_add(&layout, region);

	if (error)
		return error;
	*stop = UINT64_MAX;
	return guest_file_check(in->fds[0], region);
}

static void slot_remove(struct vhost_control *control, unsigned int index)
{
	int *fds = control->fds->memory;

	vhost_fd_replace(&fds[index], -1);
	guest_layout_remove(&control->state->memory, index);
	memmove(&fds[index], &fds[index + 1],
		(control->state->memory.count - index) * sizeof(fds[0]));
	fds[control->state->memory.count] = -1;
}

int vhost_apply_add_mem_reg(struct vhost_control *control,
			    struct vhost_message *in,
			    struct vhost_message *reply)
{
	struct guest_layout *layout = &control->state->memory;
	int error = guest_layout_add(layout, &in->payload.mem_slot.region);

	if (error)
		return error;
	control->fds->memory[layout->count - 1] = vhost_message_take_fd(in, 0);
	error = control->device->remap(control->owner);
	if (error) {
		slot_remove(control, layout->count - 1);
		(void)control->device->remap(control->owner);
	}
	return error;
}

int vhost_check_rem_mem_reg(const struct vhost_control *control,
			    const struct vhost_message *in, uint64_t *stop)
{
	int index = guest_layout_find(&control->state->memory,
				      &in->payload.mem_slot.region);

	*stop = UINT64_MAX;
	return index < 0 ? index : 0;
}

int vhost_apply_rem_mem_reg(struct vhost_control *control,
			    struct vhost_message *in,
			    struct vhost_message *reply)
{
	int index = guest_layout_find(&control->state->memory,
				      &in->payload.mem_slot.region);

	if (index < 0)
		return index;
	slot_remove(control, (unsigned int)index);
	return control->device->remap(control->owner);
}

int vhost_check_get_inflight_fd(const struct vhost_control *control,
				const struct vhost_message *in, uint64_t *stop)
{
	const struct vhost_inflight_area *asked = &in->payload.inflight;

	if (asked->queues == 0 || asked->queues > control->device->queues ||
	    asked->ring_size == 0 || asked->ring_size > VRING_SIZE_MAX)
		return -EINVAL;
	return 0;
}

int vhost_apply_get_inflight_fd(struct vhost_control *control,
				struct vhost_message *in,
				struct vhost_message *reply)
{
	const struct vhost_inflight_area *asked = &in->payload.inflight;
	int fd = inflight_create(asked->queues, asked->ring_size);

	if (fd < 0)
		return fd;
	reply->header.payload_bytes = in->header.payload_bytes;
	reply->payload.inflight.bytes =
		inflight_bytes(asked->queues, asked->ring_size);
	reply->payload.inflight.queues = asked->queues;
	reply->payload.inflight.ring_size = asked->ring_size;
	reply->fds[0] = fd;
	reply->fd_count = 1;
	return 0;
}

int vhost_check_set_inflight_fd(const struct vhost_control *control,
				const struct vhost_message *in, uint64_t *stop)
{
	const struct vhost_inflight_area *area = &in->payload.inflight;

	if (area->ring_size > VRING_SIZE_MAX || area->queues > VHOST_QUEUES_MAX)
		return -EINVAL;
	*stop = UINT64_MAX;
	return inflight_file_check(in->fds[0], area);
}

int vhost_apply_set_inflight_fd(struct vhost_control *control,
				struct vhost_message *in,
				struct vhost_message *reply)
{
	int error;

	control->state->inflight = in->payload.inflight;
	vhost_fd_replace(&control->fds->inflight, vhost_message_take_fd(in, 0));
	error = control->device->remap(control->owner);
	if (error) {
		memset(&control->state->inflight, 0,
		       sizeof(control->state->inflight));
		vhost_fd_replace(&control->fds->inflight, -1);
		(void)control->device->remap(control->owner);
	}
	return error;
}

void vhost_memory_forget(struct vhost_control *control)
{
	layout_clear(control);
	memset(&control->state->inflight, 0, sizeof(control->state->inflight));
	vhost_fd_replace(&control->fds->inflight, -1);
	/* Nothing to map, so nothing that could fail. */
	(void)control->device->remap(control->owner);
}
