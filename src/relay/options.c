/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the command line of paravoxd */

#include "relay/options.h"
#include "base/bytes.h"
#include "base/option.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* An option either names a number of relay_limits or has a function. */
struct option_row {
	const char *name;
	const char *value; /* what it takes, NULL: nothing */
	const char *help;
	int (*take)(struct relay_options *o, const char *value);
	size_t limit; /* offset in relay_limits, without take */
	uint64_t least, most, standard;
};

#define MAX_TIME_MS  (24u * 3600 * 1000)
#define MAX_BYTES    (1u << 30)
#define MAX_MEMORY   (1ull << 40)
#define MAX_MESSAGES 10000000u

static int take_listen(struct relay_options *o, const char *value)
{
	if (o->listen_count == RELAY_LISTENERS_MAX)
		return -ENOSPC;
	o->listen[o->listen_count++] = value;
	return 0;
}

static int take_log_level(struct relay_options *o, const char *value)
{
	int level = log_level_parse(value);

	if (level < 0)
		return level;
	o->log_level = (enum log_level)level;
	return 0;
}

/* Clause 2.5 binds the name, because WELCOME carries it. */
static int take_name(struct relay_options *o, const char *value)
{
	size_t bytes = strlen(value);

	if (bytes < 1 || bytes > CHAT_NAME_MAX)
		return -EINVAL;
	for (size_t i = 0; i < bytes; i++)
		if (value[i] < 0x20 || value[i] > 0x7e)
			return -EINVAL;
	memcpy(o->name, value, bytes + 1);
	return 0;
}

static int take_help(struct relay_options *o, const char *value)
{
	return OPTIONS_HELP;
}

static int take_version(struct relay_options *o, const char *value)
{
	return OPTIONS_VERSION;
}

#define LIMIT(field) .limit = offsetof(struct relay_limits, field)

static const struct option_row rows[] = {
	{ "listen", "ADDR:PORT|unix:PATH",
	  "where to wait for clients; may be repeated\n"
	  "(127.0.0.1:7450 and [::1]:7450)",
	  .take = take_listen },
	{ "max-clients", "N", "connections at a time", LIMIT(max_clients),
	  .least = 1, .most = 1000000, .standard = 10000 },
	{ "log-level", "error|warning|info|debug",
	  "what to log on standard error (info)", .take = take_log_level },
	{ "name", "NAME", "what clients sign to enter (the host's name)",
	  .take = take_name },
	{ "handshake-timeout-ms", "N", "from connecting to joining",
	  LIMIT(handshake_timeout_ms), .least = 10, .most = MAX_TIME_MS,
	  .standard = 10000 },
	{ "ping-interval-ms", "N", "silence before a PING",
	  LIMIT(ping_interval_ms), .least = 10, .most = MAX_TIME_MS,
	  .standard = 30000 },
	{ "idle-timeout-ms", "N", "silence before the end",
	  LIMIT(idle_timeout_ms), .least = 10, .most = MAX_TIME_MS,
	  .standard = 90000 },
	{ "progress-timeout-ms", "N",
	  "how long a client's queue may stand still",
	  LIMIT(progress_timeout_ms), .least = 10, .most = MAX_TIME_MS,
	  .standard = 30000 },
	{ "room-patience-ms", "N",
	  "how long a room may wait for one client in a row",
	  LIMIT(room_patience_ms), .least = 10, .most = MAX_TIME_MS,
	  .standard = 120000 },
	{ "window-messages", "N", "messages of a sender without ACK",
	  LIMIT(window_messages), .least = 1, .most = MAX_MESSAGES,
	  .standard = 256 },
	{ "window-bytes", "N", "bytes of them", LIMIT(window_bytes),
	  .least = CHAT_ENVELOPE_MAX, .most = MAX_BYTES, .standard = 1u << 20 },
	{ "high-water-bytes", "N",
	  "queued for a client, above which its room waits",
	  LIMIT(high_water_bytes), .least = 1024, .most = MAX_BYTES,
	  .standard = 1u << 20 },
	{ "hard-bound-bytes", "N",
	  "queued for a client, above which it is cut off",
	  LIMIT(hard_bound_bytes), .least = 1024, .most = MAX_BYTES,
	  .standard = 8u << 20 },
	{ "memory-bytes", "N",
	  "queued for all clients, above which is cut off who\n"
	  "stands still",
	  LIMIT(memory_bytes), .least = 1u << 20, .most = MAX_MEMORY,
	  .standard = 1u << 29 },
	{ "rate-messages", "N", "frames per second of a client, 0: any",
	  LIMIT(rate_messages), .most = MAX_MESSAGES, .standard = 1000 },
	{ "burst-messages", "N", "frames in one go", LIMIT(burst_messages),
	  .least = 1, .most = MAX_MESSAGES, .standard = 4000 },
	{ "rate-bytes", "N", "bytes per second of a client, 0: any",
	  LIMIT(rate_bytes), .most = MAX_BYTES, .standard = 4u << 20 },
	{ "burst-bytes", "N", "bytes in one go", LIMIT(burst_bytes), .least = 1,
	  .most = MAX_BYTES, .standard = 16u << 20 },
	{ "help", NULL, "print this", .take = take_help },
	{ "version", NULL, "print the version", .take = take_version },
};

static uint64_t *limit_of(struct relay_options *o, const struct option_row *row)
{
	return (uint64_t *)(void *)((char *)&o->limits + row->limit);
}

static const struct option_row *row_find(const char *name, size_t bytes)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (strlen(rows[i].name) == bytes &&
		    memcmp(rows[i].name, name, bytes) == 0)
			return &rows[i];
	return NULL;
}

static int complain(const struct option_row *row, const char *value)
{
	if (row->take)
		fprintf(stderr, "paravoxd: --%s=%s: takes %s\n", row->name,
			value, row->value);
	else
		fprintf(stderr, "paravoxd: --%s=%s: takes %llu to %llu\n",
			row->name, value, (unsigned long long)row->least,
			(unsigned long long)row->most);
	return -EINVAL;
}

/* One option at argv[*at]; `*at` is moved over a value of its own. */
static int option_take(struct relay_options *o, int argc, char **argv, int *at)
{
	const char *text = argv[*at], *value;
	const struct option_row *row = NULL;
	int outcome;

	if (strncmp(text, "--", 2) == 0)
		row = row_find(text + 2, strcspn(text + 2, "="));
	if (!row) {
		fprintf(stderr, "paravoxd: %s: no such option; see --help\n",
			text);
		return -EINVAL;
	}
	value = strchr(text, '=');
	if (!row->value && value) {
		fprintf(stderr, "paravoxd: --%s takes no value\n", row->name);
		return -EINVAL;
	}
	if (value)
		value++;
	else if (row->value && *at + 1 < argc)
		value = argv[++*at];
	if (row->value && !value) {
		fprintf(stderr, "paravoxd: --%s needs %s\n", row->name,
			row->value);
		return -EINVAL;
	}
	outcome = row->take ? row->take(o, value)
			    : option_number_parse(limit_of(o, row), value,
						  row->least, row->most);
	return outcome < 0 ? complain(row, value) : outcome;
}

/* What single options cannot know. */
static int options_agree(const struct relay_options *o)
{
	if (o->limits.hard_bound_bytes < o->limits.high_water_bytes) {
		fprintf(stderr, "paravoxd: --hard-bound-bytes is below "
				"--high-water-bytes\n");
		return -EINVAL;
	}
	if (o->limits.idle_timeout_ms <= o->limits.ping_interval_ms) {
		fprintf(stderr, "paravoxd: --idle-timeout-ms is not above "
				"--ping-interval-ms\n");
		return -EINVAL;
	}
	return 0;
}

int options_parse(struct relay_options *o, int argc, char **argv)
{
	char host[CHAT_NAME_MAX + 1] = "";

	*o = (struct relay_options){ .log_level = LOG_LEVEL_INFO };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!rows[i].take)
			*limit_of(o, &rows[i]) = rows[i].standard;
	(void)gethostname(host, sizeof(host) - 1);
	if (take_name(o, host))
		(void)take_name(o, "paravoxd");
	for (int i = 1; i < argc; i++) {
		int outcome = option_take(o, argc, argv, &i);

		if (outcome)
			return outcome;
	}
	return options_agree(o);
}

void options_print_help(FILE *out)
{
	fprintf(out, "usage: paravoxd [--OPTION=VALUE]...\n\n"
		     "Relay sealed messages between the members of rooms.\n"
		     "In parentheses what holds without the option.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_row *row = &rows[i];

		option_print(out, row->name, row->value, row->help);
		if (!row->take)
			fprintf(out, " (%llu)",
				(unsigned long long)row->standard);
		fputc('\n', out);
	}
}
