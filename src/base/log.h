/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - lines on standard error; never content, keys or room names */
#ifndef PVX_BASE_LOG_H
#define PVX_BASE_LOG_H

#include <stdatomic.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVELS
};

enum log_format {
	LOG_FORMAT_TEXT, /* "PROGRAM: LEVEL: MESSAGE" */
	LOG_FORMAT_JSON, /* {"time":..,"program":..,"level":..,"message":..} */
	LOG_FORMATS
};

/* Lines at once, and between two of them when there were that many. */
#define LOG_BURST    50
#define LOG_EVERY_NS UINT64_C(1000000000)

/* How many lines there were; all zeros: none. Plain data. */
struct log_bucket {
	_Atomic uint64_t full_ns;
	_Atomic uint32_t left_out;
	uint32_t reserved;
};

/* Program name that begins every line (borrowed), and the level to show. */
void log_init(const char *program, enum log_level level);

/* From now on leave out what is more than that, but for errors, and say how
 * much it was in front of the next line: a peer must not fill a disk. Processes
 * may share the bucket (borrowed), whatever they write in it. */
void log_limit(struct log_bucket *bucket);

/* Text until this is called. */
void log_format_set(enum log_format format);

/* The format named "text" or "json", or -EINVAL. */
int log_format_parse(const char *name);

/* The level named "error", "warning", "info" or "debug", or -EINVAL. */
int log_level_parse(const char *name);

/* The names above, for help texts: "error|warning|info|debug". */
const char *log_level_names(void);

/*
 * One line. Control characters in what is printed are shown as '?', so a peer
 * cannot forge lines; in JSON what is not ASCII is shown so, too. Under systemd
 * (JOURNAL_STREAM) lines carry "<N>".
 */
void log_line(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
