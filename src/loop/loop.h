/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - event loop: descriptors, timers, deferred work; knows no protocol */
#ifndef PVX_LOOP_LOOP_H
#define PVX_LOOP_LOOP_H

#include "base/list.h"
#include "loop/heap.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * One thread owns a loop and everything registered with it. The elements
 * below live inside the owner's objects (list_entry() leads back to them);
 * none of them may be freed while registered, and any handler may remove or
 * free any element, its own too. Zeroed elements may be removed.
 */
struct loop;

/* 0, -ENOMEM, or what epoll_create1(2) says. */
int loop_create(struct loop **loop);
/* All elements must have been removed. NULL is allowed. */
void loop_destroy(struct loop *loop);

/*
 * Serve until loop_stop(). In one turn: handlers of ready descriptors, then
 * timers that are due, then deferred work. Returns 0, or -errno when
 * epoll_wait(2) fails.
 */
int loop_run(struct loop *loop);
/* One turn that sleeps at most `max_ms` (-1: until something happens). */
int loop_turn(struct loop *loop, int max_ms);
/* The turn that runs is the last one. */
void loop_stop(struct loop *loop);

/* Whether other ready descriptors are still to be served in this turn. */
bool loop_has_more(const struct loop *loop);

/* CLOCK_MONOTONIC in milliseconds, read once per turn. */
uint64_t loop_now_ms(const struct loop *loop);

/* What a descriptor is watched for, and what its handler is told. */
enum loop_event {
	LOOP_READ = 1,   /* readable, or the peer will write no more */
	LOOP_WRITE = 2,  /* writable */
	LOOP_HANGUP = 4, /* told unasked: error, or closed both ways */
	LOOP_EDGE = 8    /* with others: told again only when more has come */
};

struct loop_watch;
typedef void loop_watch_fn(struct loop_watch *watch, unsigned int events);

struct loop_watch {
	struct loop *loop; /* NULL: not watched */
	loop_watch_fn *on_ready;
	int fd; /* borrowed: remove the watch before closing it */
	unsigned int events;
	unsigned int ready_slot; /* 1 + place in the turn's batch, 0: none */
	bool is_always_ready;    /* a regular file: epoll refuses those */
	struct list always_link;
};

/*
 * Watch `fd`, level-triggered unless LOOP_EDGE is set, for `events` (may be 0:
 * hang-ups only). A regular file or /dev/null, which epoll refuses, counts as
 * always ready. Returns 0 or -errno of epoll_ctl(2).
 */
int loop_watch_add(struct loop *loop, struct loop_watch *watch, int fd,
		   unsigned int events, loop_watch_fn *on_ready);
/* Change what is watched for; no system call when nothing changes. */
int loop_watch_set(struct loop_watch *watch, unsigned int events);
void loop_watch_remove(struct loop_watch *watch);

struct loop_timer;
typedef void loop_timer_fn(struct loop_timer *timer);

struct loop_timer {
	struct heap_node node; /* key: when the heap looks at it */
	struct loop *loop;
	loop_timer_fn *on_due;
	uint64_t due_ms; /* never before node.key */
};

void loop_timer_init(struct loop *loop, struct loop_timer *timer,
		     loop_timer_fn *on_due);
/*
 * (Re-)arm: once, `delay_ms` from now, not within this pass over the timers.
 * Never fails; O(1) when it moves to later, as timeouts do.
 */
void loop_timer_arm(struct loop_timer *timer, uint64_t delay_ms);
void loop_timer_disarm(struct loop_timer *timer);
static inline bool loop_timer_is_armed(const struct loop_timer *timer)
{
	return heap_has(&timer->node);
}

struct loop_work;
typedef void loop_work_fn(struct loop_work *work);

struct loop_work {
	struct list link;
	struct loop *loop;
	loop_work_fn *run;
};

void loop_work_init(struct loop *loop, struct loop_work *work,
		    loop_work_fn *run);
/* Run once, at the end of this turn. Queued twice it still runs once; queued
 * by deferred work it runs in the next turn, which then does not sleep. */
void loop_work_queue(struct loop_work *work);
void loop_work_cancel(struct loop_work *work);

#endif
