/* SPDX-License-Identifier: Apache-2.0 */
/* chat_relay.c - what the relay says to us, and the way into the room */

#include "client/chat_private.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chat *chat_of(struct conn *conn)
{
	return list_entry(conn, struct chat, conn);
}

/* Whether the relay has the right key. If not, nothing is said to it. */
static bool is_right_relay(struct chat *chat)
{
	uint8_t shown[TLS_FINGERPRINT_BYTES];
	char text[PIN_TEXT_ROOM];
	int verdict;

	if (!chat->tls)
		return true;
	verdict = transport_fingerprint(&chat->conn.transport, shown);
	if (!verdict)
		verdict =
			pin_judge(&chat->pin, chat->state, chat->server, shown);
	if (verdict < 0) {
		chat_stop(chat, "cannot judge the relay's key: %s",
			  state_explain(verdict));
		return false;
	}
	if (verdict == PIN_HOLDS)
		return true;
	pin_explain(text, &chat->pin, (enum pin_verdict)verdict, chat->server,
		    shown);
	if (verdict == PIN_IS_FIRST)
		chat_push(chat, EVENT_NEW_RELAY, 0, text);
	else
		chat_stop(chat, "%s", text);
	return verdict == PIN_IS_FIRST;
}

static void on_open(struct conn *conn)
{
	struct wire_message hello = { .type = CHAT_HELLO };

	if (!is_right_relay(chat_of(conn)))
		return;

	hello.hello.magic = CHAT_MAGIC;
	hello.hello.version_min = CHAT_VERSION;
	hello.hello.version_max = CHAT_VERSION;
	conn_send(conn, &hello);
}

/* spec/chat-wire.md, clause 7.2. */
static int sign(const struct chat *chat, const struct wire_message *welcome,
		enum wire_signer signer, uint8_t signature[SIGN_BYTES])
{
	uint8_t exporter[TLS_EXPORTER_BYTES];
	struct wire_admission admission = {
		.version = welcome->welcome.version,
		.name = welcome->welcome.name,
		.name_bytes = welcome->welcome.name_bytes,
		.nonce = welcome->welcome.nonce,
		.room_id = e2ee_room_id(chat->room),
		.device_key = e2ee_room_device_key(chat->room),
	};
	uint8_t data[WIRE_ADMISSION_MAX];
	long bytes = 0;

	if (chat->tls) {
		bytes = transport_exporter(&chat->conn.transport, exporter);
		admission.exporter = exporter;
		admission.exporter_bytes = sizeof(exporter);
	}
	if (!bytes)
		bytes = wire_admission_encode(data, signer, &admission);
	if (bytes < 0)
		return (int)bytes;
	e2ee_room_sign(chat->room, signer, data, (size_t)bytes, signature);
	return 0;
}

static void on_welcome(struct chat *chat, const struct wire_message *m)
{
	struct wire_message join = { .type = CHAT_JOIN };
	uint8_t admission[SIGN_BYTES], device[SIGN_BYTES];

	if (m->welcome.version != CHAT_VERSION) {
		chat_stop(chat,
			  "%s speaks version %u of the protocol, which "
			  "was not offered",
			  chat->server, m->welcome.version);
		return;
	}
	if (!m->welcome.window_messages || !m->welcome.window_bytes) {
		chat_stop(chat, "%s lets nobody send", chat->server);
		return;
	}
	if (sign(chat, m, WIRE_SIGNER_ADMISSION, admission) ||
	    sign(chat, m, WIRE_SIGNER_DEVICE, device)) {
		conn_break(&chat->conn, "its greeting cannot be signed");
		return;
	}
	outbox_rewind(&chat->outbox, m->welcome.window_messages,
		      m->welcome.window_bytes);
	chat->max_envelope_bytes = m->welcome.max_envelope_bytes;
	chat->ping_interval_ms = m->welcome.ping_interval_ms;
	join.join.room_id = e2ee_room_id(chat->room);
	join.join.admission_key = e2ee_room_admission_key(chat->room);
	join.join.device_key = e2ee_room_device_key(chat->room);
	join.join.admission_signature = admission;
	join.join.device_signature = device;
	if (!chat->is_deaf)
		past_begin(&chat->past, &join);
	conn_send(&chat->conn, &join);
	chat->conn.state = WIRE_STATE_JOINING;
}

static void begin_live(struct chat *chat)
{
	chat->conn.state = WIRE_STATE_JOINED;
	chat->roster.is_live = true;
	conn_joined(&chat->conn, chat->ping_interval_ms);
	chat_push(chat, EVENT_CONNECTED, chat->roster.present, NULL);
	chat->is_holding = true; /* until the first HISTORY */
	loop_timer_arm(&chat->hold_timer, CHAT_HOLD_MS);
	chat_announce(chat);
	chat->was_joined = true;
}

/* A device is in the room: in the roster, or by PRESENCE. */
static bool add_device(struct chat *chat, const uint8_t *key)
{
	int added = roster_add(&chat->roster, key);

	/* Names of a relay that lied must not keep us from an honest one. */
	if (added == -ENOSPC && chat->roster.awaited) {
		roster_forget(&chat->roster, NULL, NULL);
		added = roster_add(&chat->roster, key);
	}
	if (added == -ENOSPC)
		conn_break(&chat->conn, "the relay names too many devices");
	else if (added < 0)
		conn_break(&chat->conn, "memory is exhausted");
	/* Who was awaited only came back with the relay. */
	if (added == 1 && chat->was_joined)
		chat_push_presence(chat, EVENT_PRESENT, key);
	return added >= 0;
}

static void on_joined(struct chat *chat, const struct wire_message *m)
{
	for (uint32_t i = 0; i < m->joined.count; i++)
		if (!add_device(chat, m->joined.keys + i * CHAT_KEY_BYTES))
			return;
	if (m->joined.keys_after == 0)
		begin_live(chat);
}

static void on_presence(struct chat *chat, const struct wire_message *m)
{
	const uint8_t *key = m->presence.device_key;

	if (m->presence.what == CHAT_PRESENCE_LEFT) {
		if (roster_remove(&chat->roster, key))
			chat_push_presence(chat, EVENT_GONE, key);
		return;
	}
	if (!add_device(chat, key))
		return;
	chat_greet_soon(chat);
	if (chat->is_holding && !chat->roster.awaited)
		chat_release_hold(chat);
}

static void on_deliver(struct chat *chat, const struct wire_message *m)
{
	struct inbox *inbox = &chat->inbox;
	struct past *past = &chat->past;
	uint64_t sequence = m->deliver.sequence, texts = inbox->texts;
	bool is_old;
	int error = 0;

	if (chat->is_deaf)
		return;
	is_old = past_is_old(past, sequence);
	inbox->sequence = sequence;
	inbox->is_past = is_old || past->is_catching_up;
	inbox->is_asked_for = past_is_asked_for(past, sequence);
	if (past_is_wanted(past, sequence))
		error = (is_old ? inbox_show : inbox_take)(
			inbox, m->deliver.envelope, m->deliver.envelope_bytes);
	past_move(past, sequence, inbox->texts - texts);
	inbox->is_past = inbox->is_asked_for = false;
	inbox->sequence = 0;
	loop_work_queue(&chat->flush_work);
	if (error)
		chat_stop_for_error(chat, error);
}

static void tell_past(struct chat *chat, const struct wire_message *m)
{
	uint64_t missing;
	unsigned int news = past_take(&chat->past, m, &missing);

	if (news & PAST_WAS_LOST)
		chat_push(chat, EVENT_LOST, 0, NULL);
	if (news & PAST_HAS_EXPIRED)
		chat_push(chat, EVENT_EXPIRED, missing, NULL);
	if (news & PAST_HAS_CAUGHT_UP)
		chat_push(chat, EVENT_CAUGHT_UP, chat->past.caught, NULL);
	if (news & PAST_IS_UNREADABLE)
		chat_push(chat, EVENT_UNREADABLE, 0, NULL);
	if (news & (PAST_IS_FETCHED | PAST_IS_NOT_KEPT))
		chat_push(chat, EVENT_FETCHED, chat->past.fetched, NULL);
}

/* What the user asked for before the relay had said what it keeps. */
static void fetch_now(struct chat *chat)
{
	uint16_t count = chat->fetch_later;

	chat->fetch_later = 0;
	if (count && chat_fetch(chat, count))
		chat_push(chat, EVENT_FETCHED, 0, NULL);
}

/* Decision 0061: without history who comes back late would miss what we send
 * now; with it nobody does. */
static void on_history(struct chat *chat, const struct wire_message *m)
{
	if (!chat->roster.awaited)
		chat_release_hold(chat);
	else if (m->history.what != CHAT_HISTORY_NONE)
		chat->is_holding = false;
	loop_work_queue(&chat->flush_work);
	if (chat->is_deaf)
		return;
	tell_past(chat, m);
	fetch_now(chat);
}

int chat_fetch(struct chat *chat, uint16_t count)
{
	struct wire_message fetch = { 0 };
	int error;

	if (!chat_is_joined(chat))
		return -ENOTCONN;
	if (!chat->past.is_answered) {
		if (chat->fetch_later)
			return -EBUSY;
		chat->fetch_later = count;
		return 0;
	}
	if (!chat->past.is_given)
		return -ENOTCONN;
	error = past_fetch(&chat->past, count, &fetch);
	return error ? error : conn_send(&chat->conn, &fetch);
}

static void push_number(struct chat *chat, enum event_type type,
			uint64_t number, const char *text)
{
	struct event *event = event_create(type, text, text ? strlen(text) : 0);

	if (event)
		event->number = number;
	inbox_push(&chat->inbox, event);
}

static void on_ack(struct chat *chat, const struct wire_message *m)
{
	struct outbox_message *message;

	if (!outbox_ack_is_possible(&chat->outbox, m->ack.up_to)) {
		conn_break(&chat->conn,
			   "the relay acknowledged what was never sent");
		return;
	}
	while ((message = outbox_take_acked(&chat->outbox, m->ack.up_to))) {
		if (!message->is_refused)
			push_number(chat, EVENT_ACKED, message->number, NULL);
		free(message);
	}
	loop_work_queue(&chat->flush_work);
	if (chat->is_leaving && !chat->outbox.count)
		chat_finish_leaving(chat);
}

static void on_refused(struct chat *chat, const struct wire_message *m)
{
	struct outbox_message *message =
		outbox_in_flight(&chat->outbox, m->refused.index);
	char text[CHAT_TEXT_MAX + 64];

	if (!message || message->is_refused) {
		conn_break(&chat->conn, "the relay refused what was never "
					"sent, or twice");
		return;
	}
	snprintf(text, sizeof(text), "the relay did not take it: %s (%.*s)",
		 wire_code_text(m->refused.code), m->refused.text_bytes,
		 m->refused.text);
	message->is_refused = true;
	push_number(chat, EVENT_UNSENT, message->number, text);
	loop_work_queue(&chat->flush_work);
}

/* spec/chat-wire.md, clause 8.1: what a later try can cure. */
static bool is_passing(uint16_t code)
{
	return code == CHAT_CODE_FULL || code == CHAT_CODE_TIMEOUT ||
	       code == CHAT_CODE_SLOW || code == CHAT_CODE_INTERNAL;
}

static void on_error(struct chat *chat, const struct wire_message *m)
{
	char text[CHAT_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "%s (%.*s)", wire_code_text(m->error.code),
		 m->error.text_bytes, m->error.text);
	if (is_passing(m->error.code))
		conn_break(&chat->conn, "%s", text);
	else
		chat_stop(chat, "%s: %s", chat->server, text);
}

static void on_bye(struct chat *chat, const struct wire_message *m)
{
	conn_break(&chat->conn, "the relay said goodbye");
}

static void on_message(struct conn *conn, const struct wire_message *m)
{
	static void (*const handlers[CHAT_TYPES])(
		struct chat * chat, const struct wire_message *m) = {
		[CHAT_WELCOME] = on_welcome,   [CHAT_JOINED] = on_joined,
		[CHAT_DELIVER] = on_deliver,   [CHAT_ACK] = on_ack,
		[CHAT_REFUSED] = on_refused,   [CHAT_ERROR] = on_error,
		[CHAT_PRESENCE] = on_presence, [CHAT_BYE] = on_bye,
		[CHAT_HISTORY] = on_history,
	};
	struct chat *chat = chat_of(conn);

	/* Decode lets no other type through from a relay. */
	if (handlers[m->type] && !chat->is_stopped)
		handlers[m->type](chat, m);
}

static void on_broken(struct conn *conn, const char *why)
{
	chat_retry(chat_of(conn), why);
}

static const struct conn_handler handler = { on_open, on_message, on_broken };

void chat_connect(struct chat *chat)
{
	int error = conn_open(&chat->conn, chat->loop, chat->server, chat->tls,
			      &handler);

	if (error)
		chat_retry(chat, strerror(-error));
}
