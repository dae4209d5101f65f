/* SPDX-License-Identifier: Apache-2.0 */
/* process.h - what a process took of the machine */
#ifndef BENCH_RELAY_PROCESS_H
#define BENCH_RELAY_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

struct process_usage {
	uint64_t cpu_ns;     /* of all its threads, by its CPU clock */
	uint64_t waiting_ns; /* they could run, and another did */
	uint64_t sleeps;     /* of its first thread */
	uint64_t user_kib;   /* resident memory of its own, without files */
	uint64_t most_kib;   /* resident memory, the most there ever was */
};

/* `pid` 0 is this process. 0 or -errno. */
int process_usage_get(struct process_usage *u, pid_t pid);

/* Memory of the whole kernel for its objects and for socket buffers. 0 when
 * it cannot be read. */
uint64_t process_kernel_kib(void);

#endif
