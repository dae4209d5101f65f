/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - the command line of vhost-user-cryptodev */
#include "device/options.h"

#include <errno.h>

#include "abi/virtio_cryptodev.h"
#include "base/bytes.h"

#define TEXT(field) \
	.kind = OPTION_TEXT, .offset = offsetof(struct device_options, field)
#define NUMBER(field, least, most, value)                                 \
	.kind = OPTION_NUMBER,                                            \
	.offset = offsetof(struct device_options, field), .min = (least), \
	.max = (most), .standard = (value)

static const struct option_row rows[] = {
	{ "socket-path", "PATH", "where to wait for the front end",
	  TEXT(socket_path) },
	{ "fd", "N",
	  "an inherited socket instead: connected to the front end, or\n"
	  "listening",
	  NUMBER(fd, 0, 1u << 20, NULL) },
	{ "provider", "openssl|cryptodev[:PATH]|afalg", "who does the crypto",
	  TEXT(provider), .standard = "openssl" },
	{ "queues", "N", "request queues, a thread for each",
	  NUMBER(queues, 1, VCD_MAX_QUEUES, "4") },
	{ "max-sessions", "N", "sessions at a time, of all files",
	  NUMBER(max_sessions, 1, 65536, "4096") },
	{ "max-files", "N", "files at a time",
	  NUMBER(max_files, 1, 65536, "1024") },
	{ "max-request-bytes", "N", "payload of one request",
	  NUMBER(max_request_bytes, 4096, 64u << 20, "4194304") },
	{ "throttle-bps", "N", "bytes a second, 0: any",
	  NUMBER(throttle_bytes_per_s, 0, UINT64_C(1) << 40, "0") },
	{ "throttle-ops", "N", "operations a second, 0: any",
	  NUMBER(throttle_ops_per_s, 0, 1000000000, "0") },
	{ "poll-us", "N",
	  "microseconds to look for requests before sleeping, when that has\n"
	  "been worth it lately; 0: never",
	  NUMBER(poll_us, 0, 1000000, "50") },
	{ "stats-socket", "PATH", "a socket that tells statistics",
	  TEXT(stats_path) },
	{ "sandbox", "on|off", "refuse what the device does not need",
	  .kind = OPTION_SWITCH,
	  .offset = offsetof(struct device_options, has_sandbox),
	  .standard = "on" },
	{ "user", "NAME", "whom the sandbox becomes when root starts it",
	  TEXT(user), .standard = "nobody" },
	{ "log-level", "error|warning|info|debug",
	  "what to log on standard error", .kind = OPTION_LOG_LEVEL,
	  .offset = offsetof(struct device_options, log_level),
	  .standard = "info" },
	{ "print-capabilities", NULL, "print what the program can, as JSON",
	  .kind = OPTION_ENDS, .outcome = DEVICE_OUTCOME_CAPABILITIES },
	{ "help", NULL, "print this", .kind = OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_HELP },
	{ "version", NULL, "print the version", .kind = OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_VERSION },
};

const struct option_table device_option_table = {
	.program = "vhost-user-cryptodev",
	.usage = "--socket-path=PATH | --fd=N [--OPTION=VALUE]...",
	.about = "Serve a virtio-cryptodev device to a virtual machine.\n"
		 "In parentheses what holds without the option.",
	.row = rows,
	.rows = ARRAY_SIZE(rows),
};

void device_options_init(struct device_options *o)
{
	*o = (struct device_options){ .fd = DEVICE_NO_FD };
	option_defaults(&device_option_table, o);
}

int device_options_parse(struct device_options *o, int argc, char **argv)
{
	int outcome;

	device_options_init(o);
	outcome = option_parse(&device_option_table, o, argc, argv);
	if (outcome)
		return outcome;
	if (!o->socket_path == (o->fd == DEVICE_NO_FD)) {
		fprintf(stderr, "vhost-user-cryptodev: give either "
				"--socket-path or --fd\n");
		return -EINVAL;
	}
	return 0;
}

/* The schema has no type for us, and readers of such files give up on a type
 * that they do not know; a crypto device is what comes nearest. */
void device_options_print_capabilities(FILE *out)
{
	fputs("{\n  \"type\": \"crypto\",\n  \"features\": []\n}\n", out);
}
