/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - lines on standard error; never content, keys or room names */

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Of a message; a JSON line has room for all of it escaped. */
#define MESSAGE_ROOM 1024
#define LINE_ROOM    (2 * MESSAGE_ROOM + 256)

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
static enum log_format log_format = LOG_FORMAT_TEXT;
static struct log_bucket *log_bucket; /* NULL: no limit */

void log_init(const char *program, enum log_level level)
{
	log_program = program;
	log_shown = level;
}

void log_limit(struct log_bucket *bucket)
{
	log_bucket = bucket;
}

void log_format_set(enum log_format format)
{
	/* Once, while files can still be opened: a line asks for the time. */
	tzset();
	log_format = format;
}

int log_format_parse(const char *name)
{
	static const char *const names[LOG_FORMATS] = {
		[LOG_FORMAT_TEXT] = "text",
		[LOG_FORMAT_JSON] = "json",
	};

	for (int i = 0; i < LOG_FORMATS; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -EINVAL;
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

/* The message as a JSON string without its quotes; returns its end. */
static char *escape(char *to, const char *message)
{
	for (; *message; message++) {
		if (*message == '"' || *message == '\\')
			*to++ = '\\';
		*to++ = (unsigned char)*message < 0x80 ? *message : '?';
	}
	*to = '\0';
	return to;
}

/* Both fit: LINE_ROOM is twice the message and more. */
static void write_json(char *line, enum log_level level, const char *message)
{
	struct timespec now = { 0 };
	struct tm utc = { 0 };
	size_t used;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &utc);
	used = strftime(line, LINE_ROOM, "{\"time\":\"%Y-%m-%dT%H:%M:%S", &utc);
	used += (size_t)snprintf(line + used, LINE_ROOM - used,
				 ".%03ldZ\",\"program\":\"%.32s\",\"level\":\"%"
				 "s\",\"message\":\"",
				 now.tv_nsec / 1000000, log_program,
				 levels[level].name);
	strcpy(escape(line + used, message), "\"}");
}

/* Whether there is room for a line; and how many had none since the last. */
static bool take_room(enum log_level level, uint32_t *left_out)
{
	uint64_t now_ns, full_ns, next_ns;

	*left_out = 0;
	if (!log_bucket || level == LOG_LEVEL_ERROR)
		return true;
	now_ns = clock_now_ns();
	full_ns = atomic_load(&log_bucket->full_ns);
	do {
		next_ns = now_ns;
		/* Further ahead than a burst it never is by itself. */
		if (full_ns > now_ns &&
		    full_ns - now_ns <= LOG_BURST * LOG_EVERY_NS)
			next_ns = full_ns;
		next_ns += LOG_EVERY_NS;
		if (next_ns - now_ns > LOG_BURST * LOG_EVERY_NS) {
			atomic_fetch_add(&log_bucket->left_out, 1);
			return false;
		}
	} while (!atomic_compare_exchange_weak(&log_bucket->full_ns, &full_ns,
					       next_ns));
	*left_out = atomic_exchange(&log_bucket->left_out, 0);
	return true;
}

/* U+0080 to U+009F, which terminals take for escape sequences. */
static bool is_c1(const unsigned char *c)
{
	return c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f;
}

static void write_line(enum log_level level, char *message)
{
	char line[LINE_ROOM + 8], *at = line;

	for (unsigned char *c = (unsigned char *)message; *c; c++)
		if (is_c1(c))
			c[0] = c[1] = '?';
		else if (*c < 0x20 || *c == 0x7f)
			*c = '?';
	if (getenv("JOURNAL_STREAM"))
		at += sprintf(line, "<%d>", levels[level].syslog_priority);
	if (log_format == LOG_FORMAT_JSON)
		write_json(at, level, message);
	else if (at > line)
		strcpy(at, message);
	else
		sprintf(line, "%.32s: %s: %s", log_program, levels[level].name,
			message);
	strcat(line, "\n");
	/* One write per line, so that lines of several processes don't mix. */
	if (write(STDERR_FILENO, line, strlen(line)) < 0)
		return;
}

void log_line(enum log_level level, const char *format, ...)
{
	char message[MESSAGE_ROOM], note[64];
	uint32_t left_out;
	va_list args;

	if (level > log_shown || !take_room(level, &left_out))
		return;
	if (left_out) {
		sprintf(note, "%" PRIu32 " line%s left out", left_out,
			left_out == 1 ? " was" : "s were");
		write_line(LOG_LEVEL_WARNING, note);
	}
	va_start(args, format);
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		message[0] = '\0';
	va_end(args);
	write_line(level, message);
}
