/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of paravoxd */
#ifndef PVX_RELAY_OPTIONS_H
#define PVX_RELAY_OPTIONS_H

#include "abi/chat_wire.h"
#include "base/log.h"
#include "relay/limits.h"

#include <stdio.h>

struct relay_options {
	struct relay_limits limits;
	const char *listen[RELAY_LISTENERS_MAX]; /* borrowed from argv */
	unsigned int listen_count;               /* 0: the defaults */
	enum log_level log_level;
	char name[CHAT_NAME_MAX + 1];
};

enum options_outcome {
	OPTIONS_RUN = 0,
	OPTIONS_HELP = 1,
	OPTIONS_VERSION = 2
};

/* Read the command line. An outcome, or -EINVAL after a line on standard
 * error that names the option and what it takes. */
int options_parse(struct relay_options *options, int argc, char **argv);

/* Every option with its default, from the table that is parsed by. */
void options_print_help(FILE *out);

#endif
