/* SPDX-License-Identifier: Apache-2.0 */
/* ban.c - devices that may not enter any room */

#include "relay/ban.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/log.h"
#include "prim/shorthash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BYTES (2 * CHAT_KEY_BYTES + 1) /* digits and newline */

static struct ban *find(const struct bans *bans, const uint8_t *key)
{
	uint32_t hash = shorthash(bans->hash_key, key, CHAT_KEY_BYTES);
	struct ban *found = NULL;

	HASH_FIND_BYHASHVALUE(hh, bans->table, key, CHAT_KEY_BYTES, hash,
			      found);
	return found;
}

static int insert(struct bans *bans, const uint8_t *key)
{
	uint32_t hash = shorthash(bans->hash_key, key, CHAT_KEY_BYTES);
	struct ban *ban;

	if (HASH_COUNT(bans->table) >= BANS_MAX)
		return -ENOSPC;
	ban = calloc(1, sizeof(*ban));
	if (!ban)
		return -ENOMEM;
	memcpy(ban->device_key, key, CHAT_KEY_BYTES);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, bans->table, ban->device_key,
				    CHAT_KEY_BYTES, hash, ban);
	if (find(bans, key) == ban)
		return 0;
	free(ban);
	return -ENOMEM;
}

static void ban_delete(struct bans *bans, struct ban *ban)
{
	HASH_DEL(bans->table, ban);
	free(ban);
}

static int save(const struct bans *bans)
{
	size_t bytes = (size_t)HASH_COUNT(bans->table) * LINE_BYTES;
	char *text, *at;
	int error;

	if (!bans->path)
		return 0;
	text = malloc(bytes + 1);
	if (!text)
		return -ENOMEM;
	at = text;
	for (struct ban *b = bans->table; b; b = b->hh.next) {
		bytes_to_hex(at, b->device_key, CHAT_KEY_BYTES);
		at += LINE_BYTES;
		at[-1] = '\n';
	}
	error = file_replace_private(bans->path, text, bytes);
	free(text);
	return error;
}

static int parse(struct bans *bans, char *text)
{
	char *rest = text, *line;
	int error = 0;

	while (!error && (line = strsep(&rest, "\n")) && *line) {
		uint8_t key[CHAT_KEY_BYTES];

		if (bytes_from_hex(key, sizeof(key), line) != CHAT_KEY_BYTES)
			return -EINVAL;
		if (!find(bans, key))
			error = insert(bans, key);
	}
	return error ? error : rest && *rest ? -EINVAL : 0;
}

int bans_init(struct bans *bans, const uint8_t *hash_key, const char *path)
{
	size_t room = (size_t)BANS_MAX * LINE_BYTES, bytes = 0;
	char *text;
	int error;

	*bans = (struct bans){ .hash_key = hash_key, .path = path };
	if (!path)
		return 0;
	text = malloc(room + 1);
	if (!text)
		return -ENOMEM;
	error = file_read_private(path, text, room, &bytes);
	if (error == 0) {
		text[bytes] = '\0';
		error = parse(bans, text);
	}
	free(text);
	if (error == -ENOENT)
		return 0;
	if (error) {
		log_error("%s: %s", path,
			  error == -EINVAL ? "is no list of device keys"
					   : file_explain(error));
		bans_deinit(bans);
	}
	return error > 0 ? -EPERM : error;
}

void bans_deinit(struct bans *bans)
{
	struct ban *ban, *next;

	HASH_ITER(hh, bans->table, ban, next)
	ban_delete(bans, ban);
}

bool bans_has(const struct bans *bans, const uint8_t key[CHAT_KEY_BYTES])
{
	return bans->table && find(bans, key);
}

int bans_add(struct bans *bans, const uint8_t key[CHAT_KEY_BYTES])
{
	int error = find(bans, key) ? -EEXIST : insert(bans, key);

	if (error)
		return error;
	error = save(bans);
	if (error)
		ban_delete(bans, find(bans, key));
	return error;
}

int bans_remove(struct bans *bans, const uint8_t key[CHAT_KEY_BYTES])
{
	struct ban *ban = find(bans, key);
	uint8_t kept[CHAT_KEY_BYTES];
	int error;

	if (!ban)
		return -ENOENT;
	memcpy(kept, key, sizeof(kept));
	ban_delete(bans, ban);
	error = save(bans);
	/* There was room a moment ago. */
	if (error && insert(bans, kept))
		log_error("a ban was lost: no memory");
	return error;
}
