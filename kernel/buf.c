// SPDX-License-Identifier: GPL-2.0-only
/* buf.c - memory that a device may see: zeroed pieces of the kernel's heap */
#include "kernel/buf.h"

#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static u32 chunk_bytes(const struct vcd_buf *buf, u32 index)
{
	return min_t(u32, VCD_CHUNK_BYTES,
		     buf->bytes - (index << VCD_CHUNK_SHIFT));
}

int vcd_buf_init(struct vcd_buf *buf, u32 bytes)
{
	u32 i;

	buf->bytes = bytes;
	buf->count = vcd_buf_segments(0, bytes);
	buf->chunks = &buf->one;
	if (buf->count > 1) {
		buf->chunks = kcalloc(buf->count, sizeof(*buf->chunks),
				      GFP_KERNEL_ACCOUNT);
		if (!buf->chunks)
			goto undo_all;
	}
	for (i = 0; i < buf->count; i++) {
		buf->chunks[i] =
			kzalloc(chunk_bytes(buf, i), GFP_KERNEL_ACCOUNT);
		if (!buf->chunks[i])
			goto undo_all;
	}
	return 0;

undo_all:
	vcd_buf_deinit(buf);
	return -ENOMEM;
}

void vcd_buf_deinit(struct vcd_buf *buf)
{
	u32 i;

	for (i = 0; buf->chunks && i < buf->count; i++)
		kfree_sensitive(buf->chunks[i]);
	if (buf->chunks != &buf->one)
		kfree(buf->chunks);
	memset(buf, 0, sizeof(*buf));
}

/* The bytes at `at` that lie together, at most `bytes`. */
static void *span(const struct vcd_buf *buf, u32 at, u32 bytes, u32 *together)
{
	u32 offset = at & (VCD_CHUNK_BYTES - 1);

	*together = min_t(u32, bytes, VCD_CHUNK_BYTES - offset);
	return (u8 *)buf->chunks[at >> VCD_CHUNK_SHIFT] + offset;
}

void vcd_buf_write(struct vcd_buf *buf, u32 at, const void *from, u32 bytes)
{
	u32 n;

	for (; bytes; at += n, from += n, bytes -= n) {
		void *to = span(buf, at, bytes, &n);

		memcpy(to, from, n);
	}
}

void vcd_buf_read(const struct vcd_buf *buf, u32 at, void *to, u32 bytes)
{
	u32 n;

	for (; bytes; at += n, to += n, bytes -= n) {
		const void *from = span(buf, at, bytes, &n);

		memcpy(to, from, n);
	}
}

int vcd_buf_from_user(struct vcd_buf *buf, u32 at, const void __user *from,
		      u32 bytes)
{
	u32 n;

	for (; bytes; at += n, from += n, bytes -= n) {
		void *to = span(buf, at, bytes, &n);

		if (copy_from_user(to, from, n))
			return -EFAULT;
	}
	return 0;
}

int vcd_buf_to_user(const struct vcd_buf *buf, u32 at, void __user *to,
		    u32 bytes)
{
	u32 n;

	for (; bytes; at += n, to += n, bytes -= n) {
		const void *from = span(buf, at, bytes, &n);

		if (copy_to_user(to, from, n))
			return -EFAULT;
	}
	return 0;
}

struct scatterlist *vcd_buf_map(const struct vcd_buf *buf, u32 at, u32 bytes,
				struct scatterlist *sg)
{
	u32 n;

	for (; bytes; at += n, bytes -= n) {
		void *data = span(buf, at, bytes, &n);

		sg_set_buf(sg++, data, n);
	}
	return sg;
}
