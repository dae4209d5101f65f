/* SPDX-License-Identifier: Apache-2.0 */
/* option.h - a program's options, one row each */
#ifndef PVX_BASE_OPTION_H
#define PVX_BASE_OPTION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * How it works: a program keeps its options in one structure of its own, and
 * has a table that says for each option what it is called, what it takes, what
 * holds without it, and where it goes. Whatever brings options (the command
 * line, a file) finds the row and sets it by option_set(), so limits and
 * complaints are the same; --help is printed from the rows, and a test holds
 * the manual page against them.
 */
enum option_kind {
	OPTION_TEXT,      /* const char *, borrowed from whoever brought it */
	OPTION_NUMBER,    /* uint64_t, decimal, from `min` to `max` */
	OPTION_SWITCH,    /* bool: on, off */
	OPTION_LOG_LEVEL, /* enum log_level */
	OPTION_TAKEN,     /* whatever take() makes of it */
	OPTION_ENDS,      /* takes nothing; option_parse() returns `outcome` */
	OPTION_KINDS
};

/* What a command line comes to; a program may have more of its own. */
enum option_outcome {
	OPTION_OUTCOME_RUN = 0,
	OPTION_OUTCOME_HELP,
	OPTION_OUTCOME_VERSION,
	OPTION_OUTCOME_OWN /* the first one of the program's */
};

struct option_row {
	const char *name;    /* without dashes */
	const char *metavar; /* what it takes, as shown; NULL: nothing */
	const char *help;    /* lines; what holds without it comes behind */
	enum option_kind kind;
	size_t offset; /* of its field in the program's structure */
	uint64_t min, max;
	/* What holds without it, as one would write it; NULL: nothing, and the
	 * field keeps what it has. */
	const char *standard;
	/* 0, or -errno for a value that it does not take. */
	int (*take)(void *options, const char *value);
	int outcome;        /* above 0 */
	unsigned int flags; /* the program's own */
};

struct option_table {
	const char *program;
	const char *usage; /* behind the program's name */
	const char *about; /* lines, for --help */
	const struct option_row *row;
	size_t rows;
};

/* Read a decimal number from `min` to `max`. 0, or -EINVAL for anything else,
 * signs and blanks included. */
int option_number(uint64_t *number, const char *text, uint64_t min,
		  uint64_t max);

/* Set every option that has a standard value to it. */
void option_defaults(const struct option_table *table, void *options);

/* The row of the name of `bytes` bytes, or NULL. */
const struct option_row *option_find(const struct option_table *table,
				     const char *name, size_t bytes);

/*
 * Set one option to `value` (NULL for one that takes none; kept as it is by
 * OPTION_TEXT). 0, the outcome of an OPTION_ENDS, or -EINVAL after a line on
 * standard error: the program, `where` ("--", "FILE:LINE: "), the option, and
 * what it takes.
 */
int option_set(const struct option_table *table, const struct option_row *row,
	       void *options, const char *value, const char *where);

/*
 * Read a command line: --NAME=VALUE, --NAME VALUE, --NAME. 0, the first other
 * outcome, or -EINVAL after a line on standard error.
 */
int option_parse(const struct option_table *table, void *options, int argc,
		 char **argv);

/* Print the usage and every option with what holds without it. */
void option_print_help(const struct option_table *table, FILE *out);

#endif
