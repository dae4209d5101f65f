/* SPDX-License-Identifier: Apache-2.0 */
/* steer.c - how a test steers the emulator that it was started with */

#include "emulator/steer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/pvx-emulator-XXXXXX";
static char trace_path[64], gone_path[64], control_path[64], next_path[64];

/* A test that cannot steer would pass without testing anything. */
static void demand(bool is_done, const char *what)
{
	if (is_done)
		return;
	perror(what);
	abort();
}

int steer_init(void)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(trace_path, sizeof(trace_path), "%s/trace", folder);
	snprintf(gone_path, sizeof(gone_path), "%s/gone", folder);
	snprintf(control_path, sizeof(control_path), "%s/control", folder);
	snprintf(next_path, sizeof(next_path), "%s/next", folder);
	setenv("PVX_EMULATOR_TRACE", trace_path, 1);
	setenv("PVX_EMULATOR_GONE", gone_path, 1);
	setenv("PVX_EMULATOR_CONTROL", control_path, 1);
	return 0;
}

int steer_deinit(void)
{
	unlink(trace_path);
	unlink(control_path);
	unlink(gone_path);
	return rmdir(folder);
}

const char *steer_trace(void)
{
	static char text[16384];
	FILE *file = fopen(trace_path, "a+");
	size_t got;

	demand(file != NULL, trace_path);
	got = fread(text, 1, sizeof(text) - 1, file);
	text[got] = '\0';
	demand(ftruncate(fileno(file), 0) == 0, trace_path);
	fclose(file);
	return text;
}

void steer_plan(const char *plan)
{
	FILE *file = fopen(next_path, "w");

	demand(file != NULL, next_path);
	fputs(plan, file);
	fclose(file);
	demand(rename(next_path, control_path) == 0, control_path);
}

void steer_gone(bool is_gone)
{
	FILE *file;

	if (!is_gone) {
		demand(unlink(gone_path) == 0, gone_path);
		return;
	}
	file = fopen(gone_path, "w");
	demand(file != NULL, gone_path);
	fclose(file);
}
