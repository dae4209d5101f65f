/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - descriptors that outlive the supervisor, kept by who started it */
#ifndef PVX_DEVICE_KEEPER_H
#define PVX_DEVICE_KEEPER_H

#include <stdbool.h>

/*
 * How it works: a service manager that speaks sd_notify(3)'s FDSTORE keeps what
 * is stored under names, and passes it to the next supervisor (LISTEN_FDS,
 * LISTEN_FDNAMES) when this one dies. FDPOLL=0, because a kick descriptor is
 * readable by nature. What belongs together is told by the record (record.h).
 *
 * A manager that is behind gets a moment, and then no other one until it takes
 * a notice again: the front end waits for us.
 *
 * Without a manager (no NOTIFY_SOCKET) all of this does nothing.
 */
#define KEEPER_INHERITED_MAX 512 /* the unit's FileDescriptorStoreMax */
#define KEEPER_NAME_BYTES    32

struct keeper_inherited {
	char name[KEEPER_NAME_BYTES];
	int fd; /* -1: taken */
};

struct keeper {
	int sock; /* of the manager; -1: none */
	int patience_ms;
	bool is_late;
	unsigned int inherited_count;
	struct keeper_inherited inherited[KEEPER_INHERITED_MAX];
};

/* Find the manager, and what it kept. Called before descriptors are opened. One
 * notice may take `patience_ms`; 0: as ever. */
void keeper_init(struct keeper *keeper, int patience_ms);
void keeper_deinit(struct keeper *keeper);

static inline bool keeper_is_there(const struct keeper *keeper)
{
	return keeper->sock >= 0;
}

/* A descriptor that was passed under that name (owned), or -1. */
int keeper_take(struct keeper *keeper, const char *name);

/* Have one kept under a name, which is new; or not any more. 0, or -errno when
 * the manager could not be told. */
int keeper_store(struct keeper *keeper, const char *name, int fd);
int keeper_remove(struct keeper *keeper, const char *name);

/* Close what was passed and nobody took, and have it forgotten. */
void keeper_drop_rest(struct keeper *keeper);

/* Tell the manager "READY=1" and the like. 0 or -errno. */
int keeper_tell(struct keeper *keeper, const char *text);

#endif
