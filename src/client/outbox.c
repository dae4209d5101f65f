/* SPDX-License-Identifier: Apache-2.0 */
/* outbox.c - sealed messages until the relay has acknowledged them */

#include "client/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct outbox_message *message_of(struct list *link)
{
	return list_entry(link, struct outbox_message, link);
}

void outbox_init(struct outbox *outbox)
{
	memset(outbox, 0, sizeof(*outbox));
	list_init(&outbox->messages);
	outbox->next = &outbox->messages;
}

void outbox_deinit(struct outbox *outbox)
{
	if (!outbox->messages.next) /* zeroed */
		return;
	list_for_each_safe (link, &outbox->messages) {
		list_remove(link);
		free(message_of(link));
	}
	outbox_init(outbox);
}

bool outbox_has_room(const struct outbox *outbox, size_t bytes)
{
	return outbox->count < OUTBOX_MAX_MESSAGES &&
	       outbox->bytes + bytes <= OUTBOX_MAX_BYTES;
}

int outbox_add(struct outbox *outbox, uint64_t number, const void *envelope,
	       size_t bytes)
{
	struct outbox_message *message;

	if (!outbox_has_room(outbox, bytes))
		return -ENOBUFS;
	message = malloc(sizeof(*message) + bytes);
	if (!message)
		return -ENOMEM;
	message->number = number;
	message->is_refused = false;
	message->bytes = bytes;
	memcpy(message->envelope, envelope, bytes);
	list_append(&outbox->messages, &message->link);
	if (outbox->next == &outbox->messages)
		outbox->next = &message->link;
	outbox->count++;
	outbox->bytes += bytes;
	return 0;
}

void outbox_rewind(struct outbox *outbox, size_t window_messages,
		   size_t window_bytes)
{
	/* What was refused is done, and its owner knows. */
	list_for_each_safe (link, &outbox->messages) {
		struct outbox_message *message = message_of(link);

		if (!message->is_refused)
			continue;
		list_remove(link);
		outbox->count--;
		outbox->bytes -= message->bytes;
		free(message);
	}
	outbox->next = outbox->messages.next;
	outbox->in_flight = 0;
	outbox->in_flight_bytes = 0;
	outbox->sent = 0;
	outbox->acked = 0;
	outbox->window_messages = window_messages;
	outbox->window_bytes = window_bytes;
}

const struct outbox_message *outbox_send_next(struct outbox *outbox)
{
	struct outbox_message *message;

	if (outbox->next == &outbox->messages ||
	    outbox->in_flight >= outbox->window_messages)
		return NULL;
	message = message_of(outbox->next);
	if (outbox->in_flight &&
	    outbox->in_flight_bytes + message->bytes > outbox->window_bytes)
		return NULL;
	outbox->next = outbox->next->next;
	outbox->in_flight++;
	outbox->in_flight_bytes += message->bytes;
	outbox->sent++;
	return message;
}

struct outbox_message *outbox_in_flight(struct outbox *outbox, uint64_t index)
{
	uint64_t at = outbox->acked;

	if (index <= outbox->acked || index > outbox->sent)
		return NULL;
	list_for_each (link, &outbox->messages)
		if (++at == index)
			return message_of(link);
	return NULL;
}

bool outbox_ack_is_possible(const struct outbox *outbox, uint64_t up_to)
{
	return up_to >= outbox->acked && up_to <= outbox->sent;
}

struct outbox_message *outbox_take_acked(struct outbox *outbox, uint64_t up_to)
{
	struct outbox_message *message;

	if (outbox->acked >= up_to || !outbox->in_flight)
		return NULL;
	message = message_of(outbox->messages.next);
	list_remove(&message->link);
	outbox->acked++;
	outbox->in_flight--;
	outbox->in_flight_bytes -= message->bytes;
	outbox->count--;
	outbox->bytes -= message->bytes;
	return message;
}
