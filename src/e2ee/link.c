/* SPDX-License-Identifier: Apache-2.0 */
/* link.c - what a room is, as a line of text: room file and invite link */

/*
 * How it works (spec/e2ee.md, clause 8): a prefix that names form and version,
 * then in base64url a row of fields {u8 type, u16 length, value} in ascending
 * order and a checksum. Fields of the types 1 to 127 must be known; those from
 * 128 on may be skipped, so that later versions can add hints. There is one
 * text for one meaning: nothing optional in the encoding.
 */
#include "e2ee/link.h"
#include "base/bytes.h"
#include "base/cursor.h"
#include "e2ee/labels.h"
#include "prim/base64url.h"
#include "prim/sha256.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#define CHECKSUM_BYTES   8
#define MAX_BLOB_BYTES   1024
#define FIRST_SKIPPABLE  0x80
#define PASSPHRASE_BYTES (PASSPHRASE_SALT_BYTES + 8)

static const struct {
	const char *prefix, *other; /* `other`: what a newer version begins */
	const char *newer, *malformed;
} forms[LINK_FORMS] = {
	[LINK_INVITE] = { "paravox1:", "paravox",
			  "the link was made by a newer version of Paravox",
			  "this is no invite link: it begins paravox1:" },
	[LINK_ROOM_FILE] = { "paravox-room1:", "paravox-room",
			     "the file was made by a newer version of Paravox",
			     "this is no room file: it begins paravox-room1:" },
};

static bool server_is_character(char c, bool in_brackets)
{
	if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_')
		return true;
	return in_brackets && (c == ':' || c == '%');
}

static int port_check(const char *digits)
{
	unsigned int port = 0;

	if (digits[0] < '1' || digits[0] > '9')
		return -EINVAL;
	for (; *digits; digits++) {
		if (*digits < '0' || *digits > '9')
			return -EINVAL;
		port = port * 10 + (unsigned int)(*digits - '0');
		if (port > 65535)
			return -EINVAL;
	}
	return 0;
}

static int path_check(const char *path)
{
	for (const char *p = path; *p; p++)
		if (*p < '!' || *p > '~')
			return -EINVAL;
	return path[0] == '/' && path[1] ? 0 : -EINVAL;
}

int link_server_check(const char *server)
{
	size_t bytes = strnlen(server, LINK_MAX_SERVER_BYTES + 1);
	size_t prefix = strlen(LINK_PLAIN_PREFIX);
	const char *host, *at;
	bool in_brackets;

	if (bytes == 0 || bytes > LINK_MAX_SERVER_BYTES)
		return -EINVAL;
	if (strncmp(server, "unix:", 5) == 0)
		return path_check(server + 5);
	if (strncmp(server, LINK_PLAIN_PREFIX, prefix) == 0)
		server += prefix;
	in_brackets = server[0] == '[';
	host = at = server + in_brackets;
	while (server_is_character(*at, in_brackets))
		at++;
	if (at == host)
		return -EINVAL;
	if (in_brackets && *at++ != ']')
		return -EINVAL;
	return *at == ':' ? port_check(at + 1) : -EINVAL;
}

static int server_read(struct room_link *link, const uint8_t *value,
		       size_t bytes)
{
	memcpy(link->server, value, bytes);
	link->server[bytes] = '\0';
	if (strlen(link->server) != bytes)
		return -EINVAL;
	return link_server_check(link->server);
}

static int secret_read(struct room_link *link, const uint8_t *value,
		       size_t bytes)
{
	memcpy(link->secret.bytes, value, bytes);
	link->has_secret = true;
	return 0;
}

static int certificate_read(struct room_link *link, const uint8_t *value,
			    size_t bytes)
{
	memcpy(link->certificate_sha256, value, bytes);
	link->has_certificate = true;
	return 0;
}

static int passphrase_read(struct room_link *link, const uint8_t *value,
			   size_t bytes)
{
	struct reader r;

	reader_init(&r, value, bytes);
	reader_copy(&r, link->passphrase.salt, PASSPHRASE_SALT_BYTES);
	link->passphrase.passes = reader_u32(&r);
	link->passphrase.memory_kib = reader_u32(&r);
	link->has_passphrase = true;
	return passphrase_params_check(&link->passphrase);
}

/* Row i reads the field of type i + 1. */
static const struct {
	size_t min_bytes, max_bytes;
	int (*read)(struct room_link *link, const uint8_t *value, size_t bytes);
	const char *wrong;
} fields[] = {
	{ 1, LINK_MAX_SERVER_BYTES, server_read,
	  "the relay's address in it is malformed" },
	{ SECRET_BYTES, SECRET_BYTES, secret_read, "the secret is malformed" },
	{ LINK_CERTIFICATE_BYTES, LINK_CERTIFICATE_BYTES, certificate_read,
	  "the certificate's fingerprint is malformed" },
	{ PASSPHRASE_BYTES, PASSPHRASE_BYTES, passphrase_read,
	  "the cost of stretching the passphrase is out of bounds" },
};

static void checksum(uint8_t sum[SHA256_BYTES], const char *prefix,
		     const uint8_t *data, size_t bytes)
{
	const struct iovec parts[] = {
		{ (void *)(uintptr_t)LABEL_LINK_CHECKSUM,
		  sizeof(LABEL_LINK_CHECKSUM) },
		{ (void *)(uintptr_t)prefix, strlen(prefix) },
		{ (void *)(uintptr_t)data, bytes },
	};

	sha256_parts(sum, parts, ARRAY_SIZE(parts));
}

static void field_write(struct writer *w, uint8_t type, const void *value,
			size_t bytes)
{
	writer_u8(w, type);
	writer_u16(w, (uint16_t)bytes);
	writer_bytes(w, value, bytes);
}

static bool has_what_it_needs(const struct room_link *link, enum link_form form)
{
	if (!link->server[0])
		return false;
	if (form == LINK_ROOM_FILE)
		return link->has_secret;
	return link->has_secret != link->has_passphrase;
}

static void blob_write(struct writer *w, const struct room_link *link,
		       enum link_form form)
{
	uint8_t cost[PASSPHRASE_BYTES];
	uint8_t sum[SHA256_BYTES];

	field_write(w, 1, link->server, strlen(link->server));
	if (link->has_secret &&
	    (form == LINK_ROOM_FILE || !link->has_passphrase))
		field_write(w, 2, link->secret.bytes, SECRET_BYTES);
	if (link->has_certificate)
		field_write(w, 3, link->certificate_sha256,
			    LINK_CERTIFICATE_BYTES);
	if (link->has_passphrase) {
		memcpy(cost, link->passphrase.salt, PASSPHRASE_SALT_BYTES);
		bytes_put_be32(cost + PASSPHRASE_SALT_BYTES,
			       link->passphrase.passes);
		bytes_put_be32(cost + PASSPHRASE_SALT_BYTES + 4,
			       link->passphrase.memory_kib);
		field_write(w, 4, cost, sizeof(cost));
	}
	checksum(sum, forms[form].prefix, w->start, writer_used(w));
	writer_bytes(w, sum, CHECKSUM_BYTES);
}

long link_encode(char *text, size_t room, const struct room_link *link,
		 enum link_form form)
{
	size_t prefix_bytes = strlen(forms[form].prefix);
	uint8_t blob[MAX_BLOB_BYTES];
	struct writer w;
	long bytes;

	/* A passphrase room's own link may hold both; its invite leaves the
	 * secret out. */
	if (link_server_check(link->server) ||
	    !(link->has_secret ||
	      (form == LINK_INVITE && link->has_passphrase)))
		return -EINVAL;
	if (link->has_passphrase && passphrase_params_check(&link->passphrase))
		return -EINVAL;
	if (room <= prefix_bytes)
		return -EMSGSIZE;
	writer_init(&w, blob, sizeof(blob));
	blob_write(&w, link, form);
	memcpy(text, forms[form].prefix, prefix_bytes);
	bytes = base64url_encode(text + prefix_bytes, room - prefix_bytes, blob,
				 writer_used(&w));
	secret_wipe(blob, sizeof(blob));
	return bytes < 0 ? bytes : bytes + (long)prefix_bytes;
}

/* All fields in ascending order, up to the end. */
static int fields_read(struct room_link *link, struct reader *r,
		       const char **why)
{
	unsigned int last_type = 0;

	*why = "a field is malformed";
	while (reader_left(r)) {
		uint8_t type = reader_u8(r);
		uint16_t bytes = reader_u16(r);
		const uint8_t *value = reader_bytes(r, bytes);
		int err;

		if (!value || type <= last_type)
			return -EINVAL;
		last_type = type;
		if (type >= FIRST_SKIPPABLE)
			continue;
		if (type > ARRAY_SIZE(fields)) {
			*why = "it asks for something that only a newer "
			       "version of Paravox knows";
			return -EPROTONOSUPPORT;
		}
		*why = fields[type - 1].wrong;
		if (bytes < fields[type - 1].min_bytes ||
		    bytes > fields[type - 1].max_bytes)
			return -EINVAL;
		err = fields[type - 1].read(link, value, bytes);
		if (err)
			return err;
	}
	return 0;
}

static int blob_read(struct room_link *link, enum link_form form,
		     const uint8_t *blob, size_t bytes, const char **why)
{
	uint8_t sum[SHA256_BYTES];
	struct reader r;
	int err;

	*why = "it is cut off or was changed: the checksum is wrong";
	if (bytes < CHECKSUM_BYTES)
		return -EBADMSG;
	bytes -= CHECKSUM_BYTES;
	checksum(sum, forms[form].prefix, blob, bytes);
	if (memcmp(sum, blob + bytes, CHECKSUM_BYTES) != 0)
		return -EBADMSG;
	reader_init(&r, blob, bytes);
	err = fields_read(link, &r, why);
	if (err)
		return err;
	*why = "it lacks the relay's address, or has not exactly what opens "
	       "a room of its kind";
	return has_what_it_needs(link, form) ? 0 : -EINVAL;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Whether the text begins `other`, a number other than 1, and a colon. */
static bool is_newer(const char *text, size_t bytes, const char *other)
{
	size_t at = strlen(other), digits = at;

	if (bytes < at || memcmp(text, other, at) != 0)
		return false;
	while (at < bytes && text[at] >= '0' && text[at] <= '9')
		at++;
	return at > digits && at < bytes && text[at] == ':';
}

int link_decode(struct room_link *link, enum link_form form, const char *text,
		size_t text_bytes, const char **why)
{
	const char *prefix = forms[form].prefix, *unused;
	size_t prefix_bytes = strlen(prefix);
	uint8_t blob[MAX_BLOB_BYTES];
	long bytes;
	int err = -EINVAL;

	why = why ? why : &unused;
	memset(link, 0, sizeof(*link));
	while (text_bytes && is_space(text[0]))
		text++, text_bytes--;
	while (text_bytes && is_space(text[text_bytes - 1]))
		text_bytes--;
	*why = forms[form].malformed;
	if (text_bytes >= LINK_TEXT_ROOM)
		return -EINVAL;
	if (text_bytes < prefix_bytes ||
	    memcmp(text, prefix, prefix_bytes) != 0) {
		if (!is_newer(text, text_bytes, forms[form].other))
			return -EINVAL;
		*why = forms[form].newer;
		return -EPROTONOSUPPORT;
	}
	bytes = base64url_decode(blob, sizeof(blob), text + prefix_bytes,
				 text_bytes - prefix_bytes);
	if (bytes < 0)
		*why = "it is cut off or was changed: this is no base64url";
	else
		err = blob_read(link, form, blob, (size_t)bytes, why);
	secret_wipe(blob, sizeof(blob));
	if (err)
		secret_wipe(link, sizeof(*link));
	return err;
}
