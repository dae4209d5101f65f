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
 * Pin [from, from + bytes), bytes > 0; gup_flags: FOLL_WRITE when the device
 * writes, FOLL_LONGTERM when the program decides how long it takes. 0; -ENOMEM;
 * or copy instead: -EFAULT: there are no pages that can be pinned, -EDQUOT: the
 * program may lock no more (RLIMIT_MEMLOCK).
 */
int vcd_pin_init(struct vcd_pin *pin, unsigned long from, u32 bytes,
		 unsigned int gup_flags);
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
