/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - what a process took of the machine */

#include "bench/relay/process.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATH_ROOM 320

/* The number behind `name` in a file of "Name:   123" lines, some of them in
 * KiB; 0: none. */
static uint64_t file_number(const char *path, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256];
	uint64_t number = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			(void)sscanf(line + strlen(name), ": %" SCNu64,
				     &number);
	if (file)
		fclose(file);
	return number;
}

/* The second number of each thread's schedstat. */
static uint64_t waiting_ns(pid_t pid)
{
	char path[PATH_ROOM];
	uint64_t sum_ns = 0;
	struct dirent *entry;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		uint64_t ns = 0;
		FILE *file;

		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat",
			 (int)pid, entry->d_name);
		file = fopen(path, "re");
		if (file && fscanf(file, "%*u %" SCNu64, &ns) == 1)
			sum_ns += ns;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return sum_ns;
}

int process_usage_get(struct process_usage *u, pid_t pid)
{
	char path[PATH_ROOM];
	struct timespec cpu;
	clockid_t clock;
	int error;

	if (!pid)
		pid = getpid();
	error = clock_getcpuclockid(pid, &clock);
	if (error)
		return -error;
	if (clock_gettime(clock, &cpu))
		return -errno;
	u->cpu_ns = (uint64_t)cpu.tv_sec * 1000000000 + (uint64_t)cpu.tv_nsec;
	u->waiting_ns = waiting_ns(pid);
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	u->user_kib = file_number(path, "RssAnon");
	u->most_kib = file_number(path, "VmHWM");
	u->sleeps = file_number(path, "voluntary_ctxt_switches");
	return 0;
}

uint64_t process_kernel_kib(void)
{
	return file_number("/proc/meminfo", "Slab") +
	       file_number("/proc/meminfo", "KernelStack");
}
