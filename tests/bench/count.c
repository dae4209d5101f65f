/* SPDX-License-Identifier: Apache-2.0 */
/* count.c - what a request costs besides time: allocations, system calls */
#include "bench/count.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- allocations ------------------------------------------------------- */

static uint64_t *shared; /* mapped here and in the daemon */
static uint64_t *number; /* the same, where it is to be counted; else NULL */

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && \
	!defined(__SANITIZE_THREAD__) && !defined(__clang__)
#define HAS_ALLOCATIONS true

static void count_one(void)
{
	if (number)
		__atomic_fetch_add(number, 1, __ATOMIC_RELAXED);
}

/* glibc's own, by the names that it keeps for this. */
extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void *__libc_memalign(size_t align, size_t bytes);

void *malloc(size_t bytes)
{
	count_one();
	return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
	count_one();
	return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	count_one();
	return __libc_realloc(memory, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
	count_one();
	return __libc_memalign(align, bytes);
}
#else
#define HAS_ALLOCATIONS false
#endif

bool count_has_allocations(void)
{
	return HAS_ALLOCATIONS;
}

static void on_child(void)
{
	number = shared;
}

int count_allocations_in(struct driver *driver)
{
	if (!shared) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (shared == MAP_FAILED) {
			shared = NULL;
			return -errno;
		}
	}
	driver->in_child = on_child;
	return 0;
}

uint64_t count_allocations(void)
{
	return shared ? __atomic_load_n(shared, __ATOMIC_RELAXED) : 0;
}

/* --- system calls ------------------------------------------------------ */

/* Whether strace has come to every thread of the process. */
static bool is_attached(pid_t pid)
{
	struct dirent *entry;
	bool is_all = true;
	char path[320];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	dir = opendir(path);
	while (dir && is_all && (entry = readdir(dir))) {
		char line[128];
		int tracer = 0;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/status",
			 (int)pid, entry->d_name);
		file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file))
			if (sscanf(line, "TracerPid: %d", &tracer) == 1)
				break;
		if (file)
			fclose(file);
		is_all = tracer != 0;
	}
	if (dir)
		closedir(dir);
	return dir && is_all;
}

static void become_strace(const char *path, pid_t pid)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	char text[16];

	snprintf(text, sizeof(text), "%d", (int)pid);
	if (null >= 0 && dup2(null, STDERR_FILENO) >= 0)
		execlp("strace", "strace", "-f", "-c", "-U", "calls,name", "-o",
		       path, "-p", text, (char *)NULL);
	_exit(127);
}

int count_calls_begin(struct count_calls *calls, pid_t worker)
{
	int fd;

	memset(calls, 0, sizeof(*calls));
	snprintf(calls->path, sizeof(calls->path), "/tmp/pvx-calls-XXXXXX");
	fd = mkstemp(calls->path);
	if (fd < 0)
		return -errno;
	close(fd);
	fflush(NULL);
	calls->strace = fork();
	if (calls->strace == 0)
		become_strace(calls->path, worker);
	for (int i = 0; calls->strace > 0 && i < 1000; i++) {
		if (is_attached(worker))
			return 0;
		if (waitpid(calls->strace, NULL, WNOHANG) != 0) {
			calls->strace = 0;
			break;
		}
		usleep(5000);
	}
	if (calls->strace > 0) {
		(void)kill(calls->strace, SIGKILL);
		(void)waitpid(calls->strace, NULL, 0);
	}
	(void)unlink(calls->path);
	return -ENOENT;
}

int count_calls_end(struct count_calls *calls)
{
	unsigned long long times;
	char line[128], name[32];
	FILE *file;

	(void)kill(calls->strace, SIGINT); /* it detaches */
	while (waitpid(calls->strace, NULL, 0) < 0 && errno == EINTR)
		;
	file = fopen(calls->path, "r");
	(void)unlink(calls->path);
	if (!file)
		return -errno;
	while (fgets(line, sizeof(line), file)) {
		if (calls->count == COUNT_CALLS_MAX ||
		    sscanf(line, "%llu %31s", &times, name) != 2 ||
		    strcmp(name, "total") == 0)
			continue;
		memcpy(calls->call[calls->count].name, name, sizeof(name));
		calls->call[calls->count++].calls = times;
	}
	fclose(file);
	return 0;
}
