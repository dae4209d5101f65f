/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - sealed messages of rooms on the disk, in SQLite */
#ifndef PVX_STORE_STORE_H
#define PVX_STORE_STORE_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One thread owns a store (the loop's); what it asks for is done by two
 * threads of the store, and told by store_serve() to the owner's thread, in
 * the order of asking. Nothing here waits for the disk but store_open() and
 * store_close().
 */
struct store;

#define STORE_ID_BYTES 32 /* of a room, a sender, a chain */

/* What is kept at most; 0: no such limit. The oldest messages go first. */
struct store_limits {
	uint64_t age_ms;
	uint64_t room_messages;
	uint64_t room_bytes;  /* of envelopes, with STORE_ROW_BYTES for each */
	uint64_t total_bytes; /* the same, of all rooms: the largest gives */
	uint64_t rooms;       /* at most STORE_ROOMS_MAX, which 0 means */
};
#define STORE_ROW_BYTES 64
#define STORE_ROOMS_MAX ((UINT64_C(1) << 23) - 1)

/*
 * Open or create FOLDER/history.sqlite. 0 or -errno: -EBUSY while another
 * process has it, -EBADMSG when it is damaged or no store of ours, -ENOTSUP
 * when a newer version made it, -ENOSPC, -EROFS, -EACCES, -EIO, -ENOMEM.
 */
int store_open(struct store **store, const char *folder,
	       const struct store_limits *limits);

/* What was asked for and is not begun ends with -ESHUTDOWN; everything is told
 * before this returns. NULL is allowed. */
void store_close(struct store *store);

/* Readable when there is something to tell: call store_serve() then. */
int store_fd(const struct store *store);
void store_serve(struct store *store);

/* A sentence's end about an error. Static or strerror(3)'s. */
const char *store_explain(int error);

/* Owned by who puts it, with all that it points to, until it is told. */
struct store_message {
	const uint8_t *sender; /* STORE_ID_BYTES, as all ids here */
	const uint8_t *chain;
	uint64_t generation;
	const uint8_t *envelope;
	size_t bytes;
	uint64_t sequence; /* set by the store; 0: it was kept before */
};

struct store_put {
	struct list link;
	const uint8_t *room;
	uint64_t era;  /* of the room; for one that is not there, its first */
	uint64_t last; /* the same: the sequence before its first message */
	struct store_message *messages;
	size_t count;
	int error; /* set by the store; then nothing of it is kept */
	void (*on_done)(struct store_put *put);
};

/* Keep messages of one room. on_done is called when they are on the disk, or
 * cannot be. All that is put while the disk is busy is one transaction. */
void store_put(struct store *store, struct store_put *put);

/* How a read is bounded. */
enum store_read_from {
	STORE_FROM_SEQUENCE, /* those from `from` on */
	STORE_FROM_TIME,     /* none: only find the first one at `from` */
	STORE_FROM_NOWHERE,  /* none: only the room's numbers */
};

struct store_read {
	struct list link;
	const uint8_t *room;
	enum store_read_from how;
	uint64_t from; /* a sequence number, or ms since 1970 */
	uint64_t to;   /* the last one wanted */
	/* Takes a message, in ascending order, on another thread; false when
	 * it wants no more: this one is not taken then. */
	bool (*take)(struct store_read *read, uint64_t sequence,
		     const uint8_t *envelope, size_t bytes);

	/* Set by the store. era is 0 for a room that is not there. */
	uint64_t era;
	uint64_t first; /* kept; last + 1 when none is */
	uint64_t last;
	uint64_t next; /* to go on from; for FROM_TIME what was found */
	int error;
	void (*on_done)(struct store_read *read);
};

void store_read(struct store *store, struct store_read *read);

#endif
