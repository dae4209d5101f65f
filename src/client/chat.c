/* SPDX-License-Identifier: Apache-2.0 */
/* chat.c - being in a room: the core that all faces share */

/*
 * How it works: the relay's messages come from link.c's connection into
 * handlers below, one per type (a table). What members sealed goes to the
 * inbox. Our own messages are sealed at once and wait in the outbox, whatever
 * the connection does. All of a turn's consequences happen in one piece of
 * deferred work, flush(): commit the state, hand on the events, send what the
 * window allows. Sending after the commit keeps our own messages from being
 * accepted back from the relay after a restart.
 *
 *      reach -> HELLO -> WELCOME -> JOIN -> JOINED... -> hold -> live
 *        ^                                                        |
 *        +------------- backoff <--------- broken <---------------+
 */
#include "client/chat.h"

#include "client/chat_private.h"
#include "client/identity.h"
#include "client/locked.h"

#include "base/log.h"
#include "e2ee/self_test.h"
#include "prim/random.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number for jitter; what it is does not matter to any secret. */
static uint32_t jitter(void)
{
	uint32_t number;

	if (random_bytes(&number, sizeof(number)))
		number = (uint32_t)getpid();
	return number;
}

void chat_push(struct chat *chat, enum event_type type, uint64_t count,
	       const char *text)
{
	struct event *event = event_create(type, text, text ? strlen(text) : 0);

	if (event)
		event->count = count;
	inbox_push(&chat->inbox, event);
	loop_work_queue(&chat->flush_work);
}

void chat_stop(struct chat *chat, const char *format, ...)
{
	char why[PIN_TEXT_ROOM] = "";
	va_list args;

	if (chat->is_stopped)
		return;
	chat->is_stopped = true;
	conn_close(&chat->conn);
	loop_timer_disarm(&chat->retry_timer);
	loop_timer_disarm(&chat->hold_timer);
	loop_timer_disarm(&chat->greet_timer);
	loop_timer_disarm(&chat->leave_timer);
	va_start(args, format);
	vsnprintf(why, sizeof(why), format, args);
	va_end(args);
	chat_push(chat, EVENT_STOPPED, 0, why);
}

/* Sealing, opening or remembering failed: there is no going on, and never a
 * way around it. */
void chat_stop_for_error(struct chat *chat, int error)
{
	if (error == -ENODEV)
		chat_stop(chat, "the crypto provider %s went away",
			  cryptsess_provider_name(chat->provider));
	else
		chat_stop(chat, "cannot go on: %s (crypto provider %s)",
			  state_explain(error),
			  cryptsess_provider_name(chat->provider));
}

static void pump(struct chat *chat)
{
	const struct outbox_message *message;
	struct wire_message send = { .type = CHAT_SEND };
	int error = 0;

	if (!chat_is_joined(chat) || chat->is_holding)
		return;
	while (!error && (message = outbox_send_next(&chat->outbox))) {
		if (message->bytes > chat->max_envelope_bytes) {
			chat_stop(chat,
				  "%s takes messages of %zu bytes at most, and "
				  "one of ours has %zu",
				  chat->server, chat->max_envelope_bytes,
				  message->bytes);
			return;
		}
		send.send.envelope = message->envelope;
		send.send.envelope_bytes = (uint32_t)message->bytes;
		error = conn_send(&chat->conn, &send);
	}
	if (error)
		conn_break(&chat->conn, "cannot send: %s", strerror(-error));
}

static void flush(struct loop_work *work)
{
	struct chat *chat = list_entry(work, struct chat, flush_work);
	int error = 0;

	if (chat->past.has_moved)
		error = past_store(&chat->past, chat->state,
				   e2ee_room_id(chat->room));
	if (!error)
		error = inbox_flush(&chat->inbox);
	if (!error) {
		pump(chat);
		return;
	}
	/* What was received is not shown; that we stop is. */
	chat->is_stopped = false;
	inbox_drop(&chat->inbox);
	chat_stop(chat, "cannot remember what was received: %s",
		  state_explain(error));
}

static void on_hold_over(struct loop_timer *timer)
{
	struct chat *chat = list_entry(timer, struct chat, hold_timer);

	chat_release_hold(chat);
}

static void tell_gone(void *owner, const uint8_t device[CHAT_KEY_BYTES])
{
	chat_push_presence(owner, EVENT_GONE, device);
}

void chat_release_hold(struct chat *chat)
{
	loop_timer_disarm(&chat->hold_timer);
	chat->is_holding = false;
	roster_forget(&chat->roster, tell_gone, chat);
	loop_work_queue(&chat->flush_work);
}

void chat_push_presence(struct chat *chat, enum event_type type,
			const uint8_t device[CHAT_KEY_BYTES])
{
	struct event *event = event_create(type, NULL, 0);

	if (event)
		inbox_describe_device(&chat->inbox, event, device);
	inbox_push(&chat->inbox, event);
	loop_work_queue(&chat->flush_work);
}

/* Tell who comes our nick, once for all who come within the same time. */
void chat_greet_soon(struct chat *chat)
{
	uint32_t span_ms =
		CHAT_GREET_MS + CHAT_GREET_MEMBER_MS * chat->roster.present;

	if (chat->is_announced && !chat->is_leaving &&
	    !loop_timer_is_armed(&chat->greet_timer))
		loop_timer_arm(&chat->greet_timer, 1 + jitter() % span_ms);
}

static int seal(struct chat *chat, enum e2ee_content_type type,
		const char *text, size_t bytes, uint64_t *number)
{
	struct e2ee_content content = {
		.type = type,
		.sender_time_ms = event_now_ms(),
		.nick = chat->nick,
		.nick_bytes = strlen(chat->nick),
		.text = text,
		.text_bytes = bytes,
	};
	struct e2ee_changes changes = { 0 };
	long sealed;
	int error;

	if (chat->is_stopped)
		return -ESHUTDOWN;
	if (!outbox_has_room(&chat->outbox, CHAT_ENVELOPE_MAX))
		return -ENOBUFS;
	sealed = e2ee_seal(chat->room, &content, chat->envelope, &changes);
	error = sealed < 0 ? (int)sealed : 0;
	if (!error)
		error = state_merge(chat->state, e2ee_room_id(chat->room),
				    &changes);
	if (!error)
		error = outbox_add(&chat->outbox, ++chat->last_number,
				   chat->envelope, (size_t)sealed);
	if (error) {
		chat_stop_for_error(chat, error);
		return error;
	}
	if (number)
		*number = chat->last_number;
	loop_work_queue(&chat->flush_work);
	return 0;
}

int chat_say(struct chat *chat, const char *text, size_t bytes,
	     uint64_t *number)
{
	if (bytes > CHAT_MAX_TEXT_BYTES)
		return -EMSGSIZE;
	if (!bytes || memchr(text, '\0', bytes))
		return -EINVAL;
	return seal(chat, E2EE_CONTENT_TEXT, text, bytes, number);
}

int chat_set_nick(struct chat *chat, const char *nick)
{
	snprintf(chat->nick, sizeof(chat->nick), "%s", nick);
	return seal(chat, E2EE_CONTENT_NICK, "", 0, NULL);
}

static void on_greet(struct loop_timer *timer)
{
	struct chat *chat = list_entry(timer, struct chat, greet_timer);

	/* What waits in the outbox says our nick as well, and comes first. */
	if (chat_is_joined(chat) && !chat->outbox.count)
		seal(chat, E2EE_CONTENT_NICK, "", 0, NULL);
}

void chat_announce(struct chat *chat)
{
	if (chat->is_announced)
		seal(chat,
		     chat->was_joined ? E2EE_CONTENT_NICK : E2EE_CONTENT_JOIN,
		     "", 0, NULL);
}

static void on_left(struct loop_timer *timer)
{
	struct chat *chat = list_entry(timer, struct chat, leave_timer);

	chat_finish_leaving(chat);
}

void chat_finish_leaving(struct chat *chat)
{
	struct wire_message bye = { .type = CHAT_BYE };

	if (chat_is_joined(chat) && conn_send(&chat->conn, &bye) == 0)
		conn_flush(&chat->conn);
	chat_stop(chat, "%s", "");
}

void chat_leave(struct chat *chat, uint64_t wait_ms)
{
	if (chat->is_leaving || chat->is_stopped)
		return;
	loop_timer_disarm(&chat->greet_timer);
	if (chat_is_joined(chat) && chat->is_announced)
		seal(chat, E2EE_CONTENT_LEAVE, "", 0, NULL);
	chat->is_leaving = true;
	loop_timer_arm(&chat->leave_timer, chat->outbox.count ? wait_ms : 0);
}

/* The relay is out of reach, or was lost: `why`. Try again, or give up. */
void chat_retry(struct chat *chat, const char *why)
{
	uint64_t now_ms = loop_now_ms(chat->loop), away_ms;
	int64_t patience_ms =
		chat->was_joined ? chat->patience_ms : chat->first_patience_ms;
	char text[sizeof(chat->server) + sizeof(chat->conn.why) + 2];
	uint32_t wait_ms;

	snprintf(text, sizeof(text), "%s: %s", chat->server, why);
	if (chat->conn.state == WIRE_STATE_JOINED) {
		backoff_note(&chat->backoff, now_ms - chat->conn.opened_ms);
		chat->away_since_ms = now_ms;
	}
	roster_restart(&chat->roster);
	loop_timer_disarm(&chat->hold_timer);
	chat->conn.state = WIRE_STATE_OPENED;
	away_ms = now_ms - chat->away_since_ms;
	if (patience_ms >= 0 && away_ms >= (uint64_t)patience_ms) {
		chat_stop(chat, "%s", text);
		return;
	}
	wait_ms = backoff_next_ms(&chat->backoff, away_ms, jitter());
	loop_timer_arm(&chat->retry_timer, wait_ms);
	chat_push(chat, EVENT_DISCONNECTED, wait_ms, text);
}

static void on_retry(struct loop_timer *timer)
{
	struct chat *chat = list_entry(timer, struct chat, retry_timer);

	chat_connect(chat);
}

static int open_crypto(struct chat *chat, const struct chat_options *options)
{
	struct secret *seed = locked_alloc(sizeof(*seed));
	char why[256] = "";
	bool is_new;
	int error;

	if (!seed)
		return -ENOMEM;
	error = cryptsess_provider_open(&chat->provider, options->provider, why,
					sizeof(why));
	if (error) {
		log_error("--crypto %s: %s", options->provider,
			  *why ? why : strerror(-error));
		goto out;
	}
	error = e2ee_provider_check(chat->provider);
	if (error) {
		log_error("--crypto %s: %s; nothing is entrusted to it",
			  options->provider,
			  error == -EBADMSG ? "it computes wrong answers"
					    : strerror(-error));
		goto out;
	}
	error = identity_load(seed, &is_new);
	if (error)
		goto out;
	error = e2ee_room_create(&chat->room, &options->room->secret, seed,
				 chat->provider);
	if (error)
		log_error("cannot open the room: %s", strerror(-error));
	else if (is_new)
		log_info("made your identity; paravox id shows its "
			 "fingerprint");
out:
	secret_free(seed);
	return error;
}

/* The state is made before the identity, always: so an identity without a
 * state has lost it. */
static int find_state(struct chat *chat)
{
	bool has_identity = identity_is_there();
	int error = state_open_own(&chat->state);

	if (!error && state_is_new(chat->state) && has_identity)
		log_warning("nothing is remembered of what was received "
			    "before: an old message that comes again is shown, "
			    "with its sender's time");
	return error;
}

static int open_state(struct chat *chat, inbox_event_fn *on_event, void *owner)
{
	int error;

	inbox_init(&chat->inbox, chat->room, chat->state, on_event, owner);
	chat->inbox.roster = &chat->roster;
	error = inbox_load(&chat->inbox);
	if (!error)
		error = past_load(&chat->past, chat->state,
				  e2ee_room_id(chat->room));
	if (error)
		log_error("the state of this room cannot be used: %s",
			  error == -EBADMSG ? "it is damaged"
					    : strerror(-error));
	return error;
}

/* How the relay is known, before anything is sent to it. */
static int prepare_tls(struct chat *chat, const struct chat_options *options)
{
	int error = pin_find(&chat->pin, chat->state, chat->server,
			     options->fingerprint, options->room);

	if (error == -EINVAL || error == -EACCES)
		return error; /* it is told */
	if (!error && !pin_server_is_plain(chat->server))
		error = tls_context_create_client(&chat->tls);
	if (error)
		log_error("cannot prepare TLS: %s", state_explain(error));
	return error;
}

static void take_options(struct chat *chat, const struct chat_options *options)
{
	snprintf(chat->server, sizeof(chat->server), "%s", options->server);
	snprintf(chat->nick, sizeof(chat->nick), "%s",
		 options->nick ? options->nick : "");
	chat->is_announced = options->is_announced && options->nick;
	chat->is_deaf = options->is_deaf;
	chat->past.since = options->since;
	chat->first_patience_ms = options->first_patience_ms;
	chat->patience_ms = options->patience_ms;
}

int chat_create(struct chat **result, struct loop *loop,
		const struct chat_options *options, inbox_event_fn *on_event,
		void *owner)
{
	struct chat *chat = calloc(1, sizeof(*chat));
	int error;

	*result = NULL;
	if (!chat) {
		log_error("no memory");
		return -ENOMEM;
	}
	chat->loop = loop;
	take_options(chat, options);
	outbox_init(&chat->outbox);
	loop_work_init(loop, &chat->flush_work, flush);
	loop_timer_init(loop, &chat->retry_timer, on_retry);
	loop_timer_init(loop, &chat->hold_timer, on_hold_over);
	loop_timer_init(loop, &chat->greet_timer, on_greet);
	loop_timer_init(loop, &chat->leave_timer, on_left);
	error = find_state(chat);
	if (!error)
		error = prepare_tls(chat, options);
	if (!error)
		error = open_crypto(chat, options);
	if (!error)
		error = open_state(chat, on_event, owner);
	if (error) {
		chat_destroy(chat);
		return error;
	}
	chat->away_since_ms = loop_now_ms(loop);
	loop_timer_arm(&chat->retry_timer, 0);
	*result = chat;
	return 0;
}

void chat_destroy(struct chat *chat)
{
	if (!chat)
		return;
	conn_close(&chat->conn);
	loop_timer_disarm(&chat->retry_timer);
	loop_timer_disarm(&chat->hold_timer);
	loop_timer_disarm(&chat->greet_timer);
	loop_timer_disarm(&chat->leave_timer);
	loop_work_cancel(&chat->flush_work);
	inbox_deinit(&chat->inbox);
	outbox_deinit(&chat->outbox);
	roster_deinit(&chat->roster);
	tls_context_destroy(chat->tls);
	state_close(chat->state);
	e2ee_room_destroy(chat->room);
	cryptsess_provider_close(chat->provider);
	free(chat);
}

size_t chat_unacked(const struct chat *chat)
{
	return chat->outbox.count;
}

bool chat_is_joined(const struct chat *chat)
{
	return conn_is_open(&chat->conn) &&
	       chat->conn.state == WIRE_STATE_JOINED;
}

const char *chat_nick(const struct chat *chat)
{
	return chat->nick;
}

const struct roster *chat_roster(const struct chat *chat)
{
	return &chat->roster;
}

const struct e2ee_room *chat_room(const struct chat *chat)
{
	return chat->room;
}

void chat_describe(struct chat *chat, struct event *event,
		   const uint8_t device[CHAT_KEY_BYTES])
{
	inbox_describe_device(&chat->inbox, event, device);
}

struct state *chat_state(struct chat *chat)
{
	return chat->state;
}
