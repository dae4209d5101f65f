/* SPDX-License-Identifier: Apache-2.0 */
/* show.c - events as lines for people, or as JSON for programs */

#include "client/show.h"

#include "base/bytes.h"
#include "e2ee/identity.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define INDENT "         " /* as wide as the time and a blank */

static void print_time(FILE *to, uint64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	struct tm local;
	char text[16];

	if (!localtime_r(&seconds, &local) ||
	    !strftime(text, sizeof(text), "%H:%M:%S", &local))
		strcpy(text, "--:--:--");
	fputs(text, to);
}

/* What stands for the member: the nick, or the device that the relay names. */
static const char *who(const struct event *event)
{
	static char text[sizeof("device ") + EVENT_DEVICE_ROOM];

	if (*event->nick)
		return event->nick;
	if (!event->has_device)
		return "somebody";
	strcpy(text, "device ");
	event_device_text(text + strlen(text), event->device);
	return text;
}

static void new_line(FILE *to)
{
	fputs("\n" INDENT, to);
}

/*
 * Lines are broken here and not by the terminal, when its width is known:
 * otherwise a member could fill a line so that the rest of his text begins the
 * next one and looks like somebody else's message.
 */
static void print_message(FILE *to, const struct event *event, size_t columns)
{
	size_t at = strlen(INDENT) +
		    text_columns(event->nick, strlen(event->nick)) + 2;
	const char *c = event->text;

	fprintf(to, "%s%s: ", event->nick, event->is_own ? " (you)" : "");
	at += event->is_own ? strlen(" (you)") : 0;
	while (*c) {
		size_t bytes = 1, width;

		while (((unsigned char)c[bytes] & 0xc0) == 0x80)
			bytes++;
		width = text_columns(c, bytes);
		if (*c == '\n' || (columns && at + width > columns)) {
			new_line(to);
			at = strlen(INDENT);
		}
		if (*c != '\n')
			fwrite(c, 1, bytes, to);
		at += width;
		c += bytes;
	}
}

static void print_fingerprint(FILE *to, const uint8_t *identity)
{
	char text[E2EE_FINGERPRINT_ROOM];

	e2ee_fingerprint(text, identity);
	fprintf(to, "\n" INDENT "  %s", text);
}

static void print_came(FILE *to, const struct event *event)
{
	fprintf(to, "* %s is here%s", who(event),
		event->is_verified ? " (verified)" : "");
}

static void print_leaves(FILE *to, const struct event *event)
{
	fprintf(to, "* %s leaves%s%s", who(event), *event->text ? ": " : "",
		event->text);
}

static void print_new_member(FILE *to, const struct event *event)
{
	fprintf(to, "* %s is new to you; the fingerprint is", who(event));
	print_fingerprint(to, event->identity);
}

static void print_nick_changed(FILE *to, const struct event *event)
{
	fprintf(to, "* %s is now called %s", event->other_nick, who(event));
}

static void print_nick_taken(FILE *to, const struct event *event)
{
	fprintf(to,
		"! WARNING: two members are called %s%s%s. It may be the same "
		"person\n" INDENT "! with a new identity, or somebody who "
		"passes for another. This one is",
		event->nick,
		strcmp(event->nick, event->other_nick) ? " and " : "",
		strcmp(event->nick, event->other_nick) ? event->other_nick
						       : "");
	print_fingerprint(to, event->identity);
	fputs("\n" INDENT "! and the one known before", to);
	print_fingerprint(to, event->other_identity);
}

static void print_gap(FILE *to, const struct event *event)
{
	fprintf(to, "! %" PRIu64 " message%s of %s %s missing here%s",
		event->count, event->count == 1 ? "" : "s", who(event),
		event->count == 1 ? "is" : "are",
		event->is_from_start ? ": held back, or said before you came"
				     : "");
}

static void print_late(FILE *to, const struct event *event)
{
	fprintf(to,
		"! the next message of %s comes late: it was said before "
		"others that you saw",
		who(event));
}

static void print_fork(FILE *to, const struct event *event)
{
	fprintf(to, "! WARNING: %s told others something else before this",
		who(event));
}

static void print_chain_break(FILE *to, const struct event *event)
{
	fprintf(to, "! some of the last messages of %s before this are missing",
		who(event));
}

static void print_refused(FILE *to, const struct event *event)
{
	fprintf(to, "! a message was refused: %s", event->text);
	if (event->has_device)
		fprintf(to, " (it claims to be by %s)", who(event));
}

static void print_replayed(FILE *to, const struct event *event)
{
	fprintf(to, "! %" PRIu64 " message%s of %s came again and %s not shown",
		event->count, event->count == 1 ? "" : "s", who(event),
		event->count == 1 ? "is" : "are");
}

static void print_identity_changed(FILE *to, const struct event *event)
{
	fprintf(to,
		"! WARNING: a message was refused, because %s is known to "
		"have the fingerprint",
		who(event));
	print_fingerprint(to, event->identity);
	if (event->has_other_identity) {
		fputs("\n" INDENT "! and it claims", to);
		print_fingerprint(to, event->other_identity);
	}
}

static void print_present(FILE *to, const struct event *event)
{
	fprintf(to, "* the relay says that %s came", who(event));
}

static void print_gone(FILE *to, const struct event *event)
{
	fprintf(to, "* the relay says that %s left", who(event));
}

static void print_connected(FILE *to, const struct event *event)
{
	fprintf(to,
		"* connected; the relay says that %" PRIu64 " other%s %s "
		"here",
		event->count ? event->count - 1 : 0,
		event->count == 2 ? "" : "s", event->count == 2 ? "is" : "are");
}

static void print_disconnected(FILE *to, const struct event *event)
{
	fprintf(to, "! not connected: %s; trying again", event->text);
}

static void print_unsent(FILE *to, const struct event *event)
{
	fprintf(to, "! one of your messages was lost: %s", event->text);
}

static void print_stopped(FILE *to, const struct event *event)
{
	fprintf(to, "! %s", event->text);
}

static void (*const printers[EVENTS])(FILE *to, const struct event *event) = {
	[EVENT_CAME] = print_came,
	[EVENT_LEAVES] = print_leaves,
	[EVENT_NEW_MEMBER] = print_new_member,
	[EVENT_NICK_CHANGED] = print_nick_changed,
	[EVENT_NICK_TAKEN] = print_nick_taken,
	[EVENT_GAP] = print_gap,
	[EVENT_LATE] = print_late,
	[EVENT_FORK] = print_fork,
	[EVENT_CHAIN_BREAK] = print_chain_break,
	[EVENT_REFUSED] = print_refused,
	[EVENT_REPLAYED] = print_replayed,
	[EVENT_IDENTITY_CHANGED] = print_identity_changed,
	[EVENT_PRESENT] = print_present,
	[EVENT_GONE] = print_gone,
	[EVENT_CONNECTED] = print_connected,
	[EVENT_DISCONNECTED] = print_disconnected,
	[EVENT_UNSENT] = print_unsent,
	[EVENT_STOPPED] = print_stopped,
};

bool show_has_line(const struct event *event)
{
	if (event->type == EVENT_STOPPED)
		return *event->text;
	return event->type == EVENT_MESSAGE || printers[event->type];
}

void show_line(FILE *to, const struct event *event, size_t columns)
{
	if (!show_has_line(event))
		return;
	print_time(to, event->time_ms);
	fputc(' ', to);
	if (event->type == EVENT_MESSAGE)
		print_message(to, event, columns);
	else
		printers[event->type](to, event);
	fputc('\n', to);
}
