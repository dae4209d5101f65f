/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.c - open what the relay delivers, remember it, then show it */

#include "client/inbox.h"

#include "base/bytes.h"
#include "base/mutant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void inbox_init(struct inbox *inbox, struct e2ee_room *room,
		struct state *state, inbox_event_fn *on_event, void *owner)
{
	memset(inbox, 0, sizeof(*inbox));
	inbox->room = room;
	inbox->state = state;
	inbox->on_event = on_event;
	inbox->owner = owner;
	list_init(&inbox->pending);
}

static struct event *event_of(struct list *link)
{
	return list_entry(link, struct event, link);
}

static void drop_pending(struct inbox *inbox)
{
	list_for_each_safe (link, &inbox->pending) {
		list_remove(link);
		free(event_of(link));
	}
}

void inbox_deinit(struct inbox *inbox)
{
	if (inbox->pending.next)
		drop_pending(inbox);
	alike_deinit(&inbox->alike);
}

static int load_row(void *owner, const uint8_t *key, size_t key_bytes,
		    const uint8_t *value, size_t value_bytes)
{
	return e2ee_room_load(owner, key, key_bytes, value, value_bytes);
}

int inbox_load(struct inbox *inbox)
{
	return state_load(inbox->state, e2ee_room_id(inbox->room), load_row,
			  inbox->room);
}

void inbox_push(struct inbox *inbox, struct event *event)
{
	if (event)
		list_append(&inbox->pending, &event->link);
	else
		inbox->is_short_of_memory = true;
}

static void set_identity(struct inbox *inbox, struct event *event,
			 const uint8_t *identity)
{
	memcpy(event->identity, identity, SIGN_PUBLIC_BYTES);
	event->has_identity = true;
	event->is_verified = state_is_verified(inbox->state, identity);
	event->is_own = memcmp(identity, e2ee_room_identity_key(inbox->room),
			       SIGN_PUBLIC_BYTES) == 0;
}

void inbox_describe_device(struct inbox *inbox, struct event *event,
			   const uint8_t device[CHAT_KEY_BYTES])
{
	struct e2ee_member member;

	memcpy(event->device, device, CHAT_KEY_BYTES);
	event->has_device = true;
	for (unsigned int i = 0;
	     e2ee_room_member_at(inbox->room, i, &member) == 0; i++) {
		if (memcmp(member.device_key, device, CHAT_KEY_BYTES) != 0)
			continue;
		set_identity(inbox, event, member.identity_key);
		text_clean(event->nick, sizeof(event->nick), member.nick,
			   strlen(member.nick), TEXT_NICK);
		return;
	}
}

static void set_origin(struct inbox *inbox, struct event *event)
{
	const struct e2ee_opened *opened = &inbox->opened;

	memcpy(event->chain, opened->chain, CHAT_CHAIN_ID_BYTES);
	event->generation = opened->generation;
	event->has_chain = true;
}

/* An event about the message that was just accepted. */
static struct event *push_about(struct inbox *inbox, enum event_type type,
				const char *text, size_t text_bytes)
{
	const struct e2ee_opened *opened = &inbox->opened;
	struct event *event = event_create(type, text, text_bytes);

	if (!event) {
		inbox_push(inbox, NULL);
		return NULL;
	}
	memcpy(event->device, opened->sender, CHAT_KEY_BYTES);
	event->has_device = true;
	set_identity(inbox, event, opened->identity);
	set_origin(inbox, event);
	text_clean(event->nick, sizeof(event->nick), opened->content.nick,
		   opened->content.nick_bytes, TEXT_NICK);
	event->count = opened->missing;
	event->sequence = inbox->sequence;
	event->is_past = inbox->is_past;
	event->said_ms = opened->content.sender_time_ms;
	event->has_said = true;
	inbox_push(inbox, event);
	return event;
}

/* Somebody else whose nick a reader would take for this one. */
static bool find_alike(struct inbox *inbox, const char *nick,
		       struct e2ee_member *member, char *shown)
{
	const uint8_t *self = inbox->opened.identity;
	uint64_t look = alike_look(nick);

	for (unsigned int i = 0;
	     e2ee_room_member_at(inbox->room, i, member) == 0; i++) {
		if (memcmp(member->identity_key, self, SIGN_PUBLIC_BYTES) == 0)
			continue;
		if (!alike_is(&inbox->alike, i, member->nick, look))
			continue;
		text_clean(shown, TEXT_NICK_ROOM, member->nick,
			   strlen(member->nick), TEXT_NICK);
		return true;
	}
	return false;
}

static void push_alike(struct inbox *inbox, bool is_reminder)
{
	const struct e2ee_opened *opened = &inbox->opened;
	struct e2ee_member member = { 0 };
	char shown[TEXT_NICK_ROOM], nick[TEXT_NICK_ROOM];
	const uint8_t *other = opened->other_identity;
	struct event *event;

	text_clean(nick, sizeof(nick), opened->content.nick,
		   opened->content.nick_bytes, TEXT_NICK);
	if (opened->notes & E2EE_NOTE_NICK_TAKEN)
		strcpy(shown, nick);
	else if (find_alike(inbox, nick, &member, shown))
		other = member.identity_key;
	else
		return;
	event = push_about(inbox, EVENT_NICK_TAKEN, NULL, 0);
	if (!event)
		return;
	event->is_reminder = is_reminder;
	strcpy(event->other_nick, shown);
	memcpy(event->other_identity, other, SIGN_PUBLIC_BYTES);
	event->has_other_identity = true;
}

/* The first that we get of a chain is not its first. That is nothing to speak
 * of when its sender was there before us. */
static void push_withheld(struct inbox *inbox)
{
	struct event *event;

	if (!inbox->roster ||
	    CHECK(withheld_start,
		  !roster_owes_all(inbox->roster, inbox->opened.sender)))
		return;
	event = push_about(inbox, EVENT_GAP, NULL, 0);
	if (event)
		event->is_from_start = true;
}

/* What is remarkable about it, before it. */
static void push_notes(struct inbox *inbox)
{
	static const struct {
		unsigned int note;
		enum event_type type;
	} notes[] = {
		{ E2EE_NOTE_NEW_MEMBER, EVENT_NEW_MEMBER },
		{ E2EE_NOTE_NICK_CHANGED, EVENT_NICK_CHANGED },
		{ E2EE_NOTE_CHAIN_BREAK, EVENT_CHAIN_BREAK },
		{ E2EE_NOTE_GAP, EVENT_GAP },
		{ E2EE_NOTE_LATE, EVENT_LATE },
		{ E2EE_NOTE_FORK, EVENT_FORK },
	};
	const struct e2ee_opened *opened = &inbox->opened;
	bool is_named =
		opened->notes & (E2EE_NOTE_NICK_TAKEN | E2EE_NOTE_NEW_MEMBER |
				 E2EE_NOTE_NICK_CHANGED);
	bool is_met =
		inbox->roster && roster_meet(inbox->roster, opened->sender);

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		struct event *event;

		if (!(opened->notes & notes[i].note))
			continue;
		event = push_about(inbox, notes[i].type, NULL, 0);
		if (event && notes[i].type == EVENT_NICK_CHANGED)
			text_clean(event->other_nick, sizeof(event->other_nick),
				   opened->old_nick, strlen(opened->old_nick),
				   TEXT_NICK);
	}
	if (opened->notes & E2EE_NOTE_MID_CHAIN)
		push_withheld(inbox);
	/* Who was told years ago may have forgotten. */
	if (is_named || is_met)
		push_alike(inbox, !is_named);
}

static int push_content(struct inbox *inbox)
{
	static const enum event_type types[E2EE_CONTENT_TYPES] = {
		[E2EE_CONTENT_TEXT] = EVENT_MESSAGE,
		[E2EE_CONTENT_JOIN] = EVENT_CAME,
		[E2EE_CONTENT_NICK] = EVENT_NAMED,
		[E2EE_CONTENT_LEAVE] = EVENT_LEAVES,
	};
	const struct e2ee_content *content = &inbox->opened.content;

	inbox->texts += content->type == E2EE_CONTENT_TEXT;
	return push_about(inbox, types[content->type], content->text,
			  content->text_bytes)
		       ? 0
		       : -ENOMEM;
}

/* Replays of one sender in a row are one event: after a reconnect the others
 * honestly send again what we may have. */
static bool count_replay(struct inbox *inbox)
{
	const struct e2ee_opened *opened = &inbox->opened;
	struct event *last;

	if (list_is_empty(&inbox->pending))
		return false;
	last = event_of(inbox->pending.prev);
	if (last->type != EVENT_REPLAYED ||
	    memcmp(last->device, opened->sender, CHAT_KEY_BYTES) != 0 ||
	    memcmp(last->chain, opened->chain, CHAT_CHAIN_ID_BYTES) != 0)
		return false;
	last->count++;
	return true;
}

static void push_refusal(struct inbox *inbox, enum e2ee_verdict verdict)
{
	const struct e2ee_opened *opened = &inbox->opened;
	const char *why = e2ee_verdict_text(verdict);
	enum event_type type = EVENT_REFUSED;
	struct event *event;

	/* A catch-up honestly brings what we said, or had before. */
	if (verdict == E2EE_REPLAYED && inbox->is_past)
		return;
	if (verdict == E2EE_REPLAYED) {
		if (count_replay(inbox))
			return;
		type = EVENT_REPLAYED;
	} else if (verdict == E2EE_IDENTITY_CHANGED) {
		type = EVENT_IDENTITY_CHANGED;
	}
	event = event_create(type, why, strlen(why));
	if (!event) {
		inbox_push(inbox, NULL);
		return;
	}
	event->verdict = verdict;
	event->count = 1;
	if (verdict != E2EE_MALFORMED) {
		inbox_describe_device(inbox, event, opened->sender);
		set_origin(inbox, event);
	}
	if (verdict == E2EE_IDENTITY_CHANGED) {
		memcpy(event->other_identity, opened->identity,
		       SIGN_PUBLIC_BYTES);
		event->has_other_identity = true;
	}
	inbox_push(inbox, event);
}

/* The sender's own row decides from now on, as if we had read it first. */
static int adopt_row(void *owner, const uint8_t *key, size_t key_bytes,
		     const uint8_t *value, size_t value_bytes)
{
	static const uint8_t no_chain[CHAT_CHAIN_ID_BYTES];
	struct inbox *inbox = owner;

	if (key_bytes != E2EE_ROW_KEY_BYTES ||
	    memcmp(key, inbox->opened.sender, CHAT_KEY_BYTES) != 0 ||
	    memcmp(key + CHAT_KEY_BYTES, no_chain, sizeof(no_chain)) != 0)
		return 0;
	return e2ee_room_adopt(inbox->room, key, key_bytes, value, value_bytes);
}

int inbox_take(struct inbox *inbox, const uint8_t *envelope, size_t bytes)
{
	struct e2ee_opened *opened = &inbox->opened;
	enum e2ee_verdict verdict;
	int error;

	verdict = e2ee_open(inbox->room, envelope, bytes, opened);
	if (verdict == E2EE_FAILED)
		return opened->error;
	if (verdict == E2EE_REPLAYED && inbox->is_asked_for)
		return inbox_show(inbox, envelope, bytes);
	if (verdict != E2EE_ACCEPTED) {
		push_refusal(inbox, verdict);
		return 0;
	}
	error = state_merge(inbox->state, e2ee_room_id(inbox->room),
			    &opened->changes);
	if (error == -EEXIST) { /* another process pinned another identity */
		error = state_load(inbox->state, e2ee_room_id(inbox->room),
				   adopt_row, inbox);
		if (!error)
			push_refusal(inbox, E2EE_IDENTITY_CHANGED);
		return error;
	}
	if (error)
		return error;
	push_notes(inbox);
	if (inbox->roster)
		roster_hear(inbox->roster, opened->sender);
	return push_content(inbox);
}

int inbox_show(struct inbox *inbox, const uint8_t *envelope, size_t bytes)
{
	struct e2ee_opened *opened = &inbox->opened;
	enum e2ee_verdict verdict =
		e2ee_show(inbox->room, envelope, bytes, opened);

	if (verdict == E2EE_FAILED)
		return opened->error;
	if (!verdict)
		return push_content(inbox);
	push_refusal(inbox, verdict);
	return 0;
}

void inbox_drop(struct inbox *inbox)
{
	state_rollback(inbox->state);
	drop_pending(inbox);
}

int inbox_flush(struct inbox *inbox)
{
	int error = inbox->is_short_of_memory ? -ENOMEM
					      : state_commit(inbox->state);

	inbox->is_short_of_memory = false;
	if (error)
		return error;
	while (!list_is_empty(&inbox->pending)) {
		struct event *event = event_of(inbox->pending.next);

		list_remove(&event->link);
		inbox->on_event(inbox->owner, event);
		free(event);
	}
	return 0;
}
