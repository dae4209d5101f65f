/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the command line of vhost-user-cryptodev */
#include "device/options.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "abi/virtio_cryptodev.h"
#include "base/bytes.h"
#include "base/option.h"

/* An option either names a number of device_numbers or has a function. */
struct option_row {
	const char *name;
	const char *value; /* what it takes, NULL: nothing */
	const char *help;
	int (*take)(struct device_options *o, const char *value);
	size_t number; /* offset in device_numbers, without take */
	uint64_t least, most, standard;
};

static int take_socket_path(struct device_options *o, const char *value)
{
	o->socket_path = value;
	return *value ? 0 : -EINVAL;
}

static int take_provider(struct device_options *o, const char *value)
{
	o->provider = value;
	return *value ? 0 : -EINVAL;
}

static int take_stats(struct device_options *o, const char *value)
{
	o->stats_path = value;
	return *value ? 0 : -EINVAL;
}

static int take_sandbox(struct device_options *o, const char *value)
{
	o->has_sandbox = strcmp(value, "on") == 0;
	return o->has_sandbox || strcmp(value, "off") == 0 ? 0 : -EINVAL;
}

static int take_user(struct device_options *o, const char *value)
{
	o->user = value;
	return *value ? 0 : -EINVAL;
}

static int take_log_level(struct device_options *o, const char *value)
{
	int level = log_level_parse(value);

	if (level < 0)
		return level;
	o->log_level = (enum log_level)level;
	return 0;
}

static int take_capabilities(struct device_options *o, const char *value)
{
	return OPTIONS_CAPABILITIES;
}

static int take_help(struct device_options *o, const char *value)
{
	return OPTIONS_HELP;
}

static int take_version(struct device_options *o, const char *value)
{
	return OPTIONS_VERSION;
}

#define NUMBER(field) .number = offsetof(struct device_numbers, field)

static const struct option_row rows[] = {
	{ "socket-path", "PATH", "where to wait for the front end",
	  .take = take_socket_path },
	{ "fd", "N",
	  "an inherited socket instead: connected to the front end, or\n"
	  "listening",
	  NUMBER(fd), .most = 1u << 20, .standard = DEVICE_NO_FD },
	{ "provider", "openssl|cryptodev[:PATH]|afalg",
	  "who does the crypto (openssl)", .take = take_provider },
	{ "queues", "N", "request queues, a thread for each", NUMBER(queues),
	  .least = 1, .most = VCD_MAX_QUEUES, .standard = 4 },
	{ "max-sessions", "N", "sessions at a time, of all files",
	  NUMBER(max_sessions), .least = 1, .most = 65536, .standard = 4096 },
	{ "max-files", "N", "files at a time", NUMBER(max_files), .least = 1,
	  .most = 65536, .standard = 1024 },
	{ "max-request-bytes", "N", "payload of one request",
	  NUMBER(max_request_bytes), .least = 4096, .most = 64u << 20,
	  .standard = 4u << 20 },
	{ "throttle-bps", "N", "bytes a second, 0: any",
	  NUMBER(throttle_bytes_per_s), .most = UINT64_C(1) << 40 },
	{ "throttle-ops", "N", "operations a second, 0: any",
	  NUMBER(throttle_ops_per_s), .most = 1000000000 },
	{ "stats-socket", "PATH", "a socket that tells statistics",
	  .take = take_stats },
	{ "sandbox", "on|off", "refuse what the device does not need (on)",
	  .take = take_sandbox },
	{ "user", "NAME",
	  "whom the sandbox becomes when root starts it\n"
	  "(nobody)",
	  .take = take_user },
	{ "log-level", "error|warning|info|debug",
	  "what to log on standard error (info)", .take = take_log_level },
	{ "print-capabilities", NULL, "print what the program can, as JSON",
	  .take = take_capabilities },
	{ "help", NULL, "print this", .take = take_help },
	{ "version", NULL, "print the version", .take = take_version },
};

static uint64_t *number_of(struct device_options *o,
			   const struct option_row *row)
{
	return (uint64_t *)(void *)((char *)&o->numbers + row->number);
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
		fprintf(stderr, "vhost-user-cryptodev: --%s=%s: takes %s\n",
			row->name, value, row->value);
	else
		fprintf(stderr,
			"vhost-user-cryptodev: --%s=%s: takes %llu to %llu\n",
			row->name, value, (unsigned long long)row->least,
			(unsigned long long)row->most);
	return -EINVAL;
}

/* One option at argv[*at]; `*at` is moved over a value of its own. */
static int option_take(struct device_options *o, int argc, char **argv, int *at)
{
	const char *text = argv[*at], *value;
	const struct option_row *row = NULL;
	int outcome;

	if (strncmp(text, "--", 2) == 0)
		row = row_find(text + 2, strcspn(text + 2, "="));
	value = row ? strchr(text, '=') : NULL;
	if (!row || (!row->value && value)) {
		fprintf(stderr,
			"vhost-user-cryptodev: %s: no such option; see "
			"--help\n",
			text);
		return -EINVAL;
	}
	if (value)
		value++;
	else if (row->value && *at + 1 < argc)
		value = argv[++*at];
	if (row->value && !value) {
		fprintf(stderr, "vhost-user-cryptodev: --%s needs %s\n",
			row->name, row->value);
		return -EINVAL;
	}
	outcome = row->take ? row->take(o, value)
			    : option_number_parse(number_of(o, row), value,
						  row->least, row->most);
	return outcome < 0 ? complain(row, value) : outcome;
}

void options_init(struct device_options *o)
{
	*o = (struct device_options){ .provider = "openssl",
				      .has_sandbox = true,
				      .user = "nobody",
				      .log_level = LOG_LEVEL_INFO };
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!rows[i].take)
			*number_of(o, &rows[i]) = rows[i].standard;
}

int options_parse(struct device_options *o, int argc, char **argv)
{
	options_init(o);
	for (int i = 1; i < argc; i++) {
		int outcome = option_take(o, argc, argv, &i);

		if (outcome)
			return outcome;
	}
	if (!o->socket_path == (o->numbers.fd == DEVICE_NO_FD)) {
		fprintf(stderr, "vhost-user-cryptodev: give either "
				"--socket-path or --fd\n");
		return -EINVAL;
	}
	return 0;
}

void options_print_help(FILE *out)
{
	fprintf(out, "usage: vhost-user-cryptodev --socket-path=PATH | --fd=N "
		     "[--OPTION=VALUE]...\n\n"
		     "Serve a virtio-cryptodev device to a virtual machine.\n"
		     "In parentheses what holds without the option.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct option_row *row = &rows[i];

		option_print(out, row->name, row->value, row->help);
		if (!row->take && row->standard != DEVICE_NO_FD)
			fprintf(out, " (%llu)",
				(unsigned long long)row->standard);
		fputc('\n', out);
	}
}

/* The schema has no type for us, and readers of such files give up on a type
 * that they do not know; a crypto device is what comes nearest. */
void options_print_capabilities(FILE *out)
{
	fputs("{\n  \"type\": \"crypto\",\n  \"features\": []\n}\n", out);
}
