/* SPDX-License-Identifier: Apache-2.0 */
/* bench_guest.c - in a guest: what its programs can have encrypted, and how
 * fast; prints JSON lines
 *
 * bench_guest MILLISECONDS WAY,ALGORITHM,BYTES,DEPTH,THREADS...: WAY is one of
 * ways.c, ALGORITHM one of direct.c. Before and after each sample `begin` and
 * `end` are ordered ($steering): whoever carries that out can look at a clock
 * of his own.
 */
#include <errno.h>
#include <glob.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "bench/ways.h"
#include "guest/steer.h"

#define THREADS_MAX 8
#define COUNTS      "/sys/bus/virtio/drivers/virtio_cryptodev/virtio*/counts/"

struct point {
	const struct way *way;
	const struct bench_algorithm *algorithm;
	uint32_t bytes;
	unsigned int depth, threads;
};

struct thread {
	struct way_run run;
	const struct way *way;
	uint64_t ops;
	int error;
};

static pthread_barrier_t barrier;
static atomic_bool is_over;

/* What the driver's queues have done, in the order of `counted`. */
static const char *const counted[] = { "requests", "kicks", "interrupts",
				       "looks", "hits" };
#define COUNTED (sizeof(counted) / sizeof(counted[0]))

static void counts_read(uint64_t counts[COUNTED])
{
	for (size_t i = 0; i < COUNTED; i++) {
		char pattern[128];
		unsigned long long value = 0;
		glob_t found;
		FILE *file;

		counts[i] = 0;
		snprintf(pattern, sizeof(pattern), COUNTS "%s", counted[i]);
		if (glob(pattern, 0, NULL, &found))
			continue;
		file = fopen(found.gl_pathv[0], "r");
		if (file && fscanf(file, "%llu", &value) == 1)
			counts[i] = value;
		if (file)
			fclose(file);
		globfree(&found);
	}
}

static void *work(void *argument)
{
	struct thread *t = argument;
	int done;

	t->error = way_run_open(&t->run, t->way);
	/* What is made with the first operation is not measured. */
	done = t->error ? t->error : t->way->turn(&t->run);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	while (done >= 0 &&
	       !atomic_load_explicit(&is_over, memory_order_relaxed)) {
		done = t->way->turn(&t->run);
		t->ops += done > 0 ? (unsigned int)done : 0;
	}
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	if (!t->error)
		t->error = way_run_close(&t->run, t->way);
	if (done < 0 && !t->error)
		t->error = done;
	return NULL;
}

static void print_point(const struct point *p)
{
	printf("{\"way\":\"%s\",\"algorithm\":\"%s\",\"bytes\":%u,"
	       "\"depth\":%u,\"threads\":%u",
	       p->way->name, p->algorithm->name, p->bytes, p->depth,
	       p->threads);
}

/* Each sample has its line, so that they can be counted. */
static void print_error(const struct point *p, int error)
{
	print_point(p);
	printf(",\"error\":\"%s\"}\n", strerror(-error));
	fflush(stdout);
}

static void print(const struct point *p, uint64_t ops, uint64_t wall_ns,
		  const uint64_t *before, const uint64_t *after)
{
	print_point(p);
	printf(",\"ops\":%llu,\"wall_ns\":%llu", (unsigned long long)ops,
	       (unsigned long long)wall_ns);
	for (size_t i = 0; i < COUNTED; i++)
		printf(",\"%s\":%llu", counted[i],
		       (unsigned long long)(after[i] - before[i]));
	printf("}\n");
	fflush(stdout);
}

static void sleep_ms(unsigned int ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t))
		;
}

static int measure(const struct point *p, unsigned int ms)
{
	static struct thread threads[THREADS_MAX];
	pthread_t ids[THREADS_MAX];
	uint64_t before[COUNTED], after[COUNTED], begun_ns, wall_ns, ops = 0;
	int error = 0;

	memset(threads, 0, sizeof(threads));
	atomic_store(&is_over, false);
	if (pthread_barrier_init(&barrier, NULL, p->threads + 1))
		return -ENOMEM;
	for (unsigned int i = 0; i < p->threads; i++) {
		threads[i].way = p->way;
		threads[i].run = (struct way_run){ .algorithm = p->algorithm,
						   .bytes = p->bytes,
						   .depth = p->depth };
		/* Those that wait at the barrier would wait for ever. */
		if (pthread_create(&ids[i], NULL, work, &threads[i]))
			abort();
	}
	pthread_barrier_wait(&barrier);
	counts_read(before);
	steer("begin");
	begun_ns = clock_now_ns();
	pthread_barrier_wait(&barrier);
	sleep_ms(ms);
	atomic_store(&is_over, true);
	pthread_barrier_wait(&barrier);
	wall_ns = clock_now_ns() - begun_ns;
	steer("end");
	counts_read(after);
	pthread_barrier_wait(&barrier);
	for (unsigned int i = 0; i < p->threads; i++) {
		pthread_join(ids[i], NULL);
		ops += threads[i].ops;
		error = error ? error : threads[i].error;
	}
	pthread_barrier_destroy(&barrier);
	if (!error)
		print(p, ops, wall_ns, before, after);
	return error;
}

static bool point_parse(struct point *p, const char *text)
{
	char way[32], algorithm[32];

	*p = (struct point){ 0 };
	if (sscanf(text, "%31[^,],%31[^,],%u,%u,%u", way, algorithm, &p->bytes,
		   &p->depth, &p->threads) != 5)
		return false;
	p->way = way_find(way);
	for (unsigned int i = 0; i < bench_algorithm_count; i++)
		if (strcmp(bench_algorithms[i].name, algorithm) == 0)
			p->algorithm = &bench_algorithms[i];
	return p->way && p->algorithm && p->bytes && p->depth && p->threads &&
	       p->threads <= THREADS_MAX;
}

int main(int argc, char **argv)
{
	int status = 0;

	for (int i = 2; i < argc; i++) {
		struct point p;
		int error;

		if (!point_parse(&p, argv[i])) {
			fprintf(stderr, "bench_guest: no such point: %s\n",
				argv[i]);
			return 2;
		}
		error = measure(&p, (unsigned int)atoi(argv[1]));
		if (error)
			print_error(&p, error);
		status |= error != 0;
	}
	return status;
}
