/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of vhost-user-cryptodev */
#ifndef PVX_DEVICE_OPTIONS_H
#define PVX_DEVICE_OPTIONS_H

#include <stdbool.h>

#include "base/log.h"
#include "base/option.h"

/* Texts are borrowed from the command line, or are the defaults. */
struct device_options {
	const char *socket_path; /* NULL: none */
	const char *provider;
	const char *stats_path; /* NULL: none */
	const char *user;
	bool has_sandbox;
	enum log_level log_level;
	uint64_t fd; /* DEVICE_NO_FD: none */
	uint64_t queues;
	uint64_t max_sessions;
	uint64_t max_files;
	uint64_t max_request_bytes;
	uint64_t throttle_bytes_per_s; /* 0: any */
	uint64_t throttle_ops_per_s;   /* 0: any */
	uint64_t poll_us;              /* 0: never */
};

#define DEVICE_NO_FD UINT64_MAX

enum device_outcome {
	DEVICE_OUTCOME_CAPABILITIES = OPTION_OUTCOME_OWN
};

extern const struct option_table device_option_table;

/* The defaults. */
void device_options_init(struct device_options *options);

/* Read the command line. An outcome, or -EINVAL after a line on standard
 * error. */
int device_options_parse(struct device_options *options, int argc, char **argv);

/* --print-capabilities: JSON, as QEMU's docs/interop/vhost-user.rst asks. */
void device_options_print_capabilities(FILE *out);

#endif
