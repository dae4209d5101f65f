/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of paravoxd */
#ifndef PVX_RELAY_OPTIONS_H
#define PVX_RELAY_OPTIONS_H

#include "abi/chat_wire.h"
#include "base/log.h"
#include "base/option.h"
#include "relay/limits.h"

struct relay_options {
	struct relay_limits limits;
	const char *listen[RELAY_LISTENERS_MAX]; /* borrowed from argv */
	unsigned int listen_count;               /* 0: the defaults */
	enum log_level log_level;
	char name[CHAT_NAME_MAX + 1];
};

extern const struct option_table relay_option_table;

/* Read the command line. An outcome, or -EINVAL after a line on standard
 * error. */
int relay_options_parse(struct relay_options *options, int argc, char **argv);

#endif
