/* SPDX-License-Identifier: Apache-2.0 */
/* alike.h - which members' nicks a quick reader would take for another */
#ifndef PVX_CLIENT_ALIKE_H
#define PVX_CLIENT_ALIKE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How it works: folding a nick takes a microsecond, and a room has up to 4096
 * members, any of whom may change his with each message. So what a nick looks
 * like is kept for each member, as half a SHA-256, until the nick is another.
 */
struct alike_member;

struct alike {
	struct alike_member *members;
	unsigned int room; /* of the array */
};

/* Zeroed is empty. */
void alike_deinit(struct alike *alike);

/* What a nick looks like, as one number; 0 when there is nothing to see of it
 * or no memory: like no other. `nick` is as a member sent it. */
uint64_t alike_look(const char *nick);

/* Whether the member's nick, as he sent it, looks like `look`. `index` is his
 * in the room (e2ee_room_member_at()), and he keeps it. */
bool alike_is(struct alike *alike, unsigned int index, const char *nick,
	      uint64_t look);

#endif
