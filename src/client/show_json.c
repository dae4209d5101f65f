/* SPDX-License-Identifier: Apache-2.0 */
/* show_json.c - events as JSON, one object on a line (RFC 8259) */

#include "client/show.h"

#include "base/bytes.h"
#include "e2ee/identity.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* Clean text needs no more than this: the only control in it is a newline. */
static void print_string(FILE *to, const char *name, const char *text)
{
	fprintf(to, ",\"%s\":\"", name);
	for (const char *c = text; *c; c++)
		if (*c == '\n')
			fputs("\\n", to);
		else if (*c == '"' || *c == '\\')
			fprintf(to, "\\%c", *c);
		else
			fputc(*c, to);
	fputc('"', to);
}

static void print_hex(FILE *to, const char *name, const uint8_t *data)
{
	char text[2 * 32 + 1];

	bytes_to_hex(text, data, 32);
	print_string(to, name, text);
}

static void print_fingerprint(FILE *to, const char *name,
			      const uint8_t *identity)
{
	char text[E2EE_FINGERPRINT_ROOM];

	e2ee_fingerprint(text, identity);
	print_string(to, name, text);
}

/* RFC 3339, which ends with the year 9999: null behind it. */
static void print_time(FILE *to, const char *name, uint64_t time_ms)
{
	time_t seconds = (time_t)(time_ms / 1000);
	char text[40];
	struct tm utc;

	fprintf(to, ",\"%s\":", name);
	if (!gmtime_r(&seconds, &utc) || utc.tm_year > 9999 - 1900 ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc))
		fputs("null", to);
	else
		fprintf(to, "\"%s.%03uZ\"", text,
			(unsigned int)(time_ms % 1000));
}

static void print_origin(FILE *to, const struct event *event)
{
	if (*event->nick)
		print_string(to, "nick", event->nick);
	if (*event->other_nick)
		print_string(to, "other_nick", event->other_nick);
	if (event->has_identity) {
		print_fingerprint(to, "fingerprint", event->identity);
		fprintf(to, ",\"verified\":%s,\"own\":%s",
			event->is_verified ? "true" : "false",
			event->is_own ? "true" : "false");
	}
	if (event->has_other_identity)
		print_fingerprint(to, "other_fingerprint",
				  event->other_identity);
	if (event->has_device)
		print_hex(to, "device", event->device);
	if (event->has_chain) {
		print_hex(to, "chain", event->chain);
		fprintf(to, ",\"generation\":%" PRIu64, event->generation);
	}
}

/* Which number the event carries, and what its text is called. */
static const struct {
	const char *count;
	const char *text;
} members[EVENTS] = {
	[EVENT_MESSAGE] = { NULL, "body" },
	[EVENT_LEAVES] = { NULL, "reason" },
	[EVENT_GAP] = { "missing", NULL },
	[EVENT_REFUSED] = { NULL, "reason" },
	[EVENT_REPLAYED] = { "count", "reason" },
	[EVENT_IDENTITY_CHANGED] = { NULL, "reason" },
	[EVENT_NEW_RELAY] = { NULL, "text" },
	[EVENT_CONNECTED] = { "devices", NULL },
	[EVENT_DISCONNECTED] = { "retry_ms", "reason" },
	[EVENT_UNSENT] = { NULL, "reason" },
	[EVENT_STOPPED] = { NULL, "reason" },
	[EVENT_CAUGHT_UP] = { "messages", NULL },
	[EVENT_EXPIRED] = { "missing", NULL },
	[EVENT_FETCHED] = { "messages", NULL },
};

void show_json(FILE *to, const struct event *event)
{
	fprintf(to, "{\"event\":\"%s\"", event_name(event->type));
	print_time(to, "time", event->time_ms);
	if (event->has_said)
		print_time(to, "said", event->said_ms);
	print_origin(to, event);
	if (event->sequence)
		fprintf(to, ",\"sequence\":%" PRIu64 ",\"past\":%s",
			event->sequence, event->is_past ? "true" : "false");
	if (event->number)
		fprintf(to, ",\"number\":%" PRIu64, event->number);
	if (members[event->type].count)
		fprintf(to, ",\"%s\":%" PRIu64, members[event->type].count,
			event->count);
	if (members[event->type].text)
		print_string(to, members[event->type].text, event->text);
	fputs("}\n", to);
}
