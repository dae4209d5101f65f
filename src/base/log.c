/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - lines on standard error; never content, keys or room names */

#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int syslog_priority; /* sd-daemon(3) */
} levels[LOG_LEVELS] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARNING] = { "warning", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

static const char *log_program = "paravox";
static enum log_level log_shown = LOG_LEVEL_INFO;

void log_init(const char *program, enum log_level level)
{
	log_program = program;
	log_shown = level;
}

int log_level_parse(const char *name)
{
	for (int i = 0; i < LOG_LEVELS; i++)
		if (strcmp(name, levels[i].name) == 0)
			return i;
	return -EINVAL;
}

const char *log_level_names(void)
{
	static char names[64];

	names[0] = '\0';
	for (int i = 0; i < LOG_LEVELS; i++) {
		if (i)
			strcat(names, "|");
		strcat(names, levels[i].name);
	}
	return names;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[1024];
	int prefix, body;
	va_list args;

	if (level > log_shown)
		return;
	if (getenv("JOURNAL_STREAM"))
		prefix = snprintf(line, sizeof(line), "<%d>",
				  levels[level].syslog_priority);
	else
		prefix = snprintf(line, sizeof(line), "%s: %s: ", log_program,
				  levels[level].name);
	va_start(args, format);
	body = vsnprintf(line + prefix, sizeof(line) - (size_t)prefix - 1,
			 format, args);
	va_end(args);
	if (body < 0)
		return;
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	strcat(line, "\n");
	/* One write per line, so that lines of several processes don't mix. */
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}
