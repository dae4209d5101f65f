/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of paravoxd */
#ifndef PVX_RELAY_OPTIONS_H
#define PVX_RELAY_OPTIONS_H

#include "abi/chat_wire.h"
#include "base/log.h"
#include "base/option.h"
#include "relay/limits.h"

#include <stdbool.h>

struct config_texts;

/* Texts are borrowed from argv or from `texts`; NULL: not given. */
struct relay_options {
	struct relay_limits limits;
	const char *listen[RELAY_LISTENERS_MAX];
	unsigned int listen_count; /* 0: the defaults */
	const char *admin;         /* path of a socket */
	const char *bans;          /* path of a file */
	const char *metrics;
	bool has_takeover;
	bool has_sandbox;
	enum log_level log_level;
	enum log_format log_format;
	char name[CHAT_NAME_MAX + 1];
	const char *state;   /* folder of files of our own; NULL: the usual */
	bool has_no_history; /* messages are not kept */
	const char *tls_certificate, *tls_key; /* files; NULL: our own */
	bool has_no_tls;
	const char *config; /* the file that was read */
	bool is_check;      /* only to be checked */
	struct config_texts *texts;
	int argc; /* as given, to be read again */
	char **argv;
};

extern const struct option_table relay_option_table;

/*
 * Read the command line (borrowed), and before it the file that it names: the
 * command line has the last word. An outcome, or -errno after lines on standard
 * error.
 */
int relay_options_parse(struct relay_options *options, int argc, char **argv);

/* Safe on zeroed ones, and after a parse that failed. */
void relay_options_deinit(struct relay_options *options);

/*
 * For a relay that runs: read file and command line of `options` again into
 * `fresh`. 0, or -errno after lines on standard error. What a running relay
 * cannot change is the same in both, after a line in the log where the file
 * says otherwise.
 */
int relay_options_reload(struct relay_options *fresh,
			 const struct relay_options *options);

#endif
