/* SPDX-License-Identifier: Apache-2.0 */
/* alike.c - which members' nicks a quick reader would take for another */

#include "client/alike.h"

#include "base/bytes.h"
#include "client/text.h"
#include "e2ee/content.h"
#include "prim/sha256.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 64u

struct alike_member {
	char nick[E2EE_MAX_NICK_BYTES + 1]; /* as he sent it */
	uint64_t look;
};

void alike_deinit(struct alike *alike)
{
	free(alike->members);
	memset(alike, 0, sizeof(*alike));
}

uint64_t alike_look(const char *nick)
{
	uint8_t digest[SHA256_BYTES];
	char shown[TEXT_NICK_ROOM], *look;

	text_clean(shown, sizeof(shown), nick, strlen(nick), TEXT_NICK);
	look = text_nick_look(shown);
	if (!look || !*look) {
		free(look);
		return 0;
	}
	sha256_bytes(digest, look, strlen(look));
	free(look);
	return bytes_get_be64(digest) | 1;
}

static struct alike_member *member_at(struct alike *alike, unsigned int index)
{
	unsigned int room = alike->room ? alike->room : FIRST_ROOM;
	struct alike_member *grown;

	while (room <= index)
		room *= 2;
	if (room > alike->room) {
		grown = realloc(alike->members, room * sizeof(*grown));
		if (!grown)
			return NULL;
		memset(grown + alike->room, 0,
		       (room - alike->room) * sizeof(*grown));
		alike->members = grown;
		alike->room = room;
	}
	return &alike->members[index];
}

bool alike_is(struct alike *alike, unsigned int index, const char *nick,
	      uint64_t look)
{
	struct alike_member *member;

	if (!look)
		return false;
	member = member_at(alike, index);
	if (!member)
		return alike_look(nick) == look;
	if (strcmp(member->nick, nick) != 0) {
		member->look = alike_look(nick);
		strncpy(member->nick, nick, sizeof(member->nick) - 1);
	}
	return member->look == look;
}
