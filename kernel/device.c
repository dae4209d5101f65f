// SPDX-License-Identifier: GPL-2.0-only
/* device.c - a virtio-cryptodev device, from probe to the last open file */
#include "kernel/device.h"

#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/virtio_config.h>

#include "kernel/compat.h"

#define HELLO_TIMEOUT_MS  5000 /* vcd 4.1 */
#define DRAIN_TIMEOUT_MS  5000 /* for calls in flight at removal */
#define TIMEOUT_LEAST_MS  100u
#define TIMEOUT_MOST_MS   3600000u
#define WATCHES_A_TIMEOUT 8
#define WATCH_MOST_MS     2500u /* till a lower timeout_ms holds */

static unsigned int timeout_ms = 20000;
module_param(timeout_ms, uint, 0644);
MODULE_PARM_DESC(timeout_ms,
		 "how long a queue may go without any completion (20000)");

static unsigned long timeout_jiffies(void)
{
	return msecs_to_jiffies(clamp_t(unsigned int, READ_ONCE(timeout_ms),
					TIMEOUT_LEAST_MS, TIMEOUT_MOST_MS));
}

static void on_free(struct kref *refs)
{
	struct vcd_device *device = container_of(refs, struct vcd_device, refs);

	kfree(device->queues);
	kfree(device);
}

struct vcd_device *vcd_device_get(struct vcd_device *device)
{
	kref_get(&device->refs);
	return device;
}

void vcd_device_put(struct vcd_device *device)
{
	kref_put(&device->refs, on_free);
}

struct vcd_queue *vcd_device_queue(struct vcd_device *device)
{
	return &device->queues[raw_smp_processor_id() % device->queue_count];
}

void vcd_device_watch(struct vcd_device *device)
{
	unsigned long delay = min(timeout_jiffies() / WATCHES_A_TIMEOUT,
				  msecs_to_jiffies(WATCH_MOST_MS));

	queue_delayed_work(system_wq, &device->watchdog, delay + 1);
}

void vcd_device_break(struct vcd_device *device, int error, int later)
{
	unsigned int i;

	for (i = 0; i < device->queue_count; i++)
		vcd_queue_break(&device->queues[i], error, later);
	wake_up_poll(&device->break_wait, EPOLLERR | EPOLLHUP);
}

void vcd_device_expired(struct vcd_device *device, u64 generation)
{
	struct vcd_queue *first = &device->queues[0];

	/* Under the lock: not after the break that ends the work. */
	spin_lock_irq(&first->lock);
	if (!first->error && READ_ONCE(device->generation) == generation)
		queue_work(system_long_wq, &device->hello_work);
	spin_unlock_irq(&first->lock);
}

/* The device lost its state: begin again, once for each loss. */
static void on_hello_work(struct work_struct *work)
{
	struct vcd_device *device =
		container_of(work, struct vcd_device, hello_work);
	int error;

	mutex_lock(&device->hello_lock);
	WRITE_ONCE(device->generation, 0);
	error = vcd_hello(device, HELLO_TIMEOUT_MS);
	mutex_unlock(&device->hello_lock);
	/* Who stopped it meanwhile has said so, where there is anything. */
	if (!error || READ_ONCE(device->queues[0].error))
		return;
	dev_err(&device->vdev->dev, "no answer to HELLO: %d\n", error);
	vcd_device_break(device, -EIO, -EIO);
}

/* vcd 5.15: ask whether the queue is served. Nobody waits for the answer. */
static void ping(struct vcd_device *device, struct vcd_queue *q)
{
	struct vcd_call *call;

	call = vcd_call_create(sizeof(struct vcd_request),
			       sizeof(struct vcd_reply));
	if (!call)
		return;
	vcd_call_begin(call, VCD_OP_PING, READ_ONCE(device->generation), 0, 0,
		       NULL, 0);
	(void)vcd_queue_try_submit(q, call);
	vcd_call_put(call);
}

static void give_up(struct vcd_device *device, struct vcd_queue *q,
		    const char *why, int error)
{
	dev_err(&device->vdev->dev, "queue %u %s: device given up\n", q->index,
		why);
	device->is_given_up = true;
	vcd_device_break(device, error, -EIO);
}

/* Whether it must be looked at again. */
static bool watch(struct vcd_device *device, struct vcd_queue *q)
{
	switch (vcd_queue_check(q, timeout_jiffies())) {
	case VCD_QUEUE_IDLE:
		return false;
	case VCD_QUEUE_BUSY:
		return true;
	case VCD_QUEUE_SLOW:
		ping(device, q);
		return true;
	case VCD_QUEUE_STUCK:
		give_up(device, q, "does not answer", -ETIMEDOUT);
		return false;
	case VCD_QUEUE_BROKEN:
		give_up(device, q, "is broken", -EIO);
		return false;
	}
	return false;
}

static void on_watchdog(struct work_struct *work)
{
	struct vcd_device *device = container_of(to_delayed_work(work),
						 struct vcd_device, watchdog);
	bool again = false;
	unsigned int i;

	for (i = 0; i < device->queue_count; i++)
		again |= watch(device, &device->queues[i]);
	if (again)
		vcd_device_watch(device);
}

static void on_used(struct virtqueue *vq)
{
	struct vcd_device *device = vq->vdev->priv;

	vcd_queue_interrupt(&device->queues[vq->index]);
}

static struct vcd_device *hardware_create(struct virtio_device *vdev,
					  unsigned int queue_count)
{
	struct vcd_device *device;
	unsigned int i;

	device = kzalloc(sizeof(*device), GFP_KERNEL);
	if (!device)
		return NULL;
	device->queues =
		kcalloc(queue_count, sizeof(*device->queues), GFP_KERNEL);
	if (!device->queues) {
		kfree(device);
		return NULL;
	}
	kref_init(&device->refs);
	device->vdev = vdev;
	device->queue_count = queue_count;
	mutex_init(&device->hello_lock);
	init_waitqueue_head(&device->break_wait);
	INIT_WORK(&device->hello_work, on_hello_work);
	INIT_DELAYED_WORK(&device->watchdog, on_watchdog);
	for (i = 0; i < queue_count; i++)
		vcd_queue_init(&device->queues[i], device, i);
	return device;
}

/* Rings, and HELLO on them. The transport may have fewer queues than the
 * device: take half until it agrees (vcd 2.4). */
static int rings_start(struct vcd_device *device)
{
	struct virtqueue **vqs;
	unsigned int i, count;
	int error = -ENOMEM;

	vqs = kcalloc(device->queue_count, sizeof(*vqs), GFP_KERNEL);
	if (!vqs)
		return error;
	for (count = device->queue_count; count; count /= 2) {
		error = vcd_find_vqs(device->vdev, count, vqs, on_used);
		if (!error)
			break;
	}
	if (error)
		goto out;
	device->queue_count = count;
	device->has_rings = true;
	device->is_given_up = false;
	virtio_device_ready(device->vdev);
	/* Not earlier: nothing may be handed over before. */
	for (i = 0; i < count; i++)
		vcd_queue_start(&device->queues[i], vqs[i]);
	device->segments = device->queues[0].ring_entries;
	mutex_lock(&device->hello_lock);
	error = vcd_hello(device, HELLO_TIMEOUT_MS);
	mutex_unlock(&device->hello_lock);
	/* It had its time. */
	device->is_given_up = error == -ETIMEDOUT;
	if (error)
		vcd_device_break(device, -EIO, -EIO);
out:
	kfree(vqs);
	return error;
}

/* All queues have the same time; a device that was given up has had its. */
static void rings_drain(struct vcd_device *device)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(DRAIN_TIMEOUT_MS);
	unsigned int i;

	if (device->is_given_up)
		return;
	for (i = 0; i < device->queue_count; i++)
		if (!vcd_queue_wait_idle(&device->queues[i], deadline))
			dev_warn(&device->vdev->dev, "queue %u is not idle\n",
				 i);
}

/*
 * End all that is in flight, with `error`, and the rings. A reset does not
 * reach every device (vcd 10.2), so what the device could still write is freed
 * only when the rings are gone; until then it gets time to finish.
 */
static void rings_stop(struct vcd_device *device, int error)
{
	struct virtio_device *vdev = device->vdev;
	unsigned int i;

	vcd_device_break(device, error, error);
	cancel_work_sync(&device->hello_work);
	cancel_delayed_work_sync(&device->watchdog);
	WRITE_ONCE(device->generation, 0);
	if (!device->has_rings)
		return;
	device->has_rings = false;
	rings_drain(device);
	virtio_reset_device(vdev);
	for (i = 0; i < device->queue_count; i++)
		vcd_queue_detach(&device->queues[i]);
	vdev->config->del_vqs(vdev);
	for (i = 0; i < device->queue_count; i++)
		vcd_queue_deinit(&device->queues[i]);
}

static int on_probe(struct virtio_device *vdev)
{
	struct vcd_device *device;
	struct vcd_config config;
	int error;

	error = vcd_config_check(vdev, &config);
	if (error)
		return error;
	device = hardware_create(vdev, min_t(u32, le32_to_cpu(config.queues),
					     num_online_cpus()));
	if (!device)
		return -ENOMEM;
	vdev->priv = device;
	error = rings_start(device);
	if (error) {
		/* Perhaps it is something else after all: no noise. */
		if (error != -ENOMEM)
			error = -ENODEV;
		goto undo_start;
	}
	error = vcd_nodes_create(&device->nodes, device);
	if (error) {
		dev_err(&vdev->dev, "no node for it: %d\n", error);
		goto undo_start;
	}
	return 0;

undo_start:
	rings_stop(device, -ENODEV);
	vcd_device_put(device);
	return error;
}

static void on_remove(struct virtio_device *vdev)
{
	struct vcd_device *device = vdev->priv;

	/* First of all, so that nobody holds up the rest. */
	vcd_device_break(device, -ENODEV, -ENODEV);
	vcd_nodes_destroy(&device->nodes);
	rings_stop(device, -ENODEV);
	vcd_device_put(device);
}

#ifdef CONFIG_PM_SLEEP
/* Sessions do not survive: the next HELLO ends them. */
static int on_freeze(struct virtio_device *vdev)
{
	rings_stop(vdev->priv, -EIO);
	return 0;
}

static int on_restore(struct virtio_device *vdev)
{
	return rings_start(vdev->priv);
}
#endif

static unsigned int virtio_id = VCD_VIRTIO_ID;
module_param(virtio_id, uint, 0444);
MODULE_PARM_DESC(virtio_id, "of the device (30)");

/* The first entry follows virtio_id. */
static struct virtio_device_id id_table[] = {
	{ VCD_VIRTIO_ID, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, id_table);

static struct virtio_driver driver = {
	.driver.name = "virtio_cryptodev",
	.driver.owner = THIS_MODULE,
	.driver.dev_groups = vcd_counts_groups,
	.id_table = id_table,
	.probe = on_probe,
	.remove = on_remove,
#ifdef CONFIG_PM_SLEEP
	.freeze = on_freeze,
	.restore = on_restore,
#endif
};

int vcd_device_register(void)
{
	id_table[0].device = virtio_id;
	return register_virtio_driver(&driver);
}

void vcd_device_unregister(void)
{
	unregister_virtio_driver(&driver);
}
