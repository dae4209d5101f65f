/* SPDX-License-Identifier: Apache-2.0 */
/* worker.c - the process that does the crypto */
#include "device/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "device/link.h"
#include "device/queue.h"
#include "vhost/fault.h"

/*
 * How it works: the main thread takes the supervisor's messages, one after the
 * other; threads come and go with START and STOP. Guest memory is mapped by
 * the first START that brings it and unmapped by the STOP of the last ring.
 */
struct worker {
	struct state *state;
	int link;
	struct cryptsess_provider *provider;
	struct engine engine;
	struct throttle throttle;
	struct queue *queue; /* for each queue of the device */
	struct guest_memory memory;
	struct inflight_map inflight;
};

/* Keep standard descriptors, the link, and the one to lock: the first others
 * from then on. */
static int close_others(int *link, int *lock)
{
	const int first = STDERR_FILENO + 1;
	int high_link = fcntl(*link, F_DUPFD_CLOEXEC, first + 2);
	int high_lock = fcntl(*lock, F_DUPFD_CLOEXEC, first + 2);

	if (high_link < 0 || high_lock < 0 || dup2(high_link, first) < 0 ||
	    dup2(high_lock, first + 1) < 0)
		return -errno;
	*link = first;
	*lock = first + 1;
	return close_range((unsigned int)first + 2, ~0u, 0) ? -errno : 0;
}

/* The supervisor decides when we end; and when it ends, so do we, also when it
 * has done so already. */
static int signals_init(pid_t supervisor)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t none;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return getppid() == supervisor ? 0 : -ESRCH;
}

static int queues_init(struct worker *worker, uint64_t poll_ns)
{
	uint32_t queues = worker->state->limits.queues;

	worker->queue = calloc(queues, sizeof(worker->queue[0]));
	if (!worker->queue)
		return -ENOMEM;
	for (uint32_t i = 0; i < queues; i++) {
		int error =
			queue_init(&worker->queue[i], &worker->engine.lane[i],
				   &worker->throttle, poll_ns);

		if (error)
			return error;
	}
	return 0;
}

/* One heap for all threads: before it gives back memory of another one glibc
 * opens a file, which the sandbox does not let it. Threads keep small blocks to
 * themselves anyway. */
static void heap_init(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
}

static int worker_init(struct worker *worker,
		       const struct worker_params *params)
{
	int lock = params->state->fd;
	char why[256] = "";
	int error;

	worker->state = params->state;
	worker->link = params->link;
	log_limit(&params->state->head->log);
	heap_init();
	error = signals_init(params->supervisor);
	if (!error)
		error = close_others(&worker->link, &lock);
	/* One that was killed with its supervisor may still be ending. */
	if (!error)
		error = state_lock(lock);
	if (!error)
		error = vhost_fault_install();
	/* A lock is not inherited, and pages that the supervisor has not
	 * touched are locked by nobody but us. */
	if (!error &&
	    mlock2(worker->state->head, worker->state->bytes, MLOCK_ONFAULT))
		error = -errno;
	if (error)
		return WORKER_RESOURCES;
	if (cryptsess_provider_open(&worker->provider, params->provider, why,
				    sizeof(why))) {
		log_error("provider %s: %s", params->provider, why);
		return WORKER_PROVIDER;
	}
	throttle_init(&worker->throttle, params->throttle_bytes_per_s,
		      params->throttle_ops_per_s);
	error = engine_init(&worker->engine, params->state, worker->provider,
			    params->number);
	if (error)
		return WORKER_RESOURCES;
	worker->engine.at_moment = params->at_moment;
	error = queues_init(worker, params->poll_ns);
	if (!error && params->sandbox)
		error = sandbox_enter(params->sandbox, SANDBOX_WORKER);
	if (error)
		return WORKER_RESOURCES;
	/* The first look at what another worker wrote. */
	engine_take_over(&worker->engine);
	return WORKER_DONE;
}

static void memory_unmap(struct worker *worker)
{
	guest_memory_detach(&worker->memory);
	inflight_detach(&worker->inflight);
}

static int memory_map(struct worker *worker, const struct link_message *message,
		      const int *fds)
{
	int error;

	memory_unmap(worker);
	error = guest_memory_attach(&worker->memory, &message->memory,
				    &fds[LINK_FD_MEMORY]);
	if (!error && message->inflight.bytes)
		error = inflight_attach(&worker->inflight,
					fds[LINK_FD_INFLIGHT],
					&message->inflight);
	return error;
}

static void on_start(struct worker *worker, struct link_message *message,
		     int *fds)
{
	struct queue_start start = {
		.layout = message->ring,
		.features = message->features,
		.number = message->start,
		.base = message->base,
		.kick_fd = fds[LINK_FD_KICK],
		.call_fd = fds[LINK_FD_CALL],
		.err_fd = fds[LINK_FD_ERR],
		.memory = &worker->memory,
	};
	int error = 0;

	fds[LINK_FD_KICK] = -1;
	fds[LINK_FD_CALL] = -1;
	fds[LINK_FD_ERR] = -1;
	if (message->has_memory)
		error = memory_map(worker, message, fds);
	if (worker->inflight.base)
		start.inflight = &worker->inflight;
	if (!error)
		error = queue_start(&worker->queue[message->queue], &start);
	if (!error)
		return;
	message->type = LINK_FAILED;
	message->error = error;
	(void)link_send(worker->link, message, NULL);
}

static void on_stop(struct worker *worker, struct link_message *message)
{
	uint32_t queues = worker->state->limits.queues;

	/* All at once, then one after the other. */
	for (uint32_t i = 0; i < queues; i++)
		if (message->mask >> i & 1 && worker->queue[i].is_running)
			queue_ask_stop(&worker->queue[i]);
	for (uint32_t i = 0; i < queues; i++)
		if (message->mask >> i & 1 && worker->queue[i].is_running)
			message->next_avail[i] = queue_stop(&worker->queue[i]);
	if (message->should_unmap)
		memory_unmap(worker);
	message->type = LINK_STOPPED;
	(void)link_send(worker->link, message, NULL);
}

static void serve(struct worker *worker)
{
	static struct link_message message;
	int fds[LINK_FDS];

	while (link_receive(worker->link, &message, fds) == 1) {
		if (message.type == LINK_START)
			on_start(worker, &message, fds);
		else if (message.type == LINK_STOP)
			on_stop(worker, &message);
		link_close(fds);
	}
}

static void worker_deinit(struct worker *worker)
{
	uint32_t queues = worker->state->limits.queues;

	for (uint32_t i = 0; worker->queue && i < queues; i++)
		queue_deinit(&worker->queue[i]);
	free(worker->queue);
	memory_unmap(worker);
	engine_deinit(&worker->engine);
	cryptsess_provider_close(worker->provider);
}

int worker_main(const struct worker_params *params)
{
	static struct worker worker;
	int status = worker_init(&worker, params);

	if (status == WORKER_DONE)
		serve(&worker);
	worker_deinit(&worker);
	return status;
}
