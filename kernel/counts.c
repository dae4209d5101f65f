// SPDX-License-Identifier: GPL-2.0-only
/* counts.c - what a device's queues have done, for sysfs */
#include <linux/device.h>
#include <linux/stddef.h>
#include <linux/sysfs.h>

#include "kernel/device.h"

/* Of all queues; `offset` in struct vcd_queue_counts. */
static ssize_t show_sum(struct device *dev, char *text, size_t offset)
{
	struct vcd_device *device = dev_to_virtio(dev)->priv;
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < device->queue_count; i++) {
		struct vcd_queue *q = &device->queues[i];

		spin_lock_irq(&q->lock);
		sum += *(u64 *)((u8 *)&q->counts + offset);
		spin_unlock_irq(&q->lock);
	}
	return sysfs_emit(text, "%llu\n", (unsigned long long)sum);
}

#define COUNT(field)                                                       \
	static ssize_t field##_show(struct device *dev,                    \
				    struct device_attribute *attribute,    \
				    char *text)                            \
	{                                                                  \
		return show_sum(dev, text,                                 \
				offsetof(struct vcd_queue_counts, field)); \
	}                                                                  \
	static DEVICE_ATTR_RO(field)

COUNT(requests);
COUNT(kicks);
COUNT(interrupts);
COUNT(looks);
COUNT(hits);

static struct attribute *attributes[] = {
	&dev_attr_requests.attr,   &dev_attr_kicks.attr,
	&dev_attr_interrupts.attr, &dev_attr_looks.attr,
	&dev_attr_hits.attr,       NULL,
};

static const struct attribute_group group = {
	.name = "counts",
	.attrs = attributes,
};

const struct attribute_group *vcd_counts_groups[] = { &group, NULL };
