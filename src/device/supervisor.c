/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c - the process that keeps a device alive */
#include "device/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mutant.h"
#include "cryptsess.h"
#include "device/crew.h"
#include "device/engine.h"
#include "device/heritage.h"
#include "device/sandbox.h"
#include "device/stats_server.h"
#include "loop/listener.h"
#include "loop/signals.h"

#define FEATURES                                                         \
	(VHOST_F_VERSION_1 | VHOST_F_INDIRECT_DESC | VHOST_F_EVENT_IDX | \
	 VHOST_F_PROTOCOL_FEATURES)
#define PROTOCOL_FEATURES                                              \
	(VHOST_PROTOCOL_MQ | VHOST_PROTOCOL_REPLY_ACK |                \
	 VHOST_PROTOCOL_BACKEND_REQ | VHOST_PROTOCOL_CONFIG |          \
	 VHOST_PROTOCOL_INFLIGHT_SHMFD | VHOST_PROTOCOL_RESET_DEVICE | \
	 VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS)
/* Messages in one turn, so that the worker is heard in between. */
#define MESSAGES_A_TURN 32

/* Between attempts to have a manager keep what it did not take. */
#define KEEP_AGAIN_MS 500

struct supervisor {
	const struct device_options *options; /* borrowed */
	struct loop *loop;
	struct loop_signals signals;
	struct state state;
	struct vcd_config config;
	/* Workers open their own, from what this one has loaded. */
	struct cryptsess_provider *provider;
	struct sandbox sandbox;
	struct vhost_device device;
	struct loop_listener listener;
	struct stats_server stats;
	struct crew crew;
	struct keeper keeper;
	struct record record;
	struct loop_timer keep_again;
	bool is_behind; /* the manager lacks something */
	const struct supervisor_probes *probes; /* NULL: nobody looks */
	struct vhost_control control;
	struct vhost_state vhost;
	struct vhost_fds fds;
	struct loop_watch control_watch;
	struct log_bucket log;
	bool is_connected;
	bool has_begun; /* the loop runs */
	int result;
};

#define SUPERVISOR_OF(link, member) list_entry(link, struct supervisor, member)

static void finish(struct supervisor *s, int result)
{
	s->result = s->result ? s->result : result;
	loop_stop(s->loop);
}

/* --- what vhost/ asks of a device -------------------------------------- */

static void on_get_config(void *owner, uint8_t *data, uint32_t offset,
			  uint32_t bytes)
{
	struct supervisor *s = owner;

	memcpy(data, (const uint8_t *)&s->config + offset, bytes);
}

static int on_start(void *owner, unsigned int index)
{
	struct supervisor *s = owner;

	return crew_start(&s->crew, index);
}

static int on_stop(void *owner, uint64_t mask)
{
	struct supervisor *s = owner;

	crew_stop(&s->crew, mask);
	return VHOST_PENDING;
}

/* No ring runs, so the worker has nothing mapped; the next start brings it. */
static int on_remap(void *owner)
{
	return 0;
}

/* vcd 10.2: the generation ends too. A new worker knows nothing. */
static void on_reset(void *owner)
{
	struct supervisor *s = owner;
	int error;

	crew_dismiss(&s->crew);
	state_forget(&s->state);
	error = crew_engage(&s->crew);
	if (error)
		finish(s, error);
}

/* --- what is kept for a successor -------------------------------------- */

static void at_control(const struct supervisor *s, unsigned int moment)
{
	if (s->probes && s->probes->at_control)
		s->probes->at_control(moment);
}

static void on_moment(void *owner, enum vhost_moment moment)
{
	at_control(owner, moment);
}

/* Another supervisor may go on from what is now. */
static void on_commit(void *owner)
{
	struct supervisor *s = owner;
	bool was_behind = s->is_behind;

	record_stage(&s->record, &s->fds,
		     s->is_connected ? s->control.channel.fd : -1);
	at_control(s, SUPERVISOR_STORED);
	record_flip(&s->record, &s->vhost);
	at_control(s, SUPERVISOR_FLIPPED);
	record_clean(&s->record);
	s->is_behind = !record_is_settled(&s->record);
	if (s->is_behind)
		loop_timer_arm(&s->keep_again, KEEP_AGAIN_MS);
	if (s->is_behind && !was_behind)
		log_warning("the service manager takes no descriptors: this "
			    "process's death would be seen");
	if (!s->is_behind && was_behind)
		log_info("the service manager has everything again");
}

static void on_keep_again(struct loop_timer *timer)
{
	struct supervisor *s = list_entry(timer, struct supervisor, keep_again);

	/* In the middle of a message the state is nobody's to go on from. */
	if (s->control.is_pending)
		loop_timer_arm(&s->keep_again, KEEP_AGAIN_MS);
	else
		on_commit(s);
}

/* --- the connection ---------------------------------------------------- */

static void disconnect(struct supervisor *s)
{
	if (!s->is_connected)
		return;
	s->is_connected = false;
	crew_dismiss(&s->crew);
	loop_watch_remove(&s->control_watch);
	/* Whoever else has the socket: the front end shall see the end. */
	if (s->control.channel.fd >= 0)
		(void)shutdown(s->control.channel.fd, SHUT_RDWR);
	vhost_control_deinit(&s->control);
	on_commit(s);
	state_forget(&s->state);
	log_info("front end gone");
	/* Before the loop runs the listener was not paused. */
	if (s->has_begun &&
	    (s->listener.fd < 0 || loop_listener_resume(&s->listener)))
		finish(s, 0);
}

/* Act on what the last message came to; whether to read on. */
static bool go_on(struct supervisor *s, int got)
{
	unsigned int events = LOOP_READ;

	if (got == 1)
		return true;
	/* What is there of a message stays in the socket. */
	if (s->control.channel.is_kept && s->control.channel.have_bytes)
		events |= LOOP_EDGE;
	if (got == -EINPROGRESS)
		loop_watch_set(&s->control_watch, 0);
	else if (got == 0)
		loop_watch_set(&s->control_watch, events);
	else {
		if (got != -EPIPE)
			log_warning("connection closed: %s", strerror(-got));
		disconnect(s);
	}
	return false;
}

static void on_control(struct loop_watch *watch, unsigned int events)
{
	struct supervisor *s = SUPERVISOR_OF(watch, control_watch);

	/* It went while we wait for the worker. */
	if (s->control.is_pending) {
		disconnect(s);
		return;
	}
	for (int i = 0; i < MESSAGES_A_TURN; i++)
		if (!go_on(s, vhost_control_read(&s->control)))
			return;
}

static void on_stopped(struct crew *crew)
{
	struct supervisor *s = SUPERVISOR_OF(crew, crew);

	if (go_on(s, vhost_control_continue(&s->control)))
		loop_watch_set(&s->control_watch, LOOP_READ);
}

static void on_failure(struct crew *crew, int error)
{
	struct supervisor *s = SUPERVISOR_OF(crew, crew);

	if (error == -ENODEV || !s->is_connected)
		finish(s, error);
	else
		disconnect(s);
}

/* Have the connection outlive us, where somebody keeps it. */
static int keep(struct supervisor *s)
{
	return s->record.file ? vhost_control_keep(&s->control, s->record.pipe)
			      : 0;
}

/* A front end has come; `fd` is owned. */
static int connect_to(struct supervisor *s, int fd)
{
	int error;

	vhost_control_init(&s->control, &s->device, s, &s->vhost, &s->fds, fd);
	s->is_connected = true;
	error = keep(s);
	if (!error)
		error = crew_engage(&s->crew);
	if (!error)
		error = loop_watch_add(s->loop, &s->control_watch, fd,
				       LOOP_READ, on_control);
	if (error) {
		disconnect(s);
		return error;
	}
	on_commit(s);
	log_info("front end connected");
	return 0;
}

static void on_accept(struct loop_listener *listener, int fd)
{
	struct supervisor *s = SUPERVISOR_OF(listener, listener);
	int error;

	/* One at a time; others wait in the backlog. */
	loop_listener_pause(&s->listener);
	error = connect_to(s, fd);
	if (error)
		finish(s, error);
}

static void on_signal(struct loop_signals *signals, int number)
{
	finish(SUPERVISOR_OF(signals, signals), 0);
}

/* --- beginning and end ------------------------------------------------- */

static int describe(struct supervisor *s)
{
	char why[256] = "";
	int error = cryptsess_provider_open(&s->provider, s->options->provider,
					    why, sizeof(why));

	if (error) {
		log_error("provider %s: %s", s->options->provider, why);
		return error;
	}
	engine_describe(&s->config, &s->state.limits, s->provider);
	return 0;
}

/* The state and the record, from another supervisor or new. */
static int open_state(struct supervisor *s)
{
	const struct device_options *o = s->options;
	const struct state_limits limits = {
		.queues = (uint32_t)o->queues,
		.max_files = (uint32_t)o->max_files,
		.max_sessions = (uint32_t)o->max_sessions,
		.max_request_bytes = (uint32_t)o->max_request_bytes,
	};

	return heritage_open(&s->state, &s->record, &s->keeper, &limits);
}

/* Go on with the connection of a supervisor that died. */
static void resume(struct supervisor *s)
{
	int fd;
	int got = record_restore(&s->record, &s->vhost, &s->fds, &fd);
	int error = got < 0 ? got : 0;

	/* Nobody's sessions are left, should it have died between. */
	if (got == 0) {
		state_forget(&s->state);
		return;
	}
	vhost_control_resume(&s->control, &s->device, s, &s->vhost, &s->fds,
			     fd);
	s->is_connected = true;
	if (!error)
		error = keep(s);
	if (!error)
		error = crew_resume(&s->crew,
				    vhost_control_running(&s->control));
	if (!error)
		error = loop_watch_add(s->loop, &s->control_watch, fd,
				       LOOP_READ, on_control);
	if (!error) {
		log_warning("went on where another supervisor died");
		return;
	}
	log_warning("a supervisor died, and its connection cannot be kept: its "
		    "front end has to connect again");
	disconnect(s);
}

/* Everything from outside is open. */
static int enter_sandbox(struct supervisor *s)
{
	const struct device_options *o = s->options;

	if (CHECK(device_sandbox, !o->has_sandbox))
		return 0;
	s->sandbox.user = o->user;
	s->sandbox.provider = o->provider;
	s->sandbox.paths[0] = o->socket_path;
	s->sandbox.paths[1] = o->stats_path;
	s->crew.params.sandbox = &s->sandbox;
	return sandbox_enter(&s->sandbox, SANDBOX_SUPERVISOR);
}

/* Listen, unless --fd is a connection. */
static int open_sockets(struct supervisor *s)
{
	const struct device_options *o = s->options;
	int fd = (int)o->fd;
	int error = 0;

	if (o->socket_path)
		error = loop_listener_open(&s->listener, s->loop,
					   o->socket_path, 0777, on_accept);
	else if (loop_listener_is_listening(fd))
		error = loop_listener_adopt(&s->listener, s->loop, fd,
					    on_accept);
	if (!error && o->stats_path)
		error = stats_server_open(&s->stats, s->loop, o->stats_path,
					  &s->state);
	return error;
}

/* The connection there is already: another supervisor's, or --fd. */
static int serve(struct supervisor *s)
{
	int error = 0;

	resume(s);
	keeper_drop_rest(&s->keeper);
	if (!error && !s->is_connected && s->listener.fd < 0)
		error = connect_to(s, (int)s->options->fd);
	if (!error && s->is_connected && s->listener.fd >= 0)
		loop_listener_pause(&s->listener);
	if (!error)
		(void)keeper_tell(&s->keeper, "READY=1");
	return error;
}

static int supervisor_init(struct supervisor *s)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	int error;

	keeper_init(&s->keeper, s->probes ? s->probes->keeper_patience_ms : 0);
	error = open_state(s);
	s->device.features = FEATURES;
	s->device.protocol_features = PROTOCOL_FEATURES;
	s->device.queues = s->state.limits.queues;
	s->device.config_bytes = sizeof(s->config);
	s->device.get_config = on_get_config;
	s->device.start = on_start;
	s->device.stop = on_stop;
	s->device.remap = on_remap;
	s->device.reset = on_reset;
	s->device.commit = on_commit;
	s->device.at_moment = on_moment;
	if (!error)
		error = describe(s);
	if (!error)
		error = loop_create(&s->loop);
	if (!error)
		error = loop_signals_open(s->loop, &s->signals, stops, 3,
					  on_signal);
	if (error)
		return error;
	loop_timer_init(s->loop, &s->keep_again, on_keep_again);
	crew_init(&s->crew, s->loop, &s->vhost, &s->fds);
	s->crew.on_stopped = on_stopped;
	s->crew.on_failure = on_failure;
	s->crew.params.state = &s->state;
	s->crew.params.provider = s->options->provider;
	s->crew.params.throttle_bytes_per_s = s->options->throttle_bytes_per_s;
	s->crew.params.throttle_ops_per_s = s->options->throttle_ops_per_s;
	s->crew.params.poll_ns = s->options->poll_us * 1000;
	error = open_sockets(s);
	if (!error)
		error = enter_sandbox(s);
	return error ? error : serve(s);
}

static void supervisor_deinit(struct supervisor *s)
{
	loop_listener_close(&s->listener);
	disconnect(s);
	stats_server_close(&s->stats);
	loop_signals_close(&s->signals);
	loop_timer_disarm(&s->keep_again);
	if (s->loop)
		loop_destroy(s->loop);
	cryptsess_provider_close(s->provider);
	state_destroy(&s->state);
	record_close(&s->record);
	keeper_deinit(&s->keeper);
}

int supervisor_run(const struct device_options *options,
		   const struct supervisor_probes *probes)
{
	static struct supervisor s;
	int error;

	memset(&s, 0, sizeof(s));
	s.options = options;
	s.probes = probes;
	log_limit(&s.log);
	s.listener.fd = -1;
	s.crew.params.at_moment = probes ? probes->at_request : NULL;
	if (probes && probes->stop_limit_ms)
		s.crew.stop_limit_ms = probes->stop_limit_ms;
	error = supervisor_init(&s);
	s.has_begun = true;
	if (!error)
		error = loop_run(s.loop);
	if (!error)
		error = s.result;
	supervisor_deinit(&s);
	return error;
}
