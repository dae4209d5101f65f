/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - what happens in a room, as the core tells it to its faces */

#include "client/event.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const names[EVENTS] = {
	[EVENT_MESSAGE] = "message",
	[EVENT_CAME] = "came",
	[EVENT_NAMED] = "named",
	[EVENT_LEAVES] = "leaves",
	[EVENT_NEW_MEMBER] = "new-member",
	[EVENT_NICK_CHANGED] = "nick-changed",
	[EVENT_NICK_TAKEN] = "nick-taken",
	[EVENT_GAP] = "gap",
	[EVENT_LATE] = "late",
	[EVENT_FORK] = "fork",
	[EVENT_CHAIN_BREAK] = "chain-break",
	[EVENT_REFUSED] = "refused",
	[EVENT_REPLAYED] = "replayed",
	[EVENT_IDENTITY_CHANGED] = "identity-changed",
	[EVENT_PRESENT] = "present",
	[EVENT_GONE] = "gone",
	[EVENT_NEW_RELAY] = "new-relay",
	[EVENT_CONNECTED] = "connected",
	[EVENT_DISCONNECTED] = "disconnected",
	[EVENT_ACKED] = "acked",
	[EVENT_UNSENT] = "unsent",
	[EVENT_STOPPED] = "stopped",
	[EVENT_CAUGHT_UP] = "caught-up",
	[EVENT_LOST] = "history-lost",
	[EVENT_EXPIRED] = "expired",
	[EVENT_UNREADABLE] = "history-unreadable",
	[EVENT_FETCHED] = "fetched",
};

const char *event_name(enum event_type type)
{
	return names[type];
}

uint64_t event_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct event *event_create(enum event_type type, const char *text,
			   size_t text_bytes)
{
	struct event *event = calloc(1, sizeof(*event) + TEXT_ROOM(text_bytes));

	if (!event)
		return NULL;
	list_init(&event->link);
	event->type = type;
	event->time_ms = event_now_ms();
	event->text_bytes =
		text_clean(event->text, TEXT_ROOM(text_bytes), text, text_bytes,
			   type == EVENT_MESSAGE ? TEXT_BLOCK : TEXT_LINE);
	return event;
}

bool event_is_said_far_off(const struct event *event)
{
	uint64_t ours = event->time_ms, theirs = event->said_ms;

	return event->has_said &&
	       (ours > theirs ? ours - theirs : theirs - ours) > EVENT_FAR_MS;
}

void event_device_text(char text[EVENT_DEVICE_ROOM],
		       const uint8_t device[CHAT_KEY_BYTES])
{
	bytes_to_hex(text, device, (EVENT_DEVICE_ROOM - 1) / 2);
}
