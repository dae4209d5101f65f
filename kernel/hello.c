// SPDX-License-Identifier: GPL-2.0-only
/* hello.c - recognise the device, and start to use it (vcd 2.3, 4.1) */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include "kernel/device.h"

static bool is_ours(const struct vcd_config *config)
{
	return le32_to_cpu(config->magic) == VCD_MAGIC &&
	       le16_to_cpu(config->version_min) <= VCD_VERSION &&
	       le16_to_cpu(config->version_max) >= VCD_VERSION;
}

/* vcd 3.3 */
static bool is_sane(const struct vcd_config *config)
{
	u32 queues = le32_to_cpu(config->queues);

	return queues >= 1 && queues <= VCD_MAX_QUEUES &&
	       le32_to_cpu(config->config_bytes) >= sizeof(*config) &&
	       le32_to_cpu(config->max_files) >= 1 &&
	       le32_to_cpu(config->max_sessions) >= 1 &&
	       le32_to_cpu(config->max_request_bytes) >= 4096 &&
	       le32_to_cpu(config->max_aad_bytes) >= 1 &&
	       le32_to_cpu(config->max_segments) >= 1;
}

int vcd_config_check(struct virtio_device *vdev, struct vcd_config *config)
{
	u32 magic, queues;
	u16 lowest, highest;

	memset(config, 0, sizeof(*config));
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1) || !vdev->config->get)
		return -ENODEV;
	virtio_cread_le(vdev, struct vcd_config, magic, &magic);
	if (magic != VCD_MAGIC)
		return -ENODEV;
	virtio_cread_le(vdev, struct vcd_config, version_min, &lowest);
	virtio_cread_le(vdev, struct vcd_config, version_max, &highest);
	virtio_cread_le(vdev, struct vcd_config, queues, &queues);
	config->magic = cpu_to_le32(magic);
	config->version_min = cpu_to_le16(lowest);
	config->version_max = cpu_to_le16(highest);
	config->queues = cpu_to_le32(queues);
	return is_ours(config) && queues >= 1 && queues <= VCD_MAX_QUEUES
		       ? 0
		       : -ENODEV;
}

/* Believe nothing of it before all of it makes sense. */
static int take_answer(struct vcd_device *device, const struct vcd_call *call)
{
	struct vcd_hello_reply answer;
	struct vcd_reply reply;
	u32 segments;
	unsigned int i;
	int error;

	error = vcd_call_result(call, &reply);
	if (error)
		return error == -ESTALE ? -EIO : error;
	vcd_buf_read(&call->out, 0, &answer, sizeof(answer));
	if (le32_to_cpu(reply.value) != VCD_VERSION || !answer.generation ||
	    !is_ours(&answer.config) || !is_sane(&answer.config))
		return -EPROTO;
	segments = min_t(u32, device->queues[0].ring_entries,
			 le32_to_cpu(answer.config.max_segments));
	if (segments < VCD_SEGMENTS_MIN)
		return -EPROTO;
	/* Operations of sessions that are lost by now may still look. */
	WRITE_ONCE(device->segments, segments);
	WRITE_ONCE(device->request_bytes,
		   min_t(u32, le32_to_cpu(answer.config.max_request_bytes),
			 VCD_REQUEST_BYTES_MAX));
	for (i = 0; i < ARRAY_SIZE(answer.ciphers); i++) {
		device->ciphers[i] = le64_to_cpu(answer.ciphers[i]);
		device->macs[i] = le64_to_cpu(answer.macs[i]);
	}
	WRITE_ONCE(device->generation, le64_to_cpu(answer.generation));
	return 0;
}

int vcd_hello(struct vcd_device *device, unsigned int timeout_ms)
{
	const struct vcd_hello hello = {
		.magic = cpu_to_le32(VCD_MAGIC),
		.version_min = cpu_to_le16(VCD_VERSION),
		.version_max = cpu_to_le16(VCD_VERSION),
	};
	struct vcd_call *call;
	int error;

	call = vcd_call_create(sizeof(struct vcd_request) + sizeof(hello),
			       sizeof(struct vcd_hello_reply));
	if (!call)
		return -ENOMEM;
	vcd_call_begin(call, VCD_OP_HELLO, 0, 0, 0, &hello, sizeof(hello));
	error = vcd_queue_submit(&device->queues[0], call);
	if (error)
		goto out;
	error = -ETIMEDOUT;
	if (wait_for_completion_timeout(&call->done,
					msecs_to_jiffies(timeout_ms)))
		error = take_answer(device, call);
out:
	vcd_call_put(call);
	return error;
}
