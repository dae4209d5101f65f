/* SPDX-License-Identifier: GPL-2.0-only */
/* compat.h - what differs between the kernels that this builds for */
#ifndef VCD_COMPAT_H
#define VCD_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

static inline void
vcd_timer_init(struct hrtimer *timer,
	       enum hrtimer_restart (*on_timer)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, on_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	timer->function = on_timer;
#endif
}

/* All queues have the same callback and name. 0 or -errno. */
static inline int vcd_find_vqs(struct virtio_device *vdev, unsigned int count,
			       struct virtqueue **vqs, vq_callback_t *callback)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	struct virtqueue_info *info;
	unsigned int i;
	int error;

	info = kcalloc(count, sizeof(*info), GFP_KERNEL);
	if (!info)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		info[i].name = "requests";
		info[i].callback = callback;
	}
	error = virtio_find_vqs(vdev, count, vqs, info, NULL);
	kfree(info);
	return error;
#else
	vq_callback_t *callbacks[64];
	const char *names[64];
	unsigned int i;

	if (count > ARRAY_SIZE(names))
		return -EINVAL;
	for (i = 0; i < count; i++) {
		callbacks[i] = callback;
		names[i] = "requests";
	}
	return virtio_find_vqs(vdev, count, vqs, callbacks, names, NULL);
#endif
}

#endif
