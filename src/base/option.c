/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - a program's options, one row each */

#include "base/option.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

typedef int option_setter(const struct option_row *row, void *field,
			  const char *value);

static int set_text(const struct option_row *row, void *field,
		    const char *value)
{
	*(const char **)field = value;
	return *value ? 0 : -EINVAL;
}

int option_number(uint64_t *number, const char *text, uint64_t min,
		  uint64_t max)
{
	unsigned long long found;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	found = strtoull(text, &end, 10);
	if (errno || *end || found < min || found > max)
		return -EINVAL;
	*number = found;
	return 0;
}

static int set_number(const struct option_row *row, void *field,
		      const char *value)
{
	return option_number(field, value, row->min, row->max);
}

static int set_switch(const struct option_row *row, void *field,
		      const char *value)
{
	bool is_on = strcmp(value, "on") == 0;

	if (!is_on && strcmp(value, "off") != 0)
		return -EINVAL;
	*(bool *)field = is_on;
	return 0;
}

static int set_log_level(const struct option_row *row, void *field,
			 const char *value)
{
	int level = log_level_parse(value);

	if (level < 0)
		return level;
	*(enum log_level *)field = (enum log_level)level;
	return 0;
}

static option_setter *const setters[OPTION_KINDS] = {
	[OPTION_TEXT] = set_text,
	[OPTION_NUMBER] = set_number,
	[OPTION_SWITCH] = set_switch,
	[OPTION_LOG_LEVEL] = set_log_level,
};

static int value_set(const struct option_row *row, void *options,
		     const char *value)
{
	if (row->kind == OPTION_ENDS)
		return row->outcome;
	if (row->kind == OPTION_TAKEN)
		return row->take(options, value);
	return setters[row->kind](row, (char *)options + row->offset, value);
}

int option_set(const struct option_table *table, const struct option_row *row,
	       void *options, const char *value, const char *where)
{
	int outcome = value_set(row, options, value);

	if (outcome >= 0)
		return outcome;
	fprintf(stderr, "%s: %s%s=%s: takes ", table->program, where, row->name,
		value);
	if (row->kind == OPTION_NUMBER)
		fprintf(stderr, "%llu to %llu\n", (unsigned long long)row->min,
			(unsigned long long)row->max);
	else
		fprintf(stderr, "%s\n",
			row->metavar ? row->metavar : "on or off");
	return -EINVAL;
}

void option_defaults(const struct option_table *table, void *options)
{
	for (size_t i = 0; i < table->rows; i++) {
		const struct option_row *row = &table->row[i];
		int error = row->standard
				    ? value_set(row, options, row->standard)
				    : 0;

		assert(error == 0);
		(void)error;
	}
}

const struct option_row *option_find(const struct option_table *table,
				     const char *name, size_t bytes)
{
	for (size_t i = 0; i < table->rows; i++)
		if (strlen(table->row[i].name) == bytes &&
		    memcmp(table->row[i].name, name, bytes) == 0)
			return &table->row[i];
	return NULL;
}

/* One option at argv[*at]; `*at` is moved over a value of its own. */
static int option_take(const struct option_table *table, void *options,
		       int argc, char **argv, int *at)
{
	const char *text = argv[*at], *value;
	const struct option_row *row = NULL;

	if (strncmp(text, "--", 2) == 0)
		row = option_find(table, text + 2, strcspn(text + 2, "="));
	if (!row) {
		fprintf(stderr, "%s: %s: no such option; see --help\n",
			table->program, text);
		return -EINVAL;
	}
	value = strchr(text, '=');
	if (!row->metavar && value) {
		fprintf(stderr, "%s: --%s takes no value\n", table->program,
			row->name);
		return -EINVAL;
	}
	if (value)
		value++;
	else if (row->metavar && *at + 1 < argc)
		value = argv[++*at];
	if (row->metavar && !value) {
		fprintf(stderr, "%s: --%s needs %s\n", table->program,
			row->name, row->metavar);
		return -EINVAL;
	}
	return option_set(table, row, options, value, "--");
}

int option_parse(const struct option_table *table, void *options, int argc,
		 char **argv)
{
	for (int i = 1; i < argc; i++) {
		int outcome = option_take(table, options, argc, argv, &i);

		if (outcome)
			return outcome;
	}
	return OPTION_OUTCOME_RUN;
}

static void row_print(const struct option_row *row, FILE *out)
{
	const char *line = row->help;
	size_t bytes;

	fprintf(out, "  --%s%s%s\n", row->name, row->metavar ? "=" : "",
		row->metavar ? row->metavar : "");
	for (;;) {
		bytes = strcspn(line, "\n");
		fprintf(out, "        %.*s", (int)bytes, line);
		if (!line[bytes])
			break;
		line += bytes + 1;
		fputc('\n', out);
	}
	if (row->standard)
		fprintf(out, " (%s)", row->standard);
	fputc('\n', out);
}

void option_print_help(const struct option_table *table, FILE *out)
{
	fprintf(out, "usage: %s %s\n\n%s\n\n", table->program, table->usage,
		table->about);
	for (size_t i = 0; i < table->rows; i++)
		row_print(&table->row[i], out);
}
