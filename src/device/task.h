/* SPDX-License-Identifier: Apache-2.0 */
/* task.h - a request while it is being executed; private to the engine */
#ifndef PVX_DEVICE_TASK_H
#define PVX_DEVICE_TASK_H

#include "device/engine.h"
#include "vhost/span.h"

/* Header and parameters are the one copy of vcd 5.2, in the guest's byte
 * order. */
struct task {
	struct engine_lane *lane;
	struct engine *engine;
	struct state *state;
	struct state_slot *slot;
	const struct op *op; /* NULL: unknown */
	struct vcd_request request;
	union {
		struct vcd_hello hello;
		struct vcd_session_open session_open;
		struct vcd_crypt crypt;
		struct vcd_authcrypt authcrypt;
		struct vcd_hash_copy hash_copy;
	} params;
	struct span in;  /* behind what was read */
	struct span out; /* behind the op's answer structure */
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	struct state_file *file;       /* NULL: the op has none */
	struct state_session *session; /* NULL: the op has none */
	struct engine_crypto *crypto;  /* of the session */
	uint32_t payload_bytes;
	uint32_t worked_bytes; /* with what is authenticated */
	union {
		struct vcd_reply head;
		struct vcd_hello_reply hello;
		struct vcd_session_reply session;
		struct vcd_session_info_reply info;
	} answer; /* zeroed; the status is filled in last */
};

/* Bytes that the parts announce, behind the fixed structures. */
struct announced {
	uint64_t readable_bytes;
	uint64_t writable_bytes;
};

/*
 * What the engine knows about an op. announce() judges limits and reserved
 * fields and adds up the parts; run() does it, with file, session and crypto
 * found as the flags say. Both return a status.
 */
struct op {
	size_t params_bytes;
	size_t answer_bytes;
	unsigned int flags; /* OP_* */
	enum vcd_status (*announce)(const struct task *task,
				    struct announced *parts);
	enum vcd_status (*run)(struct task *task);
};

#define OP_HAS_FILE     (1u << 0)
#define OP_HAS_SESSION  (1u << 1) /* found, and on its queue */
#define OP_IS_EXCLUSIVE (1u << 2) /* runs alone */
#define OP_IS_FIRST     (1u << 3) /* HELLO: no generation; queue 0 only */
#define OP_FINDS_ITSELF (1u << 4) /* ids are judged by run() */

/* task.c */
enum vcd_status task_status(int error); /* 0 or -errno of libcryptsess */
/* The session's crypto, made from its keys if need be. */
enum vcd_status task_open_crypto(struct task *task,
				 const struct state_session *session,
				 struct engine_crypto **crypto);
/* The session of the task's file with that id, or NULL. */
struct state_session *task_find_session(const struct task *task, uint32_t id);
/* Whether the open hash of the session was lost with a worker (vcd 9.4). */
bool task_is_hash_lost(const struct task *task,
		       const struct state_session *session);
/* At the commit, the session's hash belongs to `worker` (0: is not open). */
void task_leave_hash(struct task *task, const struct state_session *session,
		     uint32_t worker);
/* At the commit, the session's chained IV is its crypto's. */
void task_leave_iv(struct task *task);

/* pool.c */
int engine_pool_init(struct engine_pool *pool, uint32_t entries);
void engine_pool_deinit(struct engine_pool *pool);
/* Take a free entry: its index, or -ENOSPC. */
int64_t engine_pool_take(struct engine_pool *pool);
void engine_pool_mark(struct engine_pool *pool, uint32_t index);
void engine_pool_give(struct engine_pool *pool, uint32_t index);
void engine_pool_clear(struct engine_pool *pool);

/* op_table.c: HELLO to SESSION_INFO, HASH_COPY; op_crypt.c; op_auth.c */
extern const struct op engine_ops[VCD_OPS];
enum vcd_status op_crypt_announce(const struct task *task,
				  struct announced *parts);
enum vcd_status op_crypt_run(struct task *task);
enum vcd_status op_auth_announce(const struct task *task,
				 struct announced *parts);
enum vcd_status op_auth_run(struct task *task);

#endif
