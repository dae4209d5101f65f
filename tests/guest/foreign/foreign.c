// SPDX-License-Identifier: GPL-2.0-only
/* foreign.c - another driver's /dev/crypto, on which nothing works */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static const struct file_operations operations = {
	.owner = THIS_MODULE,
};

static struct miscdevice node = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "crypto",
	.fops = &operations,
};
module_misc_device(node);

MODULE_DESCRIPTION("Another driver's /dev/crypto, for a test");
MODULE_LICENSE("GPL");
