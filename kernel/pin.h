/* SPDX-License-Identifier: GPL-2.0-only */
/* pin.h - pages of a program that a device may see */
#ifndef VCD_PIN_H
#define VCD_PIN_H

#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

struct mm_struct;

struct vcd_pin {
	struct page **pages;
	u32 count;
	u32 offset; /* in the first page */
	u32 bytes;
	bool is_writable;
	struct mm_struct *payer; /* counted: whose pinned memory grew */
};

/*
 * Pin [from, from + bytes), bytes > 0. 0, -EFAULT, -ENOMEM, or -EDQUOT: the
 * program may lock no more (RLIMIT_MEMLOCK), so copy instead.
 */
int vcd_pin_init(struct vcd_pin *pin, unsigned long from, u32 bytes,
		 bool is_writable);
/* Safe on a zeroed one. May sleep. */
void vcd_pin_deinit(struct vcd_pin *pin);

static inline u32 vcd_pin_pages(unsigned long from, u32 bytes)
{
	return bytes ? ((offset_in_page(from) + (u64)bytes - 1) >> PAGE_SHIFT) +
			       1
		     : 0;
}

/* As vcd_buf_map(); takes pin->count entries at most. */
struct scatterlist *vcd_pin_map(const struct vcd_pin *pin,
				struct scatterlist *sg);

#endif
