/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h - what the table of messages calls; private to vhost/ */
#ifndef PVX_VHOST_HANDLERS_H
#define PVX_VHOST_HANDLERS_H

#include "vhost/control.h"

/*
 * A message is handled in two steps. check() judges it without changing
 * anything, and says which rings must stand still first: 0 or -errno. apply()
 * then acts, when they do: 0 or -errno; it writes the answer, where there is
 * one, into `reply`, whose header says how long a payload is expected. To keep
 * a descriptor it replaces it by -1 in the message.
 */
typedef int vhost_check(const struct vhost_control *control,
			const struct vhost_message *in, uint64_t *stop);
typedef int vhost_apply(struct vhost_control *control, struct vhost_message *in,
			struct vhost_message *reply);

/* state.c: whether a state that another process left may be gone on from, since
 * nothing in it is out of range for this device, and `fds` belong to it. 0 or
 * -EINVAL, -EFAULT. */
int vhost_state_check(const struct vhost_state *state,
		      const struct vhost_fds *fds,
		      const struct vhost_device *device);

/* handle_device.c */
vhost_apply vhost_apply_get_features;
vhost_check vhost_check_set_features;
vhost_apply vhost_apply_set_features;
vhost_apply vhost_apply_get_protocol_features;
vhost_check vhost_check_set_protocol_features;
vhost_apply vhost_apply_set_protocol_features;
vhost_apply vhost_apply_nothing;
vhost_apply vhost_apply_get_queue_num;
vhost_apply vhost_apply_set_backend_req_fd;
vhost_apply vhost_apply_get_config;
vhost_apply vhost_apply_set_config;
vhost_check vhost_check_stop_all;
vhost_apply vhost_apply_reset_device;
vhost_apply vhost_apply_set_owner;

/* handle_memory.c */
vhost_check vhost_check_mem_table;
vhost_apply vhost_apply_mem_table;
vhost_apply vhost_apply_get_max_mem_slots;
vhost_check vhost_check_add_mem_reg;
vhost_apply vhost_apply_add_mem_reg;
vhost_check vhost_check_rem_mem_reg;
vhost_apply vhost_apply_rem_mem_reg;
vhost_check vhost_check_get_inflight_fd;
vhost_apply vhost_apply_get_inflight_fd;
vhost_check vhost_check_set_inflight_fd;
vhost_apply vhost_apply_set_inflight_fd;

/* handle_ring.c */
vhost_check vhost_check_vring_num;
vhost_apply vhost_apply_vring_num;
vhost_check vhost_check_vring_addr;
vhost_apply vhost_apply_vring_addr;
vhost_check vhost_check_vring_base;
vhost_apply vhost_apply_vring_base;
vhost_check vhost_check_get_vring_base;
vhost_apply vhost_apply_get_vring_base;
vhost_check vhost_check_vring_enable;
vhost_apply vhost_apply_vring_enable;
vhost_check vhost_check_vring_fd;
vhost_apply vhost_apply_vring_kick;
vhost_apply vhost_apply_vring_call;
vhost_apply vhost_apply_vring_err;

/* Give guest memory and the inflight file back; no ring runs. */
void vhost_memory_forget(struct vhost_control *control);

/* control.c: put the state where a successor finds it; tell a test. */
void vhost_commit(struct vhost_control *control);
void vhost_moment(const struct vhost_control *control,
		  enum vhost_moment moment);

/*
 * answer.c: take the message out of the socket and send what is in state->step,
 * each once, whichever process began it. 0 or -errno.
 */
int vhost_step_finish(struct vhost_control *control);

/* Close *slot and put `fd` there. */
void vhost_fd_replace(int *slot, int fd);

/* Take descriptor `index` out of a message. */
int vhost_message_take_fd(struct vhost_message *in, unsigned int index);

#endif
