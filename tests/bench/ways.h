/* SPDX-License-Identifier: Apache-2.0 */
/* ways.h - the ways in which a guest's program can have something encrypted */
#ifndef PVX_TESTS_WAYS_H
#define PVX_TESTS_WAYS_H

#include <stdbool.h>

#include "bench/direct.h"

/*
 * How it works: a way is opened for one algorithm, size and depth, and then
 * turned: a turn is one operation, or with jobs as many as are done. Each
 * thread has its own.
 */
struct way_run {
	const struct bench_algorithm *algorithm;
	uint32_t bytes;
	unsigned int depth; /* of jobs; else 1 */
	/* The way's own. */
	int fd, key_fd;
	uint32_t session;
	unsigned int in_flight; /* jobs */
	uint64_t submitted;
	struct cryptsess_provider *provider;
	struct direct direct;
	uint8_t *src, *dst; /* `depth` of them */
};

struct way {
	const char *name;
	bool has_result; /* in `dst`, to be compared */
	int (*open)(struct way_run *run);
	/* How many operations were done, or -errno. */
	int (*turn)(struct way_run *run);
	/* Ends what is in flight. */
	int (*close)(struct way_run *run);
};

/* NULL: there is none such. */
const struct way *way_find(const char *name);

/* Memory and the way itself. 0 or -errno; then way_run_close(), also after a
 * failure, which compares what was done last with libcrypto's (-EBADMSG). */
int way_run_open(struct way_run *run, const struct way *way);
int way_run_close(struct way_run *run, const struct way *way);

#endif
