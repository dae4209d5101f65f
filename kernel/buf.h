/* SPDX-License-Identifier: GPL-2.0-only */
/* buf.h - memory that a device may see: zeroed pieces of the kernel's heap */
#ifndef VCD_BUF_H
#define VCD_BUF_H

#include <linux/scatterlist.h>
#include <linux/types.h>

/* Small enough to be found in fragmented memory, large enough that a ring of
 * 256 takes 4 MiB. */
#define VCD_CHUNK_SHIFT 15
#define VCD_CHUNK_BYTES (1u << VCD_CHUNK_SHIFT)

struct vcd_buf {
	u32 bytes;
	u32 count; /* of chunks */
	void **chunks;
	void *one; /* chunks points here when there is one */
};

/* 0 or -ENOMEM. The bytes are zero. May sleep. */
int vcd_buf_init(struct vcd_buf *buf, u32 bytes);
/* Wipes; safe on a zeroed one. Does not sleep. */
void vcd_buf_deinit(struct vcd_buf *buf);

/* [at, at + bytes) must lie in the buffer. The user's side: 0 or -EFAULT. */
void vcd_buf_write(struct vcd_buf *buf, u32 at, const void *from, u32 bytes);
void vcd_buf_read(const struct vcd_buf *buf, u32 at, void *to, u32 bytes);
int vcd_buf_from_user(struct vcd_buf *buf, u32 at, const void __user *from,
		      u32 bytes);
int vcd_buf_to_user(const struct vcd_buf *buf, u32 at, void __user *to,
		    u32 bytes);

/* How many entries [at, at + bytes) takes, at most. */
static inline u32 vcd_buf_segments(u32 at, u32 bytes)
{
	return bytes ? ((at + bytes - 1) >> VCD_CHUNK_SHIFT) -
			       (at >> VCD_CHUNK_SHIFT) + 1
		     : 0;
}

/* Fill entries of a list that has been initialised; returns the next one. */
struct scatterlist *vcd_buf_map(const struct vcd_buf *buf, u32 at, u32 bytes,
				struct scatterlist *sg);

#endif
