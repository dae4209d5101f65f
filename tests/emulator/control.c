/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - what the tests tell the emulator, and what it tells them */

#include "emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * How it works: a plan is a list of "NAME N ERRNO": the N-th call of NAME
 * (0: every call) from the moment the plan was read fails. It comes from
 * PVX_EMULATOR_FAIL at first and from the file PVX_EMULATOR_CONTROL whenever
 * that one is new; put a new one there with rename(2).
 */
#define PLAN_MAX   16
#define NAME_MAX_  24
#define ERRNO_LAST 133

struct fault {
	char name[NAME_MAX_];
	unsigned int nth;
	unsigned int seen;
	int error;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct fault plan[PLAN_MAX]; /* under lock, like all below */
static unsigned int plan_count;
static struct stat plan_file;
static int trace_fd = -1;

const char *control_path(void)
{
	const char *path = getenv("PVX_EMULATOR_PATH");

	return path && *path ? path : "/dev/crypto";
}

bool control_is_gone(void)
{
	const char *path = getenv("PVX_EMULATOR_GONE");
	struct stat st;

	return path && stat(path, &st) == 0;
}

bool control_has_sticky_tags(void)
{
	return getenv("PVX_EMULATOR_STICKY_TAGS") != NULL;
}

bool control_is_wrong(const char *what)
{
	const char *wrong = getenv("PVX_EMULATOR_WRONG");

	return wrong && strcmp(wrong, what) == 0;
}

static int error_by_name(const char *name)
{
	for (int error = 1; error <= ERRNO_LAST; error++) {
		const char *known = strerrorname_np(error);

		if (known && strcmp(known, name) == 0)
			return error;
	}
	return 0;
}

/* A plan that cannot be read would be a test that cannot fail. */
static void plan_read(char *text)
{
	char *next = NULL;

	plan_count = 0;
	for (char *entry = strtok_r(text, ";\n", &next); entry;
	     entry = strtok_r(NULL, ";\n", &next)) {
		struct fault *fault = &plan[plan_count];
		char error[NAME_MAX_];

		if (plan_count == PLAN_MAX ||
		    sscanf(entry, " %23s %u %23s", fault->name, &fault->nth,
			   error) != 3 ||
		    !(fault->error = error_by_name(error))) {
			fprintf(stderr, "emulator: not a plan: %s\n", entry);
			abort();
		}
		fault->seen = 0;
		plan_count++;
	}
}

static void plan_refresh(void)
{
	const char *path = getenv("PVX_EMULATOR_CONTROL");
	static bool has_started;
	char text[1024] = "";
	struct stat st = { 0 };
	FILE *file;
	size_t got;

	if (!has_started && getenv("PVX_EMULATOR_FAIL")) {
		snprintf(text, sizeof(text), "%s", getenv("PVX_EMULATOR_FAIL"));
		plan_read(text);
	}
	has_started = true;
	if (!path || stat(path, &st) != 0 ||
	    (st.st_ino == plan_file.st_ino && st.st_dev == plan_file.st_dev &&
	     st.st_mtim.tv_sec == plan_file.st_mtim.tv_sec &&
	     st.st_mtim.tv_nsec == plan_file.st_mtim.tv_nsec))
		return;
	file = fopen(path, "re");
	if (!file)
		return;
	plan_file = st;
	got = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[got] = '\0';
	plan_read(text);
}

int control_fault(const char *name)
{
	int error = 0;

	pthread_mutex_lock(&lock);
	plan_refresh();
	for (unsigned int i = 0; i < plan_count; i++) {
		if (strcmp(plan[i].name, name) != 0)
			continue;
		plan[i].seen++;
		if (!plan[i].nth || plan[i].seen == plan[i].nth)
			error = plan[i].error;
	}
	pthread_mutex_unlock(&lock);
	return error;
}

/* Out of the way of CRIOGET, which gives the lowest free descriptor. */
static int trace_open(void)
{
	const char *path = getenv("PVX_EMULATOR_TRACE");
	int low, high;

	if (!path)
		return -1;
	low = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (low < 0)
		return -1;
	high = fcntl(low, F_DUPFD_CLOEXEC, 200);
	close(low);
	return high;
}

static void trace_write(const char *line, int bytes)
{
	pthread_mutex_lock(&lock);
	if (trace_fd < 0)
		trace_fd = trace_open();
	if (trace_fd >= 0 && bytes > 0 &&
	    write(trace_fd, line, (size_t)bytes) != bytes)
		fprintf(stderr, "emulator: cannot write the trace\n");
	pthread_mutex_unlock(&lock);
}

void control_trace(const char *name, int result)
{
	char line[64];

	trace_write(line,
		    snprintf(line, sizeof(line), "%s %s\n", name,
			     result < 0 ? strerrorname_np(-result) : "0"));
}

void control_note(const char *format, ...)
{
	char line[120] = "# ";
	va_list args;
	int bytes;

	va_start(args, format);
	bytes = vsnprintf(line + 2, sizeof(line) - 3, format, args);
	va_end(args);
	if (bytes < 0 || bytes >= (int)sizeof(line) - 3)
		return;
	line[bytes + 2] = '\n';
	trace_write(line, bytes + 3);
}

void control_fork_lock(void)
{
	pthread_mutex_lock(&lock);
}

void control_fork_unlock(void)
{
	pthread_mutex_unlock(&lock);
}
