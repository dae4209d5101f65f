// SPDX-License-Identifier: GPL-2.0-only
/* main.c - virtio_cryptodev, the guest's side of virtio-cryptodev */
#include <linux/module.h>

#include "kernel/call.h"
#include "kernel/device.h"
#include "kernel/orphan.h"

static int __init vcd_init(void)
{
	int error;

	error = vcd_call_setup();
	if (error)
		return error;
	error = vcd_orphan_setup();
	if (error)
		goto undo_call;
	error = vcd_device_register();
	if (error)
		goto undo_orphan;
	return 0;

undo_orphan:
	vcd_orphan_cleanup();
undo_call:
	vcd_call_cleanup();
	return error;
}

static void __exit vcd_exit(void)
{
	vcd_device_unregister();
	vcd_orphan_cleanup();
	vcd_call_cleanup();
}

module_init(vcd_init);
module_exit(vcd_exit);

MODULE_DESCRIPTION("The cryptodev interface on a virtio-cryptodev device");
MODULE_AUTHOR("The Paravox developers");
MODULE_LICENSE("GPL");
