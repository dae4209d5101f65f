/* SPDX-License-Identifier: Apache-2.0 */
/* admin.h - what an operator asks a running relay */
#ifndef PVX_RELAY_ADMIN_H
#define PVX_RELAY_ADMIN_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct relay;

/*
 * How it works: a client of the admin socket sends one line, a command and its
 * operands, and gets a line "ok" or "error: TEXT", and behind "ok" what it
 * asked for. The socket is closed to all but its owner, and who connects must
 * be that user or root. Rooms and devices are shown and named by the first
 * digits of their id or key: what the relay's log must not hold is not shown
 * to a terminal either.
 */
#define ADMIN_ID_BYTES     4 /* of a room's id that are shown */
#define ADMIN_DEVICE_BYTES 8 /* of a device's key */
#define ADMIN_PREFIX_MIN   8 /* digits that name one */

/* Serve on `path` (borrowed). 0 or -errno after a line in the log. */
int admin_open(struct relay *relay, const char *path);
/* The same on a socket that listens already (owned). `is_ours`: the path of the
 * options is removed at the end. */
int admin_adopt(struct relay *relay, int fd, bool is_ours);
/* Safe on a relay that has none. */
void admin_close(struct relay *relay);

/* Whether a process of user `peer` may ask one of user `own`. */
bool admin_is_welcome(uid_t peer, uid_t own);
/* The same of who is at the other end of a Unix socket. */
bool admin_peer_is_welcome(int fd);

/* Do what `line` says, and write the whole answer. */
void admin_command(struct relay *relay, const char *line, FILE *out);

/* The commands that ctl takes, for its help. */
void admin_print_commands(FILE *out);

#endif
