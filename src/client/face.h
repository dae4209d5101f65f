/* SPDX-License-Identifier: Apache-2.0 */
/* face.h - what chat, send and tail do alike with their options */
#ifndef PVX_CLIENT_FACE_H
#define PVX_CLIENT_FACE_H

#include "client/chat.h"
#include "client/command.h"

/* A lost relay is tried again for so long, where --wait says nothing else. */
#define FACE_WAIT_MS 30000

/*
 * Enter the room that the options name. `options` has what the face decides;
 * server, secret, nick and provider are filled in from the arguments, and
 * both patiences when --wait is given. Returns 0, or -errno after a message
 * on standard error; -EINVAL is the command line's fault.
 */
int face_enter(struct chat **chat, struct loop *loop,
	       const struct arguments *arguments, struct chat_options *options,
	       inbox_event_fn *on_event, void *owner);

/* A decimal number from 1 to `max`; `text` NULL gives `otherwise`. 0 or
 * -EINVAL after a message that names the option. */
int face_number(uint64_t *number, const char *option, const char *text,
		uint64_t max, uint64_t otherwise);

#endif
