/* SPDX-License-Identifier: Apache-2.0 */
/* manager.h - a service manager that keeps a daemon's descriptors */
#ifndef PVX_TESTS_MANAGER_H
#define PVX_TESTS_MANAGER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/un.h>

#include "device/driver.h"

#define MANAGER_KEPT_MAX 512 /* as in our unit */

struct manager_entry {
	char name[64];
	int fd;
};

/* What sd_notify(3) says of FDSTORE, FDSTOREREMOVE, FDNAME and FDPOLL. */
struct manager {
	int sock;
	pthread_t thread;
	bool has_thread;
	unsigned int restarts;
	atomic_bool must_stop;
	struct sockaddr_un address;
	struct driver *watched; /* NULL: nobody */
	pthread_mutex_t lock;   /* of what follows */
	unsigned int kept;
	struct manager_entry entry[MANAGER_KEPT_MAX];
	unsigned int polled; /* stored without FDPOLL=0 */
};

/* One for the daemons of this driver, which wait for it as long as it takes;
 * before driver_start(). */
struct manager *manager_create(struct driver *driver);
void manager_destroy(struct manager *manager);

/* Do what the daemon has asked for so far; a thread does it all the time, but
 * while a daemon is started. */
void manager_drain(struct manager *manager);

/* SIGKILL daemon and, with it, worker; then start another one. */
int manager_restart(struct manager *manager, struct driver *driver);

/* Look while the front end waits, or not any more, whether the daemon was
 * killed; then start another one. */
void manager_watch(struct manager *manager, struct driver *driver);
void manager_unwatch(struct manager *manager);
/* Look now. */
void manager_look(struct manager *manager);

#endif
