// SPDX-License-Identifier: GPL-2.0-only
/* async.c - CIOCASYNCCRYPT, CIOCASYNCFETCH, poll(2) */
#include "kernel/async.h"

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "kernel/crypt.h"
#include "kernel/device.h"
#include "kernel/kick.h"
#include "kernel/user.h"

/*
 * How it works: a job goes to the device when it is submitted, so many are in
 * flight at once, and its destination is pinned, since whoever fetches it may
 * be another process (Q2). Requests of a session take effect in their order
 * (vcd 5.13); jobs are fetched in the order of their submission (Q3), so the
 * oldest one alone decides whether something can be fetched. Two are run to
 * their end when they are submitted: a job with a hash that is cut into several
 * requests, which is begun again before anything else of the session is, should
 * the device's worker take the hash with it (vcd 9.4); and what has a
 * destination that cannot be pinned, which the submitter writes.
 *
 * A job has a reference of the file's list and one for each call in flight,
 * and holds the file's memory: a job may outlive the last close.
 *
 * Nobody waits for a job before somebody asks for it: the device is told of
 * many at once, and whoever is about to sleep says so (kick.h). Sleepers wait
 * for the oldest job, and are woken when another one becomes it.
 *
 * Under the file's jobs_lock: the list, `pending`, `count`.
 */
#define JOBS_MAX   64 /* Q1 */
#define PIECES_MAX 16

struct job {
	refcount_t refs;
	struct work_struct destroy_work;
	struct list_head link;
	struct vcd_file *file; /* counted */
	struct vcd_plan plan;  /* its session is counted */
	unsigned int pending;  /* calls in flight, and the submission */
	int error;             /* found before the device had all of it */
	unsigned int count;
	struct vcd_call *calls[PIECES_MAX]; /* NULL: is collected */
};

static void job_destroy(struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->count; i++)
		vcd_call_put(job->calls[i]);
	vcd_session_put(job->plan.session);
	vcd_file_put(job->file);
	kfree_sensitive(job);
}

static void on_destroy(struct work_struct *work)
{
	job_destroy(container_of(work, struct job, destroy_work));
}

static void job_put(struct job *job)
{
	if (refcount_dec_and_test(&job->refs))
		job_destroy(job);
}

/* One of what the job waits for is over. */
static void job_step(struct job *job)
{
	struct vcd_file *f = job->file;
	unsigned long flags;

	spin_lock_irqsave(&f->jobs_lock, flags);
	if (--job->pending == 0)
		wake_up(&f->job_done);
	spin_unlock_irqrestore(&f->jobs_lock, flags);
}

/* In interrupt context, with the queue's lock. */
static void on_finished(struct vcd_call *call)
{
	struct job *job = call->owner;

	job_step(job);
	if (refcount_dec_and_test(&job->refs))
		vcd_call_later(&job->destroy_work);
}

static int submit_call(struct job *job, struct vcd_call *call)
{
	struct vcd_file *f = job->file;
	bool is_oldest;
	int error;

	call->owner = job;
	call->on_finished = on_finished;
	call->is_job = true;
	call->is_of_large = job->plan.op.len >= VCD_KICK_BYTES;
	refcount_inc(&job->refs);
	spin_lock_irq(&f->jobs_lock);
	job->calls[job->count++] = call;
	job->pending++;
	is_oldest = list_is_first(&job->link, &f->jobs);
	spin_unlock_irq(&f->jobs_lock);
	/* Who comes later finds the call; who came before is seen here. */
	if (is_oldest && waitqueue_active(&f->job_done))
		call->is_awaited = true;
	error = vcd_queue_submit(job->plan.session->queue, call);
	if (error) {
		job_step(job);
		job_put(job);
		return error;
	}
	vcd_session_leave(job->plan.session, call);
	return 0;
}

static int run_call(struct job *job, struct vcd_call *call, u32 at)
{
	struct vcd_plan *plan = &job->plan;
	struct vcd_reply reply;
	int error;

	spin_lock_irq(&job->file->jobs_lock);
	job->calls[job->count++] = NULL;
	spin_unlock_irq(&job->file->jobs_lock);
	error = vcd_session_run(plan->session, call, &reply);
	if (!error)
		error = vcd_crypt_collect(plan, call, at);
	vcd_call_put(call);
	return error;
}

/* All pieces, with the session locked. */
static int submit_pieces(struct job *job)
{
	struct vcd_plan *plan = &job->plan;
	struct vcd_call *call;
	u32 at = 0;
	int error;

	if (plan->piece_bytes &&
	    DIV_ROUND_UP_ULL(plan->op.len, plan->piece_bytes) > PIECES_MAX)
		return -E2BIG;
	do {
		call = vcd_crypt_piece(plan, at);
		if (IS_ERR(call))
			return PTR_ERR(call);
		if (vcd_crypt_is_copied(plan, call))
			error = run_call(job, call, at);
		else
			error = submit_call(job, call);
		if (error)
			return error;
		at += vcd_crypt_piece_bytes(plan, at);
	} while (at < plan->op.len);
	return 0;
}

/* With the session locked. */
static int start(struct job *job)
{
	struct vcd_plan *plan = &job->plan;
	int error;

	error = vcd_crypt_plan(plan);
	if (error)
		return error;
	if (plan->is_hash_cut)
		return vcd_crypt_run(plan);
	plan->is_async = true;
	error = submit_pieces(job);
	plan->session->is_hash_open = error || !plan->is_due;
	return error;
}

/* To the end of the list, if there is room. */
static int enqueue(struct vcd_file *f, struct job *job)
{
	int error = -EBUSY;

	spin_lock_irq(&f->jobs_lock);
	if (f->job_count < JOBS_MAX) {
		f->job_count++;
		list_add_tail(&job->link, &f->jobs);
		error = 0;
	}
	spin_unlock_irq(&f->jobs_lock);
	return error;
}

static struct job *job_create(struct vcd_file *f)
{
	struct job *job;

	job = kzalloc(sizeof(*job), GFP_KERNEL_ACCOUNT);
	if (!job)
		return NULL;
	refcount_set(&job->refs, 1);
	INIT_WORK(&job->destroy_work, on_destroy);
	INIT_LIST_HEAD(&job->link);
	job->pending = 1;
	job->file = vcd_file_get(f);
	return job;
}

int vcd_async_submit(struct vcd_file *f, const void __user *argument,
		     bool is_narrow)
{
	struct job *job;
	int error;

	job = job_create(f);
	if (!job)
		return -EFAULT; /* Q1 has it so */
	error = vcd_crypt_take(&job->plan, f, argument, is_narrow);
	if (!error && job->plan.op.flags & COP_FLAG_NO_ZC)
		error = -EINVAL;
	if (!error)
		error = enqueue(f, job);
	if (error) {
		job_put(job);
		return error;
	}
	/* Nobody takes the job from the list before the last step. */
	error = vcd_session_lock(job->plan.session);
	if (!error) {
		error = start(job);
		vcd_session_unlock(job->plan.session);
	}
	/* The submitter was killed; who fetches the job was not. */
	if (error == -EINTR || error == -ERESTARTSYS)
		error = -ECANCELED;
	job->error = error;
	job_step(job);
	return 0;
}

/* The oldest job, if it is done; it is the caller's then. */
static struct job *dequeue(struct vcd_file *f)
{
	struct job *job;

	spin_lock_irq(&f->jobs_lock);
	job = list_first_entry_or_null(&f->jobs, struct job, link);
	if (job && job->pending)
		job = NULL;
	if (job) {
		list_del_init(&job->link);
		f->job_count--;
	}
	spin_unlock_irq(&f->jobs_lock);
	if (job)
		wake_up(&f->job_done); /* there is room, and another oldest */
	return job;
}

static int collect(struct job *job)
{
	struct vcd_plan *plan = &job->plan;
	unsigned int i;
	u32 at = 0;
	int error = 0;

	for (i = 0; i < job->count; i++) {
		if (job->calls[i])
			error = vcd_crypt_collect(plan, job->calls[i], at);
		if (error)
			return error;
		at += vcd_crypt_piece_bytes(plan, at);
	}
	return 0;
}

static int finish(struct job *job)
{
	int error;

	if (job->error)
		return job->error;
	error = collect(job);
	return error ? error : vcd_crypt_deliver(&job->plan);
}

/* The oldest job, counted, if it is not done. */
static struct job *oldest_get(struct vcd_file *f, unsigned int *count)
{
	struct job *job;

	spin_lock_irq(&f->jobs_lock);
	job = list_first_entry_or_null(&f->jobs, struct job, link);
	if (job && !job->pending)
		job = NULL;
	if (job) {
		refcount_inc(&job->refs);
		*count = job->count;
	}
	spin_unlock_irq(&f->jobs_lock);
	return job;
}

/* See that the oldest job gets done, and that who sleeps hears of it. */
static void want_oldest(struct vcd_file *f, bool sleeps)
{
	unsigned int i, count;
	struct vcd_queue *q;
	struct job *job;

	job = oldest_get(f, &count);
	if (!job)
		return;
	q = job->plan.session->queue;
	for (i = 0; i < count; i++) {
		if (!job->calls[i])
			continue;
		if (sleeps)
			vcd_queue_await(q, job->calls[i]);
		else
			vcd_queue_hurry(q, job->calls[i]);
	}
	job_put(job);
}

int vcd_async_fetch(struct vcd_file *f, void __user *argument, bool is_narrow)
{
	struct job *job;
	int error;

	job = dequeue(f);
	if (!job) {
		want_oldest(f, false);
		job = dequeue(f);
	}
	if (!job)
		return -EBUSY;
	error = finish(job);
	if (!error)
		error = vcd_user_write_crypt(&job->plan.op, argument,
					     is_narrow);
	job_put(job);
	return error;
}

static __poll_t events_now(struct vcd_file *f)
{
	struct job *job;
	__poll_t events = 0;

	spin_lock_irq(&f->jobs_lock);
	job = list_first_entry_or_null(&f->jobs, struct job, link);
	if (job && !job->pending)
		events |= EPOLLIN | EPOLLRDNORM;
	if (f->job_count < JOBS_MAX)
		events |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock_irq(&f->jobs_lock);
	if (READ_ONCE(f->device->queues[0].error))
		events |= EPOLLERR | EPOLLHUP;
	return events;
}

__poll_t vcd_async_poll(struct vcd_file *f)
{
	__poll_t events = events_now(f);

	if (events & EPOLLIN)
		return events;
	want_oldest(f, true);
	return events_now(f);
}

/* The device still gets what was submitted, and gives its pages back. */
static void give_away(struct job *job)
{
	unsigned int i;

	for (i = 0; i < job->count; i++)
		if (job->calls[i])
			vcd_queue_await(job->plan.session->queue,
					job->calls[i]);
	job_put(job);
}

void vcd_async_discard(struct vcd_file *f)
{
	struct job *job, *next;
	LIST_HEAD(jobs);

	spin_lock_irq(&f->jobs_lock);
	list_splice_init(&f->jobs, &jobs);
	f->job_count = 0;
	spin_unlock_irq(&f->jobs_lock);
	list_for_each_entry_safe(job, next, &jobs, link)
	{
		list_del_init(&job->link);
		give_away(job);
	}
}
