// SPDX-License-Identifier: GPL-2.0-only
/* session_open.c - CIOCGSESSION */
#include <linux/errno.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "kernel/algorithm.h"
#include "kernel/device.h"
#include "kernel/orphan.h"
#include "kernel/session.h"
#include "kernel/user.h"

/* What CIOCGSESSION is made of. The keys are wiped with the request. */
struct opening {
	struct session_op op;
	const struct vcd_algorithm *cipher, *mac;
	u32 key_bytes, mac_key_bytes;
	u8 key[VCD_MAX_KEY_BYTES];
	u8 mac_key[VCD_MAX_MAC_KEY_BYTES];
};

static bool has(const u64 *set, u32 id)
{
	return id < 128 && set[id / 64] >> (id % 64) & 1;
}

/* S1 in its order, S4, S5. */
static int take_cipher(const struct vcd_device *device, struct opening *o)
{
	if (!o->cipher)
		return 0;
	if (o->op.keylen > sizeof(o->key))
		return -EINVAL;
	if (copy_from_user(o->key, o->op.key, o->op.keylen))
		return -EFAULT;
	if (!has(device->ciphers, o->op.cipher) ||
	    !vcd_cipher_takes_key(o->cipher, o->op.keylen))
		return -EINVAL;
	o->key_bytes = o->op.keylen;
	return 0;
}

/* S6, S7: an AEAD takes no mac key, and a plain hash ignores its. */
static int take_mac(const struct vcd_device *device, struct opening *o)
{
	bool is_aead = o->cipher && o->cipher->flags & VCD_IS_AEAD;
	bool is_hmac = o->mac && o->mac->flags & VCD_IS_HMAC;

	if (is_aead ? !o->op.mackeylen : !o->mac)
		return 0;
	if (o->op.mackeylen > sizeof(o->mac_key))
		return -EINVAL;
	if ((is_aead || is_hmac || o->op.mackey) &&
	    copy_from_user(o->mac_key, o->op.mackey, o->op.mackeylen))
		return -EFAULT;
	if (is_aead || !has(device->macs, o->op.mac))
		return -EINVAL;
	o->mac_key_bytes = is_hmac ? o->op.mackeylen : 0;
	return 0;
}

static int take_argument(const struct vcd_device *device, struct opening *o,
			 const void __user *argument, bool is_narrow)
{
	int error;

	if (vcd_user_read_session(&o->op, argument, is_narrow))
		return -EFAULT;
	if (!o->op.cipher && !o->op.mac)
		return -EINVAL;
	o->cipher = o->op.cipher ? vcd_cipher_find(o->op.cipher) : NULL;
	if (o->op.cipher && !o->cipher)
		return -EINVAL;
	o->mac = o->op.mac ? vcd_mac_find(o->op.mac) : NULL;
	if (o->op.mac && !o->mac)
		return -EINVAL;
	error = take_cipher(device, o);
	return error ? error : take_mac(device, o);
}

/* The device learns of the file with its first session, and again after it
 * has lost its state. */
static int ensure_open(struct vcd_file *f, u64 generation, u32 *file_id)
{
	struct vcd_reply reply;
	struct vcd_call *call;
	int error = 0;

	if (mutex_lock_killable(&f->open_lock))
		return -EINTR;
	if (f->generation == generation)
		goto out;
	error = -ENOMEM;
	call = vcd_call_create(sizeof(struct vcd_request),
			       sizeof(struct vcd_reply));
	if (!call)
		goto out;
	vcd_call_begin(call, VCD_OP_OPEN, generation, 0, 0, NULL, 0);
	error = vcd_queue_run(&f->device->queues[0], call);
	if (error == -EINTR)
		vcd_orphan_made(&f->device->queues[0], call);
	if (!error)
		error = vcd_call_result(call, &reply);
	if (!error && !reply.value)
		error = -EIO;
	if (!error) {
		f->file_id = le32_to_cpu(reply.value);
		f->generation = generation;
	}
	vcd_call_put(call);
out:
	*file_id = f->file_id;
	mutex_unlock(&f->open_lock);
	return error;
}

/* vcd_session_reply.traits of a session with these. */
static u32 traits_of(const struct vcd_algorithm *cipher,
		     const struct vcd_algorithm *mac)
{
	u32 traits = mac ? VCD_TRAIT_MAC : 0;

	if (!cipher)
		return traits;
	traits |= VCD_TRAIT_CIPHER;
	if (cipher->flags & VCD_IS_AEAD)
		traits |= VCD_TRAIT_AEAD;
	if (cipher->flags & VCD_IS_STREAM)
		traits |= VCD_TRAIT_STREAM;
	return traits;
}

/* How much of a program's memory an operation touches follows from the
 * algorithms, and the device must agree. */
static int take_reply(struct vcd_session *s, const struct opening *o,
		      const struct vcd_session_reply *reply)
{
	static const struct vcd_algorithm none;
	const struct vcd_algorithm *cipher = o->cipher ?: &none;
	const struct vcd_algorithm *mac = s->mac ? o->mac : &none;

	s->id = le32_to_cpu(reply->session_id);
	s->block_bytes = cipher->block_bytes;
	s->iv_bytes = cipher->iv_bytes;
	s->tag_bytes = cipher->tag_bytes;
	s->digest_bytes = mac->digest_bytes;
	s->traits = traits_of(o->cipher, s->mac ? mac : NULL);
	if (!s->id || le32_to_cpu(reply->block_bytes) != s->block_bytes ||
	    le32_to_cpu(reply->iv_bytes) != s->iv_bytes ||
	    le32_to_cpu(reply->tag_bytes) != s->tag_bytes ||
	    le32_to_cpu(reply->digest_bytes) != s->digest_bytes ||
	    le32_to_cpu(reply->traits) != s->traits)
		return -EIO;
	return 0;
}

static struct vcd_call *build(const struct vcd_session *s,
			      const struct opening *o)
{
	const struct vcd_session_open params = {
		.cipher = cpu_to_le32(s->cipher),
		.mac = cpu_to_le32(s->mac),
		.key_bytes = cpu_to_le32(o->key_bytes),
		.mac_key_bytes = cpu_to_le32(o->mac_key_bytes),
	};
	struct vcd_call *call;
	u32 at;

	call = vcd_call_create(sizeof(struct vcd_request) + sizeof(params) +
				       o->key_bytes + o->mac_key_bytes,
			       sizeof(struct vcd_session_reply));
	if (!call)
		return NULL;
	at = vcd_call_begin(call, VCD_OP_SESSION_OPEN, s->generation,
			    s->file_id, 0, &params, sizeof(params));
	vcd_buf_write(&call->in, at, o->key, o->key_bytes);
	vcd_buf_write(&call->in, at + o->key_bytes, o->mac_key,
		      o->mac_key_bytes);
	return call;
}

static int ask_device(struct vcd_file *f, struct vcd_session *s,
		      const struct opening *o)
{
	struct vcd_session_reply answer;
	struct vcd_reply reply;
	struct vcd_call *call;
	int error;

	s->generation = READ_ONCE(f->device->generation);
	if (!s->generation) /* stopped, or between two HELLOs */
		return READ_ONCE(s->queue->error) ?: -EIO;
	error = ensure_open(f, s->generation, &s->file_id);
	if (error)
		goto out;
	call = build(s, o);
	if (!call)
		return -ENOMEM;
	error = vcd_queue_run(s->queue, call);
	if (error == -EINTR)
		vcd_orphan_made(s->queue, call);
	if (!error)
		error = vcd_call_result(call, &reply);
	if (!error) {
		vcd_buf_read(&call->out, 0, &answer, sizeof(answer));
		error = take_reply(s, o, &answer);
	}
	vcd_call_put(call);
out:
	if (error == -ESTALE) {
		vcd_device_expired(f->device, s->generation);
		error = -EIO;
	}
	return error;
}

static struct vcd_session *session_create(struct vcd_file *f,
					  const struct opening *o)
{
	bool is_aead = o->cipher && o->cipher->flags & VCD_IS_AEAD;
	struct vcd_session *s;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	kref_init(&s->refs);
	mutex_init(&s->lock);
	s->device = f->device;
	s->queue = vcd_device_queue(f->device);
	s->cipher = o->op.cipher;
	s->mac = is_aead ? 0 : o->op.mac;
	return s;
}

/* S9: a random number that is not 0 and that the file does not have yet. Other
 * threads may use and free the session from then on. */
static int give_number(struct vcd_file *f, struct vcd_session *s, u32 *number)
{
	u32 slot;
	int error;

	/* Reserved first: nobody may find it before it has its number. */
	error = xa_alloc_cyclic(&f->sessions, &slot, NULL,
				XA_LIMIT(0, VCD_SLOT_MASK), &f->slot_next,
				GFP_KERNEL_ACCOUNT);
	if (error < 0)
		return error == -EBUSY ? -ENOSPC : error;
	s->number = ((get_random_u32() | BIT(31)) & ~VCD_SLOT_MASK) | slot;
	*number = s->number;
	xa_store(&f->sessions, slot, s, GFP_KERNEL_ACCOUNT);
	return 0;
}

static int open_session(struct vcd_file *f, struct opening *o,
			void __user *argument, bool is_narrow)
{
	struct vcd_session *s;
	int error;

	s = session_create(f, o);
	if (!s)
		return -ENOMEM;
	error = ask_device(f, s, o);
	if (!error)
		error = give_number(f, s, &o->op.ses);
	if (error) {
		vcd_session_tell_end(s);
		vcd_session_put(s);
		return error;
	}
	if (!vcd_user_write_session(&o->op, argument, is_narrow))
		return 0;
	vcd_session_end(f, o->op.ses);
	return -EFAULT;
}

int vcd_session_open(struct vcd_file *f, void __user *argument, bool is_narrow)
{
	struct opening *o;
	int error;

	o = kzalloc(sizeof(*o), GFP_KERNEL);
	if (!o)
		return -ENOMEM;
	error = take_argument(f->device, o, argument, is_narrow);
	if (!error)
		error = open_session(f, o, argument, is_narrow);
	kfree_sensitive(o);
	return error;
}
