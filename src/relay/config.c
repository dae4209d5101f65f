/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - options out of a file */

#include "relay/config.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct config_texts {
	struct config_texts *next;
	char text[];
};

struct reading {
	const struct option_table *table;
	void *options;
	const char *path;
	FILE *file;
	unsigned int line;
	bool is_failed;
	struct config_texts **texts;
};

static void complain(struct reading *r, const char *what, const char *fault)
{
	fprintf(stderr, "%s: %s:%u: %s%s\n", r->table->program, r->path,
		r->line, what, fault);
	r->is_failed = true;
}

/* Line by line, so that faults have a place. libinih would go on within a line
 * that is too long for it as if it were the next one. */
static char *read_line(char *line, int room, void *stream)
{
	struct reading *r = stream;
	size_t bytes;

	if (!fgets(line, room, r->file))
		return NULL;
	r->line++;
	bytes = strlen(line);
	if (bytes + 1 == (size_t)room && line[bytes - 1] != '\n') {
		complain(r, "", "the line is too long");
		return NULL;
	}
	return line;
}

/* A copy that lives as long as the options do; NULL without memory. */
static const char *keep(struct reading *r, const char *value)
{
	size_t bytes = strlen(value) + 1;
	struct config_texts *t = malloc(sizeof(*t) + bytes);

	if (!t)
		return NULL;
	memcpy(t->text, value, bytes);
	t->next = *r->texts;
	*r->texts = t;
	return t->text;
}

/* libinih's verdict: not 0 for a line that is right. */
static int take(void *user, const char *section, const char *name,
		const char *value)
{
	struct reading *r = user;
	const struct option_row *row;
	const char *kept;
	char where[300];

	if (strcmp(section, r->table->program) != 0) {
		snprintf(where, sizeof(where),
			 *section ? ": no such section; options are in [%s]"
				  : ": before any section; options are in [%s]",
			 r->table->program);
		complain(r, *section ? section : name, where);
		return 1;
	}
	row = option_find(r->table, name, strlen(name));
	if (!row || row->kind == OPTION_ENDS || row->flags & OPTION_NO_FILE) {
		complain(r, name,
			 row ? ": only on the command line"
			     : ": no such option");
		return 1;
	}
	kept = keep(r, value);
	snprintf(where, sizeof(where), "%.280s:%u: ", r->path, r->line);
	if (!kept)
		complain(r, name, ": no memory");
	else if (option_set(r->table, row, r->options, kept, where))
		r->is_failed = true;
	return 1;
}

int config_read(const struct option_table *table, void *options,
		const char *path, struct config_texts **texts)
{
	struct reading r = { .table = table,
			     .options = options,
			     .path = path,
			     .file = fopen(path, "re"),
			     .texts = texts };
	int fault_line;

	if (!r.file) {
		int error = errno;

		fprintf(stderr, "%s: %s: %s\n", table->program, path,
			strerror(error));
		return -error;
	}
	fault_line = ini_parse_stream(read_line, &r, take, &r);
	if (ferror(r.file))
		complain(&r, "", "cannot be read");
	fclose(r.file);
	if (fault_line && !r.is_failed) {
		r.line = fault_line > 0 ? (unsigned int)fault_line : 0;
		complain(&r, "", "neither [SECTION], NAME = VALUE nor comment");
	}
	return r.is_failed ? -EINVAL : 0;
}

void config_texts_free(struct config_texts *texts)
{
	while (texts) {
		struct config_texts *next = texts->next;

		free(texts);
		texts = next;
	}
}
