/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - the connection, as the next supervisor finds it */
#ifndef PVX_DEVICE_RECORD_H
#define PVX_DEVICE_RECORD_H

#include <stdatomic.h>

#include "device/keeper.h"
#include "vhost/control.h"

/*
 * How it works: the manager keeps some descriptors for good (state, results,
 * this record, the pipe of answers), and those of the connection as they come
 * and go, each under the number of its slot and a serial. The record is a
 * memory file with a copy of the vhost_state and the serials that belong to it.
 * There are two copies, and a commit is one store, of which one holds: new
 * descriptors are stored before it, old ones are removed behind it, and what
 * the manager has beside what the copy names is dropped by the next supervisor.
 *
 * When the manager does not take something, the copy says that it is not
 * whole, and the commit is to be made again until it is. New descriptors are
 * stored only when no old one waits to be removed, so there are at most twice
 * as many of these as slots: what two commits replaced.
 *
 * Workers do not have the record, and cannot lie in it. Another version of this
 * program may have left it, so what is read is judged (vhost_control_keep()).
 */
#define RECORD_FDS       (sizeof(struct vhost_fds) / sizeof(int))
#define RECORD_SLOTS     (RECORD_FDS + 1) /* the last: the connection */
#define RECORD_FIXED_MAX 5

struct record_copy {
	struct vhost_state vhost;
	uint32_t is_connected;
	uint32_t is_whole;
	uint32_t serial[RECORD_SLOTS]; /* 0: none */
};

struct record_file {
	uint32_t magic;
	uint32_t bytes; /* of this */
	uint32_t last_serial;
	_Atomic uint32_t current; /* the copy that holds */
	struct record_copy copy[2];
};

/* A descriptor as the manager has it. */
struct record_slot {
	int fd;          /* -1: none */
	uint32_t serial; /* 0: none */
};

struct record {
	struct keeper *keeper;    /* borrowed */
	struct record_file *file; /* NULL: there is no manager */
	int fd;
	int pipe[2]; /* of answers */
	unsigned int fixed_count;
	struct {
		const char *name; /* borrowed */
		int fd;           /* borrowed */
		bool is_stored;
	} fixed[RECORD_FIXED_MAX];
	struct record_slot slot[RECORD_SLOTS];
	unsigned int old_count;
	struct {
		unsigned int slot;
		uint32_t serial;
	} old[2 * RECORD_SLOTS];
	bool is_whole; /* the manager has all that it should have */
};

/*
 * Make it, or with `should_adopt` go on with what was passed. 1 when there may
 * be a connection in it, 0 when there is none, or -errno. Without a manager it
 * does nothing, and is 0.
 */
int record_open(struct record *record, struct keeper *keeper,
		bool should_adopt);
/* Have all of it forgotten: nobody shall go on. Safe on a zeroed one. */
void record_close(struct record *record);

/* Have a descriptor (borrowed) kept for good, under a name. `is_stored`: it
 * came from the manager. */
void record_store(struct record *record, const char *name, int fd,
		  bool is_stored);

/* The connection that the copy that holds has; descriptors become the caller's.
 * 1; 0 when there is none; -ENOENT when some of it is missing, and then it is
 * only good for being closed. */
int record_restore(struct record *record, struct vhost_state *vhost,
		   struct vhost_fds *fds, int *control_fd);

/* A commit, in three parts: have new descriptors kept; let the copy with
 * `vhost` hold; have old descriptors forgotten. `control_fd` -1: there is no
 * connection any more. */
void record_stage(struct record *record, const struct vhost_fds *fds,
		  int control_fd);
void record_flip(struct record *record, const struct vhost_state *vhost);
void record_clean(struct record *record);

/* Whether the manager has, and has only, what it should: else a commit is to be
 * made again. */
bool record_is_settled(const struct record *record);

#endif
