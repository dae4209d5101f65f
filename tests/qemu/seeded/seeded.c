// SPDX-License-Identifier: GPL-2.0-only
/* seeded.c - a module with the fault that is asked for, to see that a kernel
 * with sanitizers tells of it: locks, leak, index, late */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

static char *fault = "";
module_param(fault, charp, 0);

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);

/* Taken in both orders. */
static void locks(void)
{
	mutex_lock(&one);
	mutex_lock(&other);
	mutex_unlock(&other);
	mutex_unlock(&one);
	mutex_lock(&other);
	mutex_lock(&one);
	mutex_unlock(&one);
	mutex_unlock(&other);
}

/* Many, since a stale register or stack may still name one. */
static void leak(void)
{
	int i;

	for (i = 0; i < 16; i++)
		if (!kmalloc(100, GFP_KERNEL))
			return;
}

/* Behind an array, in memory that is ours. */
static void step_over(void)
{
	static struct {
		int three[3], behind;
	} four;
	volatile int at = 3;

	four.three[at] = 1;
	pr_info("seeded: %d\n", four.behind);
}

/* Read after it was freed. */
static void late(void)
{
	volatile char *memory = kmalloc(100, GFP_KERNEL);

	if (!memory)
		return;
	kfree((void *)memory);
	pr_info("seeded: %d\n", memory[5]);
}

static int __init seeded_init(void)
{
	if (!strcmp(fault, "locks"))
		locks();
	else if (!strcmp(fault, "leak"))
		leak();
	else if (!strcmp(fault, "index"))
		step_over();
	else if (!strcmp(fault, "late"))
		late();
	else
		return -EINVAL;
	return 0;
}

static void __exit seeded_exit(void)
{
}

module_init(seeded_init);
module_exit(seeded_exit);

MODULE_DESCRIPTION("Faults to be found");
MODULE_LICENSE("GPL");
