/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.h - descriptors that outlive the supervisor, kept by who started it */
#ifndef PVX_DEVICE_KEEPER_H
#define PVX_DEVICE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "vhost/control.h"

/*
 * How it works: a service manager that speaks sd_notify(3)'s FDSTORE keeps what
 * is stored under names, and passes it to the next supervisor (LISTEN_FDS,
 * LISTEN_FDNAMES) when this one dies. Stored are the state, the results, the
 * control connection, and every descriptor of vhost_fds under the number of
 * its slot and a serial. The state says which serials belong to it, and whether
 * a message was being handled: then what was passed may not fit the state, and
 * the next supervisor lets the connection go. FDPOLL=0, because a kick
 * descriptor is readable by nature.
 *
 * Without a manager (no NOTIFY_SOCKET) all of this does nothing.
 */
#define KEEPER_SLOTS         (sizeof(struct vhost_fds) / sizeof(int))
#define KEEPER_INHERITED_MAX (KEEPER_SLOTS + 16)
#define KEEPER_NAME_BYTES    32

/* In the state: what belongs together. */
struct keeper_record {
	struct vhost_state vhost;
	bool is_connected;
	bool is_busy; /* a message is being handled */
	uint32_t last_serial;
	uint32_t serial[KEEPER_SLOTS]; /* 0: none */
};

struct keeper_inherited {
	char name[KEEPER_NAME_BYTES];
	int fd; /* -1: taken */
};

struct keeper {
	int sock; /* of the manager; -1: none */
	unsigned int inherited_count;
	struct keeper_inherited inherited[KEEPER_INHERITED_MAX];
	int synced[KEEPER_SLOTS]; /* vhost_fds as they were last stored */
	bool has_failed;          /* the store is not complete */
};

/* Find the manager, and what it kept. Called before descriptors are opened. */
void keeper_init(struct keeper *keeper);
void keeper_deinit(struct keeper *keeper);

static inline bool keeper_is_there(const struct keeper *keeper)
{
	return keeper->sock >= 0;
}

/* A descriptor that was passed under that name (owned), or -1. */
int keeper_take(struct keeper *keeper, const char *name);

/* Have one kept under a name, which is new; or not any more. */
void keeper_store(struct keeper *keeper, const char *name, int fd);
void keeper_remove(struct keeper *keeper, const char *name);

/* Have the connection's descriptors kept as they are now, after a message. */
void keeper_sync(struct keeper *keeper, struct keeper_record *record,
		 const struct vhost_fds *fds);

/* The connection's descriptors as the record says. 0, or -ENOENT when one is
 * not there; those that were found are in `fds` all the same. */
int keeper_restore(struct keeper *keeper, struct keeper_record *record,
		   struct vhost_fds *fds);

/* Close what was passed and nobody took, and have it forgotten. */
void keeper_drop_rest(struct keeper *keeper);

/* Tell the manager "READY=1" and the like. */
void keeper_tell(struct keeper *keeper, const char *text);

#endif
