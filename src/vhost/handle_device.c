/* SPDX-License-Identifier: Apache-2.0 */
/* handle_device.c - messages about the device as a whole */
#include "vhost/handlers.h"

#include <errno.h>
#include <string.h>

#include "vhost/event.h"

int vhost_apply_get_features(struct vhost_control *control,
			     struct vhost_message *in,
			     struct vhost_message *reply)
{
	reply->payload.u64 = control->device->features;
	return 0;
}

int vhost_check_set_features(const struct vhost_control *control,
			     const struct vhost_message *in, uint64_t *stop)
{
	if (in->payload.u64 & ~control->device->features)
		return -EINVAL;
	/* EVENT_IDX and INDIRECT are looked at when a ring is attached. */
	if (in->payload.u64 != control->state->features)
		*stop = UINT64_MAX;
	return 0;
}

int vhost_apply_set_features(struct vhost_control *control,
			     struct vhost_message *in,
			     struct vhost_message *reply)
{
	control->state->features = in->payload.u64;
	/* Without protocol features there is no ENABLE: rings start enabled. */
	if (!(in->payload.u64 & VHOST_F_PROTOCOL_FEATURES))
		for (unsigned int i = 0; i < control->device->queues; i++)
			control->state->ring[i].is_enabled = true;
	return 0;
}

int vhost_apply_get_protocol_features(struct vhost_control *control,
				      struct vhost_message *in,
				      struct vhost_message *reply)
{
	reply->payload.u64 = control->device->protocol_features;
	return 0;
}

int vhost_check_set_protocol_features(const struct vhost_control *control,
				      const struct vhost_message *in,
				      uint64_t *stop)
{
	return in->payload.u64 & ~control->device->protocol_features ? -EINVAL
								     : 0;
}

int vhost_apply_set_protocol_features(struct vhost_control *control,
				      struct vhost_message *in,
				      struct vhost_message *reply)
{
	control->state->protocol_features = in->payload.u64;
	return 0;
}

/* RESET_OWNER (deprecated). */
int vhost_apply_nothing(struct vhost_control *control, struct vhost_message *in,
			struct vhost_message *reply)
{
	return 0;
}

int vhost_apply_get_queue_num(struct vhost_control *control,
			      struct vhost_message *in,
			      struct vhost_message *reply)
{
	reply->payload.u64 = control->device->queues;
	return 0;
}

int vhost_apply_set_backend_req_fd(struct vhost_control *control,
				   struct vhost_message *in,
				   struct vhost_message *reply)
{
	if (!vhost_event_is_socket(in->fds[0]))
		return -EINVAL;
	vhost_fd_replace(&control->fds->backend_req,
			 vhost_message_take_fd(in, 0));
	return 0;
}

/* The answer is as long as the question; what lies behind our space is zeros:
 * QEMU asks for all that its command line says, and cloud-hypervisor, which
 * dies of a refusal, for whatever the guest reads. */
int vhost_apply_get_config(struct vhost_control *control,
			   struct vhost_message *in,
			   struct vhost_message *reply)
{
	const struct vhost_config_access *asked = &in->payload.config;
	uint64_t end = (uint64_t)asked->offset + asked->bytes;
	uint32_t have = control->device->config_bytes;

	reply->payload.config.offset = asked->offset;
	reply->payload.config.flags = asked->flags;
	/* Size 0 is how an error is told, and the header alone its payload. */
	reply->header.payload_bytes = VHOST_CONFIG_HEAD_BYTES;
	if (asked->bytes == 0 || asked->bytes > VHOST_CONFIG_BYTES_MAX)
		return 0;
	reply->payload.config.bytes = asked->bytes;
	reply->header.payload_bytes += asked->bytes;
	if (asked->offset < have)
		control->device->get_config(
			control->owner, reply->payload.config.data,
			asked->offset,
			end < have ? asked->bytes : have - asked->offset);
	return 0;
}

/* Every field is read-only (vcd 3.1): nothing changes. Not refused, since it is
 * the guest that writes, and cloud-hypervisor dies of a refusal. */
int vhost_apply_set_config(struct vhost_control *control,
			   struct vhost_message *in,
			   struct vhost_message *reply)
{
	return 0;
}

int vhost_check_stop_all(const struct vhost_control *control,
			 const struct vhost_message *in, uint64_t *stop)
{
	*stop = UINT64_MAX;
	return 0;
}

int vhost_apply_reset_device(struct vhost_control *control,
			     struct vhost_message *in,
			     struct vhost_message *reply)
{
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++) {
		struct vhost_ring_state *ring = &control->state->ring[i];

		memset(ring, 0, sizeof(*ring));
		ring->is_enabled =
			!(control->state->features & VHOST_F_PROTOCOL_FEATURES);
		vhost_fd_replace(&control->fds->kick[i], -1);
	}
	control->device->reset(control->owner);
	return 0;
}

/* A session begins: also on a connection that had one before, as QEMU does it
 * when a device is plugged in again. It counts on nothing that it did not say,
 * and shares all memory anew. */
int vhost_apply_set_owner(struct vhost_control *control,
			  struct vhost_message *in, struct vhost_message *reply)
{
	int error;

	vhost_memory_forget(control);
	error = vhost_apply_reset_device(control, in, reply);
	/* Rings start disabled, until SET_FEATURES leaves out the protocol's
	 * (before that nobody knows). */
	control->state->features = 0;
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++)
		control->state->ring[i].is_enabled = false;
	return error;
}
