// SPDX-License-Identifier: GPL-2.0-only
/* user.c - the arguments of the ioctls, from and to programs of both sizes */
#include "kernel/user.h"

#include <linux/compat.h>
#include <linux/string.h>
#include <linux/uaccess.h>

static u8 __user *widen(u32 pointer)
{
	return (u8 __user *)(uintptr_t)pointer;
}

/* What is written back came from such a caller, or points into its memory. */
static u32 narrow(const u8 __user *pointer)
{
	return (u32)(uintptr_t)pointer;
}

int vcd_user_read_session(struct session_op *op, const void __user *from,
			  bool is_narrow)
{
	struct session_op_32 n;

	if (!is_narrow)
		return copy_from_user(op, from, sizeof(*op)) ? -EFAULT : 0;
	if (copy_from_user(&n, from, sizeof(n)))
		return -EFAULT;
	*op = (struct session_op){
		.cipher = n.cipher,
		.mac = n.mac,
		.keylen = n.keylen,
		.key = widen(n.key),
		.mackeylen = n.mackeylen,
		.mackey = widen(n.mackey),
		.ses = n.ses,
	};
	return 0;
}

int vcd_user_write_session(const struct session_op *op, void __user *to,
			   bool is_narrow)
{
	const struct session_op_32 n = {
		.cipher = op->cipher,
		.mac = op->mac,
		.keylen = op->keylen,
		.key = narrow(op->key),
		.mackeylen = op->mackeylen,
		.mackey = narrow(op->mackey),
		.ses = op->ses,
	};

	if (is_narrow)
		return copy_to_user(to, &n, sizeof(n)) ? -EFAULT : 0;
	return copy_to_user(to, op, sizeof(*op)) ? -EFAULT : 0;
}

int vcd_user_read_crypt(struct crypt_op *op, const void __user *from,
			bool is_narrow)
{
	struct crypt_op_32 n;

	if (!is_narrow)
		return copy_from_user(op, from, sizeof(*op)) ? -EFAULT : 0;
	if (copy_from_user(&n, from, sizeof(n)))
		return -EFAULT;
	*op = (struct crypt_op){
		.ses = n.ses,
		.op = n.op,
		.flags = n.flags,
		.len = n.len,
		.src = widen(n.src),
		.dst = widen(n.dst),
		.mac = widen(n.mac),
		.iv = widen(n.iv),
	};
	return 0;
}

int vcd_user_write_crypt(const struct crypt_op *op, void __user *to,
			 bool is_narrow)
{
	const struct crypt_op_32 n = {
		.ses = op->ses,
		.op = op->op,
		.flags = op->flags,
		.len = op->len,
		.src = narrow(op->src),
		.dst = narrow(op->dst),
		.mac = narrow(op->mac),
		.iv = narrow(op->iv),
	};

	if (is_narrow)
		return copy_to_user(to, &n, sizeof(n)) ? -EFAULT : 0;
	return copy_to_user(to, op, sizeof(*op)) ? -EFAULT : 0;
}

int vcd_user_read_auth(struct crypt_auth_op *op, const void __user *from,
		       bool is_narrow)
{
	struct crypt_auth_op_32 n;

	if (!is_narrow)
		return copy_from_user(op, from, sizeof(*op)) ? -EFAULT : 0;
	if (copy_from_user(&n, from, sizeof(n)))
		return -EFAULT;
	*op = (struct crypt_auth_op){
		.ses = n.ses,
		.op = n.op,
		.flags = n.flags,
		.len = n.len,
		.auth_len = n.auth_len,
		.auth_src = widen(n.auth_src),
		.src = widen(n.src),
		.dst = widen(n.dst),
		.tag = widen(n.tag),
		.tag_len = n.tag_len,
		.iv = widen(n.iv),
		.iv_len = n.iv_len,
	};
	return 0;
}

int vcd_user_write_auth(const struct crypt_auth_op *op, void __user *to,
			bool is_narrow)
{
	const struct crypt_auth_op_32 n = {
		.ses = op->ses,
		.op = op->op,
		.flags = op->flags,
		.len = op->len,
		.auth_len = op->auth_len,
		.auth_src = narrow(op->auth_src),
		.src = narrow(op->src),
		.dst = narrow(op->dst),
		.tag = narrow(op->tag),
		.tag_len = op->tag_len,
		.iv = narrow(op->iv),
		.iv_len = op->iv_len,
	};

	if (is_narrow)
		return copy_to_user(to, &n, sizeof(n)) ? -EFAULT : 0;
	return copy_to_user(to, op, sizeof(*op)) ? -EFAULT : 0;
}
