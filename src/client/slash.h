/* SPDX-License-Identifier: Apache-2.0 */
/* slash.h - what can be typed in a chat besides messages */
#ifndef PVX_CLIENT_SLASH_H
#define PVX_CLIENT_SLASH_H

#include "client/chat.h"

struct slash {
	struct chat *chat;   /* borrowed */
	bool has_new_nick;   /* out */
	bool wants_to_leave; /* out */
};

/* Run the line, "/NAME" and maybe an operand; its answer goes to standard
 * output. */
void slash_run(struct slash *slash, const char *line);

#endif
