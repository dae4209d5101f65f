/* SPDX-License-Identifier: Apache-2.0 */
/* crew.h - the worker at hand, and its successors */
#ifndef PVX_DEVICE_CREW_H
#define PVX_DEVICE_CREW_H

#include "device/link.h"
#include "device/worker.h"
#include "loop/loop.h"

/*
 * How it works: the crew knows which rings the worker serves (`started`) and
 * which of them it was told to stop (`stopping`). The end of the link tells of
 * a worker's death, or brings it about; so does a message that no sound worker
 * sends. The successor gets the same rings to go on with, and the same stop. A
 * worker that dies without having finished any request is followed after a
 * pause that doubles, so that a machine out of memory is not kept busy with
 * that.
 */
struct crew {
	struct loop *loop;           /* borrowed */
	struct vhost_state *vhost;   /* borrowed */
	const struct vhost_fds *fds; /* borrowed */
	struct worker_params params; /* number and link are the crew's */
	void (*on_stopped)(struct crew *crew); /* rings stand: `base` is set */
	/* The worker cannot go on: -errno. It has been dismissed. */
	void (*on_failure)(struct crew *crew, int error);

	pid_t worker; /* 0: none */
	int link;
	struct loop_watch watch;
	struct loop_timer restart;
	struct loop_timer stop_limit;
	uint64_t stop_limit_ms; /* a worker that takes longer is killed */
	uint64_t started;
	uint64_t stopping;
	bool has_memory;        /* the worker has been given it */
	uint64_t progress;      /* of all queues, when the worker began */
	unsigned int fruitless; /* deaths in a row without progress */
};

/* The caller sets params and handlers afterwards. */
void crew_init(struct crew *crew, struct loop *loop, struct vhost_state *vhost,
	       const struct vhost_fds *fds);

/* A worker for a connection. 0 or -errno. */
int crew_engage(struct crew *crew);

/* The same for a connection of another supervisor, of which these rings were
 * being served. */
int crew_resume(struct crew *crew, uint64_t started);

/* Kill the worker and wait for its end: guest memory is touched no more. */
void crew_dismiss(struct crew *crew);

/* Have a ring served; what it is stands in the vhost_state. 0 or -errno. */
int crew_start(struct crew *crew, unsigned int index);

/* Have rings finish; on_stopped() tells when they have. */
void crew_stop(struct crew *crew, uint64_t mask);

#endif
