/* SPDX-License-Identifier: Apache-2.0 */
/* face.c - what chat, send and tail do alike with their options */

#include "client/face.h"

#include "client/address.h"
#include "client/locked.h"
#include "client/room.h"

#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_S (365u * 24 * 3600)

int face_number(uint64_t *number, const char *option, const char *text,
		uint64_t max, uint64_t otherwise)
{
	char *end;

	*number = otherwise;
	if (!text)
		return 0;
	errno = 0;
	*number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	if (!*number || errno || *end || *number > max) {
		log_error("--%s %s: it takes a number from 1 to %llu", option,
			  text, (unsigned long long)max);
		return -EINVAL;
	}
	return 0;
}

static int take_options(struct chat_options *options,
			const struct arguments *arguments)
{
	const char *nick = arguments->value[OPTION_NICK];
	const char *server = arguments->value[OPTION_SERVER];
	const char *provider = arguments->value[OPTION_CRYPTO];
	uint64_t wait_s;

	if (nick && !text_nick_is_good(nick)) {
		log_error("--nick \"%s\": a nick is 1 to %d bytes of visible "
			  "text without : * ! ( ) and without blanks at its "
			  "ends",
			  nick, TEXT_NICK_MAX_BYTES);
		return -EINVAL;
	}
	if (server && address_check(server))
		return -EINVAL;
	if (arguments->value[OPTION_SINCE] &&
	    since_parse(&options->since, arguments->value[OPTION_SINCE],
			event_now_ms())) {
		log_error("--since %s: it takes a message's number, a time ago "
			  "(10m, 2h, 3d) or a date",
			  arguments->value[OPTION_SINCE]);
		return -EINVAL;
	}
	if (face_number(&wait_s, "wait", arguments->value[OPTION_WAIT],
			WAIT_MAX_S, 0))
		return -EINVAL;
	if (wait_s)
		options->first_patience_ms = options->patience_ms =
			(int64_t)wait_s * 1000;
	options->nick = nick;
	options->provider = provider ? provider : "openssl";
	options->server = server;
	options->fingerprint = arguments->value[OPTION_FINGERPRINT];
	return 0;
}

int face_enter(struct chat **chat, struct loop *loop,
	       const struct arguments *arguments, struct chat_options *options,
	       inbox_event_fn *on_event, void *owner)
{
	struct room_link *room;
	int error = take_options(options, arguments);

	*chat = NULL;
	if (error)
		return error;
	room = locked_alloc(sizeof(*room));
	if (!room)
		return -ENOMEM;
	error = room_read(room, arguments->value[OPTION_ROOM]);
	if (!error) {
		if (!options->server)
			options->server = room->server;
		options->room = room;
		error = chat_create(chat, loop, options, on_event, owner);
	}
	/* What was borrowed from it is gone now. */
	options->server = NULL;
	options->room = NULL;
	secret_free(room);
	return error;
}
