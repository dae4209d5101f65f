/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - whether a state is one that this code could have left */
#include <errno.h>

#include "vhost/handlers.h"

/* What lies there may be no value of the type, and must not be read as one. */
static bool is_bool(const bool *flag)
{
	return *(const uint8_t *)flag <= 1;
}

/* A descriptor for each region, and no other, which nobody would close. */
static int memory_check(const struct guest_layout *memory, const int *fds)
{
	struct guest_layout again = { .count = 0 };
	int error = memory->count > GUEST_REGIONS_MAX ? -EINVAL : 0;

	for (uint32_t i = 0; !error && i < memory->count; i++)
		error = guest_layout_add(&again, &memory->region[i]);
	for (uint32_t i = 0; !error && i < GUEST_REGIONS_MAX; i++)
		if ((i < memory->count) != (fds[i] >= 0))
			error = -EINVAL;
	return error;
}

static int ring_check(const struct vhost_ring_state *ring,
		      const struct guest_layout *memory, bool exists)
{
	if (!is_bool(&ring->has_addresses) || !is_bool(&ring->is_started) ||
	    !is_bool(&ring->is_enabled) || !is_bool(&ring->is_running))
		return -EINVAL;
	if (!ring->is_running)
		return 0;
	return exists ? vring_layout_check(&ring->layout, memory) : -EINVAL;
}

static int step_check(const struct vhost_step *step)
{
	return step->phase > VHOST_PHASE_WRITTEN ||
			       !is_bool(&step->has_answer) ||
			       step->answer.header.payload_bytes >
				       VHOST_PAYLOAD_MAX
		       ? -EINVAL
		       : 0;
}

int vhost_state_check(const struct vhost_state *state,
		      const struct vhost_fds *fds,
		      const struct vhost_device *device)
{
	int error = memory_check(&state->memory, fds->memory);

	if (state->features & ~device->features ||
	    state->protocol_features & ~device->protocol_features)
		error = -EINVAL;
	for (unsigned int i = 0; !error && i < VHOST_QUEUES_MAX; i++)
		error = ring_check(&state->ring[i], &state->memory,
				   i < device->queues);
	return error ? error : step_check(&state->step);
}
