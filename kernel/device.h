/* SPDX-License-Identifier: GPL-2.0-only */
/* device.h - a virtio-cryptodev device, from probe to the last open file */
#ifndef VCD_DEVICE_H
#define VCD_DEVICE_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "abi/virtio_cryptodev.h"
#include "kernel/node.h"
#include "kernel/queue.h"

/* A chain takes two descriptors for a copied request, and room to grow. */
#define VCD_SEGMENTS_MIN 16

/* Payload of a request, whatever the device offers: no sum with it wraps. */
#define VCD_REQUEST_BYTES_MAX (64u << 20)

/*
 * How it works: probe makes a device with all of its queues, starts it (HELLO)
 * and only then offers its nodes. Open files keep the structure, not the
 * hardware: after remove every queue answers ENODEV, and the last close frees
 * the rest.
 *
 * A request that takes longer than timeout_ms breaks the device: who waits
 * gets ETIMEDOUT, who comes later EIO. When the device has lost its state
 * (EXPIRED), HELLO is sent again and sessions of the older generation answer
 * EIO (vcd 4.5).
 */
struct vcd_device {
	struct kref refs;
	struct virtio_device *vdev; /* not to be used after remove */
	struct vcd_queue *queues;
	unsigned int queue_count;
	/* From the last HELLO; written before `generation`. */
	u32 segments;      /* of a chain, at most */
	u32 request_bytes; /* payload of a request, at most */
	u64 ciphers[2], macs[2];
	u64 generation;          /* 0: none, READ_ONCE() */
	struct mutex hello_lock; /* one HELLO at a time */
	struct work_struct hello_work;
	struct delayed_work watchdog;
	bool has_rings;
	bool is_given_up; /* by the watchdog; read when that has ended */
	wait_queue_head_t break_wait; /* pollers: of all its files */
	struct vcd_nodes nodes;
};

struct vcd_device *vcd_device_get(struct vcd_device *device);
void vcd_device_put(struct vcd_device *device);

/* The queue for a session that is made by this CPU. */
struct vcd_queue *vcd_device_queue(struct vcd_device *device);

static inline u32 vcd_device_segments(const struct vcd_device *device)
{
	return READ_ONCE(device->segments);
}

static inline u32 vcd_device_request_bytes(const struct vcd_device *device)
{
	return READ_ONCE(device->request_bytes);
}

/* See that calls in flight end in time. */
void vcd_device_watch(struct vcd_device *device);

/* The device answered EXPIRED to a request of this generation. */
void vcd_device_expired(struct vcd_device *device, u64 generation);

/* All queues: see vcd_queue_break(). */
void vcd_device_break(struct vcd_device *device, int error, int later);

int vcd_device_register(void);
void vcd_device_unregister(void);

/* counts.c: what its queues have done, in its folder of sysfs. */
extern const struct attribute_group *vcd_counts_groups[];

/* hello.c: start to use the device, vcd 4.1. 0 or -errno. */
int vcd_hello(struct vcd_device *device, unsigned int timeout_ms);
/* 0, or -ENODEV: not a device of ours (vcd 2.3). */
int vcd_config_check(struct virtio_device *vdev, struct vcd_config *config);

#endif
