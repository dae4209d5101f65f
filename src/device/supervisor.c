/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c - the process that keeps a device alive */
#include "device/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cryptsess.h"
#include "device/crew.h"
#include "device/engine.h"
#include "loop/listener.h"
#include "device/sandbox.h"
#include "device/stats_server.h"
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

/* What is kept for a successor, beside the descriptors of vhost_fds. */
#define NAME_STATE   "pvx-state"
#define NAME_RESULTS "pvx-results"
#define NAME_CONTROL "pvx-control"

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
	struct vhost_control control;
	struct vhost_fds fds; /* the vhost_state is in the state's record */
	struct loop_watch control_watch;
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

/* --- the connection ---------------------------------------------------- */

static void disconnect(struct supervisor *s)
{
	if (!s->is_connected)
		return;
	s->is_connected = false;
	crew_dismiss(&s->crew);
	loop_watch_remove(&s->control_watch);
	vhost_control_deinit(&s->control);
	state_forget(&s->state);
	s->state.record->is_connected = false;
	keeper_sync(&s->keeper, s->state.record, &s->fds);
	keeper_remove(&s->keeper, NAME_CONTROL);
	log_info("front end gone");
	/* Before the loop runs the listener was not paused. */
	if (s->has_begun &&
	    (s->listener.fd < 0 || loop_listener_resume(&s->listener)))
		finish(s, 0);
}

/* Behind a message: have its descriptors kept, and note that the state is
 * whole. Bytes of the next message that were read would be lost with us. */
static void settle(struct supervisor *s)
{
	if (!s->is_connected)
		return;
	keeper_sync(&s->keeper, s->state.record, &s->fds);
	if (!s->control.is_pending && !s->control.channel.have_bytes)
		s->state.record->is_busy = s->keeper.has_failed;
}

/* Act on what the last message came to; whether to read on. */
static bool go_on(struct supervisor *s, int got)
{
	settle(s);
	if (got == 1)
		return true;
	if (got == -EINPROGRESS)
		loop_watch_set(&s->control_watch, 0);
	else if (got == 0)
		loop_watch_set(&s->control_watch, LOOP_READ);
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
	for (int i = 0; i < MESSAGES_A_TURN; i++) {
		s->state.record->is_busy = true;
		if (!go_on(s, vhost_control_read(&s->control)))
			return;
	}
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

/* A front end has come; `fd` is owned. */
static int connect_to(struct supervisor *s, int fd)
{
	int error;

	vhost_control_init(&s->control, &s->device, s, &s->state.record->vhost,
			   &s->fds, fd);
	s->is_connected = true;
	s->state.record->is_busy = false;
	s->state.record->is_connected = true;
	keeper_store(&s->keeper, NAME_CONTROL, fd);
	error = crew_engage(&s->crew);
	if (!error)
		error = loop_watch_add(s->loop, &s->control_watch, fd,
				       LOOP_READ, on_control);
	if (error)
		disconnect(s);
	else
		log_info("front end connected");
	return error;
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

/* The state that a supervisor before us left, or a new one. */
static int open_state(struct supervisor *s)
{
	const struct device_options *o = s->options;
	const struct state_limits limits = {
		.queues = (uint32_t)o->queues,
		.max_files = (uint32_t)o->max_files,
		.max_sessions = (uint32_t)o->max_sessions,
		.max_request_bytes = (uint32_t)o->max_request_bytes,
	};
	int fd = keeper_take(&s->keeper, NAME_STATE);
	int results_fd = keeper_take(&s->keeper, NAME_RESULTS);
	int error;

	if (fd >= 0 && results_fd >= 0) {
		if (state_adopt(&s->state, &limits, fd, results_fd) == 0)
			return 0;
		keeper_remove(&s->keeper, NAME_STATE);
		keeper_remove(&s->keeper, NAME_RESULTS);
	}
	error = state_create(&s->state, &limits);
	if (error) {
		log_error("no locked memory for %u sessions: raise "
			  "RLIMIT_MEMLOCK or lower --max-sessions",
			  limits.max_sessions);
		return error;
	}
	keeper_store(&s->keeper, NAME_STATE, s->state.fd);
	keeper_store(&s->keeper, NAME_RESULTS, s->state.results_fd);
	return 0;
}

/* Go on with the connection of a supervisor that died, unless it was in the
 * middle of a message: then nobody knows how far it came. */
static int resume(struct supervisor *s)
{
	struct keeper_record *record = s->state.record;
	int fd = keeper_take(&s->keeper, NAME_CONTROL);
	int error = keeper_restore(&s->keeper, record, &s->fds);

	if (!record->is_connected && fd < 0)
		return 0;
	if (fd < 0 || record->is_busy || !record->is_connected)
		error = -ENOENT;
	vhost_control_resume(&s->control, &s->device, s, &record->vhost,
			     &s->fds, fd);
	s->is_connected = true;
	if (!error)
		error = crew_resume(&s->crew,
				    vhost_control_running(&s->control));
	if (!error)
		error = loop_watch_add(s->loop, &s->control_watch, fd,
				       LOOP_READ, on_control);
	if (!error) {
		log_warning("went on where another supervisor died");
		return 0;
	}
	log_warning("a supervisor died in the middle of a message: its front "
		    "end has to connect again");
	disconnect(s);
	return 0;
}

/* Everything from outside is open. */
static int enter_sandbox(struct supervisor *s)
{
	const struct device_options *o = s->options;

	if (!o->has_sandbox)
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
	int error = resume(s);

	keeper_drop_rest(&s->keeper);
	if (!error && !s->is_connected && s->listener.fd < 0)
		error = connect_to(s, (int)s->options->fd);
	if (!error && s->is_connected && s->listener.fd >= 0)
		loop_listener_pause(&s->listener);
	if (!error)
		keeper_tell(&s->keeper, "READY=1");
	return error;
}

static int supervisor_init(struct supervisor *s)
{
	static const int stops[] = { SIGINT, SIGTERM, SIGHUP };
	int error;

	keeper_init(&s->keeper);
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
	if (!error)
		error = describe(s);
	if (!error)
		error = loop_create(&s->loop);
	if (!error)
		error = loop_signals_open(s->loop, &s->signals, stops, 3,
					  on_signal);
	if (error)
		return error;
	crew_init(&s->crew, s->loop, &s->state.record->vhost, &s->fds);
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
	if (s->loop)
		loop_destroy(s->loop);
	cryptsess_provider_close(s->provider);
	state_destroy(&s->state);
	keeper_remove(&s->keeper, NAME_STATE);
	keeper_remove(&s->keeper, NAME_RESULTS);
	keeper_deinit(&s->keeper);
}

int supervisor_run(const struct device_options *options,
		   void (*at_moment)(unsigned int queue,
				     enum journal_moment moment))
{
	static struct supervisor s;
	int error;

	memset(&s, 0, sizeof(s));
	s.options = options;
	s.listener.fd = -1;
	s.crew.params.at_moment = at_moment;
	error = supervisor_init(&s);
	s.has_begun = true;
	if (!error)
		error = loop_run(s.loop);
	if (!error)
		error = s.result;
	supervisor_deinit(&s);
	return error;
}
