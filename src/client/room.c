/* SPDX-License-Identifier: Apache-2.0 */
/* room.c - the room file: the relay's address and the room's secret */

#include "client/room.h"

#include "client/locked.h"

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"

#include <errno.h>
#include <string.h>

static const char *explain_read(int result)
{
	return result == -ENOENT ? "there is no such room file; paravox room "
				   "new makes one, paravox room join too, "
				   "from an invite link"
				 : file_explain(result);
}

static const char *explain_create(int result)
{
	switch (result) {
	case -EEXIST:
		return "it is there already, and was left alone; give another "
		       "name";
	case -ENOENT:
		return "the folder that it is to be in is not there";
	default:
		return file_explain(result);
	}
}

int room_read(struct room_link *room, const char *path)
{
	char *text = locked_alloc(LINK_TEXT_ROOM);
	const char *why = NULL;
	size_t bytes;
	int result;

	if (!text)
		return -ENOMEM;
	result = file_read_private(path, text, LINK_TEXT_ROOM, &bytes);
	if (!result)
		result = link_decode(room, LINK_ROOM_FILE, text, bytes, &why);
	if (result)
		log_error("%s: %s", path, why ? why : explain_read(result));
	secret_free(text);
	return result > 0 ? -EACCES : result;
}

int room_create(const struct room_link *room, const char *path)
{
	char *text = locked_alloc(LINK_TEXT_ROOM + 1);
	long chars;
	int result;

	if (!text)
		return -ENOMEM;
	chars = link_encode(text, LINK_TEXT_ROOM, room, LINK_ROOM_FILE);
	if (chars < 0) {
		result = (int)chars;
	} else {
		text[chars] = '\n';
		result = file_create_private(path, text, (size_t)chars + 1);
	}
	if (result)
		log_error("%s: %s", path, explain_create(result));
	secret_free(text);
	return result > 0 ? -EACCES : result;
}
