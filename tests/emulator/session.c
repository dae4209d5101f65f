/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - CIOCGSESSION, CIOCFSESSION, CIOCGSESSINFO, CIOCCPHASH */

#include "emulator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

#include "abi/cryptodev.h"

/* S1, S5: length, then the copy, then the algorithm's own opinion. */
static int open_cipher(struct session *s, const struct cipher_row *row,
		       const struct session_op *op)
{
	uint8_t key[KEY_MAX];
	int ret;

	if (op->keylen > sizeof(key))
		return -EINVAL;
	ret = user_read(key, op->key, op->keylen);
	if (!ret)
		ret = cipher_set_key(&s->cipher, row, key, op->keylen);
	OPENSSL_cleanse(key, sizeof(key));
	return ret;
}

/* S6; S7 for an AEAD cipher, whose mac is only validated. */
static int open_mac(struct session *s, const struct hash_row *row,
		    const struct session_op *op)
{
	bool is_aead = s->cipher.row && cipher_is_aead(s->cipher.row);
	uint8_t key[CRYPTO_HMAC_MAX_KEY_LEN];
	bool is_needed = is_aead || (row && row->is_hmac) || op->mackey;
	int ret;

	if (is_aead ? op->mackeylen == 0 : !row)
		return 0;
	if (op->mackeylen > sizeof(key))
		return -EINVAL;
	ret = is_needed ? user_read(key, op->mackey, op->mackeylen) : 0;
	if (!ret && is_aead)
		ret = -EINVAL;
	if (!ret)
		ret = hash_set_key(&s->hash, row, key, op->mackeylen);
	OPENSSL_cleanse(key, sizeof(key));
	return ret;
}

int ioctl_session_open(struct open_file *f, void *arg)
{
	const struct cipher_row *cipher = NULL;
	const struct hash_row *hash = NULL;
	struct session_op op;
	struct session *s;
	int ret;

	if (user_read(&op, arg, sizeof(op)))
		return -EFAULT;
	if (!op.cipher && !op.mac)
		return -EINVAL;
	if (op.cipher && !(cipher = cipher_find(op.cipher)))
		return -EINVAL;
	if (op.mac && !(hash = hash_find(op.mac)))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->tag_limit = 16;
	ret = cipher ? open_cipher(s, cipher, &op) : 0;
	if (!ret)
		ret = open_mac(s, hash, &op);
	if (ret) {
		session_destroy(s);
		return ret;
	}
	session_add(f, s);
	op.ses = s->id;
	if (user_write(arg, &op, sizeof(op))) {
		session_remove(f, op.ses);
		return -EFAULT;
	}
	return 0;
}

/* F2: an unknown id is no error. */
int ioctl_session_close(struct open_file *f, void *arg)
{
	uint32_t id;

	if (user_read(&id, arg, sizeof(id)))
		return -EFAULT;
	session_remove(f, id);
	return 0;
}

static void describe(struct alg_info *info, const char *kernel_name)
{
	memset(info, 0, sizeof(*info));
	snprintf(info->cra_name, sizeof(info->cra_name), "%s", kernel_name);
	snprintf(info->cra_driver_name, sizeof(info->cra_driver_name),
		 "%.48s-emulator", kernel_name);
}

int ioctl_session_info(struct open_file *f, void *arg)
{
	struct session_info_op op;
	struct session *s;

	if (user_read(&op, arg, sizeof(op)))
		return -EFAULT;
	s = session_get(f, op.ses);
	if (!s)
		return -EINVAL;
	op.flags = SIOP_FLAG_KERNEL_DRIVER_ONLY;
	op.alignmask = 0;
	if (s->cipher.row)
		describe(&op.cipher_info, s->cipher.row->kernel_name);
	if (s->hash.row)
		describe(&op.hash_info, s->hash.row->kernel_name);
	session_put(f, s);
	return user_write(arg, &op, sizeof(op));
}

/* Both are taken in the order of their ids, so that two copies in opposite
 * directions cannot wait for each other. */
static int copy_hash(struct session *to, struct session *from)
{
	struct session *first = to->id < from->id ? to : from;
	struct session *second = first == to ? from : to;
	int ret = -ENOENT;

	if (session_enter(first))
		return -ENOENT;
	if (session_enter(second))
		goto out;
	ret = -EINVAL;
	if (to->hash.row && from->hash.row && to->hash.row == from->hash.row) {
		to->hash.is_finished = from->hash.is_finished;
		ret = EVP_MD_CTX_copy_ex(to->hash.inner, from->hash.inner)
			      ? 0
			      : -EIO;
	}
	session_leave(second);
out:
	session_leave(first);
	return ret;
}

/* H1, H2 */
int ioctl_hash_copy(struct open_file *f, void *arg)
{
	struct session *to, *from;
	struct cphash_op op;
	int ret = -ENOENT;

	if (user_read(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.dst_ses == op.src_ses)
		return -EDEADLK;
	to = session_get(f, op.dst_ses);
	from = session_get(f, op.src_ses);
	if (to && from)
		ret = copy_hash(to, from);
	session_put(f, to);
	session_put(f, from);
	return ret;
}

int ioctl_asymmetric_features(struct open_file *f, void *arg)
{
	const uint32_t none = 0;

	(void)f;
	return user_write(arg, &none, sizeof(none));
}
