/* SPDX-License-Identifier: Apache-2.0 */
/* people.h - members to test with, and messages that nobody should make */
#ifndef TEST_E2EE_PEOPLE_H
#define TEST_E2EE_PEOPLE_H

#include "e2ee/message.h"
#include "e2ee/room.h"
#include "e2ee/suite.h"

/* A room's secret and an identity's seed are this byte, 32 times. */
#define ROOM  0x11
#define OTHER 0x22 /* another room */
#define ALICE 0xa1
#define BOB   0xb2
#define EVE   0xe5

struct envelope {
	uint8_t bytes[CHAT_ENVELOPE_MAX];
	size_t length;
};

/* cmocka: open the provider, and close it. */
int people_setup(void **state);
int people_teardown(void **state);
struct cryptsess_provider *people_provider(void);

struct e2ee_room *people_enter(uint8_t room, uint8_t person);

/* Seal a text at a time; "nick" is the nick unless given. */
void people_say_as(struct e2ee_room *room, struct envelope *envelope,
		   const char *nick, const char *text, uint64_t time_ms);
void people_say(struct e2ee_room *room, struct envelope *envelope,
		const char *text);

/* Open; the verdict. `opened` may be NULL. */
enum e2ee_verdict people_hear(struct e2ee_room *room,
			      const struct envelope *envelope,
			      struct e2ee_opened *opened);

/* Give every row of the changes to another room object: a restart. */
void people_keep(struct e2ee_room *room, const struct e2ee_changes *changes);

/* Everything that goes into a message, to be changed at will and sealed. */
struct craft {
	struct room_keys room;
	struct e2ee_identity identity;
	struct e2ee_device device;
	uint8_t chain_id[CHAT_CHAIN_ID_BYTES];
	uint8_t iv[CHAT_IV_BYTES];
	uint8_t link[SHA256_BYTES];
	struct e2ee_content content;
	struct message_input input; /* points to all of the above */
};

void craft_init(struct craft *craft, uint8_t room, uint8_t person);
void craft_seal(struct craft *craft, struct envelope *envelope);

/* Open an envelope with the room's keys down to its plaintext, and seal any
 * plaintext under any header: what an insider can do. */
size_t craft_plaintext(const struct craft *craft,
		       const struct envelope *envelope, uint8_t *plaintext);
void craft_wrap(const struct craft *craft,
		const uint8_t header[CHAT_ENVELOPE_HEADER_BYTES],
		const uint8_t *plaintext, size_t bytes,
		struct envelope *envelope);

/* Alice and Bob in a room, and Eve, who holds its secret too. */
struct scene {
	struct e2ee_room *alice, *bob;
	struct envelope first, second; /* of Alice, on one chain */
	struct craft eve;              /* she holds the room's secret */
	struct envelope crafted;
	uint8_t plaintext[CHAT_CIPHERTEXT_MAX];
};

/* cmocka: a fresh scene in *state, and its end. */
int scene_setup(void **state);
int scene_teardown(void **state);

/* What Bob makes of the crafted envelope; and that he accepts the honest one
 * all the same. */
void scene_assert(struct scene *scene, enum e2ee_verdict expected);

#endif
