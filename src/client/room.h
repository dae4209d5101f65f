/* SPDX-License-Identifier: Apache-2.0 */
/* room.h - the room file: the relay's address and the room's secret */
#ifndef PVX_CLIENT_ROOM_H
#define PVX_CLIENT_ROOM_H

#include "e2ee/link.h"

#define ROOM_DEFAULT_SERVER "127.0.0.1:7450"

/*
 * Read the room file `path` into `room` (memory of secret_alloc()). Returns 0,
 * or -errno after a message on standard error that says what to do.
 */
int room_read(struct room_link *room, const char *path);

/* Create the room file; what is already at `path` is left alone. Returns 0,
 * or -errno after a message. */
int room_create(const struct room_link *room, const char *path);

#endif
