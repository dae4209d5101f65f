/* SPDX-License-Identifier: Apache-2.0 */
/* crew.c - the worker at hand, and its successors */
#include "device/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mutant.h"

/* Deaths without progress before the first pause: a request may kill three
 * workers, on each of several queues. */
#define FRUITLESS_FREE 8
#define PAUSE_MAX_MS   1000
#define STOP_LIMIT_MS  30000 /* more than any request takes */
#define ERRNO_MAX      4095  /* of the kernel */

static void on_link(struct loop_watch *watch, unsigned int events);

/* Something that changes whenever a request is answered. */
static uint64_t progress(const struct crew *crew)
{
	const struct state *state = crew->params.state;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < state->limits.queues; i++)
		for (unsigned int k = 0; k < VCD_STATUSES; k++)
			sum += __atomic_load_n(
				&state->queue[i].counters.statuses[k],
				__ATOMIC_RELAXED);
	return sum;
}

/* Fork, with the link's other end. */
static int spawn(struct crew *crew)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	crew->params.number = state_hire(crew->params.state);
	crew->params.link = pair[1];
	crew->params.supervisor = getpid();
	crew->progress = progress(crew);
	pid = fork();
	if (pid == 0)
		_exit(worker_main(&crew->params));
	close(pair[1]);
	if (pid < 0) {
		int error = -errno;

		close(pair[0]);
		return error;
	}
	crew->worker = pid;
	crew->link = pair[0];
	crew->has_memory = false;
	(void)fcntl(crew->link, F_SETFL, O_NONBLOCK);
	return loop_watch_add(crew->loop, &crew->watch, crew->link, LOOP_READ,
			      on_link);
}

static int send_start(struct crew *crew, unsigned int index)
{
	const struct vhost_state *vhost = crew->vhost;
	struct link_message message = {
		.type = LINK_START,
		.queue = index,
		.has_memory = !crew->has_memory,
		.features = vhost->features,
		.ring = vhost->ring[index].layout,
		.start = vhost->ring[index].starts,
		.base = vhost->ring[index].base,
	};
	int fds[LINK_FDS];
	int error;

	memset(fds, 0xff, sizeof(fds));
	fds[LINK_FD_KICK] = crew->fds->kick[index];
	fds[LINK_FD_CALL] = crew->fds->call[index];
	fds[LINK_FD_ERR] = crew->fds->err[index];
	if (message.has_memory) {
		message.memory = vhost->memory;
		message.inflight = vhost->inflight;
		fds[LINK_FD_INFLIGHT] = crew->fds->inflight;
		memcpy(&fds[LINK_FD_MEMORY], crew->fds->memory,
		       sizeof(crew->fds->memory));
	}
	error = link_send(crew->link, &message, fds);
	if (!error)
		crew->has_memory = true;
	return error;
}

static int send_stop(struct crew *crew)
{
	struct link_message message = {
		.type = LINK_STOP,
		.mask = crew->stopping,
		.should_unmap = crew->stopping == crew->started,
	};

	if (message.should_unmap)
		crew->has_memory = false;
	return link_send(crew->link, &message, NULL);
}

/* A message that cannot be sent: the worker has died, and its successor will
 * be told; or it is beside itself, and dies now. */
static void beside_itself(struct crew *crew)
{
	if (crew->worker)
		(void)kill(crew->worker, SIGKILL);
}

/* A worker that goes on with every ring. */
static int start_worker(struct crew *crew)
{
	int error = spawn(crew);

	for (unsigned int i = 0; !error && i < VHOST_QUEUES_MAX; i++)
		if (crew->started >> i & 1)
			error = send_start(crew, i);
	return error;
}

static void succeed(struct crew *crew)
{
	int error = start_worker(crew);

	if (!error && crew->stopping)
		error = send_stop(crew);
	if (error && crew->worker) {
		beside_itself(crew);
	} else if (error) {
		log_error("no new worker: %s", strerror(-error));
		crew_dismiss(crew);
		crew->on_failure(crew, error);
	}
}

static void on_restart(struct loop_timer *timer)
{
	succeed(list_entry(timer, struct crew, restart));
}

static void on_stop_limit(struct loop_timer *timer)
{
	struct crew *crew = list_entry(timer, struct crew, stop_limit);

	log_error("the worker does not stop: ending it");
	beside_itself(crew);
	loop_timer_arm(&crew->stop_limit, crew->stop_limit_ms);
}

/* Collect the worker, which ends or was killed: its wait status. */
static int bury(struct crew *crew)
{
	int status = 0;

	loop_watch_remove(&crew->watch);
	close(crew->link);
	crew->link = -1;
	while (waitpid(crew->worker, &status, 0) < 0 && errno == EINTR)
		;
	crew->worker = 0;
	return status;
}

static void on_death(struct crew *crew)
{
	bool has_progressed = progress(crew) != crew->progress;
	int status = bury(crew);
	uint64_t pause_ms = 0;

	if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_PROVIDER) {
		crew_dismiss(crew);
		crew->on_failure(crew, -ENODEV);
		return;
	}
	state_bury(crew->params.state);
	crew->fruitless = has_progressed ? 0 : crew->fruitless + 1;
	log_warning("worker died (%s %d), the next one goes on",
		    WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status)
					: WEXITSTATUS(status));
	if (crew->fruitless > FRUITLESS_FREE) {
		unsigned int shift = crew->fruitless - FRUITLESS_FREE;

		pause_ms = shift < 10 ? UINT64_C(1) << shift : PAUSE_MAX_MS;
		loop_timer_arm(&crew->restart, pause_ms);
		return;
	}
	succeed(crew);
}

/* Whether a worker that is sound may say that now. */
static bool is_sound(const struct crew *crew,
		     const struct link_message *message)
{
	if (message->type == LINK_FAILED)
		return message->queue < VHOST_QUEUES_MAX &&
		       crew->started >> message->queue & 1 &&
		       message->error < 0 && message->error >= -ERRNO_MAX;
	return message->type == LINK_STOPPED && crew->stopping &&
	       message->mask == crew->stopping;
}

static void on_answer(struct crew *crew, const struct link_message *message)
{
	if (!CHECK(device_worker_answer, is_sound(crew, message))) {
		beside_itself(crew);
		return;
	}
	if (message->type == LINK_FAILED) {
		log_warning("queue %u cannot be served: %s", message->queue,
			    strerror(-message->error));
		crew_dismiss(crew);
		/* Not with its reason: a front end can hand over a file of
		 * which mmap(2) says ENODEV, as if the provider had gone. */
		crew->on_failure(crew, -EPROTO);
		return;
	}
	loop_timer_disarm(&crew->stop_limit);
	for (unsigned int i = 0; i < VHOST_QUEUES_MAX; i++)
		if (message->mask >> i & 1)
			crew->vhost->ring[i].base = message->next_avail[i];
	crew->started &= ~crew->stopping;
	crew->stopping = 0;
	crew->on_stopped(crew);
}

static void on_link(struct loop_watch *watch, unsigned int events)
{
	struct crew *crew = list_entry(watch, struct crew, watch);
	static struct link_message message;
	int fds[LINK_FDS];
	int got = link_receive(crew->link, &message, fds);

	if (got == -EAGAIN)
		return;
	if (got == 1) {
		/* A worker has none to send; one that is not ours any more
		 * might. */
		link_close(fds);
		on_answer(crew, &message);
		return;
	}
	/* The end of the link is no death: who is not dying is helped, since
	 * we wait for the end. */
	if (!CHECK(device_worker_end, false))
		beside_itself(crew);
	on_death(crew);
}

void crew_init(struct crew *crew, struct loop *loop, struct vhost_state *vhost,
	       const struct vhost_fds *fds)
{
	crew->loop = loop;
	crew->vhost = vhost;
	crew->fds = fds;
	crew->link = -1;
	if (!crew->stop_limit_ms)
		crew->stop_limit_ms = STOP_LIMIT_MS;
	loop_timer_init(loop, &crew->restart, on_restart);
	loop_timer_init(loop, &crew->stop_limit, on_stop_limit);
}

int crew_engage(struct crew *crew)
{
	crew->fruitless = 0;
	return spawn(crew);
}

int crew_resume(struct crew *crew, uint64_t started)
{
	crew->fruitless = 0;
	crew->started = started;
	return start_worker(crew);
}

void crew_dismiss(struct crew *crew)
{
	if (!crew->loop)
		return;
	loop_timer_disarm(&crew->restart);
	loop_timer_disarm(&crew->stop_limit);
	if (crew->worker) {
		beside_itself(crew);
		(void)bury(crew);
	}
	crew->started = 0;
	crew->stopping = 0;
}

int crew_start(struct crew *crew, unsigned int index)
{
	crew->started |= UINT64_C(1) << index;
	/* Between two workers the next one will be told. */
	if (!crew->worker)
		return 0;
	if (send_start(crew, index))
		beside_itself(crew);
	return 0;
}

void crew_stop(struct crew *crew, uint64_t mask)
{
	crew->stopping = mask;
	loop_timer_arm(&crew->stop_limit, crew->stop_limit_ms);
	if (crew->worker && send_stop(crew))
		beside_itself(crew);
}
