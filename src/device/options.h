/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of vhost-user-cryptodev */
#ifndef PVX_DEVICE_OPTIONS_H
#define PVX_DEVICE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"

/* Numbers of the command line. */
struct device_numbers {
	uint64_t fd; /* DEVICE_NO_FD: none */
	uint64_t queues;
	uint64_t max_sessions;
	uint64_t max_files;
	uint64_t max_request_bytes;
	uint64_t throttle_bytes_per_s; /* 0: any */
	uint64_t throttle_ops_per_s;   /* 0: any */
};

#define DEVICE_NO_FD UINT64_MAX

struct device_options {
	struct device_numbers numbers;
	const char *socket_path; /* borrowed from argv; NULL: none */
	const char *provider;    /* borrowed from argv, or "openssl" */
	const char *stats_path;  /* borrowed from argv; NULL: none */
	bool has_sandbox;
	const char *user; /* borrowed from argv, or "nobody" */
	enum log_level log_level;
};

enum options_outcome {
	OPTIONS_RUN = 0,
	OPTIONS_HELP = 1,
	OPTIONS_VERSION = 2,
	OPTIONS_CAPABILITIES = 3
};

/* The defaults. */
void options_init(struct device_options *options);

/* Read the command line. An outcome, or -EINVAL after a line on standard
 * error that names the option and what it takes. */
int options_parse(struct device_options *options, int argc, char **argv);

/* Every option with its default, from the table that is parsed by. */
void options_print_help(FILE *out);

/* --print-capabilities: JSON, as QEMU's docs/interop/vhost-user.rst asks. */
void options_print_capabilities(FILE *out);

#endif
