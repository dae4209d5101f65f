// SPDX-License-Identifier: GPL-2.0-only
/* op.c - the ioctls: one table, and the small ones */
#include "kernel/op.h"

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>

#include "abi/cryptodev.h"
#include "kernel/async.h"
#include "kernel/session.h"

/* C1 to C3: another descriptor of the same open file. */
static int share_file(struct file *file, u32 __user *to)
{
	int fd = get_unused_fd_flags(0);

	if (fd < 0)
		return fd;
	if (put_user(fd, to)) {
		put_unused_fd(fd);
		return -EFAULT;
	}
	fd_install(fd, get_file(file));
	return 0;
}

static int on_crioget(struct file *file, void __user *argument, bool is_narrow)
{
	return share_file(file, argument);
}

static int on_asymfeat(struct file *file, void __user *argument, bool is_narrow)
{
	return put_user(0, (u32 __user *)argument);
}

static int on_gsession(struct file *file, void __user *argument, bool is_narrow)
{
	return vcd_session_open(file->private_data, argument, is_narrow);
}

static int on_fsession(struct file *file, void __user *argument, bool is_narrow)
{
	return vcd_session_free(file->private_data, argument);
}

static int on_gsessinfo(struct file *file, void __user *argument,
			bool is_narrow)
{
	return vcd_session_info(file->private_data, argument);
}

static int on_crypt(struct file *file, void __user *argument, bool is_narrow)
{
	return vcd_crypt(file->private_data, argument, is_narrow);
}

static int on_authcrypt(struct file *file, void __user *argument,
			bool is_narrow)
{
	return vcd_auth(file->private_data, argument, is_narrow);
}

static int on_cphash(struct file *file, void __user *argument, bool is_narrow)
{
	return vcd_session_copy_hash(file->private_data, argument);
}

static int on_asynccrypt(struct file *file, void __user *argument,
			 bool is_narrow)
{
	return vcd_async_submit(file->private_data, argument, is_narrow);
}

static int on_asyncfetch(struct file *file, void __user *argument,
			 bool is_narrow)
{
	return vcd_async_fetch(file->private_data, argument, is_narrow);
}

struct row {
	unsigned int command;
	bool is_narrow;
	int (*run)(struct file *file, void __user *argument, bool is_narrow);
};

static const struct row rows[] = {
	{ CIOCCRYPT, false, on_crypt },
	{ CIOCAUTHCRYPT, false, on_authcrypt },
	{ CIOCASYNCCRYPT, false, on_asynccrypt },
	{ CIOCASYNCFETCH, false, on_asyncfetch },
	{ CIOCGSESSION, false, on_gsession },
	{ CIOCFSESSION, false, on_fsession },
	{ CIOCGSESSINFO, false, on_gsessinfo },
	{ CIOCCPHASH, false, on_cphash },
	{ CRIOGET, false, on_crioget },
	{ CIOCASYMFEAT, false, on_asymfeat },
};

#ifdef CONFIG_COMPAT
static const struct row narrow_rows[] = {
	{ CIOCCRYPT_32, true, on_crypt },
	{ CIOCAUTHCRYPT_32, true, on_authcrypt },
	{ CIOCASYNCCRYPT_32, true, on_asynccrypt },
	{ CIOCASYNCFETCH_32, true, on_asyncfetch },
	{ CIOCASYNCCRYPT_32_ALIAS, true, on_asynccrypt },
	{ CIOCASYNCFETCH_32_ALIAS, true, on_asyncfetch },
	{ CIOCGSESSION_32, true, on_gsession },
	{ CIOCFSESSION, true, on_fsession },
	{ CIOCGSESSINFO, true, on_gsessinfo },
	{ CIOCCPHASH, true, on_cphash },
	{ CRIOGET, true, on_crioget },
	{ CIOCASYMFEAT, true, on_asymfeat },
};
#endif

/* D3: what is not here is EINVAL. */
static long run(const struct row *table, size_t count, struct file *file,
		unsigned int command, void __user *argument)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (table[i].command == command)
			return table[i].run(file, argument, table[i].is_narrow);
	return -EINVAL;
}

long vcd_ioctl(struct file *file, unsigned int command, void __user *argument)
{
	return run(rows, ARRAY_SIZE(rows), file, command, argument);
}

#ifdef CONFIG_COMPAT
long vcd_compat_ioctl(struct file *file, unsigned int command,
		      void __user *argument)
{
	return run(narrow_rows, ARRAY_SIZE(narrow_rows), file, command,
		   argument);
}
#endif
