// SPDX-License-Identifier: GPL-2.0-only
/* node.c - /dev/cryptodev0..31 and /dev/crypto: open files */
#include "kernel/node.h"

#include <linux/compat.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "kernel/async.h"
#include "kernel/device.h"
#include "kernel/op.h"
#include "kernel/session.h"

static bool plain_node = true;
module_param(plain_node, bool, 0444);
MODULE_PARM_DESC(plain_node, "offer the first device as /dev/crypto too (Y)");

static DEFINE_IDA(numbers);
static atomic_t plain_is_taken = ATOMIC_INIT(0);

static void on_free(struct kref *refs)
{
	struct vcd_file *f = container_of(refs, struct vcd_file, refs);

	vcd_device_put(f->device);
	kfree(f);
}

struct vcd_file *vcd_file_get(struct vcd_file *f)
{
	kref_get(&f->refs);
	return f;
}

void vcd_file_put(struct vcd_file *f)
{
	kref_put(&f->refs, on_free);
}

static int on_open(struct inode *inode, struct file *file)
{
	struct vcd_node *node =
		container_of(file->private_data, struct vcd_node, misc);
	struct vcd_file *f;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	kref_init(&f->refs);
	f->device = vcd_device_get(node->device);
	mutex_init(&f->open_lock);
	xa_init_flags(&f->sessions, XA_FLAGS_ALLOC);
	spin_lock_init(&f->jobs_lock);
	INIT_LIST_HEAD(&f->jobs);
	init_waitqueue_head(&f->job_done);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

static int on_release(struct inode *inode, struct file *file)
{
	struct vcd_file *f = file->private_data;

	vcd_async_discard(f);
	vcd_sessions_end(f);
	vcd_file_put(f);
	return 0;
}

static __poll_t on_poll(struct file *file, poll_table *table)
{
	struct vcd_file *f = file->private_data;

	poll_wait(file, &f->job_done, table);
	poll_wait(file, &f->device->break_wait, table);
	return vcd_async_poll(f);
}

static long on_ioctl(struct file *file, unsigned int command,
		     unsigned long argument)
{
	return vcd_ioctl(file, command, (void __user *)argument);
}

#ifdef CONFIG_COMPAT
static long on_compat_ioctl(struct file *file, unsigned int command,
			    unsigned long argument)
{
	return vcd_compat_ioctl(file, command, compat_ptr(argument));
}
#endif

/* The open mode does not matter, and there is nothing but ioctls (D1, D2). */
static const struct file_operations operations = {
	.owner = THIS_MODULE,
	.open = on_open,
	.release = on_release,
	.poll = on_poll,
	.unlocked_ioctl = on_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = on_compat_ioctl,
#endif
};

static int node_register(struct vcd_node *node, struct vcd_device *device)
{
	int error;

	node->misc.minor = MISC_DYNAMIC_MINOR;
	node->misc.name = node->name;
	node->misc.fops = &operations;
	node->misc.mode = 0666;
	node->misc.parent = &device->vdev->dev;
	node->device = device;
	error = misc_register(&node->misc);
	if (error)
		node->device = NULL;
	return error;
}

static void node_deregister(struct vcd_node *node)
{
	if (node->device)
		misc_deregister(&node->misc);
	node->device = NULL;
}

/* Looked for first: sysfs would dump its stack over a name that is taken. */
static bool is_foreign(const struct vcd_nodes *nodes, const char *name)
{
	struct device *other;

	other = class_find_device_by_name(
		nodes->numbered.misc.this_device->class, name);
	put_device(other);
	return other;
}

/* Not to get it is no failure: it may be another driver's. */
static void plain_register(struct vcd_nodes *nodes, struct vcd_device *device)
{
	if (!plain_node || atomic_cmpxchg(&plain_is_taken, 0, 1))
		return;
	strscpy(nodes->plain.name, "crypto", sizeof(nodes->plain.name));
	if (!is_foreign(nodes, nodes->plain.name) &&
	    !node_register(&nodes->plain, device))
		return;
	dev_warn_once(&device->vdev->dev,
		      "/dev/crypto belongs to another driver\n");
	atomic_set(&plain_is_taken, 0);
}

int vcd_nodes_create(struct vcd_nodes *nodes, struct vcd_device *device)
{
	int error;

	nodes->number = ida_alloc_max(&numbers, VCD_NODES_MAX - 1, GFP_KERNEL);
	if (nodes->number < 0)
		return nodes->number;
	snprintf(nodes->numbered.name, sizeof(nodes->numbered.name),
		 "cryptodev%d", nodes->number);
	error = node_register(&nodes->numbered, device);
	if (error) {
		ida_free(&numbers, nodes->number);
		return error;
	}
	plain_register(nodes, device);
	return 0;
}

void vcd_nodes_destroy(struct vcd_nodes *nodes)
{
	if (nodes->plain.device) {
		node_deregister(&nodes->plain);
		atomic_set(&plain_is_taken, 0);
	}
	node_deregister(&nodes->numbered);
	ida_free(&numbers, nodes->number);
}
