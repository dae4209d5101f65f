/* SPDX-License-Identifier: Apache-2.0 */
/* learn.h - ask a relay for its key, for the room that is made on it */
#ifndef PVX_CLIENT_LEARN_H
#define PVX_CLIENT_LEARN_H

struct room_link;

/*
 * Set the fingerprint of the relay that `room` names: `given` (--fingerprint's
 * text), or without it what the relay shows, which must be what it showed
 * before. Nothing happens for a server without TLS. 0, or -errno after a
 * message on standard error.
 */
int learn_fingerprint(struct room_link *room, const char *given);

#endif
