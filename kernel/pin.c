// SPDX-License-Identifier: GPL-2.0-only
/* pin.c - pages of a program that a device may see */
#include "kernel/pin.h"

#include <linux/atomic.h>
#include <linux/capability.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

/* Charge the pages to the address space, as InfiniBand does with its pins. */
static int charge(struct vcd_pin *pin, u32 pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	struct mm_struct *payer = current->mm;

	if ((unsigned long)atomic64_add_return(pages, &payer->pinned_vm) >
		    limit &&
	    !capable(CAP_IPC_LOCK)) {
		atomic64_sub(pages, &payer->pinned_vm);
		return -EDQUOT;
	}
	mmgrab(payer);
	pin->payer = payer;
	return 0;
}

static void uncharge(struct vcd_pin *pin, u32 pages)
{
	atomic64_sub(pages, &pin->payer->pinned_vm);
	mmdrop(pin->payer);
	pin->payer = NULL;
}

int vcd_pin_init(struct vcd_pin *pin, unsigned long from, u32 bytes,
		 unsigned int gup_flags)
{
	u32 pages = vcd_pin_pages(from, bytes);
	int error, got;

	memset(pin, 0, sizeof(*pin));
	error = charge(pin, pages);
	if (error)
		return error;
	error = -ENOMEM;
	pin->pages =
		kvmalloc_array(pages, sizeof(*pin->pages), GFP_KERNEL_ACCOUNT);
	if (!pin->pages)
		goto undo_charge;
	got = pin_user_pages_fast(from & PAGE_MASK, pages, gup_flags,
				  pin->pages);
	error = got == -ENOMEM ? -ENOMEM : -EFAULT;
	if (got != pages)
		goto undo_pages;
	pin->count = pages;
	pin->offset = offset_in_page(from);
	pin->bytes = bytes;
	pin->is_writable = gup_flags & FOLL_WRITE;
	return 0;

undo_pages:
	if (got > 0)
		unpin_user_pages(pin->pages, got);
	kvfree(pin->pages);
undo_charge:
	uncharge(pin, pages);
	memset(pin, 0, sizeof(*pin));
	return error;
}

void vcd_pin_deinit(struct vcd_pin *pin)
{
	if (!pin->pages)
		return;
	unpin_user_pages_dirty_lock(pin->pages, pin->count, pin->is_writable);
	kvfree(pin->pages);
	uncharge(pin, pin->count);
	memset(pin, 0, sizeof(*pin));
}

/* Pages that lie one behind the other are one entry, up to a size that any
 * way to memory takes (swiotlb: 256 KiB). */
#define ENTRY_BYTES_MAX 65536u

static bool is_behind(const struct page *page, const struct page *last)
{
	return page_to_pfn(page) == page_to_pfn(last) + 1;
}

struct scatterlist *vcd_pin_map(const struct vcd_pin *pin,
				struct scatterlist *sg)
{
	u32 left = pin->bytes, i = 0, first, n;

	while (i < pin->count) {
		first = i++;
		n = PAGE_SIZE - (first ? 0 : pin->offset);
		while (i < pin->count && n + PAGE_SIZE <= ENTRY_BYTES_MAX &&
		       is_behind(pin->pages[i], pin->pages[i - 1])) {
			n += PAGE_SIZE;
			i++;
		}
		n = min(n, left);
		sg_set_page(sg++, pin->pages[first], n,
			    first ? 0 : pin->offset);
		left -= n;
	}
	return sg;
}
