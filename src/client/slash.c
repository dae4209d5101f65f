/* SPDX-License-Identifier: Apache-2.0 */
/* slash.c - what can be typed in a chat besides messages */

#include "client/slash.h"

#include "client/state.h"

#include "base/bytes.h"
#include "base/option.h"
#include "e2ee/identity.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void run_help(struct slash *slash, const char *operand);

/* What was typed, fit to be shown again; lives until the next. */
static const char *typed(const char *text, size_t bytes)
{
	static char shown[TEXT_ROOM(TEXT_NICK_MAX_BYTES)];

	text_clean(shown, sizeof(shown), text,
		   text_cut(text, bytes, TEXT_NICK_MAX_BYTES), TEXT_LINE);
	return shown;
}

/* One device in the room, as the relay says; what we know is added. */
static void print_device(void *owner, const uint8_t device[CHAT_KEY_BYTES])
{
	struct slash *slash = owner;
	struct event *event = event_create(EVENT_PRESENT, NULL, 0);
	char text[EVENT_DEVICE_ROOM], fingerprint[E2EE_FINGERPRINT_ROOM];

	if (!event)
		return;
	event_device_text(text, device);
	chat_describe(slash->chat, event, device);
	if (memcmp(device, e2ee_room_device_key(chat_room(slash->chat)),
		   CHAT_KEY_BYTES) == 0) {
		printf("  %s (you)\n", chat_nick(slash->chat));
	} else if (event->has_identity) {
		e2ee_fingerprint(fingerprint, event->identity);
		printf("  %s  %s%s\n",
		       *event->nick ? event->nick : "(no nick yet)",
		       fingerprint, event->is_verified ? "  verified" : "");
	} else {
		printf("  device %s, which has said nothing yet\n", text);
	}
	free(event);
}

static void run_who(struct slash *slash, const char *operand)
{
	printf("* here, as the relay says (%u):\n",
	       chat_roster(slash->chat)->present);
	roster_each(chat_roster(slash->chat), print_device, slash);
}

static void run_nick(struct slash *slash, const char *operand)
{
	int error;

	if (!text_nick_is_good(operand)) {
		printf("! %s is no nick: 1 to %d bytes of visible text without "
		       ": * ! ( )\n",
		       typed(operand, strlen(operand)), TEXT_NICK_MAX_BYTES);
		return;
	}
	error = chat_set_nick(slash->chat, operand);
	slash->has_new_nick = !error;
	if (error == -ENOBUFS)
		puts("! too much is waiting for the relay");
}

static void print_safety_number(struct slash *slash,
				const struct e2ee_member *member)
{
	char number[E2EE_SAFETY_NUMBER_ROOM],
		fingerprint[E2EE_FINGERPRINT_ROOM];

	e2ee_safety_number(number,
			   e2ee_room_identity_key(chat_room(slash->chat)),
			   member->identity_key);
	e2ee_fingerprint(fingerprint, member->identity_key);
	printf("  fingerprint    %s\n", fingerprint);
	printf("  safety number  %.35s\n                 %s\n", number,
	       number + 36);
}

static void verify(struct slash *slash, const struct e2ee_member *member,
		   bool is_confirmed)
{
	struct state *state = chat_state(slash->chat);

	if (is_confirmed && state_set_verified(state, member->identity_key))
		puts("! cannot remember that");
	print_safety_number(slash, member);
	if (state_is_verified(state, member->identity_key))
		puts("  verified");
	else
		puts("  not verified: compare the number by voice or face to "
		     "face, then\n  type the same with \" ok\" behind the "
		     "nick");
}

/* The `index`-th member that is called so, from 0; and how exactly. */
static int member_called(struct slash *slash, const char *wanted,
			 unsigned int index, struct e2ee_member *member,
			 char nick[TEXT_NICK_ROOM])
{
	const struct e2ee_room *room = chat_room(slash->chat);

	for (unsigned int i = 0; e2ee_room_member_at(room, i, member) == 0;
	     i++) {
		text_clean(nick, TEXT_NICK_ROOM, member->nick,
			   strlen(member->nick), TEXT_NICK);
		if (*nick && text_nick_is_like(nick, wanted) && index-- == 0)
			return 0;
	}
	return -ENOENT;
}

static void run_verify(struct slash *slash, const char *operand)
{
	size_t bytes = strlen(operand);
	bool is_confirmed =
		bytes > 3 && strcmp(operand + bytes - 3, " ok") == 0;
	struct e2ee_member member;
	char wanted[TEXT_NICK_ROOM], nick[TEXT_NICK_ROOM];
	unsigned int found = 0;

	text_clean(wanted, sizeof(wanted), operand,
		   is_confirmed ? bytes - 3 : bytes, TEXT_NICK);
	/* Which of two alike is meant is not to be guessed. */
	if (member_called(slash, wanted, 1, &member, nick) == 0) {
		puts("! more than one member is called so, or nearly so; "
		     "nobody is marked");
		is_confirmed = false;
	}
	for (; member_called(slash, wanted, found, &member, nick) == 0;
	     found++) {
		printf("* %s\n", nick);
		verify(slash, &member, is_confirmed);
	}
	if (!found)
		printf("! nobody called %s is known here\n", wanted);
}

static void run_back(struct slash *slash, const char *operand)
{
	uint64_t count;
	int error;

	if (option_number(&count, operand, 1, CHAT_FETCH_MAX)) {
		printf("! /back takes a number from 1 to %d, and not %s\n",
		       CHAT_FETCH_MAX, typed(operand, strlen(operand)));
		return;
	}
	error = chat_fetch(slash->chat, (uint16_t)count);
	if (error == -ENOENT)
		puts("* nothing older is kept there");
	else if (error == -EBUSY)
		puts("* what you asked for before is still coming");
	else if (error)
		puts("! the relay cannot be asked: there is no connection, or "
		     "it keeps nothing");
}

static void run_quit(struct slash *slash, const char *operand)
{
	slash->wants_to_leave = true;
}

static const struct {
	const char *name;
	const char *operand; /* NULL: none */
	const char *help;
	void (*run)(struct slash *slash, const char *operand);
} commands[] = {
	{ "help", NULL, "this list", run_help },
	{ "who", NULL, "who is here", run_who },
	{ "nick", "NAME", "take another nick", run_nick },
	{ "verify", "NICK", "the safety number of you and that member",
	  run_verify },
	{ "back", "N", "N older messages of the room", run_back },
	{ "quit", NULL, "leave (as Ctrl-D and Ctrl-C do)", run_quit },
};

static void run_help(struct slash *slash, const char *operand)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char left[32];

		snprintf(left, sizeof(left), "/%s %s", commands[i].name,
			 commands[i].operand ? commands[i].operand : "");
		printf("  %-14s %s\n", left, commands[i].help);
	}
	puts("  //TEXT         say /TEXT");
}

void slash_run(struct slash *slash, const char *line)
{
	size_t name_bytes = strcspn(line + 1, " ");
	const char *operand = line + 1 + name_bytes;

	operand += strspn(operand, " ");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strlen(commands[i].name) != name_bytes ||
		    strncmp(commands[i].name, line + 1, name_bytes) != 0)
			continue;
		if (commands[i].operand && !*operand)
			printf("! /%s needs a %s\n", commands[i].name,
			       commands[i].operand);
		else
			commands[i].run(slash, operand);
		return;
	}
	printf("! there is no command %s, and nothing was sent; see /help\n",
	       typed(line, name_bytes + 1));
}
