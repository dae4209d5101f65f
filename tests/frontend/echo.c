/* SPDX-License-Identifier: Apache-2.0 */
/* echo.c - the smallest device on src/vhost, to drive the transport with */
#include "frontend/echo.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "vhost/event.h"
#include "vhost/fault.h"
#include "vhost/span.h"

static void call(struct echo *echo, unsigned int index)
{
	int fd = echo->fds.call[index];

	if (fd >= 0)
		(void)vhost_event_signal(fd, vhost_event_is_socket(fd));
}

static void on_get_config(void *owner, uint8_t *data, uint32_t offset,
			  uint32_t bytes)
{
	const struct echo *echo = owner;

	if (echo->options->get_config) {
		echo->options->get_config(data, offset, bytes);
		return;
	}
	for (uint32_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(0x80 + offset + i);
}

static int on_start(void *owner, unsigned int index)
{
	struct echo *echo = owner;
	const struct vhost_ring_state *state = &echo->state.ring[index];
	struct vring *ring = &echo->ring[index];
	int error = vring_attach(ring, &state->layout, echo->state.features,
				 &echo->memory, state->base);

	if (!error && echo->inflight.base)
		error = vring_track(ring, &echo->inflight, index);
	if (!error)
		call(echo, index);
	return error;
}

static int on_stop(void *owner, uint64_t mask)
{
	struct echo *echo = owner;

	for (unsigned int i = 0; i < ECHO_QUEUES; i++)
		if (mask >> i & 1)
			echo->state.ring[i].base = echo->ring[i].next_avail;
	if (!echo->options->is_slow_to_stop)
		return 0;
	echo->pending_stop = mask;
	return VHOST_PENDING;
}

static int on_remap(void *owner)
{
	struct echo *echo = owner;
	int error;

	guest_memory_detach(&echo->memory);
	inflight_detach(&echo->inflight);
	error = guest_memory_attach(&echo->memory, &echo->state.memory,
				    echo->fds.memory);
	if (!error && echo->fds.inflight >= 0)
		error = inflight_attach(&echo->inflight, echo->fds.inflight,
					&echo->state.inflight);
	return error;
}

static void on_reset(void *owner)
{
	struct echo *echo = owner;

	echo->resets++;
}

static const struct vhost_device device = {
	.features = VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC |
		    VHOST_F_EVENT_IDX | VHOST_F_PROTOCOL_FEATURES,
	.protocol_features =
		VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK |
		VHOST_PROTOCOL_BACKEND_REQ | VHOST_PROTOCOL_CONFIG |
		VHOST_PROTOCOL_INFLIGHT_SHMFD | VHOST_PROTOCOL_RESET_DEVICE |
		VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS,
	.queues = ECHO_QUEUES,
	.config_bytes = ECHO_CONFIG_BYTES,
	.get_config = on_get_config,
	.start = on_start,
	.stop = on_stop,
	.remap = on_remap,
	.reset = on_reset,
};

/* Every piece that src/vhost hands out lies in guest memory, or this process
 * ends: what a test or a fuzzer would not see by itself. */
static void check_pieces(const struct echo *echo)
{
	const struct vring_chain *chain = &echo->chain;
	unsigned int count = chain->readable_count + chain->writable_count;

	for (unsigned int i = 0; i < count; i++) {
		uintptr_t at = (uintptr_t)chain->pieces[i].iov_base;
		bool is_inside = false;

		for (unsigned int r = 0; r < echo->memory.count; r++) {
			const struct guest_mapping *m = &echo->memory.map[r];
			uintptr_t offset = at - (uintptr_t)m->host;

			is_inside |=
				offset < m->bytes &&
				chain->pieces[i].iov_len <= m->bytes - offset;
		}
		if (!is_inside)
			abort();
	}
}

/* Answer one request: the question, changed, as far as there is room. */
static uint32_t transform(const struct vring_chain *chain)
{
	struct span from, to;
	uint32_t done = 0;
	uint8_t part[512];

	span_init(&from, chain->pieces, chain->readable_count);
	span_init(&to, chain->pieces + chain->readable_count,
		  chain->writable_count);
	while (from.left_bytes > 0 && to.left_bytes > 0) {
		size_t bytes = sizeof(part);

		bytes = from.left_bytes < bytes ? from.left_bytes : bytes;
		bytes = to.left_bytes < bytes ? to.left_bytes : bytes;
		(void)span_read(&from, part, bytes);
		for (size_t i = 0; i < bytes; i++)
			part[i] ^= ECHO_MASK;
		(void)span_write(&to, part, bytes);
		done += (uint32_t)bytes;
	}
	return done;
}

static void ring_broke(struct echo *echo, unsigned int index)
{
	int err = echo->fds.err[index];

	log_warning("queue %u is broken: %s", index,
		    vring_fault_name(echo->ring[index].fault));
	if (err >= 0)
		(void)vhost_event_signal(err, vhost_event_is_socket(err));
}

static void publish(struct echo *echo, unsigned int index)
{
	struct vring *ring = &echo->ring[index];

	if (ring->next_used != ring->published &&
	    ++echo->publishes == echo->options->die_after)
		_exit(77);
	if (vring_publish(ring))
		call(echo, index);
}

/* What a keeper would hold of a ring. */
struct kept_ring {
	struct vring_position position;
	bool is_running;
};

/* In the new process: forget all that was mapped or attached, and make it anew
 * from state and descriptors. */
static int take_over(struct echo *echo, const struct kept_ring *kept)
{
	int fd = echo->control.channel.fd;
	int error;

	guest_memory_detach(&echo->memory);
	memset(&echo->memory, 0xff, sizeof(echo->memory));
	memset(echo->ring, 0xff, sizeof(echo->ring));
	vhost_control_resume(&echo->control, echo->control.device, echo,
			     &echo->state, &echo->fds, fd);
	error = guest_memory_attach(&echo->memory, &echo->state.memory,
				    echo->fds.memory);
	for (unsigned int i = 0; i < ECHO_QUEUES && !error; i++) {
		if (!kept[i].is_running)
			continue;
		error = vring_attach(&echo->ring[i],
				     &echo->state.ring[i].layout,
				     echo->state.features, &echo->memory, 0);
		vring_set_position(&echo->ring[i], &kept[i].position);
	}
	return error;
}

/* The process that took the request ends here; its child answers it. */
static void hand_over(struct echo *echo, unsigned int index)
{
	struct kept_ring kept[ECHO_QUEUES];
	uint16_t head = echo->chain.head;
	pid_t pid;

	for (unsigned int i = 0; i < ECHO_QUEUES; i++) {
		kept[i].is_running = echo->state.ring[i].is_running;
		vring_get_position(&echo->ring[i], &kept[i].position);
	}
	pid = fork();
	if (pid != 0)
		_exit(pid < 0 ? 1 : echo_join(pid));
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || take_over(echo, kept) ||
	    vring_adopt(&echo->ring[index], head) ||
	    vring_walk(&echo->ring[index], head, &echo->chain) != 1)
		_exit(2);
}

/* Take and answer requests, not more than the ring holds: a ring may feed
 * itself, and others want their turn. -EAGAIN: there may be more. */
static int serve_batch(struct echo *echo, unsigned int index)
{
	struct vring *ring = &echo->ring[index];
	int got = -EAGAIN;

	for (uint32_t i = 0; i < ring->size; i++) {
		got = vring_take(ring, &echo->chain);
		if (got != 1)
			return got;
		check_pieces(echo);
		if (++echo->takes == echo->options->hand_over_at)
			hand_over(echo, index);
		if (echo->options->answer)
			echo->options->answer(echo, index);
		else if (!echo->options->holds_answers)
			vring_return(ring, echo->chain.head,
				     transform(&echo->chain));
	}
	return -EAGAIN;
}

static void serve_ring(struct echo *echo, unsigned int index)
{
	struct vring *ring = &echo->ring[index];
	int got;

	if (!echo->state.ring[index].is_running || ring->fault != VRING_SOUND)
		return;
	vring_mute(ring);
	got = serve_batch(echo, index);
	publish(echo, index);
	if (ring->fault != VRING_SOUND)
		ring_broke(echo, index);
	else if (got == -EAGAIN || vring_listen(ring))
		echo->has_more = true;
}

static void serve_all(struct echo *echo)
{
	for (unsigned int i = 0; i < ECHO_QUEUES; i++)
		serve_ring(echo, i);
}

int echo_init(struct echo *echo, const struct echo_options *options, int fd)
{
	memset(echo, 0, sizeof(*echo));
	echo->options = options;
	vhost_control_init(&echo->control, &device, echo, &echo->state,
			   &echo->fds, fd);
	return vhost_fault_install();
}

void echo_deinit(struct echo *echo)
{
	vhost_control_deinit(&echo->control);
	guest_memory_detach(&echo->memory);
	inflight_detach(&echo->inflight);
}

/* Everything the control has to do: 1, or 0 or -errno at the end. */
static int serve_control(struct echo *echo)
{
	int got;

	if (echo->pending_stop) {
		echo->pending_stop = 0;
		got = vhost_control_continue(&echo->control);
	} else {
		got = vhost_control_read(&echo->control);
	}
	if (got == -EPIPE || got == -ECONNRESET)
		return 0;
	return got < 0 && got != -EINPROGRESS ? got : 1;
}

/* What to wait for. Whether a ring must be looked at by the clock, because it
 * has no kick descriptor. */
static bool turn_prepare(const struct echo *echo, struct pollfd *fds)
{
	bool has_polled = false;

	fds[0].fd = echo->pending_stop ? -1 : echo->control.channel.fd;
	for (unsigned int i = 0; i < ECHO_QUEUES; i++) {
		bool is_running = echo->state.ring[i].is_running;

		fds[1 + i].fd = is_running ? echo->fds.kick[i] : -1;
		has_polled |= is_running && echo->fds.kick[i] < 0;
	}
	for (unsigned int i = 0; i < 1 + ECHO_QUEUES; i++) {
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	return has_polled;
}

static void serve_kick(struct echo *echo, unsigned int index)
{
	int *fd = &echo->fds.kick[index];

	if (vhost_event_drain(*fd, vhost_event_is_socket(*fd)) < 0) {
		close(*fd); /* closed there: nobody will kick any more */
		*fd = -1;
	}
	serve_ring(echo, index);
}

int echo_turn(struct echo *echo, int timeout_ms)
{
	struct pollfd fds[1 + ECHO_QUEUES];
	int got = 1;

	if (turn_prepare(echo, fds))
		timeout_ms = 1;
	if (echo->pending_stop || echo->has_more)
		timeout_ms = 0;
	echo->has_more = false;
	if (poll(fds, 1 + ECHO_QUEUES, timeout_ms) < 0)
		return errno == EINTR ? 1 : -errno;
	for (unsigned int i = 0; i < ECHO_QUEUES; i++)
		if (fds[1 + i].revents)
			serve_kick(echo, i);
	if (echo->pending_stop || fds[0].revents)
		got = serve_control(echo);
	/* What was just started, or is looked at by the clock. */
	serve_all(echo);
	return got;
}

int echo_serve(struct echo *echo, const struct echo_options *options, int fd)
{
	int got = echo_init(echo, options, fd);

	if (!got)
		do
			got = echo_turn(echo, -1);
		while (got == 1);
	echo_deinit(echo);
	return got;
}

/* The child: quiet, and never alive without its parent. */
static void child_init(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)process_init();
	log_init("echo", LOG_LEVEL_ERROR);
}

static struct echo child_echo;

pid_t echo_spawn(const struct echo_options *options, int *sock)
{
	pid_t parent = getpid();
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	pid = fork();
	if (pid == 0) {
		child_init(parent);
		close(pair[0]);
		_exit(-echo_serve(&child_echo, options, pair[1]));
	}
	close(pair[1]);
	*sock = pair[0];
	return pid;
}

pid_t echo_listen(const struct echo_options *options, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	pid_t parent = getpid();
	int sock;
	pid_t pid;

	strncpy(at.sun_path, path, sizeof(at.sun_path) - 1);
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof(at)) ||
	    listen(sock, 8))
		return -1;
	pid = fork();
	if (pid == 0) {
		child_init(parent);
		for (;;) {
			int fd = accept4(sock, NULL, NULL, SOCK_CLOEXEC);

			if (fd < 0)
				_exit(1);
			(void)echo_serve(&child_echo, options, fd);
		}
	}
	close(sock);
	return pid;
}

int echo_join(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}
