/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - paravox: the table of subcommands */

#include "client/commands.h"

#include "base/log.h"
#include "base/process.h"

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define FACE_OPTIONS                                                       \
	(OPTION_BIT(ROOM) | OPTION_BIT(SERVER) | OPTION_BIT(FINGERPRINT) | \
	 OPTION_BIT(CRYPTO) | OPTION_BIT(WAIT))

static const struct command commands[] = {
	{ "room new", "FILE", "make a room with a random secret",
	  "The file holds the secret and the relay's address: who can read it "
	  "can read the room.\nThe relay is asked for its key, which goes into "
	  "the invite link.",
	  OPTION_BIT(SERVER) | OPTION_BIT(FINGERPRINT), 0, 1, 1, cmd_room_new },
	{ "room passphrase", "FILE", "make a room that a passphrase opens",
	  "A passphrase of 100 bits is made and printed once; with --own you "
	  "type one,\non the terminal or on standard input. The relay knows "
	  "what a guess can be\nchecked against: a passphrase that people "
	  "think of can be guessed by it.",
	  OPTION_BIT(SERVER) | OPTION_BIT(FINGERPRINT) | OPTION_BIT(OWN), 0, 1,
	  1, cmd_room_passphrase },
	{ "room link", "FILE", "print the invite link",
	  "Who has the link can read the room (in a passphrase room: with the "
	  "passphrase).\n--fingerprint puts another key of the relay into it: "
	  "for who holds a new link the\nrelay may have changed its key.",
	  OPTION_BIT(FINGERPRINT), 0, 1, 1, cmd_room_link },
	{ "room join", "FILE", "make a room file from an invite link",
	  "The link is read from the terminal or from standard input, then "
	  "the passphrase\nif the room has one; neither may be an argument.",
	  0, 0, 1, 1, cmd_room_join },
	{ "id", "", "print your identity's fingerprint",
	  "The identity is made when it is first needed. Others see this "
	  "fingerprint when\nthey first meet you.",
	  0, 0, 0, 0, cmd_id },
	{ "id verify", "NICK", "print the safety number of you and a member",
	  "Compare it by voice or face to face: it is the same for both of "
	  "you, if nobody\nis between.",
	  OPTION_BIT(ROOM), OPTION_BIT(ROOM), 1, 1, cmd_id_verify },
	{ "chat", "", "talk in a room",
	  "Type a line to say it; /help lists the rest. What is typed while "
	  "the relay is out of\nreach goes out when it is back.",
	  FACE_OPTIONS | OPTION_BIT(NICK), OPTION_BIT(ROOM) | OPTION_BIT(NICK),
	  0, 0, cmd_chat },
	{ "send", "", "send each line of standard input",
	  "The status is 0 only when every line was acknowledged by the "
	  "relay. When the relay\ncannot be reached at first it fails at "
	  "once, when it is lost later after 30 s;\n--wait sets both.",
	  FACE_OPTIONS | OPTION_BIT(NICK) | OPTION_BIT(JSON),
	  OPTION_BIT(ROOM) | OPTION_BIT(NICK), 0, 0, cmd_send },
	{ "tail", "", "print what is said in a room",
	  "Messages go to standard output, remarks to standard error; with "
	  "--json all goes to\nstandard output. Nothing is said to the room.",
	  FACE_OPTIONS | OPTION_BIT(COUNT) | OPTION_BIT(SINCE) |
		  OPTION_BIT(JSON),
	  OPTION_BIT(ROOM), 0, 0, cmd_tail },
	{ "crypto list", "", "say which providers of crypto sessions are here",
	  "With their algorithms, or the reason why they are not here.",
	  OPTION_BIT(PROVIDER) | OPTION_BIT(JSON), 0, 0, 0, cmd_crypto_list },
	{ "crypto test", "", "check their answers",
	  "Published answers, and random data that openssl must agree about. "
	  "The status is 0\nonly when all of it is right.",
	  OPTION_BIT(PROVIDER) | OPTION_BIT(JSON), 0, 0, 0, cmd_crypto_test },
	{ "crypto speed", "", "measure them",
	  "Megabytes (10^6 bytes) and operations in a second; the ratio is to "
	  "openssl in the\nsame run.",
	  OPTION_BIT(PROVIDER) | OPTION_BIT(JSON), 0, 0, 0, cmd_crypto_speed },
	{ 0 },
};

int main(int argc, char **argv)
{
	int error;

	log_init("paravox", LOG_LEVEL_INFO);
	error = process_harden();
	if (error) {
		log_error("cannot protect this process: %s", strerror(-error));
		return EXIT_FAILURE;
	}
	/* Text is UTF-8 whatever the locale says; the rest stays "C". */
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
	return command_dispatch(commands, argc, argv);
}
