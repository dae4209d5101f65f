/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c - a driver's and a device's end of one ring in this process */
#include "rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

void rig_init(struct rig *rig, uint32_t size, uint64_t features)
{
	int fds[3];

	memset(rig, 0, sizeof(*rig));
	assert_int_equal(frontend_init(&rig->fe, 3 * RIG_BYTES, 3), 0);
	rig->fe.features = features;
	assert_int_equal(frontend_queue_init(&rig->fe, 0, size), 0);
	rig->q = &rig->fe.queue[0];
	for (unsigned int i = 0; i < 3; i++) {
		fds[i] = rig->fe.memory_fd;
		assert_int_equal(
			guest_layout_add(&rig->guest, &rig->fe.region[i]), 0);
	}
	assert_int_equal(guest_memory_attach(&rig->memory, &rig->guest, fds),
			 0);
	rig->layout.size = size;
	rig->layout.desc_user = frontend_user(&rig->fe, rig->q->desc_guest);
	rig->layout.avail_user = frontend_user(&rig->fe, rig->q->avail_guest);
	rig->layout.used_user = frontend_user(&rig->fe, rig->q->used_guest);
	assert_int_equal(rig_attach(rig, 0), 0);
}

int rig_attach(struct rig *rig, uint16_t base)
{
	return vring_attach(&rig->ring, &rig->layout, rig->fe.features,
			    &rig->memory, base);
}

void rig_deinit(struct rig *rig)
{
	guest_memory_detach(&rig->memory);
	frontend_deinit(&rig->fe);
}

uint64_t rig_alloc(struct rig *rig, uint64_t bytes)
{
	uint64_t at = frontend_alloc(&rig->fe, bytes, 16);

	assert_int_not_equal(at, 0);
	return at;
}

int rig_submit(struct rig *rig, uint32_t bytes)
{
	struct frontend_piece pieces[2] = {
		{ .guest_addr = rig_alloc(rig, bytes), .bytes = bytes },
		{ .guest_addr = rig_alloc(rig, bytes),
		  .bytes = bytes,
		  .is_writable = true },
	};
	int head = frontend_submit(rig->q, pieces, 2, 0);

	assert_true(head >= 0);
	return head;
}

void rig_show(struct rig *rig)
{
	__atomic_store_n(&rig->q->avail[1], rig->q->avail_idx,
			 __ATOMIC_RELEASE);
}

enum vring_fault rig_verdict(struct rig *rig)
{
	int got;

	frontend_make_available(rig->q, 0);
	rig_show(rig);
	got = vring_take(&rig->ring, &rig->chain);
	assert_int_equal(got, rig->ring.fault == VRING_SOUND ? 1 : -EPROTO);
	return rig->ring.fault;
}
