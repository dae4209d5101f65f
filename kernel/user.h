/* SPDX-License-Identifier: GPL-2.0-only */
/* user.h - the arguments of the ioctls, from and to programs of both sizes */
#ifndef VCD_USER_H
#define VCD_USER_H

#include <linux/types.h>

#include "abi/cryptodev.h"

/* Each: 0 or -EFAULT. is_narrow: the caller is a 32-bit one. */
int vcd_user_read_session(struct session_op *op, const void __user *from,
			  bool is_narrow);
int vcd_user_write_session(const struct session_op *op, void __user *to,
			   bool is_narrow);
int vcd_user_read_crypt(struct crypt_op *op, const void __user *from,
			bool is_narrow);
int vcd_user_write_crypt(const struct crypt_op *op, void __user *to,
			 bool is_narrow);
int vcd_user_read_auth(struct crypt_auth_op *op, const void __user *from,
		       bool is_narrow);
int vcd_user_write_auth(const struct crypt_auth_op *op, void __user *to,
			bool is_narrow);

#endif
