/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - event loop: descriptors, timers, deferred work; knows no protocol */

#include "loop/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

/*
 * How it works: epoll tells a batch of ready watches. While a batch is served
 * each watch knows its place in it (ready_slot), so that removing a watch
 * strikes its event out in O(1) and memory may be freed at once. A timer that
 * moves to later stays where it is in the heap; when the heap gets there, it
 * is put in again at its real time. Deferred work is taken from the queue as
 * a whole: what it queues itself belongs to the next turn.
 */
#define LOOP_BATCH 256

struct loop {
	int epoll_fd;
	bool is_stopped;
	uint64_t now_ms;
	struct heap timers;
	struct list always; /* watches that epoll refuses */
	struct list work;
	struct epoll_event batch[LOOP_BATCH];
	unsigned int batch_left; /* not served yet */
};

static uint64_t clock_ms(void)
{
	return clock_now_ns() / 1000000;
}

int loop_create(struct loop **loop)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0) {
		int error = -errno;

		free(l);
		return error;
	}
	list_init(&l->always);
	list_init(&l->work);
	l->now_ms = clock_ms();
	*loop = l;
	return 0;
}

void loop_destroy(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll_fd);
	free(loop);
}

uint64_t loop_now_ms(const struct loop *loop)
{
	return loop->now_ms;
}

bool loop_has_more(const struct loop *loop)
{
	return loop->batch_left;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}

static int watch_control(struct loop_watch *w, int operation)
{
	struct epoll_event e = { .data.ptr = w };

	if (w->events & LOOP_READ)
		e.events |= EPOLLIN;
	if (w->events & LOOP_WRITE)
		e.events |= EPOLLOUT;
	if (w->events & LOOP_EDGE)
		e.events |= EPOLLET;
	return epoll_ctl(w->loop->epoll_fd, operation, w->fd, &e) ? -errno : 0;
}

int loop_watch_add(struct loop *loop, struct loop_watch *w, int fd,
		   unsigned int events, loop_watch_fn *on_ready)
{
	int error;

	*w = (struct loop_watch){
		.loop = loop,
		.on_ready = on_ready,
		.fd = fd,
		.events = events,
	};
	list_init(&w->always_link);
	error = watch_control(w, EPOLL_CTL_ADD);
	if (error == -EPERM) {
		w->is_always_ready = true;
		list_append(&loop->always, &w->always_link);
		return 0;
	}
	if (error)
		w->loop = NULL;
	return error;
}

int loop_watch_set(struct loop_watch *w, unsigned int events)
{
	if (w->events == events)
		return 0;
	w->events = events;
	return w->is_always_ready ? 0 : watch_control(w, EPOLL_CTL_MOD);
}

void loop_watch_remove(struct loop_watch *w)
{
	if (!w->loop)
		return;
	if (w->ready_slot)
		w->loop->batch[w->ready_slot - 1].data.ptr = NULL;
	w->ready_slot = 0;
	if (w->is_always_ready)
		list_remove(&w->always_link);
	else
		(void)watch_control(w, EPOLL_CTL_DEL);
	w->loop = NULL;
}

static unsigned int events_of(uint32_t told)
{
	unsigned int events = 0;

	if (told & EPOLLIN)
		events |= LOOP_READ;
	if (told & EPOLLOUT)
		events |= LOOP_WRITE;
	if (told & (EPOLLERR | EPOLLHUP))
		events |= LOOP_HANGUP;
	return events;
}

/* Serve what epoll told, from the batch. */
static void loop_serve_batch(struct loop *loop, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct loop_watch *w = loop->batch[i].data.ptr;

		w->ready_slot = i + 1;
	}
	for (unsigned int i = 0; i < count; i++) {
		struct loop_watch *w = loop->batch[i].data.ptr;

		loop->batch_left = count - i - 1;
		if (!w)
			continue; /* removed by an earlier handler */
		w->ready_slot = 0;
		w->on_ready(w, events_of(loop->batch[i].events));
	}
}

static void loop_serve_always(struct loop *loop)
{
	struct list todo;

	list_init(&todo);
	while (!list_is_empty(&loop->always)) {
		struct list *first = loop->always.next;

		list_remove(first);
		list_append(&todo, first);
	}
	/* Back to its list before its handler may remove it. */
	while (!list_is_empty(&todo)) {
		struct loop_watch *w =
			list_entry(todo.next, struct loop_watch, always_link);

		list_remove(&w->always_link);
		list_append(&loop->always, &w->always_link);
		if (w->events)
			w->on_ready(w, w->events);
	}
}

static void loop_serve_timers(struct loop *loop)
{
	struct heap_node *n;

	while ((n = loop->timers.root) && n->key <= loop->now_ms) {
		struct loop_timer *t = list_entry(n, struct loop_timer, node);

		heap_remove(&loop->timers, n);
		if (t->due_ms > loop->now_ms) { /* moved to later meanwhile */
			n->key = t->due_ms;
			heap_insert(&loop->timers, n);
			continue;
		}
		t->on_due(t);
	}
}

static void loop_serve_work(struct loop *loop)
{
	struct list todo;

	list_init(&todo);
	while (!list_is_empty(&loop->work)) {
		struct list *first = loop->work.next;

		list_remove(first);
		list_append(&todo, first);
	}
	while (!list_is_empty(&todo)) {
		struct loop_work *w =
			list_entry(todo.next, struct loop_work, link);

		list_remove(&w->link);
		w->run(w);
	}
}

static bool loop_has_always(const struct loop *loop)
{
	list_for_each (link, &loop->always)
		if (list_entry(link, struct loop_watch, always_link)->events)
			return true;
	return false;
}

/* How long the turn may sleep, in milliseconds; -1 for ever. */
static int loop_patience_ms(const struct loop *loop, int max_ms)
{
	uint64_t left_ms;

	if (!list_is_empty(&loop->work) || loop_has_always(loop))
		return 0;
	if (!loop->timers.root)
		return max_ms;
	left_ms = loop->timers.root->key > loop->now_ms
			  ? loop->timers.root->key - loop->now_ms
			  : 0;
	if (max_ms >= 0 && left_ms > (uint64_t)max_ms)
		return max_ms;
	return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

int loop_turn(struct loop *loop, int max_ms)
{
	int count;

	loop->now_ms = clock_ms();
	count = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH,
			   loop_patience_ms(loop, max_ms));
	if (count < 0 && errno != EINTR)
		return -errno;
	loop->now_ms = clock_ms();
	if (count > 0)
		loop_serve_batch(loop, (unsigned int)count);
	if (!list_is_empty(&loop->always))
		loop_serve_always(loop);
	loop_serve_timers(loop);
	loop_serve_work(loop);
	return 0;
}

int loop_run(struct loop *loop)
{
	int error = 0;

	loop->is_stopped = false;
	while (!loop->is_stopped && !error)
		error = loop_turn(loop, -1);
	return error;
}

void loop_timer_init(struct loop *loop, struct loop_timer *t,
		     loop_timer_fn *on_due)
{
	*t = (struct loop_timer){ .loop = loop, .on_due = on_due };
}

void loop_timer_arm(struct loop_timer *t, uint64_t delay_ms)
{
	/* 0 would be due again in this very pass. */
	t->due_ms = t->loop->now_ms + (delay_ms ? delay_ms : 1);
	if (heap_has(&t->node)) {
		if (t->node.key <= t->due_ms)
			return;
		heap_remove(&t->loop->timers, &t->node);
	}
	t->node.key = t->due_ms;
	heap_insert(&t->loop->timers, &t->node);
}

void loop_timer_disarm(struct loop_timer *t)
{
	if (t->loop)
		heap_remove(&t->loop->timers, &t->node);
}

void loop_work_init(struct loop *loop, struct loop_work *w, loop_work_fn *run)
{
	*w = (struct loop_work){ .loop = loop, .run = run };
	list_init(&w->link);
}

void loop_work_queue(struct loop_work *w)
{
	if (list_is_empty(&w->link))
		list_append(&w->loop->work, &w->link);
}

void loop_work_cancel(struct loop_work *w)
{
	if (w->loop)
		list_remove(&w->link);
}
