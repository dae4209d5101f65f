/* SPDX-License-Identifier: Apache-2.0 */
/* bench_device.c - the device's speed beside libcrypto's; prints JSON lines */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "bench/count.h"
#include "bench/rings.h"

/*
 * How it works: a plan of points (algorithm, bytes, depth, queues, CPUs). In
 * each round every point is measured in turn by each way: through the rings, by
 * libcryptsess and by libcrypto in this thread, on the same guest memory with
 * as many buffers; so a slow moment of the machine meets all ways alike. Each
 * sample is a line; tools/bench-device makes the table of them.
 */
#define CPU_NS_PER_MS UINT64_C(1000000)
/* The requests that are counted. */
#define COUNTED_BYTES 4096u
#define COUNTED_DEPTH 64u
#define POINTS_MAX    16

struct options {
	uint64_t sample_ns;
	unsigned int rounds;
	bool is_quick; /* the targets' points only */
	/* --point: these alone, on one CPU */
	struct point_option {
		const char *algorithm;
		uint32_t bytes;
		unsigned int depth;
	} points[POINTS_MAX];
	unsigned int point_count;
};

struct point {
	const struct bench_algorithm *algorithm; /* NULL: PING */
	uint32_t bytes;
	unsigned int depth;
	unsigned int queues;
	bool is_session; /* open and close instead */
};

static struct driver driver;
static struct rings rings;
static struct cryptsess_provider *provider;
static unsigned int cpus; /* of this run: 1 or 2 */
static uint64_t poll_us;  /* of its daemon */

static int pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

static void print(const struct point *p, const char *way, unsigned int round,
		  const struct rings_run *run)
{
	printf("{\"algorithm\":\"%s\",\"bytes\":%u,\"depth\":%u,\"queues\":%u,"
	       "\"cpus\":%u,\"poll_us\":%llu,\"way\":\"%s\",\"round\":%u,"
	       "\"ops\":%llu,"
	       "\"wall_ns\":%llu,\"cpu_ns\":%llu,\"front_ns\":%llu}\n",
	       !p->algorithm   ? "ping"
	       : p->is_session ? "session"
			       : p->algorithm->name,
	       p->bytes, p->depth, p->queues, cpus, (unsigned long long)poll_us,
	       way, round, (unsigned long long)run->ops,
	       (unsigned long long)run->wall_ns,
	       (unsigned long long)run->cpu_ns,
	       (unsigned long long)run->front_ns);
	fflush(stdout);
}

typedef int way_fn(struct direct *direct, const uint8_t *src, uint8_t *dst,
		   uint32_t bytes);

/* In this thread, over the slots' memory. */
static int run_direct(const struct point *p, way_fn *way, struct direct *direct,
		      uint64_t run_ns, struct rings_run *run)
{
	uint64_t cpu_ns = rings_thread_ns(), begun_ns = clock_now_ns();
	/* Look at the clock about every 20 us. */
	unsigned int burst = 1 + 16384 / (p->bytes + 64), slot = 0;
	int error = 0;

	memset(run, 0, sizeof(*run));
	do {
		for (unsigned int i = 0; !error && i < burst; i++) {
			const struct rings_slot *s = &rings.slot[0][slot];

			error = way(direct, s->source, s->destination,
				    p->bytes);
			slot = (slot + 1) % p->depth;
		}
		run->ops += burst;
	} while (!error && clock_now_ns() - begun_ns < run_ns);
	run->wall_ns = clock_now_ns() - begun_ns;
	run->cpu_ns = rings_thread_ns() - cpu_ns;
	return error;
}

/* What the device left in the first slot must be what libcrypto makes. */
static int compare(const struct point *p, struct direct *direct)
{
	const struct bench_algorithm *a = p->algorithm;
	uint32_t bytes = (a->cipher ? p->bytes : 0) + a->extra_bytes;
	uint8_t *expected = malloc(bytes);
	int error;

	if (!expected)
		return -ENOMEM;
	error = direct_libcrypto(direct, rings.slot[0][0].source, expected,
				 p->bytes);
	if (!error && memcmp(expected, rings.slot[0][0].destination, bytes))
		error = -EBADMSG;
	free(expected);
	return error;
}

static int measure_direct(const struct point *p, const struct options *o,
			  unsigned int round)
{
	static const struct {
		const char *name;
		way_fn *way;
	} ways[] = { { "libcrypto", direct_libcrypto },
		     { "libcryptsess", direct_cryptsess } };
	struct direct direct;
	struct rings_run run;
	int error = direct_open(&direct, p->algorithm, provider);

	if (!error)
		error = compare(p, &direct);
	for (size_t i = 0; !error && i < ARRAY_SIZE(ways); i++) {
		error = run_direct(p, ways[i].way, &direct, o->sample_ns, &run);
		if (!error)
			print(p, ways[i].name, round, &run);
	}
	direct_close(&direct);
	return error;
}

static int measure(const struct point *p, const struct options *o,
		   unsigned int round)
{
	struct rings_run run;
	int error = rings_init(&rings, &driver, p->algorithm, p->bytes,
			       p->queues, p->depth);

	rings.spin_turns = cpus > 1 ? 2000 : 0;
	if (!error && p->is_session)
		error = rings_run_sessions(&rings, p->algorithm, o->sample_ns,
					   &run);
	else if (!error)
		error = rings_run(&rings, o->sample_ns, &run);
	if (!error)
		print(p, "rings", round, &run);
	if (!error && p->algorithm && !p->is_session && p->queues == 1)
		error = measure_direct(p, o, round);
	rings_deinit(&rings);
	if (error)
		fprintf(stderr, "bench: %s, %u bytes, depth %u: %s\n",
			p->algorithm ? p->algorithm->name : "ping", p->bytes,
			p->depth, strerror(-error));
	return error;
}

static const uint32_t sizes[] = { 16,    64,    256,    1024,   4096,
				  16384, 65536, 262144, 1048576 };
static const unsigned int depths[] = { 1, 4, 16, 32, 64 };

/* Those that docs/performance.md names a target for. */
static bool is_target(const struct point *p)
{
	static const struct {
		uint32_t bytes;
		unsigned int depth;
	} points[] = {
		{ 16, 1 }, { 64, 64 }, { 4096, 32 }, { 65536, 4 }, { 65536, 16 }
	};

	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		if (points[i].bytes == p->bytes && points[i].depth == p->depth)
			return true;
	return false;
}

static int measure_algorithm(const struct bench_algorithm *a,
			     const struct options *o, unsigned int queues,
			     unsigned int round)
{
	int error = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (size_t k = 0; !error && k < ARRAY_SIZE(depths); k++) {
			struct point p = { a, sizes[i], depths[k], queues,
					   false };

			if ((uint64_t)p.bytes * p.depth * queues >
			    RINGS_BYTES_MAX)
				continue;
			/* Two CPUs are for comparison. */
			if (cpus > 1 && p.depth != 1 && p.depth != 32)
				continue;
			if (o->is_quick && !is_target(&p))
				continue;
			error = measure(&p, o, round);
		}
	return error;
}

static int measure_all(const struct options *o, unsigned int queues,
		       unsigned int round)
{
	struct point session = { &bench_algorithms[0], 0, 1, 1, true };
	int error = 0;

	for (size_t k = 0; !error && k < ARRAY_SIZE(depths); k++) {
		struct point ping = { NULL, 0, depths[k], queues, false };

		error = measure(&ping, o, round);
	}
	for (unsigned int i = 0; !error && i < bench_algorithm_count; i++)
		error = measure_algorithm(&bench_algorithms[i], o, queues,
					  round);
	if (!error && queues == 1)
		error = measure(&session, o, round);
	return error;
}

/* NAME,BYTES,DEPTH */
static int point_parse(struct options *o, char *text)
{
	struct point_option *p = &o->points[o->point_count];
	char *comma = strchr(text, ',');

	if (o->point_count == POINTS_MAX || !comma ||
	    sscanf(comma, ",%u,%u", &p->bytes, &p->depth) != 2 ||
	    p->depth < 1 || p->depth > RINGS_DEPTH_MAX)
		return -EINVAL;
	*comma = '\0';
	p->algorithm = text;
	o->point_count++;
	return 0;
}

static int measure_point(const struct options *o, const struct point_option *at,
			 unsigned int round)
{
	struct point p = { NULL, at->bytes, at->depth, 1, false };

	for (unsigned int i = 0; i < bench_algorithm_count; i++)
		if (strcmp(bench_algorithms[i].name, at->algorithm) == 0)
			p.algorithm = &bench_algorithms[i];
	if ((uint64_t)p.bytes * p.depth > RINGS_BYTES_MAX)
		return -E2BIG;
	return measure(&p, o, round);
}

static int measure_points(const struct options *o, unsigned int round)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < o->point_count; i++)
		error = measure_point(o, &o->points[i], round);
	return error;
}

static unsigned int resident_kib(pid_t pid)
{
	unsigned int kib = 0;
	char line[128];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/status", (int)pid);
	file = fopen(line, "r");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %u kB", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/* Memory of both processes with so many sessions, of all algorithms, each of
 * which has worked once. */
static int measure_memory(unsigned int sessions)
{
	struct rings_run run;
	int error = 0;

	for (unsigned int i = 0; !error && i < sessions; i++) {
		error = rings_init(&rings, &driver,
				   &bench_algorithms[i % bench_algorithm_count],
				   64, 1, 1);
		if (!error)
			error = rings_run(&rings, 0, &run);
		/* Its file stays open, and so does the session. */
		memset(&rings, 0, sizeof(rings));
	}
	if (!error)
		printf("{\"sessions\":%u,\"worker_kib\":%u,"
		       "\"supervisor_kib\":%u}\n",
		       sessions, resident_kib(driver_worker(&driver)),
		       resident_kib(driver.daemon));
	return error;
}

static void print_counts(const char *name, const struct rings_run *run,
			 uint64_t allocations, const struct count_calls *calls)
{
	printf("{\"counted\":\"%s\",\"bytes\":%u,\"depth\":%u,\"ops\":%llu",
	       name, COUNTED_BYTES, COUNTED_DEPTH,
	       (unsigned long long)run->ops);
	if (count_has_allocations())
		printf(",\"allocations\":%llu",
		       (unsigned long long)allocations);
	if (calls) {
		printf(",\"system_calls\":{");
		for (unsigned int i = 0; i < calls->count; i++)
			printf("%s\"%s\":%llu", i ? "," : "",
			       calls->call[i].name,
			       (unsigned long long)calls->call[i].calls);
		printf("}");
	}
	printf("}\n");
	fflush(stdout);
}

/* Allocations and system calls of the worker under load. */
static int count_one(const struct bench_algorithm *a, uint64_t run_ns)
{
	struct count_calls calls;
	struct rings_run run;
	uint64_t allocations;
	bool has_calls;
	int error =
		rings_init(&rings, &driver, a, COUNTED_BYTES, 1, COUNTED_DEPTH);

	/* What is made with a session's first request is not under load. */
	if (!error)
		error = rings_run(&rings, 0, &run);
	has_calls = !error && !count_calls_begin(&calls, driver.worker);
	allocations = count_allocations();
	if (!error)
		error = rings_run(&rings, run_ns, &run);
	allocations = count_allocations() - allocations;
	if (has_calls && count_calls_end(&calls))
		has_calls = false;
	if (!error)
		print_counts(a ? a->name : "ping", &run, allocations,
			     has_calls ? &calls : NULL);
	rings_deinit(&rings);
	return error;
}

/* In a daemon of its own, since counting takes time. */
static int bench_counts(const struct options *o)
{
	int error;

	driver_init(&driver);
	driver.queues = 1;
	error = count_allocations_in(&driver);
	if (!error)
		error = pin(0);
	if (!error)
		error = driver_start(&driver);
	if (!error)
		error = driver_connect(&driver, DRIVER_FEATURES);
	if (!error)
		error = driver_hello(&driver);
	if (!error)
		error = count_one(NULL, o->sample_ns);
	for (unsigned int i = 0; !error && i < bench_algorithm_count; i++)
		error = count_one(&bench_algorithms[i], o->sample_ns);
	if (driver_stop(&driver) && !error)
		error = -EPIPE;
	return error;
}

/* A daemon on `cpus` CPUs, and this thread on the first. */
static int bench(const struct options *o, unsigned int queues, bool has_poll)
{
	int error;

	driver_init(&driver);
	driver.options.queues = RINGS_QUEUES_MAX;
	if (!has_poll)
		driver.options.poll_us = 0;
	poll_us = driver.options.poll_us;
	driver.queues = queues;
	/* The daemon inherits where it may run. */
	error = queues == 1 ? pin(cpus > 1 ? 1 : 0) : 0;
	if (!error)
		error = driver_start(&driver);
	if (!error && queues == 1)
		error = pin(0);
	if (!error)
		error = driver_connect(&driver, DRIVER_FEATURES);
	if (!error)
		error = driver_hello(&driver);
	/* Before much of guest memory has been touched, which counts too. */
	if (!error && queues == 1 && cpus == 1 && !o->point_count)
		error = measure_memory(1000);
	if (!error)
		error = driver_hello(&driver);
	for (unsigned int i = 0; !error && i < o->rounds; i++)
		error = o->point_count ? measure_points(o, i)
				       : measure_all(o, queues, i);
	if (driver_stop(&driver) && !error)
		error = -EPIPE;
	return error;
}

static int plan_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .sample_ns = 20 * CPU_NS_PER_MS, .rounds = 5 };
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--ms=", 5) == 0)
			o->sample_ns =
				strtoull(argv[i] + 5, NULL, 10) * CPU_NS_PER_MS;
		else if (strncmp(argv[i], "--rounds=", 9) == 0)
			o->rounds = (unsigned int)atoi(argv[i] + 9);
		else if (strcmp(argv[i], "--quick") == 0)
			o->is_quick = true;
		else if (strncmp(argv[i], "--point=", 8) == 0 &&
			 point_parse(o, argv[i] + 8) == 0)
			continue;
		else
			return -EINVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		unsigned int queues;
		unsigned int cpus;
		bool has_poll;
	} runs[] = {
		{ 1, 1, true }, { 1, 2, true }, { 1, 2, false }, { 2, 2, true }
	};
	cpu_set_t before;
	struct options o;
	int error;

	if (plan_parse(&o, argc, argv)) {
		fprintf(stderr, "usage: bench_device [--ms=N] [--rounds=N] "
				"[--quick] [--point=NAME,BYTES,DEPTH]...\n");
		return 2;
	}
	error = cryptsess_provider_open(&provider, "openssl", NULL, 0);
	if (sched_getaffinity(0, sizeof(before), &before))
		return 1;
	for (size_t i = 0; !error && i < ARRAY_SIZE(runs); i++) {
		cpus = runs[i].cpus;
		if (i > 0 && o.point_count)
			break;
		if ((long)cpus > sysconf(_SC_NPROCESSORS_ONLN))
			continue;
		error = bench(&o, runs[i].queues, runs[i].has_poll);
		(void)sched_setaffinity(0, sizeof(before), &before);
	}
	if (!error && !o.point_count)
		error = bench_counts(&o);
	cryptsess_provider_close(provider);
	return error ? 1 : 0;
}
