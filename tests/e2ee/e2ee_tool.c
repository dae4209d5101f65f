/* SPDX-License-Identifier: Apache-2.0 */
/* e2ee_tool.c - the C program's side of checker.py: a line in, a line out */

#include "base/bytes.h"
#include "e2ee/link.h"
#include "e2ee/message.h"
#include "e2ee/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORDS  12
#define MAX_BINARY (CHAT_ENVELOPE_MAX + 1)

static struct cryptsess_provider *provider;

/* A word of hexadecimal digits; "-" is nothing. Lives until the next line. */
static struct word {
	uint8_t *bytes;
	size_t length;
	const char *text;
} words[MAX_WORDS];

static void word_read(struct word *word, const char *text)
{
	int length = 0;

	word->text = text;
	word->bytes = malloc(MAX_BINARY);
	if (!word->bytes)
		exit(2);
	if (strcmp(text, "-") != 0)
		length = bytes_from_hex(word->bytes, MAX_BINARY, text);
	word->length = length > 0 ? (size_t)length : 0;
}

static void hex_print(const uint8_t *data, size_t bytes)
{
	putchar(' ');
	if (!bytes)
		putchar('-');
	for (size_t i = 0; i < bytes; i++)
		printf("%02x", data[i]);
}

static struct secret secret_of(const struct word *word)
{
	struct secret secret = { { 0 } };

	memcpy(secret.bytes, word->bytes, sizeof(secret.bytes));
	return secret;
}

/* keys ROOM-SECRET SEED */
static void run_keys(void)
{
	struct secret room_secret = secret_of(&words[1]);
	struct secret seed = secret_of(&words[2]);
	char text[E2EE_FINGERPRINT_ROOM];
	struct e2ee_identity identity;
	struct e2ee_device device;
	struct room_keys room;

	room_keys_derive(&room, &room_secret);
	e2ee_identity_derive(&identity, &seed);
	e2ee_device_derive(&device, &identity, room.room_id);
	e2ee_fingerprint(text, identity.key.public_key);
	printf("ok");
	hex_print(room.room_id, sizeof(room.room_id));
	hex_print(room.admission.public_key, SIGN_PUBLIC_BYTES);
	hex_print(identity.key.public_key, SIGN_PUBLIC_BYTES);
	hex_print(device.key.public_key, SIGN_PUBLIC_BYTES);
	hex_print(device.proof, SIGN_BYTES);
	printf(" %s\n", text);
}

/* seal ROOM-SECRET SEED CHAIN GENERATION IV LINK TIME TYPE NICK TEXT, where
 * generation, time and type are decimal */
static void run_seal(void)
{
	static uint8_t envelope[CHAT_ENVELOPE_MAX];
	static struct message_scratch scratch;
	struct secret room_secret = secret_of(&words[1]);
	struct secret seed = secret_of(&words[2]);
	struct e2ee_identity identity;
	struct e2ee_device device;
	struct room_keys room;
	const struct e2ee_content content = {
		.type = (enum e2ee_content_type)atoi(words[8].text),
		.sender_time_ms = strtoull(words[7].text, NULL, 10),
		.nick = (const char *)words[9].bytes,
		.nick_bytes = words[9].length,
		.text = (const char *)words[10].bytes,
		.text_bytes = words[10].length,
	};
	const struct message_input input = {
		.room = &room,
		.identity_key = &identity.key,
		.device_key = device.key.public_key,
		.device_proof = device.proof,
		.chain_id = words[3].bytes,
		.generation = strtoull(words[4].text, NULL, 10),
		.iv = words[5].bytes,
		.link = words[6].bytes,
		.content = &content,
	};
	long bytes;

	room_keys_derive(&room, &room_secret);
	e2ee_identity_derive(&identity, &seed);
	e2ee_device_derive(&device, &identity, room.room_id);
	bytes = message_seal(envelope, &scratch, provider, &input);
	if (bytes < 0) {
		printf("error %ld\n", bytes);
		return;
	}
	printf("ok");
	hex_print(envelope, (size_t)bytes);
	message_link(room.room_id, envelope, (size_t)bytes);
	hex_print(room.room_id, SHA256_BYTES);
	putchar('\n');
}

/* speak ROOM-SECRET SEED NICK TEXT...: as the client does, with a random
 * chain and IV; one envelope per text */
static void run_speak(unsigned int count)
{
	static uint8_t envelope[CHAT_ENVELOPE_MAX];
	struct secret room_secret = secret_of(&words[1]);
	struct secret seed = secret_of(&words[2]);
	struct e2ee_changes changes;
	struct e2ee_room *room;

	if (e2ee_room_create(&room, &room_secret, &seed, provider))
		exit(2);
	printf("ok");
	for (unsigned int i = 4; i < count; i++) {
		const struct e2ee_content content = {
			.type = E2EE_CONTENT_TEXT,
			.sender_time_ms = i,
			.nick = (const char *)words[3].bytes,
			.nick_bytes = words[3].length,
			.text = (const char *)words[i].bytes,
			.text_bytes = words[i].length,
		};
		long bytes = e2ee_seal(room, &content, envelope, &changes);

		if (bytes < 0)
			exit(2);
		hex_print(envelope, (size_t)bytes);
	}
	putchar('\n');
	e2ee_room_destroy(room);
}

/* open ROOM-SECRET SEED ENVELOPE: by a receiver that remembers nothing */
static void run_open(void)
{
	struct secret room_secret = secret_of(&words[1]);
	struct secret seed = secret_of(&words[2]);
	struct e2ee_opened opened;
	enum e2ee_verdict verdict;
	struct e2ee_room *room;

	if (e2ee_room_create(&room, &room_secret, &seed, provider))
		exit(2);
	verdict = e2ee_open(room, words[3].bytes, words[3].length, &opened);
	printf("%d", verdict);
	if (!verdict) {
		hex_print(opened.identity, sizeof(opened.identity));
		hex_print(opened.sender, sizeof(opened.sender));
		printf(" %llu %llu %d", (unsigned long long)opened.generation,
		       (unsigned long long)opened.content.sender_time_ms,
		       opened.content.type);
		hex_print((const uint8_t *)opened.content.nick,
			  opened.content.nick_bytes);
		hex_print((const uint8_t *)opened.content.text,
			  opened.content.text_bytes);
	}
	putchar('\n');
	e2ee_room_destroy(room);
}

/* safety KEY KEY */
static void run_safety(void)
{
	char text[E2EE_SAFETY_NUMBER_ROOM];

	e2ee_safety_number(text, words[1].bytes, words[2].bytes);
	printf("ok %s\n", text);
}

/* link SERVER SECRET CERTIFICATE: the invite, and the room file */
static void run_link(void)
{
	char text[LINK_TEXT_ROOM], file[LINK_TEXT_ROOM];
	struct room_link link = { .has_secret = true, .has_certificate = true };

	snprintf(link.server, sizeof(link.server), "%s", words[1].text);
	link.secret = secret_of(&words[2]);
	memcpy(link.certificate_sha256, words[3].bytes, 32);
	if (link_encode(text, sizeof(text), &link, LINK_INVITE) < 0 ||
	    link_encode(file, sizeof(file), &link, LINK_ROOM_FILE) < 0)
		printf("error\n");
	else
		printf("ok %s %s\n", text, file);
}

static unsigned int line_split(char *line)
{
	unsigned int count = 0;

	for (char *word = strtok(line, " \n"); word && count < MAX_WORDS;
	     word = strtok(NULL, " \n"))
		word_read(&words[count++], word);
	return count;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "openssl";
	size_t room = 0;
	char *line = NULL;

	if (cryptsess_provider_open(&provider, name, NULL, 0))
		return 77;
	while (getline(&line, &room, stdin) > 0) {
		unsigned int count = line_split(line);
		const char *verb = count ? words[0].text : "";

		if (strcmp(verb, "keys") == 0 && count == 3)
			run_keys();
		else if (strcmp(verb, "seal") == 0 && count == 11)
			run_seal();
		else if (strcmp(verb, "speak") == 0 && count > 4)
			run_speak(count);
		else if (strcmp(verb, "open") == 0 && count == 4)
			run_open();
		else if (strcmp(verb, "safety") == 0 && count == 3)
			run_safety();
		else if (strcmp(verb, "link") == 0 && count == 4)
			run_link();
		else
			printf("what?\n");
		fflush(stdout);
		for (unsigned int i = 0; i < count; i++)
			free(words[i].bytes);
	}
	free(line);
	cryptsess_provider_close(provider);
	return 0;
}
