/* SPDX-License-Identifier: Apache-2.0 */
/* takeover.h - hand the sockets to the next relay, so that none is refused */
#ifndef PVX_RELAY_TAKEOVER_H
#define PVX_RELAY_TAKEOVER_H

#include "loop/loop.h"
#include "relay/sockets.h"

/*
 * How it works: the successor, which has done all at its start that could fail,
 * asks "takeover" on the admin socket and gets a line "ok", a line with the use
 * of each socket, and the sockets themselves (SCM_RIGHTS). It says "go"; until
 * then the predecessor serves as if nothing was, and does so for ever when the
 * successor dies, or is silent for RELAY_SUCCESSOR_MS. Then the predecessor
 * forgets the sockets, says BYE to its clients and ends, which the successor
 * sees as the end of the connection, and serves. Between the two nobody
 * accepts, but both hold the same sockets, so the kernel keeps who connects in
 * their backlogs: nobody is refused, and only one relay at a time has the
 * state.
 */
struct takeover {
	struct loop_watch watch; /* to hear "go" */
	struct loop_timer timer; /* not for ever */
	int fd;                  /* to the successor, open until our end */
	bool is_offered;
};

#define TAKEOVER_QUESTION "takeover\n"

/* The predecessor's side: give the sockets to who asks on `fd` (a duplicate of
 * it is kept). NULL, or why not. */
const char *takeover_offer(struct relay *relay, int fd);
/* At our end. Safe when there was none. */
void takeover_close(struct takeover *takeover);

/*
 * The successor's side: get the sockets of the relay at the admin socket
 * `path`, which goes on until takeover_commit(). 0; with `sockets` empty when
 * there is none. Or -errno after a line in the log.
 */
int takeover_request(struct sockets *sockets, const char *path);
/* Everything else is ready: say "go", and wait for the other's end. Nothing
 * happens when there is none. 0 or -errno after a line in the log. */
int takeover_commit(struct sockets *sockets);
/* Our start has failed: if that was before the commit, the other keeps its
 * sockets' paths. */
void takeover_abandon(struct relay *relay, struct sockets *sockets);

#endif
