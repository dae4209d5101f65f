/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - the subcommands of paravox as a table: dispatch and help */
#ifndef PVX_CLIENT_COMMAND_H
#define PVX_CLIENT_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

/* Every option that any subcommand takes; the rows are in command.c. */
enum command_option {
	OPTION_SERVER,
	OPTION_FINGERPRINT,
	OPTION_OWN,
	OPTION_ROOM,
	OPTION_NICK,
	OPTION_CRYPTO,
	OPTION_COUNT,
	OPTION_SINCE,
	OPTION_WAIT,
	OPTION_PROVIDER,
	OPTION_JSON,
	OPTION_HELP,
	OPTIONS
};

/* What a subcommand was called with; everything in it is borrowed. */
struct arguments {
	/* NULL: not given; the value, or "" for an option without one. */
	const char *value[OPTIONS];
	int operand_count;
	char **operands;
};

#define OPTION_BIT(o) (1u << OPTION_##o)

struct command {
	const char *name;     /* "chat", "room new": one or two words */
	const char *operands; /* as shown in the usage: "FILE" */
	const char *summary;  /* one line */
	const char *details;  /* more for its --help, or NULL */
	unsigned int options; /* OPTION_BITs that it takes */
	unsigned int required;
	int operands_min;
	int operands_max;
	int (*run)(const struct arguments *arguments); /* exit status */
};

#define EXIT_USAGE 2

/*
 * Run the command that `argv` names in `table` (ended by a row without a
 * name). Returns its exit status; EXIT_USAGE, with a message on standard
 * error, for a command line that the table does not allow.
 */
int command_dispatch(const struct command *table, int argc, char **argv);

/* The help that --help prints, from the same table. */
void command_print_help(const struct command *table, FILE *to);

#endif
