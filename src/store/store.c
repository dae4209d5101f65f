/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - sealed messages of rooms on the disk, in SQLite */

/*
 * How it works: two threads with a queue each, one that writes and one that
 * reads, so that nobody's catch-up delays a commit. A thread takes all that
 * waits, does it without the lock, and puts it on the list of what is done; an
 * eventfd wakes the owner, who is told in store_serve(). `lock` guards the
 * lists and is_stopping; writer and reader belong to their threads.
 */
#include "store/store.h"

#include "store/lock.h"
#include "store/reader.h"
#include "store/writer.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct worker {
	pthread_t thread;
	pthread_cond_t is_asked;
	struct list asked;
	struct list done;
	bool is_running;
};

struct store {
	char path[PATH_MAX];
	int lock_fd;
	int event_fd;
	pthread_mutex_t lock;
	bool is_stopping;
	struct worker put_worker;
	struct worker read_worker;
	struct writer writer;
	struct reader reader;
};

static void take_all(struct list *to, struct list *from)
{
	while (!list_is_empty(from)) {
		struct list *first = from->next;

		list_remove(first);
		list_append(to, first);
	}
}

static void wake_owner(struct store *store)
{
	const uint64_t one = 1;

	/* It fails only when it is awake anyway. */
	if (write(store->event_fd, &one, sizeof(one)) < 0)
		return;
}

/* Wait until something is asked, or that time passed. Takes all, and returns
 * whether to go on. */
static bool wait_for_work(struct store *store, struct worker *worker,
			  struct list *work, uint64_t wait_ms)
{
	struct timespec until;
	bool goes_on;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(wait_ms / 1000);
	until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	pthread_mutex_lock(&store->lock);
	while (list_is_empty(&worker->asked) && !store->is_stopping &&
	       !pthread_cond_timedwait(&worker->is_asked, &store->lock, &until))
		;
	goes_on = !store->is_stopping;
	if (goes_on)
		take_all(work, &worker->asked);
	pthread_mutex_unlock(&store->lock);
	return goes_on;
}

static void tell_done(struct store *store, struct worker *worker,
		      struct list *work)
{
	pthread_mutex_lock(&store->lock);
	take_all(&worker->done, work);
	pthread_mutex_unlock(&store->lock);
	wake_owner(store);
}

static void *run_writer(void *owner)
{
	struct store *store = owner;
	uint64_t wait_ms = 0;
	struct list work;

	list_init(&work);
	while (wait_for_work(store, &store->put_worker, &work, wait_ms)) {
		if (!list_is_empty(&work)) {
			writer_keep(&store->writer, &work);
			tell_done(store, &store->put_worker, &work);
		}
		wait_ms = writer_tidy(&store->writer);
	}
	return NULL;
}

static void *run_reader(void *owner)
{
	struct store *store = owner;
	struct list work, one;

	list_init(&work);
	list_init(&one);
	while (wait_for_work(store, &store->read_worker, &work, 3600 * 1000)) {
		while (!list_is_empty(&work)) {
			struct list *first = work.next;

			list_remove(first);
			list_append(&one, first);
			reader_serve(
				&store->reader,
				list_entry(first, struct store_read, link));
			tell_done(store, &store->read_worker, &one);
		}
	}
	return NULL;
}

static int worker_start(struct store *store, struct worker *worker,
			void *(*run)(void *))
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&worker->thread, NULL, run, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	worker->is_running = !error;
	return -error;
}

static void worker_init(struct worker *worker)
{
	pthread_condattr_t attributes;

	list_init(&worker->asked);
	list_init(&worker->done);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->is_asked, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void worker_stop(struct worker *worker)
{
	if (worker->is_running)
		pthread_join(worker->thread, NULL);
	worker->is_running = false;
	pthread_cond_destroy(&worker->is_asked);
}

static int store_start(struct store *store, const char *folder,
		       const struct store_limits *limits)
{
	int error;

	/* Two that write to one store would give a number twice. */
	store->lock_fd = store_lock(folder);
	if (store->lock_fd < 0)
		return store->lock_fd;
	store->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->event_fd < 0)
		return -errno;
	error = writer_open(&store->writer, store->path, limits);
	if (error)
		return error;
	store->reader.path = store->path;
	error = worker_start(store, &store->put_worker, run_writer);
	if (!error)
		error = worker_start(store, &store->read_worker, run_reader);
	return error;
}

int store_open(struct store **store, const char *folder,
	       const struct store_limits *limits)
{
	struct store *s = calloc(1, sizeof(*s));
	int error;

	*store = NULL;
	if (!s)
		return -ENOMEM;
	s->lock_fd = s->event_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	worker_init(&s->put_worker);
	worker_init(&s->read_worker);
	error = snprintf(s->path, sizeof(s->path), "%s/history.sqlite",
			 folder) >= (int)sizeof(s->path)
			? -ENAMETOOLONG
			: store_start(s, folder, limits);
	if (error)
		store_close(s);
	else
		*store = s;
	return error;
}

static void refuse_rest(struct store *store)
{
	list_for_each (link, &store->put_worker.asked)
		list_entry(link, struct store_put, link)->error = -ESHUTDOWN;
	list_for_each (link, &store->read_worker.asked)
		list_entry(link, struct store_read, link)->error = -ESHUTDOWN;
	take_all(&store->put_worker.done, &store->put_worker.asked);
	take_all(&store->read_worker.done, &store->read_worker.asked);
}

static bool is_asked(const struct store *store)
{
	return !list_is_empty(&store->put_worker.asked) ||
	       !list_is_empty(&store->read_worker.asked);
}

void store_close(struct store *store)
{
	if (!store)
		return;
	pthread_mutex_lock(&store->lock);
	store->is_stopping = true;
	pthread_cond_signal(&store->put_worker.is_asked);
	pthread_cond_signal(&store->read_worker.is_asked);
	pthread_mutex_unlock(&store->lock);
	worker_stop(&store->put_worker);
	worker_stop(&store->read_worker);
	/* Who is told may ask for more. */
	do {
		refuse_rest(store);
		store_serve(store);
	} while (is_asked(store));
	reader_close(&store->reader);
	writer_close(&store->writer);
	if (store->event_fd >= 0)
		close(store->event_fd);
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

int store_fd(const struct store *store)
{
	return store->event_fd;
}

void store_serve(struct store *store)
{
	struct list puts, reads;
	uint64_t count;

	list_init(&puts);
	list_init(&reads);
	if (store->event_fd >= 0 &&
	    read(store->event_fd, &count, sizeof(count)) < 0)
		count = 0; /* called without need */
	pthread_mutex_lock(&store->lock);
	take_all(&puts, &store->put_worker.done);
	take_all(&reads, &store->read_worker.done);
	pthread_mutex_unlock(&store->lock);
	while (!list_is_empty(&puts)) {
		struct store_put *put =
			list_entry(puts.next, struct store_put, link);

		list_remove(&put->link);
		put->on_done(put);
	}
	while (!list_is_empty(&reads)) {
		struct store_read *read =
			list_entry(reads.next, struct store_read, link);

		list_remove(&read->link);
		read->on_done(read);
	}
}

static void ask(struct store *store, struct worker *worker, struct list *link)
{
	bool was_idle;

	pthread_mutex_lock(&store->lock);
	was_idle = list_is_empty(&worker->asked);
	list_append(&worker->asked, link);
	pthread_mutex_unlock(&store->lock);
	if (was_idle)
		pthread_cond_signal(&worker->is_asked);
}

void store_put(struct store *store, struct store_put *put)
{
	put->error = 0;
	ask(store, &store->put_worker, &put->link);
}

void store_read(struct store *store, struct store_read *read)
{
	read->error = 0;
	ask(store, &store->read_worker, &read->link);
}

const char *store_explain(int error)
{
	switch (error) {
	case -EBADMSG:
		return "the history is damaged; see paravoxd check";
	case -ENOTSUP:
		return "the history was made by a newer version";
	case -EBUSY:
		return "another process has the history open";
	case -ENOSPC:
	case -EDQUOT:
		return "the relay's disk is full";
	case -EROFS:
		return "the relay's disk cannot be written to";
	case -EIO:
		return "the relay's disk fails";
	case -EUSERS:
		return "the relay keeps as many rooms as it can";
	case -EOVERFLOW:
		return "the relay keeps no more messages of this room";
	case -ESHUTDOWN:
		return "the relay stops";
	default:
		return strerror(-error);
	}
}
