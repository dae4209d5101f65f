/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - look a store over that nobody serves, and put it right */
#ifndef PVX_STORE_CHECK_H
#define PVX_STORE_CHECK_H

#include "store/store.h"

struct store_check {
	bool repairs; /* else it only looks */
	/* Whether the envelope is one, by this sender, chain, generation. */
	bool (*is_envelope)(const struct store_message *message);
	/* A line about something that is wrong, and about what was done. */
	void (*tell)(const char *line);

	/* Set by the check. */
	uint64_t rooms;
	uint64_t messages;
	uint64_t faults;   /* found */
	uint64_t repaired; /* of them */
	uint64_t lost;     /* messages that could not be kept */
};

/*
 * Look at FOLDER/history.sqlite. 0 when it could be looked at; -errno as
 * store_open() says: -EBUSY while a relay serves it, -ENOENT when there is
 * none, -EBADMSG when it is damaged beyond reading.
 *
 * A room whose numbers had to be given anew begins a new era, so that clients
 * notice. What repairing cannot put right is faults - repaired.
 */
int store_check(struct store_check *check, const char *folder);

#endif
