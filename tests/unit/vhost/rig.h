/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h - a driver's and a device's end of one ring in this process */
#ifndef PVX_TESTS_VHOST_RIG_H
#define PVX_TESTS_VHOST_RIG_H

#include "frontend/frontend.h"
#include "vhost/vring.h"

#define RIG_SIZE     8u
#define RIG_BYTES    (1u << 20)
#define RIG_FEATURES (VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC)

struct rig {
	struct frontend fe;
	struct frontend_queue *q;
	struct guest_layout guest;
	struct guest_memory memory;
	struct vring_layout layout;
	struct vring ring;
	struct vring_chain chain;
};

/* A ring of `size` with these features, over two adjacent regions and one
 * behind a hole. Fails the test when that fails. */
void rig_init(struct rig *rig, uint32_t size, uint64_t features);
void rig_deinit(struct rig *rig);

/* The device attaches anew, from `base`. */
int rig_attach(struct rig *rig, uint16_t base);

/* Memory in the guest, 16-aligned. */
uint64_t rig_alloc(struct rig *rig, uint64_t bytes);

/* A request of one readable and one writable piece of `bytes`: the head. */
int rig_submit(struct rig *rig, uint32_t bytes);

/* Show what was submitted, without a kick. */
void rig_show(struct rig *rig);

/* The driver hands over head 0 as it stands in the table; what the device
 * makes of it: VRING_SOUND when it takes it. */
enum vring_fault rig_verdict(struct rig *rig);

#endif
