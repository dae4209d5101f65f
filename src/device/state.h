/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what outlives a worker: sessions, journal, counters */
#ifndef PVX_DEVICE_STATE_H
#define PVX_DEVICE_STATE_H

#include <stdatomic.h>

#include "abi/virtio_cryptodev.h"
#include "base/log.h"
#include "device/counters.h"
#include "vhost/vring.h"

/*
 * How it works: one sealed memory file, mapped by the supervisor and inherited
 * by every worker. It is locked and left out of core files, since keys lie in
 * it. A worker may die between any two stores, so whatever must change at once
 * changes in one store: an entry lives when its id is not 0, a request is
 * committed when its slot says so, and a queue has come as far as its position
 * word says.
 *
 * A guest may take a worker over, which can then write anything here. While one
 * lives the supervisor reads counters, and counts that it bounds; all it does
 * upon them is to pause before another worker or not. It keeps what it counts
 * itself. What a dead one left is judged by its successor (engine_take_over())
 * while nobody else writes: a worker has the file to itself (state_lock()), and
 * cannot pass it on.
 *
 * Results that wait to be copied to guest memory (journal.h) lie in a second
 * file, which holds payload but no key and is not locked.
 */
struct state_limits {
	uint32_t queues;
	uint32_t max_files;
	uint32_t max_sessions;
	uint32_t max_request_bytes;
};

/* Ids are index + 1 in the low bits, uses in the others: an id that was freed
 * is not given again for as long as possible. */
struct state_file {
	uint32_t id; /* 0: free */
	uint32_t uses;
};

struct state_session {
	uint32_t id; /* 0: free */
	uint32_t uses;
	uint32_t file_id;
	uint32_t queue;
	uint32_t cipher; /* the ids it was opened with */
	uint32_t mac;
	uint32_t key_bytes;
	uint32_t mac_key_bytes;
	uint32_t row; /* of counters */
	/* The worker that has an open hash (vcd 9.4); 0: there is none. */
	uint32_t hash_worker;
	uint8_t iv[VCD_MAX_IV_BYTES]; /* chained, vcd 6.2 */
	uint8_t key[VCD_MAX_KEY_BYTES];
	uint8_t mac_key[VCD_MAX_MAC_KEY_BYTES];
};

enum slot_phase {
	SLOT_BEGUN,    /* to be executed, again if need be */
	SLOT_RECORDED, /* the answer is complete, in the queue's result */
	SLOT_COMMITTED /* the answer is complete, in guest memory */
};

/* A request between its two rings. */
struct state_slot {
	uint16_t head;
	uint8_t attempts;       /* executions begun, each by the next worker */
	uint32_t worker;        /* that began the last one */
	_Atomic uint32_t phase; /* enum slot_phase */
	uint32_t used_bytes;    /* from SLOT_RECORDED on */
	uint32_t zero_bytes;    /* behind a recorded reply: vcd 7.6 */
	/* 1 + index of the entry that is being made, or 0 */
	uint32_t made_file;
	uint32_t made_session;
	/* Ids whose end is under way, or 0: to be ended whatever happens */
	uint32_t ending_file;
	uint32_t ending_session;
	uint8_t ends_all; /* HELLO: everything, and the generation */
	/* What the commit changes: of the session with that id, or 0 ... */
	uint32_t session_id;
	uint32_t hash_worker_before; /* unless this holds: leave it alone */
	uint32_t hash_worker;
	uint8_t has_iv;
	uint8_t has_hash;
	uint8_t has_generation; /* ... and of the device */
	uint8_t iv[VCD_MAX_IV_BYTES];
	uint64_t generation;
};

struct state_queue {
	/* next_avail, next_used, count of slots in use: journal.c */
	_Atomic uint64_t position;
	_Atomic uint32_t start; /* of the ring, which it belongs to */
	struct state_slot slot[VRING_SIZE_MAX];
	struct counters counters;
};

struct state_head {
	uint32_t magic;
	uint32_t layout; /* changes when these structures do */
	struct state_limits limits;
	uint64_t generation;    /* 0: none, vcd 4.5 */
	uint32_t worker;        /* for the next supervisor: state_hire() */
	uint32_t file_count;    /* entries behind were never used */
	uint32_t session_count; /* the same */
	uint32_t deaths;        /* the same: state_bury() */
	struct log_bucket log;  /* of all workers */
};

/* The mappings, and what a worker cannot change for its supervisor; copied as
 * it is by fork(2). */
struct state {
	struct state_limits limits;
	uint32_t workers; /* as the head has it, for statistics */
	uint32_t deaths;
	int fd; /* of the file; also what workers lock */
	int results_fd;
	size_t bytes;
	size_t result_bytes; /* of one queue */
	struct state_head *head;
	struct state_file *file;
	struct state_session *session;
	struct state_queue *queue;
	uint8_t *results;
};

/* Make it, all zeros. 0 or -errno: -ENOMEM when it cannot be locked. */
int state_create(struct state *state, const struct state_limits *limits);

/*
 * Go on with the files of another process (owned, also on failure), whose
 * worker is waited for. -EINVAL when they were made by another build or for
 * other limits.
 */
int state_adopt(struct state *state, const struct state_limits *limits, int fd,
		int results_fd);

/*
 * Wait until no other worker is left on the state of that file, and be the only
 * one until this process ends, or closes any descriptor of the file: the kernel
 * drops the lock with the last thread. 0 or -errno.
 */
int state_lock(int fd);

/* Unmap and close; whoever has the files goes on from there. */
void state_leave(struct state *state);
/* Wipe it before. */
void state_destroy(struct state *state);

/* The number of the next worker, which is not 0; and the last one died. Told by
 * the supervisor alone. */
uint32_t state_hire(struct state *state);
void state_bury(struct state *state);

/* Where a queue's result is recorded: result_bytes of it. */
uint8_t *state_result(const struct state *state, unsigned int queue);
/* Give its pages back: nothing of a payload stays. */
void state_wipe_result(const struct state *state, unsigned int queue);

/* Wipe generation, files, sessions and journals: the device as it was made,
 * but for counters and for ids, which do not come again. No worker runs, and
 * whatever the last one wrote where, nothing of it reaches the next guest. */
void state_forget(struct state *state);

/* How many entries of a table are in use, or were: the others are zeros. Never
 * more than it has, whatever a worker that went wrong has written: the
 * supervisor counts and wipes by it too. */
uint32_t state_files(const struct state *state);
uint32_t state_sessions(const struct state *state);

/* Entries by id; NULL when there is none. */
struct state_file *state_find_file(const struct state *state, uint32_t id);
struct state_session *state_find_session(const struct state *state,
					 uint32_t id);

/* The id that entry `index` gets when it is made now. Counts the use. */
uint32_t state_next_id(uint32_t index, uint32_t entries, uint32_t *uses);

/* Wipe an entry, its id last. */
void state_end_file(struct state_file *file);
void state_end_session(struct state_session *session);

#endif
