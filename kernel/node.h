/* SPDX-License-Identifier: GPL-2.0-only */
/* node.h - /dev/cryptodev0..31 and /dev/crypto: open files */
#ifndef VCD_NODE_H
#define VCD_NODE_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct vcd_device;

#define VCD_NODES_MAX     32
#define VCD_NODE_NAME_MAX 24

struct vcd_node {
	struct miscdevice misc;
	struct vcd_device *device; /* borrowed; NULL: not registered */
	char name[VCD_NODE_NAME_MAX];
};

/* The nodes of a device: its number's, and /dev/crypto for one of them. */
struct vcd_nodes {
	int number;
	struct vcd_node numbered, plain;
};

/* 0; -ENOSPC: there are 32 already; or -errno. */
int vcd_nodes_create(struct vcd_nodes *nodes, struct vcd_device *device);
void vcd_nodes_destroy(struct vcd_nodes *nodes);

/*
 * An open file description: sessions, and asynchronous jobs (async.h). The
 * device knows it from its first session on.
 */
struct vcd_file {
	struct kref refs;          /* of the memory */
	struct vcd_device *device; /* counted */
	struct mutex open_lock;    /* guards file_id, generation */
	u32 file_id;               /* of `generation` */
	u64 generation;            /* 0: the device does not know it */
	struct xarray sessions;    /* by slot, see session.h */
	u32 slot_next;             /* under the array's lock */
	spinlock_t jobs_lock; /* guards jobs, job_count; taken in interrupts */
	struct list_head jobs;
	unsigned int job_count;
	wait_queue_head_t job_done;
};

struct vcd_file *vcd_file_get(struct vcd_file *f);
void vcd_file_put(struct vcd_file *f);

#endif
