/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c - execute the requests of the contract: the way of each request */
#include "device/engine.h"

#include <endian.h>
#include <string.h>

#include "base/clock.h"
#include "base/mutant.h"
#include "base/secret.h"
#include "device/task.h"

/* Pairs of pieces that are compared one by one; beyond, ranges that seem to
 * meet are taken as meeting. */
#define OVERLAP_PAIRS_MAX 64u

/* vcd 5.3 (e): ids that must be 0, reserved fields, limits, lengths. */
static enum vcd_status judge_shape(struct task *task)
{
	const struct op *op = task->op;
	struct announced parts = { 0, 0 };
	enum vcd_status status;
	uint64_t readable, writable;

	if (span_read(&task->in, &task->params, op->params_bytes))
		return VCD_STATUS_MALFORMED;
	if (!(op->flags & OP_HAS_FILE) && task->request.file_id)
		return VCD_STATUS_MALFORMED;
	if (!(op->flags & (OP_HAS_SESSION | OP_FINDS_ITSELF)) &&
	    task->request.session_id)
		return VCD_STATUS_MALFORMED;
	if (op->flags & OP_IS_FIRST && task->request.generation)
		return VCD_STATUS_MALFORMED;
	status = op->announce ? op->announce(task, &parts) : VCD_STATUS_OK;
	if (status != VCD_STATUS_OK)
		return status;
	readable = sizeof(task->request) + op->params_bytes;
	writable = op->answer_bytes;
	if (__builtin_add_overflow(readable, parts.readable_bytes, &readable) ||
	    __builtin_add_overflow(writable, parts.writable_bytes, &writable))
		return VCD_STATUS_MALFORMED;
	if (!CHECK(device_readable_length, readable == task->readable_bytes) ||
	    !CHECK(device_writable_length, writable == task->writable_bytes))
		return VCD_STATUS_MALFORMED;
	return span_skip(&task->out, op->answer_bytes) ? VCD_STATUS_MALFORMED
						       : VCD_STATUS_OK;
}

/* vcd 5.3 (f) and (g): file, session, queue. */
static enum vcd_status judge_ids(struct task *task)
{
	unsigned int flags = task->op->flags;

	if (flags & OP_IS_FIRST && task->lane->index != 0)
		return VCD_STATUS_WRONG_QUEUE;
	if (!(flags & OP_HAS_FILE))
		return VCD_STATUS_OK;
	task->file =
		state_find_file(task->state, le32toh(task->request.file_id));
	if (!task->file)
		return flags & OP_FINDS_ITSELF ? VCD_STATUS_NO_ENTRY
					       : VCD_STATUS_INVALID;
	if (!(flags & OP_HAS_SESSION))
		return VCD_STATUS_OK;
	task->session =
		task_find_session(task, le32toh(task->request.session_id));
	if (!task->session)
		return VCD_STATUS_INVALID;
	if (!CHECK(device_session_queue,
		   task->session->queue == task->lane->index))
		return VCD_STATUS_WRONG_QUEUE;
	return VCD_STATUS_OK;
}

/* Requests before the first HELLO find no generation: 0 is none. */
static bool is_current(const struct task *task)
{
	uint64_t generation = task->state->head->generation;

	return generation && le64toh(task->request.generation) == generation;
}

/* vcd 5.3, with the locks that the op needs. */
static enum vcd_status judge_and_run(struct task *task)
{
	enum vcd_status status;

	if (!task->op)
		return VCD_STATUS_UNSUPPORTED;
	if (!(task->op->flags & OP_IS_FIRST) &&
	    !CHECK(device_generation, is_current(task)))
		return VCD_STATUS_EXPIRED;
	status = judge_shape(task);
	if (status == VCD_STATUS_OK)
		status = judge_ids(task);
	if (status == VCD_STATUS_OK && task->session)
		status = task_open_crypto(task, task->session, &task->crypto);
	return status == VCD_STATUS_OK ? task->op->run(task) : status;
}

static bool is_exclusive(const struct task *task)
{
	return task->op && task->op->flags & OP_IS_EXCLUSIVE;
}

void engine_enter(struct engine_lane *lane)
{
	struct engine *engine = lane->engine;

	if (atomic_load(&engine->exclusive_wanted)) {
		pthread_mutex_lock(&engine->exclusive);
		pthread_mutex_unlock(&engine->exclusive);
	}
	pthread_mutex_lock(&lane->lock);
}

void engine_leave(struct engine_lane *lane)
{
	pthread_mutex_unlock(&lane->lock);
}

/* All lanes' locks for who needs them; who does not gives way to who does. */
static void lanes_lock(const struct task *task)
{
	struct engine *engine = task->engine;

	if (!is_exclusive(task)) {
		if (atomic_load(&engine->exclusive_wanted)) {
			engine_leave(task->lane);
			engine_enter(task->lane);
		}
		return;
	}
	engine_leave(task->lane);
	atomic_fetch_add(&engine->exclusive_wanted, 1);
	pthread_mutex_lock(&engine->exclusive);
	for (uint32_t i = 0; i < engine->state->limits.queues; i++)
		pthread_mutex_lock(&engine->lane[i].lock);
}

static void lanes_unlock(const struct task *task)
{
	struct engine *engine = task->engine;

	if (!is_exclusive(task))
		return;
	for (uint32_t i = 0; i < engine->state->limits.queues; i++)
		if (i != task->lane->index)
			pthread_mutex_unlock(&engine->lane[i].lock);
	pthread_mutex_unlock(&engine->exclusive);
	atomic_fetch_sub(&engine->exclusive_wanted, 1);
}

/* The lowest and highest address of some pieces. */
static void hull(const struct iovec *pieces, unsigned int count, uintptr_t *low,
		 uintptr_t *high)
{
	*low = UINTPTR_MAX;
	*high = 0;
	for (unsigned int i = 0; i < count; i++) {
		uintptr_t at = (uintptr_t)pieces[i].iov_base;

		*low = at < *low ? at : *low;
		at += pieces[i].iov_len;
		*high = at > *high ? at : *high;
	}
}

static bool meet(uintptr_t a, uintptr_t a_end, uintptr_t b, uintptr_t b_end)
{
	return a < b_end && b < a_end;
}

/* Whether writing the answer could change what the request is read from. May
 * say yes without need. */
static bool overlaps(const struct vring_chain *chain)
{
	const struct iovec *r = chain->pieces;
	const struct iovec *w = chain->pieces + chain->readable_count;
	uintptr_t r_low, r_high, w_low, w_high;

	hull(r, chain->readable_count, &r_low, &r_high);
	hull(w, chain->writable_count, &w_low, &w_high);
	if (!meet(r_low, r_high, w_low, w_high))
		return false;
	if (chain->readable_count * chain->writable_count > OVERLAP_PAIRS_MAX)
		return true;
	for (unsigned int i = 0; i < chain->readable_count; i++)
		for (unsigned int k = 0; k < chain->writable_count; k++) {
			uintptr_t a = (uintptr_t)r[i].iov_base;
			uintptr_t b = (uintptr_t)w[k].iov_base;

			if (meet(a, a + r[i].iov_len, b, b + w[k].iov_len))
				return true;
		}
	return false;
}

static void writable_span(struct span *span, const struct vring_chain *chain)
{
	span_init(span, chain->pieces + chain->readable_count,
		  chain->writable_count);
}

static void task_init(struct task *task, struct engine_lane *lane,
		      struct state_slot *slot, const struct vring_chain *chain)
{
	uint32_t op;

	/* Not all of it: parameters are read before they are looked at, and of
	 * the answer the op's part is zeroed when it is known. */
	task->op = NULL;
	task->file = NULL;
	task->session = NULL;
	task->crypto = NULL;
	task->payload_bytes = 0;
	task->worked_bytes = 0;
	task->lane = lane;
	task->engine = lane->engine;
	task->state = lane->engine->state;
	task->slot = slot;
	task->readable_bytes = chain->readable_bytes;
	task->writable_bytes = chain->writable_bytes;
	span_init(&task->in, chain->pieces, chain->readable_count);
	if (span_read(&task->in, &task->request, sizeof(task->request)))
		return;
	op = le32toh(task->request.op);
	if (op >= VCD_OPS || !engine_ops[op].answer_bytes)
		return;
	task->op = &engine_ops[op];
	memset(&task->answer, 0, task->op->answer_bytes);
}

/* vcd 9.5: deaths in a row, at which it was being executed. */
static bool may_attempt(struct state_slot *slot, uint32_t worker)
{
	if (slot->worker + 1 != worker)
		slot->attempts = 0;
	if (slot->attempts >= ENGINE_ATTEMPTS_MAX)
		return false;
	slot->attempts++;
	slot->worker = worker;
	return true;
}

static enum vcd_status task_answer(struct task *task)
{
	if (!may_attempt(task->slot, task->engine->worker))
		return VCD_STATUS_KILLS;
	if (task->readable_bytes < sizeof(task->request) ||
	    task->request.reserved)
		return VCD_STATUS_MALFORMED;
	/* It was judged before its worker died, and journal_repair() has done
	 * the rest. */
	if (task->op && (task->slot->ending_file || task->slot->ending_session))
		return VCD_STATUS_OK;
	return judge_and_run(task);
}

/* Something that leaves its session as it is, but for IV and hash. */
static bool is_operation(const struct task *task)
{
	return task->session && !(task->op->flags & OP_IS_EXCLUSIVE);
}

static void count(const struct task *task, enum vcd_status status)
{
	struct counters *c = &task->state->queue[task->lane->index].counters;
	struct counters_row *row;

	counters_add(&c->requests[task->op ? task->op - engine_ops : 0], 1);
	counters_add(&c->statuses[status], 1);
	if (!is_operation(task))
		return;
	row = &c->row[task->session->row];
	counters_add(&row->requests, 1);
	if (status == VCD_STATUS_OK)
		counters_add(&row->bytes, task->payload_bytes);
	else
		counters_add(&row->failures, 1);
}

/* Make the answer in `out`: its bytes. */
static uint32_t task_execute(struct task *task, struct span out)
{
	enum vcd_status status;
	uint32_t used_bytes;

	task->out = out;
	status = task_answer(task);
	engine_moment(task->lane, MOMENT_EXECUTED);
	if (status == VCD_STATUS_OK) {
		(void)span_write(&out, &task->answer, task->op->answer_bytes);
		used_bytes = (uint32_t)task->writable_bytes;
	} else {
		struct vcd_reply reply = { .status = htole32(status) };

		(void)span_write(&out, &reply, sizeof(reply));
		used_bytes = sizeof(reply);
	}
	count(task, status);
	return used_bytes;
}

/* Straight to guest memory. */
static void execute_direct(struct task *task, const struct vring_chain *chain)
{
	struct span out;

	writable_span(&out, chain);
	task->slot->used_bytes = task_execute(task, out);
}

/* To the queue's result. What is too large for it is too large for any valid
 * request, and is answered with a status only. */
static void execute_recorded(struct task *task, const struct vring_chain *chain)
{
	struct iovec piece = {
		.iov_base = state_result(task->state, task->lane->index),
		.iov_len = task->state->result_bytes,
	};
	struct span out;

	if (chain->writable_bytes < piece.iov_len)
		piece.iov_len = (size_t)chain->writable_bytes;
	span_init(&out, &piece, 1);
	task->slot->zero_bytes = 0; /* of an attempt before */
	task->slot->used_bytes = task_execute(task, out);
	atomic_store_explicit(&task->slot->phase, SLOT_RECORDED,
			      memory_order_release);
	engine_moment(task->lane, MOMENT_RECORDED);
}

static void copy_result(const struct engine_lane *lane, struct state_slot *slot,
			const struct vring_chain *chain)
{
	uint8_t *result = state_result(lane->engine->state, lane->index);
	struct span out;

	writable_span(&out, chain);
	/* Only a driver that changes a chain in flight gets nothing. */
	if (span_write(&out, result, slot->used_bytes))
		slot->used_bytes = 0;
	else
		(void)span_zero(&out, slot->zero_bytes);
	engine_moment(lane, MOMENT_COPIED);
}

/* Nothing stays of what was recorded, nor of what a request had written when
 * it failed. Behind the commit: until then it is the only copy. */
static void wipe_result(const struct task *task,
			const struct vring_chain *chain)
{
	uint64_t bytes = task->slot->used_bytes;

	/* What another worker wrote, this one does not know. */
	if (task->slot->worker != task->engine->worker) {
		state_wipe_result(task->state, task->lane->index);
		return;
	}
	if (!CHECK(device_result_rest, !task->worked_bytes))
		bytes = chain->writable_bytes;
	if (bytes > task->state->result_bytes)
		bytes = task->state->result_bytes;
	secret_wipe(state_result(task->state, task->lane->index), bytes);
}

static void commit(const struct engine_lane *lane, struct state_slot *slot)
{
	atomic_store_explicit(&slot->phase, SLOT_COMMITTED,
			      memory_order_release);
	engine_moment(lane, MOMENT_COMMITTED);
	journal_apply(lane->engine->state, slot);
	engine_moment(lane, MOMENT_APPLIED);
}

static void execute_begun(struct task *task, const struct vring_chain *chain)
{
	struct state *state = task->state;

	if (chain->writable_bytes < sizeof(struct vcd_reply)) {
		task->slot->used_bytes = 0;
		counters_add(
			&state->queue[task->lane->index].counters.unanswerable,
			1);
		return;
	}
	if (overlaps(chain))
		execute_recorded(task, chain);
	else
		execute_direct(task, chain);
}

uint32_t engine_execute(struct engine_lane *lane, struct state_slot *slot,
			const struct vring_chain *chain)
{
	bool is_timed = lane->untimed++ % COUNTERS_TIMED == 0;
	uint64_t begun_ns = is_timed ? clock_now_ns() : 0;
	struct task task;

	if (slot->phase == SLOT_COMMITTED)
		return 0;
	task_init(&task, lane, slot, chain);
	lanes_lock(&task);
	engine_moment(lane, MOMENT_BEGUN);
	if (slot->phase == SLOT_BEGUN)
		execute_begun(&task, chain);
	if (slot->phase == SLOT_RECORDED) {
		copy_result(lane, slot, chain);
		commit(lane, slot);
		wipe_result(&task, chain);
	} else {
		commit(lane, slot);
	}
	if (is_timed && is_operation(&task))
		counters_time(&task.state->queue[lane->index]
				       .counters.row[task.session->row],
			      clock_now_ns() - begun_ns);
	lanes_unlock(&task);
	return task.worked_bytes;
}
