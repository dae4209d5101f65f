/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_link.c - the parser of invite links and room files */

/*
 * The first byte chooses: bit 0 the form; bit 1 whether the rest is the text
 * itself, or fields that get a right checksum, so that the fields are reached.
 */
#include "base/bytes.h"
#include "e2ee/labels.h"
#include "e2ee/link.h"
#include "prim/base64url.h"
#include "prim/sha256.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t text_of_fields(char *text, size_t room, const char *prefix,
			     const uint8_t *fields, size_t bytes)
{
	uint8_t blob[1024], sum[SHA256_BYTES];
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL_LINK_CHECKSUM,
		  sizeof(LABEL_LINK_CHECKSUM) },
		{ (void *)(uintptr_t)prefix, strlen(prefix) },
		{ blob, bytes },
	};

	if (bytes > sizeof(blob) - 8)
		return 0;
	memcpy(blob, fields, bytes);
	sha256_parts(sum, parts, ARRAY_SIZE(parts));
	memcpy(blob + bytes, sum, 8);
	strcpy(text, prefix);
	return strlen(prefix) + (size_t)base64url_encode(text + strlen(prefix),
							 room - strlen(prefix),
							 blob, bytes + 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum link_form form =
		size && data[0] & 1 ? LINK_ROOM_FILE : LINK_INVITE;
	char made[LINK_TEXT_ROOM], again[LINK_TEXT_ROOM];
	const char *prefix =
		form == LINK_INVITE ? "paravox1:" : "paravox-room1:";
	struct room_link link, back;
	const char *why = NULL;
	const char *text = (const char *)data + 1;
	size_t bytes = size - 1;

	if (!size)
		return 0;
	if (data[0] & 2) {
		bytes = text_of_fields(made, sizeof(made), prefix, data + 1,
				       size - 1);
		text = made;
	}
	if (link_decode(&link, form, text, bytes, &why)) {
		if (!why || link.has_secret || link.has_passphrase)
			abort();
		return 0;
	}
	/* What was accepted can be written, and means the same again. */
	bytes = (size_t)link_encode(again, sizeof(again), &link, form);
	if (link_decode(&back, form, again, bytes, NULL) ||
	    memcmp(&link, &back, sizeof(link)) != 0)
		abort();
	return 0;
}
