/* SPDX-License-Identifier: GPL-2.0-only */
/* session.h - the sessions of an open file */
#ifndef VCD_SESSION_H
#define VCD_SESSION_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "kernel/call.h"
#include "kernel/node.h"

/*
 * How it works: a session is found by the program's number, counted, and then
 * locked: operations of one session exclude each other (P2), those of others
 * go on, since no lock of the file is held meanwhile. Whoever got the lock
 * looks again: the session may have been freed, or the device have lost it.
 *
 * A killed program, or an asynchronous job, leaves its call with the device.
 * Requests of a session take effect in their order (vcd 5.13), so only what
 * looks into another session waits for the last of them.
 */
/* A number is a slot, so that the array stays small, below random bits, of
 * which the highest is set: an old number is hardly ever a new session's. */
#define VCD_SLOT_MASK 0xffffu

struct vcd_session {
	struct kref refs;
	u32 number; /* S9: the program's */
	struct mutex lock;
	bool is_freed;         /* under the lock */
	bool is_hash_open;     /* under the lock: a hash in parts may be open */
	struct vcd_call *left; /* under the lock: the last, watched; or NULL */
	/* The rest does not change. */
	struct vcd_device *device; /* borrowed from the file */
	struct vcd_queue *queue;
	u64 generation;
	u32 file_id;
	u32 id; /* the device's */
	u32 cipher, mac;
	u32 block_bytes, iv_bytes, digest_bytes, tag_bytes, traits;
};

/* NULL: the file has no such session. */
struct vcd_session *vcd_session_get(struct vcd_file *f, u32 number);
void vcd_session_put(struct vcd_session *s);

/* 0, -EINVAL: freed meanwhile; -EIO: lost with its device's state; -EINTR. */
int vcd_session_lock(struct vcd_session *s);
void vcd_session_unlock(struct vcd_session *s);
/* Two at once, in the order that cannot deadlock. -ENOENT for -EINVAL. */
int vcd_session_lock_two(struct vcd_session *a, struct vcd_session *b);

/* The lock's holder goes before `call` is finished. */
void vcd_session_leave(struct vcd_session *s, struct vcd_call *call);

/* Header and parameters of a request of the session: their bytes. */
u32 vcd_session_begin(const struct vcd_session *s, struct vcd_call *call,
		      enum vcd_op op, const void *params, u32 params_bytes);
/* With the lock: run it to its end and take the answer's errno. */
int vcd_session_run(struct vcd_session *s, struct vcd_call *call,
		    struct vcd_reply *reply);
/* What a finished call of the session gave. */
int vcd_session_result(const struct vcd_session *s, const struct vcd_call *call,
		       struct vcd_reply *reply);

/* The ioctls. */
int vcd_session_open(struct vcd_file *f, void __user *argument, bool is_narrow);
int vcd_session_free(struct vcd_file *f, const void __user *argument);
int vcd_session_info(struct vcd_file *f, void __user *argument);
int vcd_session_copy_hash(struct vcd_file *f, const void __user *argument);

/* 0, also when there is none (F2), or -EINTR. */
int vcd_session_end(struct vcd_file *f, u32 number);
/* SESSION_CLOSE, if the device knows it. */
void vcd_session_tell_end(struct vcd_session *s);
/* At the last close. */
void vcd_sessions_end(struct vcd_file *f);

#endif
