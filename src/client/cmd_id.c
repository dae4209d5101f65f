/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_id.c - the user's own fingerprint, safety numbers with others */

#include "client/commands.h"

#include "client/identity.h"
#include "client/inbox.h"
#include "client/locked.h"
#include "client/prompt.h"
#include "client/room.h"

#include "base/log.h"
#include "e2ee/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct keys {
	struct secret seed;
	struct e2ee_identity identity;
	struct room_link link;
};

static struct keys *keys_create(void)
{
	struct keys *keys = locked_alloc(sizeof(*keys));
	struct state *state = NULL;
	bool is_new;

	if (!keys)
		return NULL;
	/* The state first, as in a chat: see find_state() there. */
	if ((!identity_is_there() && state_open_own(&state)) ||
	    identity_load(&keys->seed, &is_new)) {
		state_close(state);
		secret_free(keys);
		return NULL;
	}
	state_close(state);
	e2ee_identity_derive(&keys->identity, &keys->seed);
	return keys;
}

int cmd_id(const struct arguments *arguments)
{
	struct keys *keys = keys_create();
	char text[E2EE_FINGERPRINT_ROOM];

	if (!keys)
		return EXIT_FAILURE;
	e2ee_fingerprint(text, keys->identity.key.public_key);
	secret_free(keys);
	puts(text);
	return EXIT_SUCCESS;
}

/* What `id verify` opens: a room without a connection. */
struct view {
	struct cryptsess_provider *provider;
	struct e2ee_room *room;
	struct state *state;
	struct inbox inbox;
};

static int view_open(struct view *view, struct keys *keys, const char *path)
{
	char why[256] = "";
	int error = room_read(&keys->link, path);

	if (error)
		return error;
	/* Nothing is sealed or opened here: any provider does. */
	error = cryptsess_provider_open(&view->provider, "openssl", why,
					sizeof(why));
	if (!error)
		error = e2ee_room_create(&view->room, &keys->link.secret,
					 &keys->seed, view->provider);
	if (error) {
		log_error("cannot open the room: %s",
			  *why ? why : strerror(-error));
		return error;
	}
	error = state_open_own(&view->state);
	if (error)
		return error;
	inbox_init(&view->inbox, view->room, view->state, NULL, NULL);
	error = inbox_load(&view->inbox);
	if (error)
		log_error("the state of this room cannot be used: %s",
			  strerror(-error));
	return error;
}

static void view_close(struct view *view)
{
	state_close(view->state);
	e2ee_room_destroy(view->room);
	cryptsess_provider_close(view->provider);
}

static int verify(struct view *view, const struct keys *keys,
		  const uint8_t *identity, const char *nick)
{
	char number[E2EE_SAFETY_NUMBER_ROOM], print[E2EE_FINGERPRINT_ROOM];
	char question[TEXT_NICK_ROOM + 80];

	e2ee_safety_number(number, keys->identity.key.public_key, identity);
	e2ee_fingerprint(print, identity);
	printf("nick           %s\n", nick);
	printf("fingerprint    %s\n", print);
	printf("safety number  %.35s\n               %s\n", number,
	       number + 36);
	printf("verified       %s\n",
	       state_is_verified(view->state, identity) ? "yes" : "no");
	fflush(stdout);
	if (state_is_verified(view->state, identity))
		return 0;
	snprintf(question, sizeof(question),
		 "Does %s read you the same safety number? [y/N] ", nick);
	return prompt_yes(question) ? state_set_verified(view->state, identity)
				    : 0;
}

/* Every member with that nick; more than one is worth a warning. */
static int verify_nick(struct view *view, const struct keys *keys,
		       const char *wanted)
{
	struct e2ee_member member;
	char nick[TEXT_NICK_ROOM];
	unsigned int found = 0;
	int error = 0;

	for (unsigned int i = 0;
	     !error && e2ee_room_member_at(view->room, i, &member) == 0; i++) {
		text_clean(nick, sizeof(nick), member.nick, strlen(member.nick),
			   TEXT_NICK);
		if (!text_nick_is_like(nick, wanted))
			continue;
		if (found++)
			log_warning("more than one member is called so");
		error = verify(view, keys, member.identity_key, nick);
	}
	if (error)
		log_error("cannot remember it: %s", strerror(-error));
	else if (!found)
		log_error("nobody called \"%s\" was met in this room yet; meet "
			  "in paravox chat first",
			  wanted);
	return found ? error : -ENOENT;
}

int cmd_id_verify(const struct arguments *arguments)
{
	struct keys *keys = keys_create();
	struct view view = { 0 };
	int error = -ENOMEM;

	if (keys) {
		error = view_open(&view, keys, arguments->value[OPTION_ROOM]);
		if (!error)
			error = verify_nick(&view, keys,
					    arguments->operands[0]);
	}
	view_close(&view);
	secret_free(keys);
	return error ? EXIT_FAILURE : EXIT_SUCCESS;
}
