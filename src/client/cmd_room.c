/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_room.c - make a room, invite to it, accept an invitation */

#include "client/commands.h"

#include "client/address.h"
#include "client/learn.h"
#include "client/locked.h"
#include "client/prompt.h"
#include "client/room.h"

#include "base/log.h"
#include "base/secret.h"
#include "prim/random.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A passphrase of ours: four groups of five characters of 32, 100 bits. */
#define GENERATED_GROUPS   4
#define GENERATED_IN_GROUP 5
#define GENERATED_CHARS    (GENERATED_GROUPS * (GENERATED_IN_GROUP + 1) - 1)
#define PASSPHRASE_ROOM    1024
#define PASSPHRASE_OWN_MIN 12 /* bytes of one that the user thought of */

/* What one of these commands works with; in memory of locked_alloc(). */
struct work {
	struct room_link room;
	char passphrase[PASSPHRASE_ROOM];
	char again[PASSPHRASE_ROOM];
	char text[LINK_TEXT_ROOM];
};

static int choose_server(struct room_link *room, const char *server)
{
	if (!server)
		server = ROOM_DEFAULT_SERVER;
	if (address_check(server))
		return -EINVAL;
	strcpy(room->server, server);
	return 0;
}

int cmd_room_new(const struct arguments *arguments)
{
	struct work *work = locked_alloc(sizeof(*work));
	int status = EXIT_FAILURE, error;

	if (!work ||
	    choose_server(&work->room, arguments->value[OPTION_SERVER]))
		goto out;
	if (learn_fingerprint(&work->room,
			      arguments->value[OPTION_FINGERPRINT]))
		goto out;
	error = random_bytes(work->room.secret.bytes, SECRET_BYTES);
	if (error) {
		log_error("no randomness: %s", strerror(-error));
		goto out;
	}
	work->room.has_secret = true;
	if (room_create(&work->room, arguments->operands[0]) == 0)
		status = EXIT_SUCCESS;
out:
	secret_free(work);
	return status;
}

static int generate_passphrase(char *to)
{
	static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t random[GENERATED_CHARS];
	int error = random_bytes(random, sizeof(random));

	_Static_assert(sizeof(alphabet) == 32 + 1, "five bits a character");
	if (error) {
		log_error("no randomness: %s", strerror(-error));
		return error;
	}
	for (size_t i = 0; i < GENERATED_CHARS; i++)
		to[i] = i % (GENERATED_IN_GROUP + 1) == GENERATED_IN_GROUP
				? '-'
				: alphabet[random[i] & 31];
	to[GENERATED_CHARS] = '\0';
	secret_wipe(random, sizeof(random));
	return 0;
}

static long ask(const char *question, const char *what, char *to, size_t room)
{
	long length = prompt_secret(question, to, room);

	if (length == -EMSGSIZE)
		log_error("the %s is too long", what);
	else if (length == -ENODATA)
		log_error("no %s was given", what);
	else if (length < 0 && length != -EINTR)
		log_error("cannot read the %s: %s", what,
			  strerror((int)-length));
	return length;
}

static long ask_passphrase(struct work *work)
{
	long length = ask("Passphrase of the room: ", "passphrase",
			  work->passphrase, PASSPHRASE_ROOM);

	if (length == 0)
		log_error("an empty passphrase opens no room");
	return length;
}

static int ask_own_passphrase(struct work *work)
{
	long length = ask_passphrase(work);

	if (length <= 0)
		return length ? (int)length : -EINVAL;
	if (length < PASSPHRASE_OWN_MIN) {
		log_error("a passphrase of less than %d characters is guessed "
			  "soon by a relay that tries; see "
			  "paravox room passphrase --help",
			  PASSPHRASE_OWN_MIN);
		return -EINVAL;
	}
	if (!isatty(STDIN_FILENO))
		return 0;
	length = ask("The same again: ", "passphrase", work->again,
		     PASSPHRASE_ROOM);
	if (length < 0)
		return (int)length;
	if (strcmp(work->passphrase, work->again) != 0) {
		log_error("the two differ");
		return -EINVAL;
	}
	return 0;
}

/* Print a line of `chars` characters, not through stdio's buffer, which nobody
 * wipes. `text` has room for the newline. */
static int print_secret(char *text, size_t chars)
{
	ssize_t put;

	text[chars] = '\n';
	put = write(STDOUT_FILENO, text, chars + 1);
	text[chars] = '\0';
	if (put == (ssize_t)chars + 1)
		return EXIT_SUCCESS;
	log_error("cannot print it: %s", put < 0 ? strerror(errno) : "cut off");
	return EXIT_FAILURE;
}

/* Argon2id over the passphrase; the result is the room's secret. */
static int stretch(struct work *work)
{
	struct room_link *room = &work->room;
	int error;

	error = passphrase_stretch(&room->secret, work->passphrase,
				   strlen(work->passphrase), &room->passphrase);
	if (error)
		log_error("cannot stretch the passphrase (%u MiB are needed): "
			  "%s",
			  room->passphrase.memory_kib / 1024, strerror(-error));
	room->has_secret = !error;
	return error;
}

int cmd_room_passphrase(const struct arguments *arguments)
{
	bool is_own = arguments->value[OPTION_OWN];
	struct work *work = locked_alloc(sizeof(*work));
	int status = EXIT_FAILURE;

	if (!work ||
	    choose_server(&work->room, arguments->value[OPTION_SERVER]))
		goto out;
	if (learn_fingerprint(&work->room,
			      arguments->value[OPTION_FINGERPRINT]))
		goto out;
	if (is_own ? ask_own_passphrase(work)
		   : generate_passphrase(work->passphrase))
		goto out;
	if (passphrase_params_new(&work->room.passphrase)) {
		log_error("no randomness");
		goto out;
	}
	work->room.has_passphrase = true;
	if (stretch(work) || room_create(&work->room, arguments->operands[0]))
		goto out;
	/* The only time that it is shown: the file does not hold it. */
	if (!is_own && isatty(STDERR_FILENO))
		fputs("The room's passphrase, shown this once:\n", stderr);
	status = is_own ? EXIT_SUCCESS
			: print_secret(work->passphrase,
				       strlen(work->passphrase));
out:
	secret_free(work);
	return status;
}

int cmd_room_link(const struct arguments *arguments)
{
	struct work *work = locked_alloc(sizeof(*work));
	int status = EXIT_FAILURE;
	long chars;

	if (!work || room_read(&work->room, arguments->operands[0]))
		goto out;
	if (arguments->value[OPTION_FINGERPRINT] &&
	    learn_fingerprint(&work->room,
			      arguments->value[OPTION_FINGERPRINT]))
		goto out;
	chars = link_encode(work->text, sizeof(work->text), &work->room,
			    LINK_INVITE);
	if (chars < 0) {
		log_error("%s: %s", arguments->operands[0],
			  strerror((int)-chars));
		goto out;
	}
	status = print_secret(work->text, (size_t)chars);
out:
	secret_free(work);
	return status;
}

int cmd_room_join(const struct arguments *arguments)
{
	struct work *work = locked_alloc(sizeof(*work));
	int status = EXIT_FAILURE;
	const char *why;
	long chars;

	if (!work)
		return status;
	chars = ask("Invite link (it is not shown): ", "link", work->text,
		    sizeof(work->text));
	if (chars < 0)
		goto out;
	if (link_decode(&work->room, LINK_INVITE, work->text, (size_t)chars,
			&why)) {
		log_error("%s", why);
		goto out;
	}
	if (work->room.has_passphrase &&
	    (ask_passphrase(work) <= 0 || stretch(work)))
		goto out;
	if (room_create(&work->room, arguments->operands[0]) == 0)
		status = EXIT_SUCCESS;
out:
	secret_free(work);
	return status;
}
