/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the command line of paravoxd */

#include "relay/options.h"
#include "base/bytes.h"
#include "relay/config.h"
#include "relay/listen.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define MAX_TIME_MS  (24u * 3600 * 1000)
#define MAX_AGE_S    (100u * 366 * 24 * 3600)
#define MAX_BYTES    (1u << 30)
#define MAX_MEMORY   (1ull << 40)
#define MAX_MESSAGES 10000000u

static int take_listen(void *options, const char *value)
{
	struct relay_options *o = options;

	if (o->listen_count == RELAY_LISTENERS_MAX || listener_check(value))
		return -EINVAL;
	o->listen[o->listen_count++] = value;
	return 0;
}

/* Clause 2.5 binds the name, because WELCOME carries it. */
static int take_name(void *options, const char *value)
{
	struct relay_options *o = options;
	size_t bytes = strlen(value);

	if (bytes < 1 || bytes > CHAT_NAME_MAX)
		return -EINVAL;
	for (size_t i = 0; i < bytes; i++)
		if (value[i] < 0x20 || value[i] > 0x7e)
			return -EINVAL;
	memcpy(o->name, value, bytes + 1);
	return 0;
}

static int take_log_format(void *options, const char *value)
{
	struct relay_options *o = options;
	int format = log_format_parse(value);

	if (format < 0)
		return format;
	o->log_format = (enum log_format)format;
	return 0;
}

static int take_no_history(void *options, const char *value)
{
	struct relay_options *o = options;
	bool is_off = value && strcmp(value, "off") == 0; /* in a file */

	if (value && !is_off && strcmp(value, "on") != 0)
		return -EINVAL;
	o->has_no_history = !is_off;
	return 0;
}

static int take_metrics(void *options, const char *value)
{
	struct relay_options *o = options;

	o->metrics = value;
	return listener_check(value);
}

static int take_check(void *options, const char *value)
{
	struct relay_options *o = options;

	o->is_check = true;
	return 0;
}

static int take_no_tls(void *options, const char *value)
{
	struct relay_options *o = options;
	bool is_off = value && strcmp(value, "off") == 0; /* in a file */

	if (value && !is_off && strcmp(value, "on") != 0)
		return -EINVAL;
	o->has_no_tls = !is_off;
	return 0;
}

#define TEXT(field) \
	.kind = OPTION_TEXT, .offset = offsetof(struct relay_options, field)
#define NUMBER(field, least, most, value)                       \
	.kind = OPTION_NUMBER,                                  \
	.offset = offsetof(struct relay_options, limits.field), \
	.min = (least), .max = (most), .standard = (value)
#define LIMIT(field, least, most, value) \
	NUMBER(field, least, most, value), .flags = OPTION_LIVE
#define TIME_MS(field, value) LIMIT(field, 10, MAX_TIME_MS, value)

/* Clients count on what WELCOME told them, so no reload changes that. */
static const struct option_row rows[] = {
	{ "config", "FILE", "options as an INI file has them", TEXT(config),
	  .flags = OPTION_NO_FILE },
	{ "check-config", NULL, "say whether the options are right, and end",
	  .kind = OPTION_TAKEN, .take = take_check, .flags = OPTION_NO_FILE },
	{ "listen", "ADDR:PORT|plain:ADDR:PORT|unix:PATH",
	  "where to wait for clients, under TLS but for plain: and\n"
	  "unix:; may be repeated (127.0.0.1:7450 and [::1]:7450)",
	  .kind = OPTION_TAKEN, .take = take_listen },
	{ "tls-cert", "FILE",
	  "certificate and chain in PEM, instead of one of its own",
	  TEXT(tls_certificate) },
	{ "tls-key", "FILE", "the certificate's key (the same file)",
	  TEXT(tls_key) },
	{ "no-tls", NULL, "serve loopback in the clear", .kind = OPTION_TAKEN,
	  .take = take_no_tls },
	{ "max-clients", "N", "connections at a time",
	  LIMIT(max_clients, 1, 1000000, "10000") },
	{ "max-address-clients", "N",
	  "of them from one IPv4 address or IPv6 /64 network, 0:\nany",
	  LIMIT(max_address_clients, 0, 1000000, "256") },
	{ "max-rooms", "N", "rooms at a time, 0: any",
	  LIMIT(max_rooms, 0, 1000000, "10000") },
	{ "max-room-clients", "N", "connections in one room, 0: any",
	  LIMIT(max_room_clients, 0, 1000000, "2000") },
	{ "admin", "PATH", "a socket for paravoxd ctl", TEXT(admin) },
	{ "takeover", "on|off",
	  "begin with the sockets of the relay that --admin is of,\n"
	  "which ends",
	  .kind = OPTION_SWITCH,
	  .offset = offsetof(struct relay_options, has_takeover),
	  .standard = "off" },
	{ "bans", "FILE", "where banned devices are kept", TEXT(bans) },
	{ "metrics", "ADDR:PORT|unix:PATH",
	  "where monitoring asks for /metrics and /health, on this\n"
	  "machine",
	  .kind = OPTION_TAKEN, .take = take_metrics },
	{ "log-level", "error|warning|info|debug",
	  "what to log on standard error", .kind = OPTION_LOG_LEVEL,
	  .offset = offsetof(struct relay_options, log_level),
	  .standard = "info", .flags = OPTION_LIVE },
	{ "log-format", "text|json", "how to write it", .kind = OPTION_TAKEN,
	  .take = take_log_format, .standard = "text" },
	{ "name", "NAME", "what clients sign to enter (the host's name)",
	  .kind = OPTION_TAKEN, .take = take_name },
	{ "state", "DIR", "the folder of the relay's own files", TEXT(state) },
	{ "no-history", NULL, "keep no messages", .kind = OPTION_TAKEN,
	  .take = take_no_history },
	{ "history-age-s", "N", "how long a message is kept, 0: for ever",
	  NUMBER(history_age_s, 0, MAX_AGE_S, "2592000") },
	{ "history-room-messages", "N", "messages kept of a room, 0: any",
	  NUMBER(history_room_messages, 0, MAX_MEMORY, "100000") },
	{ "history-room-bytes", "N", "bytes of them, 0: any",
	  NUMBER(history_room_bytes, 0, MAX_MEMORY, "67108864") },
	{ "history-bytes", "N",
	  "bytes kept of all rooms, above which the largest\n"
	  "forgets, 0: any",
	  NUMBER(history_bytes, 0, MAX_MEMORY, "17179869184") },
	{ "history-rooms", "N",
	  "rooms that it knows, above which an empty one goes for a\n"
	  "new one",
	  NUMBER(history_rooms, 1, STORE_ROOMS_MAX, "1000000") },
	{ "handshake-timeout-ms", "N", "from connecting to joining",
	  TIME_MS(handshake_timeout_ms, "10000") },
	{ "ping-interval-ms", "N", "silence before a PING",
	  NUMBER(ping_interval_ms, 10, MAX_TIME_MS, "30000") },
	{ "idle-timeout-ms", "N", "silence before the end",
	  TIME_MS(idle_timeout_ms, "90000") },
	{ "progress-timeout-ms", "N",
	  "how long a client's queue may stand still",
	  TIME_MS(progress_timeout_ms, "30000") },
	{ "room-patience-ms", "N",
	  "how long a room may wait for one client in a row",
	  TIME_MS(room_patience_ms, "120000") },
	{ "room-grace-ms", "N", "and for one that takes nothing",
	  TIME_MS(room_grace_ms, "50") },
	{ "window-messages", "N", "messages of a sender without ACK",
	  NUMBER(window_messages, 1, MAX_MESSAGES, "256") },
	{ "window-bytes", "N", "bytes of them",
	  NUMBER(window_bytes, CHAT_ENVELOPE_MAX, MAX_BYTES, "1048576") },
	{ "high-water-bytes", "N",
	  "queued for a client, above which its room waits",
	  LIMIT(high_water_bytes, 1024, MAX_BYTES, "1048576") },
	{ "hard-bound-bytes", "N",
	  "queued for a client, above which it is cut off",
	  LIMIT(hard_bound_bytes, 1024, MAX_BYTES, "8388608") },
	{ "memory-bytes", "N",
	  "queued for all clients, above which is cut off who\n"
	  "stands still",
	  LIMIT(memory_bytes, 1u << 20, MAX_MEMORY, "536870912") },
	{ "rate-messages", "N", "frames per second of a client, 0: any",
	  LIMIT(rate_messages, 0, MAX_MESSAGES, "1000") },
	{ "burst-messages", "N", "frames in one go",
	  LIMIT(burst_messages, 1, MAX_MESSAGES, "4000") },
	{ "rate-bytes", "N", "bytes per second of a client, 0: any",
	  LIMIT(rate_bytes, 0, MAX_BYTES, "4194304") },
	{ "burst-bytes", "N", "bytes in one go",
	  LIMIT(burst_bytes, 1, MAX_BYTES, "16777216") },
	{ "rate-rooms", "N",
	  "rooms begun per hour from one IPv4 address or IPv6 /64\n"
	  "network, 0: any",
	  LIMIT(rate_rooms, 0, MAX_MESSAGES, "60") },
	{ "burst-rooms", "N", "rooms in one go",
	  LIMIT(burst_rooms, 1, MAX_MESSAGES, "256") },
	{ "sandbox", "on|off", "refuse what the relay does not need",
	  .kind = OPTION_SWITCH,
	  .offset = offsetof(struct relay_options, has_sandbox),
	  .standard = "on" },
	{ "help", NULL, "print this", .kind = OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_HELP },
	{ "version", NULL, "print the version", .kind = OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_VERSION },
};

const struct option_table relay_option_table = {
	.program = "paravoxd",
	.usage = "[--OPTION=VALUE]... | check [--OPTION=VALUE]... |\n"
		 "                ctl COMMAND [OPERAND]",
	.about = "Relay sealed messages between the members of rooms.\n"
		 "In parentheses what holds without the option.",
	.row = rows,
	.rows = ARRAY_SIZE(rows),
};

/* What single options cannot know. */
static int options_agree(const struct relay_options *o)
{
	if (o->has_takeover && !o->admin) {
		fprintf(stderr, "paravoxd: --takeover needs --admin\n");
		return -EINVAL;
	}
	if (o->limits.hard_bound_bytes < o->limits.high_water_bytes) {
		fprintf(stderr, "paravoxd: --hard-bound-bytes is below "
				"--high-water-bytes\n");
		return -EINVAL;
	}
	if (o->tls_key && !o->tls_certificate) {
		fprintf(stderr, "paravoxd: --tls-key needs --tls-cert\n");
		return -EINVAL;
	}
	if (o->limits.idle_timeout_ms <= o->limits.ping_interval_ms) {
		fprintf(stderr, "paravoxd: --idle-timeout-ms is not above "
				"--ping-interval-ms\n");
		return -EINVAL;
	}
	return 0;
}

static void options_init(struct relay_options *o)
{
	char host[CHAT_NAME_MAX + 1] = "";

	memset(o, 0, sizeof(*o));
	option_defaults(&relay_option_table, o);
	(void)gethostname(host, sizeof(host) - 1);
	if (take_name(o, host))
		(void)take_name(o, "paravoxd");
}

/* Once for what must be known before the file, and once more behind it. */
static int options_read(struct relay_options *o, int argc, char **argv)
{
	struct config_texts *texts = NULL;
	const char *config;
	bool has_listen;
	int outcome;

	options_init(o);
	outcome = option_parse(&relay_option_table, o, argc, argv);
	if (outcome || !o->config)
		return outcome;
	config = o->config;
	has_listen = o->listen_count > 0;
	options_init(o);
	outcome = config_read(&relay_option_table, o, config, &texts);
	if (has_listen)
		o->listen_count = 0;
	if (!outcome)
		outcome = option_parse(&relay_option_table, o, argc, argv);
	o->texts = texts;
	return outcome;
}

int relay_options_parse(struct relay_options *o, int argc, char **argv)
{
	int outcome = options_read(o, argc, argv);

	o->argc = argc;
	o->argv = argv;
	return outcome ? outcome : options_agree(o);
}

void relay_options_deinit(struct relay_options *o)
{
	config_texts_free(o->texts);
	o->texts = NULL;
}

static bool texts_differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* Whether a row that holds from the start on says something else now; what it
 * said then is put back. */
static bool row_revert(const struct option_row *row, struct relay_options *now,
		       const struct relay_options *then)
{
	void *to = (char *)now + row->offset;
	const void *from = (const char *)then + row->offset;
	const char *const *text = from;
	bool has_changed = false;

	if (row->kind == OPTION_TEXT) {
		has_changed = texts_differ(*(const char **)to, *text);
		*(const char **)to = *text;
	} else if (row->kind == OPTION_NUMBER) {
		has_changed = memcmp(to, from, sizeof(uint64_t)) != 0;
		memcpy(to, from, sizeof(uint64_t));
	} else if (row->kind == OPTION_SWITCH) {
		has_changed = memcmp(to, from, sizeof(bool)) != 0;
		memcpy(to, from, sizeof(bool));
	}
	return has_changed;
}

static bool listen_differs(const struct relay_options *a,
			   const struct relay_options *b)
{
	if (a->listen_count != b->listen_count)
		return true;
	for (unsigned int i = 0; i < a->listen_count; i++)
		if (strcmp(a->listen[i], b->listen[i]) != 0)
			return true;
	return false;
}

static void note_unchanged(const char *name)
{
	log_warning("reload: %s holds from the next start on", name);
}

int relay_options_reload(struct relay_options *fresh,
			 const struct relay_options *o)
{
	int error = relay_options_parse(fresh, o->argc, o->argv);

	if (error)
		return error < 0 ? error : -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!(rows[i].flags & OPTION_LIVE) &&
		    row_revert(&rows[i], fresh, o))
			note_unchanged(rows[i].name);
	if (listen_differs(fresh, o))
		note_unchanged("listen");
	if (texts_differ(fresh->metrics, o->metrics))
		note_unchanged("metrics");
	if (strcmp(fresh->name, o->name) != 0)
		note_unchanged("name");
	if (fresh->log_format != o->log_format)
		note_unchanged("log-format");
	return 0;
}
