/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c - the relay as a whole: its clients, rooms, listeners */

#include "relay/relay.h"
#include "base/bytes.h"
#include "base/log.h"
#include "prim/random.h"
#include "relay/admin.h"
#include "relay/clock.h"
#include "relay/confine.h"
#include "relay/conn.h"
#include "relay/credentials.h"
#include "relay/manager.h"
#include "relay/options.h"
#include "relay/sockets.h"
#include "tls/context.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* Descriptors that are no clients: standard ones, epoll, listeners. */
#define RELAY_SPARE_FDS (RELAY_REFUSALS_MAX + RELAY_LISTENERS_MAX + 16u)

enum log_level relay_log_level(struct relay *relay, enum log_level level)
{
	uint64_t now_ms = loop_now_ms(relay->loop);

	if (bucket_take(&relay->log_lines, 0, now_ms)) {
		relay->muted_lines++;
		return LOG_LEVEL_DEBUG;
	}
	(void)bucket_take(&relay->log_lines, 1, now_ms);
	if (relay->muted_lines)
		log_line(level, "%llu lines like the next were left out",
			 (unsigned long long)relay->muted_lines);
	relay->muted_lines = 0;
	return level;
}

static void relay_listen(struct relay *relay, bool is_on)
{
	for (unsigned int i = 0; i < relay->listener_count; i++)
		if (relay->listeners[i].watch.loop)
			(void)loop_watch_set(&relay->listeners[i].watch,
					     is_on ? LOOP_READ : 0);
}

static void accept_again(struct loop_timer *timer)
{
	relay_listen(list_entry(timer, struct relay, accept_timer), true);
}

/* Out of descriptors or memory: the connection stays in the backlog, which is
 * ready for ever; so look away for a while instead of spinning. */
static void relay_pause_accept(struct relay *relay, int error)
{
	if (!relay->is_short)
		log_line(relay_log_level(relay, LOG_LEVEL_WARNING),
			 "cannot accept a client: %s", strerror(error));
	relay->is_short = true;
	relay_listen(relay, false);
	loop_timer_arm(&relay->accept_timer, RELAY_ACCEPT_PAUSE_MS);
}

static bool accept_error_is_ours(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

/* Once, and not for each who is turned away. */
static void relay_note_full(struct relay *relay, bool is_full)
{
	if (is_full && !relay->is_full)
		log_line(relay_log_level(relay, LOG_LEVEL_WARNING),
			 "full: %llu clients",
			 (unsigned long long)relay->client_count);
	relay->is_full = is_full;
}

/* A connection has come: make a client of it, or turn it away. */
static void relay_take(struct relay *relay, int fd,
		       const struct sockaddr_storage *peer,
		       const struct listener *l)
{
	uint64_t most = relay->limits.max_clients;
	struct address *address = NULL;
	bool is_refused;
	int error;

	relay->counters.accepted++;
	if (relay->conn_count >= most + RELAY_REFUSALS_MAX) {
		relay->counters.refused_full++;
		close(fd); /* too many even to be told */
		return;
	}
	relay->is_short = false;
	relay_note_full(relay, relay->client_count >= most);
	relay->counters.refused_full += relay->is_full;
	error = address_get(relay, peer, &address);
	relay->counters.refused_address += error == -EUSERS;
	is_refused = relay->is_full || error == -EUSERS;
	if (error && !is_refused)
		close(fd);
	else
		error = conn_create(relay, fd, l->is_plain ? NULL : relay->tls,
				    address, is_refused);
	if (error)
		log_line(relay_log_level(relay, LOG_LEVEL_WARNING),
			 "cannot take a client: %s", strerror(-error));
	else
		log_debug("client %llu: connected to %s",
			  (unsigned long long)relay->last_number, l->name);
}

void relay_accept_more(struct relay *relay)
{
	if (!relay->is_crowded)
		return;
	relay->is_crowded = false;
	if (!relay->is_short && !relay->is_stopping)
		relay_listen(relay, true);
}

/* Too many TLS handshakes: who else comes waits in the backlog, until one ends
 * or is too old. */
static void relay_wait_for_handshakes(struct relay *relay)
{
	relay->is_crowded = true;
	for (unsigned int i = 0; i < relay->listener_count; i++)
		if (!relay->listeners[i].is_plain)
			(void)loop_watch_set(&relay->listeners[i].watch, 0);
	loop_timer_arm(&relay->accept_timer, RELAY_ACCEPT_PAUSE_MS);
}

static void relay_accept(struct loop_watch *watch, unsigned int events)
{
	struct listener *l = list_entry(watch, struct listener, watch);
	struct relay *relay = l->relay;

	for (unsigned int i = 0; i < RELAY_ACCEPTS_PER_TURN; i++) {
		struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
		socklen_t bytes = sizeof(peer);
		int fd;

		if (!l->is_plain && !handshakes_have_room(relay)) {
			relay_wait_for_handshakes(relay);
			return;
		}
		fd = accept4(l->fd, (struct sockaddr *)&peer, &bytes,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			relay_take(relay, fd, &peer, l);
			continue;
		}
		if (accept_error_is_ours(errno))
			relay_pause_accept(relay, errno);
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

/* Whether it took anything since it was looked at last. */
static bool stalled_has_moved(struct conn *conn)
{
	int64_t taken = clock_taken_bytes(conn);
	bool has_moved = taken > conn->stalled_bytes;

	conn->stalled_bytes = taken;
	return has_moved;
}

/* Cut off who took nothing for that long, until no more than `most` is held. */
static void relay_cut_stalled(struct relay *relay, uint64_t most,
			      uint64_t still_ms)
{
	uint64_t now_ms = loop_now_ms(relay->loop);

	list_for_each_safe (link, &relay->stalled) {
		struct conn *conn = list_entry(link, struct conn, stalled_link);

		if (relay->held_bytes <= most)
			return;
		if (stalled_has_moved(conn))
			conn->stalled_ms = now_ms;
		if (now_ms - conn->stalled_ms < still_ms)
			continue;
		list_remove(link);
		conn_doom(conn, CHAT_CODE_SLOW, "memory is short");
		outbox_truncate(&conn->outbox);
	}
}

void relay_save_memory(struct relay *relay)
{
	uint64_t most = relay->limits.memory_bytes;
	uint64_t now_ms = loop_now_ms(relay->loop);

	/* Not a walk for each read, while all of them move. */
	if (relay->held_bytes <= most ||
	    (relay->held_bytes <= 2 * most &&
	     now_ms - relay->saved_ms < RELAY_SAVE_INTERVAL_MS))
		return;
	relay->saved_ms = now_ms;
	relay_cut_stalled(relay, most, RELAY_STALL_MS);
	relay_cut_stalled(relay, 2 * most, RELAY_SAVE_INTERVAL_MS);
	relay_cut_stalled(relay, 2 * most, 0);
}

void relay_conn_gone(struct relay *relay)
{
	relay->conn_count--;
	if (relay->is_stopping && !relay->conn_count)
		loop_stop(relay->loop);
}

static void stop_late(struct loop_timer *timer)
{
	struct relay *relay = list_entry(timer, struct relay, stop_timer);

	log_info("%llu clients did not take their leave in time",
		 (unsigned long long)relay->conn_count);
	loop_stop(relay->loop);
}

void relay_close_listeners(struct relay *relay)
{
	for (unsigned int i = 0; i < relay->listener_count; i++)
		listener_close(&relay->listeners[i]);
	relay->listener_count = 0;
}

/* As many descriptors as clients are allowed, if we may. */
static void relay_raise_fds(const struct relay *relay)
{
	rlim_t wanted = (rlim_t)relay->limits.max_clients + RELAY_SPARE_FDS;
	struct rlimit now;

	if (getrlimit(RLIMIT_NOFILE, &now) || now.rlim_cur >= wanted)
		return;
	now.rlim_cur = wanted < now.rlim_max ? wanted : now.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &now);
	if (now.rlim_cur < wanted)
		log_warning("only %llu open files are allowed: too few for "
			    "%llu clients",
			    (unsigned long long)now.rlim_cur,
			    (unsigned long long)relay->limits.max_clients);
}

void relay_set_limits(struct relay *relay, const struct relay_limits *limits)
{
	relay->limits = *limits;
	relay->flush_bytes = RELAY_FLUSH_BYTES;
	if (relay->flush_bytes > relay->limits.high_water_bytes)
		relay->flush_bytes = relay->limits.high_water_bytes;
	relay_raise_fds(relay);
}

void relay_stop(struct relay *relay, const char *why)
{
	relay->is_stopping = true;
	log_info("stopping: %s", why);
	manager_tell_stopping();
	loop_timer_disarm(&relay->accept_timer);
	loop_timer_disarm(&relay->drain.timer);
	relay_close_listeners(relay);
	list_for_each (link, &relay->conns)
		conn_dismiss(list_entry(link, struct conn, link));
	loop_timer_arm(&relay->stop_timer, RELAY_STOP_TIMEOUT_MS);
	if (!relay->conn_count)
		loop_stop(relay->loop);
}

/* SIGHUP reloads. Of the others the first lets everybody leave, the second
 * ends at once. */
static void relay_signalled(struct loop_signals *signals, int number)
{
	struct relay *relay = list_entry(signals, struct relay, signals);

	if (number == SIGHUP)
		relay_reload(relay);
	else if (relay->is_stopping)
		loop_stop(relay->loop);
	else
		relay_stop(relay, strsignal(number));
}

/* From now on clients come in. */
static int relay_watch_listeners(struct relay *relay)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < relay->listener_count; i++) {
		struct listener *l = &relay->listeners[i];

		l->relay = relay;
		error = loop_watch_add(relay->loop, &l->watch, l->fd, LOOP_READ,
				       relay_accept);
		if (error)
			log_error("%s: %s", l->name, strerror(-error));
	}
	return error;
}

static int relay_init(struct relay *relay, const struct relay_options *options)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
	struct sockets sockets = { .predecessor_fd = -1 };
	int error;

	relay->options = options;
	relay->name = options->name;
	relay_set_limits(relay, &options->limits);
	list_init(&relay->conns);
	list_init(&relay->stalled);
	addresses_init(&relay->addresses);
	error = random_bytes(relay->hash_key, sizeof(relay->hash_key));
	if (error) {
		log_error("no randomness: %s", strerror(-error));
		return error;
	}
	error = loop_create(&relay->loop);
	if (error) {
		log_error("no event loop: %s", strerror(-error));
		return error;
	}
	bucket_init(&relay->log_lines, RELAY_LOG_RATE, RELAY_LOG_BURST,
		    loop_now_ms(relay->loop));
	loop_timer_init(relay->loop, &relay->accept_timer, accept_again);
	loop_timer_init(relay->loop, &relay->stop_timer, stop_late);
	error = loop_signals_open(relay->loop, &relay->signals, numbers,
				  ARRAY_SIZE(numbers), relay_signalled);
	if (error) {
		log_error("no signals: %s", strerror(-error));
		return error;
	}
	handshakes_init(relay);
	error = bans_init(&relay->bans, relay->hash_key, options->bans);
	if (!error)
		error = sockets_inherit(&sockets, options);
	if (!error)
		error = sockets_open(relay, &sockets);
	if (!error)
		error = credentials_open(relay, options);
	/* What could fail is done; but for the state, which has one owner. */
	if (!error)
		error = takeover_commit(&sockets);
	takeover_abandon(relay, &sockets);
	if (!error)
		error = relay_confine(relay);
	if (!error)
		error = history_open(relay, options);
	return error ? error : relay_watch_listeners(relay);
}

static void relay_deinit(struct relay *relay)
{
	relay_close_listeners(relay);
	relay->is_stopping = true;
	if (relay->loop)
		list_for_each_safe (link, &relay->conns)
			conn_destroy(list_entry(link, struct conn, link));
	history_close(relay);
	loop_timer_disarm(&relay->accept_timer);
	loop_timer_disarm(&relay->stop_timer);
	loop_timer_disarm(&relay->drain.timer);
	loop_timer_disarm(&relay->watchdog_timer);
	metrics_close(relay);
	admin_close(relay);
	bans_deinit(&relay->bans);
	addresses_deinit(&relay->addresses);
	if (relay->loop)
		handshakes_deinit(relay);
	loop_signals_close(&relay->signals);
	takeover_close(&relay->takeover); /* the successor waits for that */
	loop_destroy(relay->loop);
	tls_context_destroy(relay->tls);
}

int relay_run(const struct relay_options *options)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	int error;

	if (!relay) {
		log_error("no memory");
		return -ENOMEM;
	}
	error = relay_init(relay, options);
	if (!error) {
		manager_tell_ready(relay);
		error = loop_run(relay->loop);
		if (error)
			log_error("cannot go on: %s", strerror(-error));
	}
	relay_deinit(relay);
	free(relay);
	return error;
}
