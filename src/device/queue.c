/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - a ring and the thread that serves it */
#include "device/queue.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "vhost/event.h"

/* Publish at least so often, that the driver can work beside us. */
#define BATCH_REQUESTS 64u
#define BATCH_BYTES    (512u * 1024)
/* A ring without a kick descriptor is looked at so often. */
#define LOOK_EVERY_NS 1000000
/* Looks between two of the clock, of a pause each: about a microsecond. */
#define LOOK_TURNS 16

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void call(struct queue *queue)
{
	if (queue->call_fd < 0)
		return;
	counters_add(&queue->counters->calls, 1);
	(void)vhost_event_signal(queue->call_fd, queue->is_call_socket);
}

/* vcd 8.3: the ring does nothing more; say so once. */
static void broke(struct queue *queue)
{
	if (queue->is_broken)
		return;
	queue->is_broken = true;
	log_warning("queue %u is broken: %s", queue->lane->index,
		    vring_fault_name(queue->ring.fault));
	if (queue->err_fd >= 0)
		(void)vhost_event_signal(queue->err_fd,
					 vhost_event_is_socket(queue->err_fd));
}

/* Return and publish the journal's window, all of which is committed. */
static void publish(struct queue *queue)
{
	struct journal *journal = &queue->journal;
	bool must_call;

	if (journal->count == 0)
		return;
	for (unsigned int i = 0; i < journal->count; i++) {
		const struct state_slot *slot = journal_slot(journal, i);

		vring_return(&queue->ring, slot->head, slot->used_bytes);
	}
	engine_moment(queue->lane, MOMENT_RETURNED);
	must_call = vring_publish(&queue->ring);
	engine_moment(queue->lane, MOMENT_PUBLISHED);
	journal_settle(journal);
	engine_moment(queue->lane, MOMENT_SETTLED);
	counters_add(&queue->counters->batches, 1);
	if (must_call)
		call(queue);
}

/* Finish what a dead worker left in the window. */
static void finish_window(struct queue *queue)
{
	struct journal *journal = &queue->journal;

	for (unsigned int i = 0; i < journal->count; i++) {
		struct state_slot *slot = journal_slot(journal, i);

		if (slot->phase == SLOT_COMMITTED)
			continue;
		counters_add(&queue->counters->resumed, 1);
		if (vring_walk(&queue->ring, slot->head, &queue->chain) != 1) {
			/* A recorded answer goes nowhere any more. */
			state_wipe_result(queue->lane->engine->state,
					  queue->lane->index);
			broke(queue);
			return;
		}
		engine_enter(queue->lane);
		(void)engine_execute(queue->lane, slot, &queue->chain);
		engine_leave(queue->lane);
	}
	publish(queue);
}

/* How long the throttle holds the next request back; 0: not at all. */
static uint64_t held_ns(struct queue *queue)
{
	uint64_t delay_ns;

	if (!throttle_is_on(queue->throttle))
		return 0;
	delay_ns = throttle_delay_ns(queue->throttle, clock_now_ns());
	if (delay_ns)
		counters_add(&queue->counters->throttled, 1);
	return delay_ns;
}

/* A batch begins: what was available, with the request just taken. */
static void note_depth(struct queue *queue)
{
	const struct vring *ring = &queue->ring;
	uint64_t depth = 1 + (uint16_t)(ring->avail_idx - ring->next_avail);

	counters_set(&queue->counters->depth, depth);
	counters_add(&queue->counters->depths, depth);
}

/* Serve one batch: whether there may be more, or how long to wait for it. */
static bool serve_batch(struct queue *queue, uint64_t *hold_ns)
{
	uint64_t batch_bytes = 0;
	int got = 1;

	engine_enter(queue->lane);
	while (queue->journal.count < BATCH_REQUESTS &&
	       batch_bytes < BATCH_BYTES) {
		struct state_slot *slot;
		uint32_t bytes;

		if (atomic_load_explicit(&queue->must_stop,
					 memory_order_relaxed))
			break;
		*hold_ns = held_ns(queue);
		if (*hold_ns)
			break;
		got = vring_take(&queue->ring, &queue->chain);
		if (got <= 0)
			break;
		engine_moment(queue->lane, MOMENT_TAKEN);
		if (queue->journal.count == 0)
			note_depth(queue);
		slot = journal_begin(&queue->journal, queue->chain.head,
				     queue->ring.next_avail);
		bytes = engine_execute(queue->lane, slot, &queue->chain);
		batch_bytes += bytes;
		if (throttle_is_on(queue->throttle))
			throttle_spend(queue->throttle, clock_now_ns(), bytes);
	}
	engine_leave(queue->lane);
	publish(queue);
	if (got < 0)
		broke(queue);
	return got > 0;
}

static void spin(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

/* Before a sleep: whether something came while we looked for it. */
static bool look(struct queue *queue)
{
	uint64_t span_ns = look_ns(&queue->look), end_ns;
	bool has_found = false;

	if (!span_ns)
		return false;
	/* It came before: that tells nothing of what looking is worth. */
	if (vring_has_more(&queue->ring))
		return true;
	end_ns = clock_now_ns() + span_ns;
	do {
		for (int i = 0; i < LOOK_TURNS && !has_found; i++) {
			has_found = vring_has_more(&queue->ring);
			if (!has_found)
				spin();
		}
	} while (
		!has_found && clock_now_ns() < end_ns &&
		!atomic_load_explicit(&queue->must_stop, memory_order_relaxed));
	look_ended(&queue->look, has_found);
	counters_add(&queue->counters->looks, 1);
	if (has_found)
		counters_add(&queue->counters->finds, 1);
	return has_found;
}

/* Sleep until the stop, or until `hold_ns` have passed (0: for ever). */
static void sleep_for(struct queue *queue, uint64_t hold_ns)
{
	struct pollfd wake = { .fd = queue->wake_fd, .events = POLLIN };
	const struct timespec limit = {
		.tv_sec = (time_t)(hold_ns / 1000000000),
		.tv_nsec = (long)(hold_ns % 1000000000),
	};

	(void)ppoll(&wake, 1, hold_ns ? &limit : NULL, NULL);
}

static void kick_forget(struct queue *queue)
{
	/* Others have it open, so that closing it does not end the watch. */
	if (queue->kick_fd >= 0)
		(void)epoll_ctl(queue->epoll_fd, EPOLL_CTL_DEL, queue->kick_fd,
				NULL);
	fd_close(&queue->kick_fd);
}

/* Watch the kick: the edges of a number, which is then never to be read. */
static int kick_watch(struct queue *queue)
{
	struct epoll_event event = { .events = EPOLLIN,
				     .data.fd = queue->kick_fd };

	if (queue->kick_fd < 0)
		return 0;
	queue->is_kick_socket = vhost_event_is_socket(queue->kick_fd);
	queue->is_kick_number = vhost_event_is_number(queue->kick_fd);
	if (queue->is_kick_number)
		event.events |= EPOLLET;
	return epoll_ctl(queue->epoll_fd, EPOLL_CTL_ADD, queue->kick_fd, &event)
		       ? -errno
		       : 0;
}

/* Sleep until a kick or the stop. */
static void sleep_until_kick(struct queue *queue)
{
	uint64_t begun_ns = queue->look.limit_ns ? clock_now_ns() : 0;
	struct epoll_event events[2];
	bool has_kick = false;
	int count = epoll_wait(queue->epoll_fd, events, 2, -1);

	for (int i = 0; i < count; i++)
		has_kick = has_kick || events[i].data.fd == queue->kick_fd;
	if (count > 0)
		counters_add(&queue->counters->wakeups, 1);
	if (!has_kick)
		return;
	if (queue->look.limit_ns)
		look_slept(&queue->look, clock_now_ns() - begun_ns);
	if (!queue->is_kick_number &&
	    vhost_event_drain(queue->kick_fd, queue->is_kick_socket) < 0)
		kick_forget(queue); /* the peer closed it: look */
}

/* Sleep as long as there is nothing to do, or as long as the throttle says. */
static void sleep_until(struct queue *queue, uint64_t hold_ns)
{
	if (hold_ns || queue->is_broken)
		sleep_for(queue, hold_ns);
	else if (queue->kick_fd < 0)
		sleep_for(queue, LOOK_EVERY_NS);
	else
		sleep_until_kick(queue);
}

static void *queue_main(void *argument)
{
	struct queue *queue = argument;

	/* A call may have been lost with whoever served the ring before. */
	call(queue);
	finish_window(queue);
	while (!atomic_load(&queue->must_stop)) {
		uint64_t hold_ns = 0;

		vring_mute(&queue->ring);
		while (!queue->is_broken && !atomic_load(&queue->must_stop) &&
		       serve_batch(queue, &hold_ns) && !hold_ns)
			;
		if (!hold_ns && !queue->is_broken &&
		    (look(queue) || vring_listen(&queue->ring)))
			continue;
		if (!hold_ns)
			counters_set(&queue->counters->depth, 0);
		if (!atomic_load(&queue->must_stop))
			sleep_until(queue, hold_ns);
	}
	return NULL;
}

int queue_init(struct queue *queue, struct engine_lane *lane,
	       struct throttle *throttle, uint64_t poll_ns)
{
	struct epoll_event event = { .events = EPOLLIN };

	memset(queue, 0, sizeof(*queue));
	queue->lane = lane;
	queue->throttle = throttle;
	queue->counters = &lane->engine->state->queue[lane->index].counters;
	queue->kick_fd = -1;
	queue->call_fd = -1;
	queue->err_fd = -1;
	queue->epoll_fd = -1;
	look_init(&queue->look, poll_ns);
	queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (queue->wake_fd >= 0)
		queue->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	event.data.fd = queue->wake_fd;
	return queue->epoll_fd < 0 || epoll_ctl(queue->epoll_fd, EPOLL_CTL_ADD,
						queue->wake_fd, &event)
		       ? -errno
		       : 0;
}

void queue_deinit(struct queue *queue)
{
	if (!queue->lane)
		return;
	if (queue->is_running)
		(void)queue_stop(queue);
	fd_close(&queue->wake_fd);
	fd_close(&queue->epoll_fd);
	memset(queue, 0, sizeof(*queue));
}

/* Set ring and journal to where they go on. */
static int attach(struct queue *queue, const struct queue_start *start)
{
	struct vring *ring = &queue->ring;
	struct state_queue *kept =
		&queue->lane->engine->state->queue[queue->lane->index];
	struct vring_position position;
	int error = vring_attach(ring, &start->layout, start->features,
				 start->memory, start->base);

	if (error)
		return error;
	if (!journal_resume(&queue->journal, kept, start->number)) {
		if (start->inflight)
			error = vring_track(ring, start->inflight,
					    queue->lane->index);
		journal_reset(&queue->journal, kept, start->number,
			      ring->next_avail, ring->next_used);
		return error;
	}
	/* What the window has may be published already, and is again. */
	position = (struct vring_position){
		.next_avail = queue->journal.next_avail,
		.next_used = queue->journal.next_used,
		.published = queue->journal.next_used,
	};
	vring_set_position(ring, &position);
	for (unsigned int i = 0; !error && i < queue->journal.count; i++)
		error = vring_adopt(ring,
				    journal_slot(&queue->journal, i)->head);
	if (!error && start->inflight)
		error = vring_follow(ring, start->inflight, queue->lane->index);
	return error;
}

static void close_fds(struct queue *queue)
{
	kick_forget(queue);
	fd_close(&queue->call_fd);
	fd_close(&queue->err_fd);
}

int queue_start(struct queue *queue, const struct queue_start *start)
{
	int error = -EBUSY;

	if (!queue->is_running) {
		queue->kick_fd = start->kick_fd;
		queue->call_fd = start->call_fd;
		queue->err_fd = start->err_fd;
		queue->is_call_socket = vhost_event_is_socket(queue->call_fd);
		queue->is_broken = false;
		atomic_store(&queue->must_stop, false);
		error = kick_watch(queue);
		if (!error)
			error = attach(queue, start);
	}
	if (!error)
		error = -pthread_create(&queue->thread, NULL, queue_main,
					queue);
	if (error)
		close_fds(queue);
	else
		queue->is_running = true;
	return error;
}

void queue_ask_stop(struct queue *queue)
{
	atomic_store(&queue->must_stop, true);
	(void)vhost_event_signal(queue->wake_fd, false);
}

uint16_t queue_stop(struct queue *queue)
{
	queue_ask_stop(queue);
	pthread_join(queue->thread, NULL);
	(void)vhost_event_drain(queue->wake_fd, false);
	queue->is_running = false;
	close_fds(queue);
	/* What a broken ring left is never returned. */
	journal_reset(&queue->journal, queue->journal.queue,
		      queue->journal.start, queue->journal.next_avail,
		      queue->journal.next_used);
	return queue->journal.next_avail;
}
