/* SPDX-License-Identifier: GPL-2.0-only */
/* op.h - the ioctls */
#ifndef VCD_OP_H
#define VCD_OP_H

#include <linux/fs.h>
#include <linux/types.h>

#include "kernel/node.h"

long vcd_ioctl(struct file *file, unsigned int command, void __user *argument);
/* Of a 32-bit caller of a 64-bit kernel (X1). */
long vcd_compat_ioctl(struct file *file, unsigned int command,
		      void __user *argument);

/* crypt.c, auth.c, async.c: 0 or -errno */
int vcd_crypt(struct vcd_file *f, void __user *argument, bool is_narrow);
int vcd_auth(struct vcd_file *f, void __user *argument, bool is_narrow);

#endif
